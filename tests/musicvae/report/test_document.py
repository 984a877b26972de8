import base64
import hashlib
import json
import re

import pytest

from musicvae.errors import DataError
from musicvae.music.notes import Note, NoteSequence
from musicvae.report.document import render, write
from musicvae.report.page_rolls import to_roll

TUNE = NoteSequence((Note(0, 60, 4), Note(4, 64, 8)), 32)
FACTS = {
    "title": "<b>A & B</b>",
    "lead": "</script><script>alert(1)</script>",
    "names": ["a"],
    "facts": [],
    "key_rows": [],
    "sections": [],
    "groups": [],
    "is_long": False,
    "seed": 0,
    "content_hash": "0",
}


@pytest.fixture(scope="module")
def page():
    roll = to_roll(TUNE, qpm=100.0, name="</script>")
    return render("musicvae.evaluation", "report.html", [roll], **FACTS)


def test_what_is_not_ours_is_text(page):
    assert "&lt;b&gt;A &amp; B&lt;/b&gt;" in page
    assert "alert(1)</script>" not in page
    assert page.count("</script>") == 2


def test_the_policy_lets_in_what_stands_in_the_page_and_nothing_else(page):
    policy = re.search(r'Content-Security-Policy" content="(.*?)"', page)[1]
    for element in ("style", "script"):
        text = re.search(rf"<{element}>(.*?)</{element}>", page, re.DOTALL)[1]
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{element}-src 'sha256-{digest}'" in policy.replace("&#39;", "'")
    assert policy.startswith("default-src 'none'")


def test_the_music_stands_in_the_page(page):
    music = json.loads(re.search(r'id="music">(.*?)</script>', page)[1])
    assert music[0]["qpm"] == 100
    assert [note[2] for note in music[0]["notes"]] == [60, 64]


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "page.html"
    path.write_text("an older page")
    write(path, "♩")
    assert path.read_text(encoding="utf-8") == "♩"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_made_but_replaces_no_file(tmp_path):
    write(tmp_path / "new" / "page.html", "")
    assert (tmp_path / "new" / "page.html").exists()
    with pytest.raises(DataError, match=r"page.html/b.html can't be written"):
        write(tmp_path / "new" / "page.html" / "b.html", "")
