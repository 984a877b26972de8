"""The page of a data set in a real browser, which asks no network for anything."""

import re
import shutil
import time

import pytest
import report_sets

from musicvae.data_pipeline.report import write_report

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

NAMES = ("chromium", "chromium-browser", "google-chrome")
BROWSER = next(filter(None, map(shutil.which, NAMES)), None)
OPTIONS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)
PHONE, DESKTOP = {"width": 360, "height": 740}, {"width": 1280, "height": 900}

pytestmark = pytest.mark.skipif(BROWSER is None, reason=f"none of {', '.join(NAMES)} is installed")


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as started:
        running = started.chromium.launch(executable_path=BROWSER, args=list(OPTIONS))
        yield running
        running.close()


@pytest.fixture
def open_page(browser):
    """Opens a file; fails in the end if the page complained or asked for anything but itself."""
    contexts, complaints, requests = [], [], []

    def open_it(path, *, viewport=DESKTOP, **options):
        context = browser.new_context(viewport=viewport, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(path.as_uri())
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert complaints == []
    assert all(url.startswith("file://") and url.endswith(".html") for url in requests), requests


@pytest.fixture(scope="module", params=("melody", "trio", "chords"))
def prepared(request, tmp_path_factory):
    directory, manifest = report_sets.write_set(
        tmp_path_factory.mktemp("sets") / request.param, request.param
    )
    return write_report(directory), manifest


def number(page, selector):
    return int(page.text_content(selector).replace(",", ""))


def cursor_place(card):
    return float(card.locator(".cursor").get_attribute("x1"))


def wait_until(page, is_true, *, timeout_s=10):
    """Polls from outside: the page's own policy forbids to evaluate strings inside it."""
    end = time.monotonic() + timeout_s
    while not is_true():
        assert time.monotonic() < end, "timed out"
        page.wait_for_timeout(20)


def test_the_counts_are_those_of_the_manifest(prepared, open_page):
    path, manifest = prepared
    page = open_page(path)
    assert number(page, "#count-excerpts") == sum(s.excerpts for s in manifest.splits.values())
    for name, split in manifest.splits.items():
        assert number(page, f"#count-{name}") == split.excerpts
    assert page.locator(".excerpt").count() == 20
    rejections = page.locator(".rejection")
    counts = rejections.locator(".number").all_text_contents()
    assert [int(c.replace(",", "")) for c in counts] == [r.count for r in manifest.rejections]
    assert page.text_content("#content-hash") == manifest.content_hash


def test_an_excerpt_plays_and_stops(prepared, open_page):
    page = open_page(prepared[0])
    first, second = page.locator(".excerpt").nth(0), page.locator(".excerpt").nth(1)
    start = cursor_place(first)
    first.locator("button").click()
    wait_until(page, lambda: cursor_place(first) > start + 5)
    assert first.get_attribute("data-state") == "playing"
    assert first.locator("button").get_attribute("aria-label").startswith("Stop ")
    assert first.locator(".cursor").evaluate("e => getComputedStyle(e).visibility") == "visible"
    assert "Playing" in page.text_content("#status")

    second.locator("button").click()  # one at a time
    wait_until(
        page,
        lambda: page.evaluate("document.querySelectorAll('[data-state=playing]').length === 1"),
    )
    assert second.get_attribute("data-state") == "playing"
    assert first.get_attribute("data-state") == "stopped"

    second.locator("button").click()
    assert second.get_attribute("data-state") == "stopped"
    assert second.locator("button").get_attribute("aria-label").startswith("Play ")
    place = cursor_place(second)
    page.wait_for_timeout(200)
    assert cursor_place(second) == place


def test_the_sound_is_there(prepared, open_page):
    """What is played is not silence: it is measured where it goes to the loudspeaker."""
    page = open_page(prepared[0])
    page.evaluate(
        """() => {
            const connect = AudioNode.prototype.connect;
            AudioNode.prototype.connect = function (to, ...rest) {
                if (to === this.context.destination && !window.meter) {
                    window.meter = this.context.createAnalyser();
                    connect.call(this, window.meter);
                }
                return connect.call(this, to, ...rest);
            };
            window.peak = () => {
                const samples = new Float32Array(2048);
                window.meter.getFloatTimeDomainData(samples);
                return Math.max(...samples.map(Math.abs));
            };
        }"""
    )
    page.locator(".excerpt button").first.click()
    wait_until(page, lambda: page.evaluate("window.meter && window.peak() > 0.01"))
    assert page.evaluate("window.meter.context.state") == "running"
    assert page.evaluate("window.meter.context.currentTime") > 0
    page.keyboard.press("Escape")
    wait_until(page, lambda: page.evaluate("window.peak() < 0.001"))


def test_it_ends_by_itself(prepared, open_page, tmp_path):
    quick = tmp_path / "quick.html"
    text = prepared[0].read_text(encoding="utf-8")
    quick.write_text(re.sub(r'"qpm":[0-9.]+', '"qpm":9000', text), encoding="utf-8")
    page = open_page(quick)
    # The music is shorter than a look at the page takes: the page itself notes its states.
    page.evaluate(
        """() => {
            window.states = [];
            new MutationObserver((changes) =>
                changes.forEach((each) => window.states.push(each.target.dataset.state))
            ).observe(document.body, { subtree: true, attributeFilter: ["data-state"] });
        }"""
    )
    page.locator(".excerpt button").first.click()
    wait_until(page, lambda: page.evaluate("window.states.includes('playing')"))
    wait_until(
        page,
        lambda: page.evaluate("document.querySelectorAll('[data-state=playing]').length === 0"),
    )


def test_the_keyboard_is_enough(prepared, open_page):
    page = open_page(prepared[0])
    button = page.locator(".excerpt button").first
    for _ in range(40):
        page.keyboard.press("Tab")
        if button.evaluate("element => element === document.activeElement"):
            break
    page.keyboard.press("Enter")
    page.wait_for_selector(".excerpt[data-state=playing]")
    page.keyboard.press("Escape")
    page.wait_for_selector(".excerpt[data-state=stopped]")

    reason = page.locator(".rejection summary").first
    reason.focus()
    page.keyboard.press("Enter")
    assert page.locator(".rejection li").first.is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_never_scrolls_sideways(prepared, open_page, scheme):
    page = open_page(prepared[0], viewport=PHONE, color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_it_can_be_read_without_javascript(prepared, open_page):
    page = open_page(prepared[0], java_script_enabled=False)
    assert page.locator("noscript").first.inner_text()
    assert page.locator(".roll svg").first.is_visible()
    assert page.locator(".excerpt button").first.is_disabled()
