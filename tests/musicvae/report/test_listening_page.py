import json
import re

import pytest
from outline import Outline

from musicvae.errors import DataError
from musicvae.evaluation.listening import make_pairs
from musicvae.report.listening_page import write_listening_page
from musicvae.report.page_rolls import to_roll


def write(subject, data, path, seed=3):
    pairs = make_pairs(subject, data, seed=seed)
    write_listening_page(subject, data, pairs, path, seed=seed)
    return pairs


def element(text, name):
    return json.loads(re.search(rf'id="{name}">(.*?)</script>', text)[1])


@pytest.fixture
def page(subject, held_out, tmp_path):
    return tmp_path / "new" / "listen.html", write(subject, held_out, tmp_path / "new/listen.html")


def test_it_is_one_whole_file(page):
    path, _ = page
    text = path.read_text()
    Outline(text)
    assert [each.name for each in path.parent.iterdir()] == ["listen.html"]
    assert not re.search(r"(?:src|href)=\"", text)
    assert "default-src 'none'" in text


def test_it_plays_the_clips_in_their_order_and_knows_the_draws(page):
    path, pairs = page
    text = path.read_text()
    played = [to_roll(clip.notes, qpm=clip.qpm).playing for pair in pairs for clip in pair.clips]
    assert element(text, "music") == json.loads(json.dumps(played))
    test = element(text, "test")
    assert [each["draw"] for each in test["pairs"]] == [
        "A" if pair.is_draw_first else "B" for pair in pairs
    ]
    assert (test["model"], test["seed"], test["split"]) == ("tiny", 3, "test")


def test_nothing_that_is_read_tells_which_is_the_draw(page):
    path, pairs = page
    seen = path.read_text().split('<script type="application/json"')[0]
    assert seen.count("<article") == 2 * len(pairs)
    for pair in pairs:
        assert pair.real.title not in seen
        assert pair.draw.facts not in seen
    bare = re.sub(r"<svg viewBox.*?</svg>", "", seen, flags=re.DOTALL)
    cards = re.findall(r"<article.*?</article>", bare, re.DOTALL)
    as_first = {re.sub(r"\d+|clip [AB]|<h3>[AB]", "", card) for card in cards}
    assert len(as_first) == 1


def test_every_kind_has_a_test(member, tmp_path):
    write(member.subject, member.data, tmp_path / "listen.html")
    text = (tmp_path / "listen.html").read_text()
    Outline(text)
    assert f"4 bars of {member.subject.representation.kind.words} each" in text


def test_a_place_that_can_not_be_written_to_is_named(subject, held_out, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"listen.html can't be written.*another place"):
        write(subject, held_out, tmp_path / "file" / "listen.html")
