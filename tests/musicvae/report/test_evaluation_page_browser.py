"""The page of an evaluation in a real browser, which asks no network for anything."""

import shutil

import pytest

from musicvae.evaluation.examples import play_examples
from musicvae.report.evaluation_page import Reported, write_report

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

NAMES = ("chromium", "chromium-browser", "google-chrome")
BROWSER = next(filter(None, map(shutil.which, NAMES)), None)

pytestmark = pytest.mark.skipif(BROWSER is None, reason=f"none of {', '.join(NAMES)} is installed")


@pytest.fixture
def page(subject, held_out, evaluation, tmp_path):
    """The page of one model, opened; it may complain of nothing and ask for nothing."""
    examples = play_examples(subject, held_out, seed=3)
    reported = Reported(subject=subject, evaluation=evaluation, examples=examples)
    _, path = write_report([reported], held_out, tmp_path)
    complaints, requests = [], []
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 400, "height": 800})
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(path.as_uri())
        yield page
        browser.close()
    assert complaints == []
    assert requests == [path.as_uri()]


def test_the_page_shows_its_pictures_and_plays_its_music(page):
    assert page.title() == "tiny"
    # A phone's width is enough: only tables scroll, in boxes of their own.
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    for name in (".steps path", "svg rect.note", ".bars path", ".cell text"):
        assert page.locator(name).count() > 0, name
    card = page.locator("article").nth(5)
    card.locator("button.play").click()
    page.wait_for_function("document.querySelectorAll('[data-state=playing]').length === 1")
    assert card.get_attribute("data-state") == "playing"
    page.keyboard.press("Escape")
    assert card.get_attribute("data-state") == "stopped"
