"""Clients that share no code with the server: the examples in Node, C++ and a browser."""

import base64
import json
import os
import shutil
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from browsing import BROWSER, needs_browser, playwright
from engines import ServerThread

from musicvae.generation.requests import SampleRequest
from musicvae.rpc.client import Client
from musicvae.server import Settings

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
NODE = EXAMPLES / "node"
BUF = Path(sys.executable).with_name("buf")
SEED = 12345678901234567


def needs(*programs):
    """Skips a test whose programs are not here; CI has them all."""
    missing = [name for name in programs if shutil.which(name) is None]
    if missing and "CI" not in os.environ:
        pytest.skip(f"{', '.join(missing)} not here; CI has it")
    assert not missing, f"CI must have {', '.join(missing)}"


def run(*command, folder=None):
    return subprocess.run(
        command, cwd=folder, check=False, capture_output=True, text=True, timeout=120
    )


@pytest.fixture(scope="module")
def expected(http_server):
    """The clips that each client must write."""
    with Client(http_server.address) as client:
        return [clip.to_midi() for clip in client.sample(SampleRequest(count=3, seed=SEED))]


@pytest.fixture(scope="module")
def node():
    """Runs a program with the packages of the lock file beside it."""
    needs("node", "npm")
    installed = NODE / "node_modules" / ".package-lock.json"
    lock = NODE / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=NODE, check=True, capture_output=True, timeout=300)
    return lambda name, *arguments: run("node", NODE / name, *map(str, arguments))


@pytest.fixture(scope="module")
def contract(tmp_path_factory):
    """The contract as a set of descriptors."""
    path = tmp_path_factory.mktemp("contract") / "contract.binpb"
    subprocess.run([BUF, "build", ROOT / "proto", "-o", path], check=True)
    return path


@pytest.fixture(scope="module", params=["grpc", "connect", "grpc-web"])
def ask_by_node(request, node, http_server, contract):
    """Asks for clips by a protocol, with Node's client for it."""
    if request.param == "grpc":
        return lambda *wanted: node("client.mjs", http_server.address, *wanted)
    return partial(node, "connect.mjs", http_server.http_url, request.param, contract)


def test_node_writes_the_same_music(ask_by_node, expected, tmp_path):
    done = ask_by_node(3, SEED, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert [Path(each["path"]).read_bytes() for each in said] == expected
    assert {(each["seed"], each["model"]) for each in said} == {(str(SEED), "tiny")}


def test_node_is_told_what_is_wrong(ask_by_node, tmp_path):
    done = ask_by_node(0, 1, tmp_path)
    assert done.returncode == 1
    code, said = done.stderr.split(": ", 1)
    assert code.replace("_", "").lower() == "invalidargument"
    assert said.startswith("count=0; expected 1 to 256")


@pytest.fixture(scope="module")
def cpp(tmp_path_factory):
    """The client in C++, built as its head says."""
    needs("make", "g++", "pkg-config", "protoc", "grpc_cpp_plugin")
    folder = tmp_path_factory.mktemp("cpp")
    subprocess.run(["make", "-s", f"BUILD={folder}"], cwd=EXAMPLES / "cpp", check=True)
    return folder / "client"


@pytest.mark.slow
def test_cpp_writes_the_same_music(cpp, http_server, expected, tmp_path):
    done = run(cpp, http_server.address, "3", str(SEED), folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [f"clip-{n}.mid: tiny, seed {SEED}" for n in range(3)]
    assert [(tmp_path / f"clip-{n}.mid").read_bytes() for n in range(3)] == expected


@pytest.mark.slow
def test_cpp_is_told_what_is_wrong(cpp, http_server, tmp_path):
    done = run(cpp, http_server.address, "0", "1", folder=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("count=0; expected 1 to 256")


@pytest.fixture(scope="module")
def page_server():
    """The folder of examples on a port of its own."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("localhost", 0), partial(Quiet, directory=EXAMPLES))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def draw_in_browser(page_server, tiny):
    """Opens the page, draws, and gives what the page then says."""

    def draw(seed, *, allowed=True):
        origins = (page_server,) if allowed else ()
        settings = Settings(port=0, http_port=0, pause_s=0.0, allow_origins=origins)
        music = ServerThread(settings, tiny)
        try:
            with playwright.sync_playwright() as started:
                browser = started.chromium.launch(
                    executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu"]
                )
                page = browser.new_page()
                page.goto(f"{page_server}/browser.html?server={music.http_url}")
                page.fill("#seed", seed)
                page.click("#draw")
                page.wait_for_selector("li:nth-child(4), #error:not(:empty)")
                links = [each.get_attribute("href") for each in page.query_selector_all("li a")]
                error = page.text_content("#error")
                browser.close()
        finally:
            music.stop()
        return [base64.b64decode(link.partition(",")[2]) for link in links], error

    return draw


@needs_browser
def test_page_in_a_browser_draws_the_same_music(draw_in_browser, server):
    clips, error = draw_in_browser("7")
    with Client(server.address) as client:
        assert clips == [each.to_midi() for each in client.sample(SampleRequest(count=4, seed=7))]
    assert error == ""


@needs_browser
@pytest.mark.parametrize(
    ("seed", "allowed", "said"), [("-1", True, "no JSON"), ("7", False, "Failed to fetch")]
)
def test_page_in_a_browser_says_what_is_wrong(draw_in_browser, seed, allowed, said):
    clips, error = draw_in_browser(seed, allowed=allowed)
    assert clips == [] and said in error
