"""A blind listening test in a real browser, to its end."""

import json
import math

import pytest
from browsing import needs_browser, opened

from musicvae.evaluation.listening import make_pairs
from musicvae.report.listening_page import write_listening_page

pytestmark = needs_browser


@pytest.fixture
def listening(subject, held_out, tmp_path):
    """The letters of the draws, and the page, opened."""
    pairs = make_pairs(subject, held_out, seed=3)
    path = tmp_path / "listen.html"
    write_listening_page(subject, held_out, pairs, path, seed=3)
    with opened(path) as page:
        yield ["A" if pair.is_draw_first else "B" for pair in pairs], page


def answer(page, letters):
    for pair, letter in enumerate(letters):
        page.locator(".pair").nth(pair).locator(f"[data-answer={letter}]").click()


def other(letter):
    return "B" if letter == "A" else "A"


def chance(right, count):
    return sum(math.comb(count, found) for found in range(right, count + 1)) / 2**count


def test_a_listener_plays_answers_and_sees_the_result(listening):
    draws, page = listening
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    first = page.locator("article").nth(0)
    first.locator("button.play").click()
    page.wait_for_function("document.querySelectorAll('[data-state=playing]').length === 1")
    assert first.locator(".note").first.is_hidden()
    page.keyboard.press("Escape")

    answer(page, draws[:3])
    page.reload()  # the answers stay
    assert page.locator("#progress").inner_text() == "3 of 10 pairs answered."
    assert page.locator("[aria-pressed=true]").count() == 3
    assert page.locator("#show").is_disabled()

    answer(page, [other(draws[0]), *draws[1:]])  # the first answer is changed
    assert page.locator(".truth:visible").count() == 0
    page.locator("#show").click()
    verdict = page.locator("#verdict").inner_text()
    assert verdict.startswith("You found 9 of 10 draws.")
    assert "in 1 % of all tests. So you hear a difference" in verdict
    truths = page.locator(".truth:visible").all_inner_texts()
    assert [each.split(":")[0] for each in truths] == ["Wrong", *["Right"] * 9]
    assert page.locator("article .note").first.is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    assert page.locator("[data-answer]:enabled").count() == 0

    with page.expect_download() as download:
        page.locator("#download").click()
    assert download.value.suggested_filename == "listening-tiny-3.json"
    kept = json.loads(download.value.path().read_text())
    assert (kept["model"], kept["pairs"], kept["right"]) == ("tiny", 10, 9)
    assert kept["chance"] == chance(9, 10)
    assert [each["draw"] for each in kept["answers"]] == draws
    assert [each["is_right"] for each in kept["answers"]] == [False, *[True] * 9]

    page.reload()
    assert page.locator("#verdict").inner_text() == verdict
    page.locator("#again").click()
    assert page.locator("#progress").inner_text() == "0 of 10 pairs answered."
    assert page.locator("#verdict").is_hidden()
    assert page.locator(".blind").count() == 1


@pytest.mark.parametrize("right", [0, 5, 8, 10])
def test_the_result_says_how_likely_it_is_by_chance(listening, right):
    draws, page = listening
    answer(page, [*draws[:right], *map(other, draws[right:])])
    page.locator("#show").click()
    verdict = page.locator("#verdict").inner_text()
    likely = chance(right, 10)
    digits = 1 if likely < 0.01 else 0
    assert f"You found {right} of 10 draws." in verdict
    assert f"in {100 * likely:.{digits}f} % of all tests" in verdict
    assert ("So you hear a difference" in verdict) == (likely <= 0.05)
