"""The page of an evaluation in a real browser, which asks no network for anything."""

from browsing import needs_browser, opened

from musicvae.evaluation.examples import play_examples
from musicvae.report.evaluation_page import Reported, write_report

pytestmark = needs_browser


def test_the_page_shows_its_pictures_and_plays_its_music(subject, held_out, evaluation, tmp_path):
    examples = play_examples(subject, held_out, seed=3)
    reported = Reported(subject=subject, evaluation=evaluation, examples=examples)
    _, path = write_report([reported], held_out, tmp_path)
    with opened(path) as page:
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
