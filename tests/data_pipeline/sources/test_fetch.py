"""Downloads from a real web server on this machine, with its ways of failing."""

import hashlib
import random
import threading
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from rich.console import Console

from musicvae.data_pipeline.sources.corpora import CORPORA, Download
from musicvae.data_pipeline.sources.fetch import fetch, fetched_path
from musicvae.errors import DataError

DATA = random.Random(5).randbytes(3_000_000)


@dataclass
class Served:
    """What the server gives, and what it was asked."""

    data: bytes = DATA
    tag: str = '"first"'
    knows_ranges: bool = True
    break_after: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    ranges: list[str | None] = field(default_factory=list)


@pytest.fixture
def served():
    return Served()


@pytest.fixture
def url(served):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked = self.headers.get("Range")
            served.ranges.append(asked)
            if served.statuses:
                self.send_error(served.statuses.pop(0))
                return
            start = 0
            if asked and served.knows_ranges and self.headers.get("If-Range") == served.tag:
                start = int(asked.removeprefix("bytes=").removesuffix("-"))
                self.send_response(206)
                last = len(served.data) - 1
                self.send_header("Content-Range", f"bytes {start}-{last}/{last + 1}")
            else:
                self.send_response(200)
            body = served.data[start:]
            self.send_header("Content-Length", str(len(body)))
            if served.tag:
                self.send_header("ETag", served.tag)
            self.end_headers()
            if served.break_after:
                body = body[: served.break_after.pop(0)]
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/set.zip"
        server.shutdown()
        thread.join()


@pytest.fixture
def corpora(url):
    download = Download(
        url=url,
        file_name="set.zip",
        size=len(DATA),
        sha256=hashlib.sha256(DATA).hexdigest(),
        source="this test",
    )
    return {"set": replace(CORPORA["groove"], name="set", download=download)}


def test_a_corpus_is_downloaded_once(tmp_path, corpora, served):
    assert fetched_path("set", tmp_path, corpora=corpora) is None
    path = fetch("set", tmp_path, corpora=corpora)
    assert path.read_bytes() == DATA
    assert path == fetched_path("set", tmp_path, corpora=corpora)
    assert fetch("set", tmp_path, corpora=corpora) == path
    assert served.ranges == [None]
    assert [file.name for file in tmp_path.iterdir()] == ["set.zip"]


def test_it_goes_on_where_the_server_broke_off(tmp_path, corpora, served):
    served.break_after = [1_000_000, 500_000]
    assert fetch("set", tmp_path, corpora=corpora).read_bytes() == DATA
    first, second, third = served.ranges
    assert first is None
    assert 900_000 < int(second[6:-1]) <= 1_000_000
    assert 1_350_000 < int(third[6:-1]) <= 1_500_000


def test_a_later_run_goes_on_where_an_earlier_one_was_given_up(tmp_path, corpora, served):
    served.break_after = [1_000_000, 0, 0, 0, 0]
    with pytest.raises(DataError, match=r"9\d{5} bytes of 3000000.*goes on from there"):
        fetch("set", tmp_path, corpora=corpora)
    assert fetched_path("set", tmp_path, corpora=corpora) is None
    served.ranges.clear()
    assert fetch("set", tmp_path, corpora=corpora).read_bytes() == DATA
    assert 900_000 < int(served.ranges[0][6:-1]) <= 1_000_000


@pytest.mark.parametrize("change", [{"knows_ranges": False}, {"tag": '"second"'}, {"tag": ""}])
def test_it_starts_anew_where_the_server_can_not_go_on(tmp_path, corpora, served, change):
    served.break_after = [1_000_000]
    for name, value in change.items():
        setattr(served, name, value)
    (tmp_path / "set.zip.part").write_bytes(b"of another version")
    (tmp_path / "set.zip.part.version").write_text('"first"')
    assert fetch("set", tmp_path, corpora=corpora).read_bytes() == DATA


def test_a_wrong_checksum_takes_the_file_away(tmp_path, corpora, served):
    served.data = DATA[:-1] + b"?"
    with pytest.raises(DataError, match=r"another checksum.*that this test knows"):
        fetch("set", tmp_path, corpora=corpora)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_file_that_is_here_is_fetched_anew(tmp_path, corpora):
    (tmp_path / "set.zip").write_bytes(b"damaged")
    assert fetch("set", tmp_path, corpora=corpora).read_bytes() == DATA


def test_another_size_is_refused_before_it_is_downloaded(tmp_path, corpora, served):
    served.data = DATA + b"more"
    with pytest.raises(DataError, match="with 3000004 bytes"):
        fetch("set", tmp_path, corpora=corpora)


def test_a_leftover_that_is_too_long_is_thrown_away(tmp_path, corpora):
    (tmp_path / "set.zip.part").write_bytes(DATA + b"more")
    assert fetch("set", tmp_path, corpora=corpora).read_bytes() == DATA


def test_a_file_that_is_gone_from_the_web_is_told_of(tmp_path, corpora, served):
    served.statuses = [404]
    with pytest.raises(DataError, match="404 Not Found"):
        fetch("set", tmp_path, corpora=corpora)


def test_a_server_that_fails_for_a_moment_is_asked_again(tmp_path, corpora, served):
    served.statuses = [503]
    assert fetch("set", tmp_path, corpora=corpora).read_bytes() == DATA


def test_the_console_shows_how_far_it_is(tmp_path, corpora):
    console = Console(record=True, width=100, force_terminal=True)
    fetch("set", tmp_path, corpora=corpora, console=console)
    assert "3.0/3.0 MB" in console.export_text()


@pytest.mark.parametrize(
    ("name", "found"), [("nothing", "no corpus 'nothing'"), ("openewld", "not for download")]
)
def test_what_can_not_be_fetched_is_refused(tmp_path, name, found):
    with pytest.raises(DataError, match=found):
        fetch(name, tmp_path)
    assert fetched_path(name, tmp_path) is None


def test_the_cache_can_be_moved(tmp_path, monkeypatch, corpora):
    monkeypatch.setenv("MUSICVAE_CACHE", str(tmp_path))
    assert fetch("set", corpora=corpora) == tmp_path / "corpora" / "set.zip"
