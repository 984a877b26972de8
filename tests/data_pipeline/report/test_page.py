import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import report_sets

from musicvae.data import shards
from musicvae.data.manifest import Clusters, load_manifest, save_manifest
from musicvae.data_pipeline import cut
from musicvae.data_pipeline.rejections import INTERNAL_ERROR
from musicvae.data_pipeline.report import advice, histograms, write_report
from musicvae.data_pipeline.report import sample as sampling
from musicvae.errors import DataError
from musicvae.music.notes import Note, NoteSequence
from musicvae.representation import representation_from_config

VOID = {"meta", "link", "br", "img"}


class Outline(HTMLParser):
    """The elements of a page, that each is closed, and the text of those with an id."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.attributes, self.texts = [], [], [], {}
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append((tag, dict(attrs).get("id")))

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open and self.open[-1][0] == tag, (self.open[-3:], tag)
        self.open.pop()

    def handle_data(self, data):
        for _, identity in self.open:
            if identity:
                self.texts[identity] = self.texts.get(identity, "") + data


@pytest.mark.parametrize("form", report_sets.CONFIGS)
def test_a_page_of_every_representation_shows_the_counts_of_the_manifest(form, tmp_path):
    directory, manifest = report_sets.write_set(tmp_path / "set", form)
    path = write_report(directory)
    assert path == directory / "report.html"
    page = Outline(path.read_text())
    assert page.texts["count-excerpts"] == "81"
    assert page.texts["count-train"] == str(manifest.splits["train"].excerpts)
    assert page.texts["content-hash"] == manifest.content_hash
    assert page.tags.count("article") == 20
    assert page.tags.count("figure") >= 8


def test_it_is_one_file_that_asks_for_nothing_and_that_names_cannot_break(tmp_path):
    directory, _ = report_sets.write_set(tmp_path / "<b>set", "melody")
    text = write_report(directory).read_text()
    page = Outline(text)
    assert {"img", "link", "iframe", "i", "b"}.isdisjoint(page.tags)
    assert page.tags.count("script") == 2
    addresses = [value for name, value in page.attributes if name in {"src", "href", "data"}]
    assert addresses and all(address.startswith("#") for address in addresses)
    assert "url(" not in text and "@import" not in text
    assert "default-src 'none'" in text


def test_equal_sets_give_equal_pages(tmp_path):
    first, second = (report_sets.write_set(tmp_path / n / "set", "trio")[0] for n in "ab")
    assert write_report(first).read_bytes() == write_report(second, tmp_path / "x").read_bytes()


def test_an_empty_set_has_a_page_too(tmp_path):
    directory, _ = report_sets.write_set(tmp_path / "set", "melody", {"train": 0, "test": 0})
    manifest = replace(load_manifest(directory), rejections=(), clusters=Clusters(), sources=())
    save_manifest(manifest, directory)
    page = Outline(write_report(directory).read_text())
    assert "article" not in page.tags
    assert page.texts["count-excerpts"] == "0"


def test_an_empty_split_has_no_line_in_the_charts(tmp_path):
    directory, _ = report_sets.write_set(tmp_path / "set", "melody", {"train": 30, "test": 0})
    text = write_report(directory).read_text()
    assert "steps-0" in text and 'class="steps steps-1"' not in text


def test_what_cannot_be_read_or_written_is_said(tmp_path):
    with pytest.raises(DataError, match="no manifest"):
        write_report(tmp_path)
    directory, _ = report_sets.write_set(tmp_path / "set", "melody")
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="can't be written"):
        write_report(directory, tmp_path / "file" / "page.html")
    assert not list(tmp_path.rglob("*.partial"))


def test_the_sample_is_seeded_without_repeats_and_bounded(tmp_path, monkeypatch):
    directory, manifest = report_sets.write_set(tmp_path / "set", "melody")
    representation = representation_from_config(manifest.representation)
    first, again = (
        sampling.draw_sample(directory, manifest, representation, 3)["train"] for _ in range(2)
    )
    other = sampling.draw_sample(directory, manifest, representation, 4)["train"]
    assert first == again
    assert [e.start_bar for e in first] != [e.start_bar for e in other]
    assert sorted(e.start_bar for e in first) == list(range(60))
    monkeypatch.setattr(sampling, "MOST_STEPS", 32 * 7)
    assert len(sampling.draw_sample(directory, manifest, representation, 3)["train"]) == 7


def test_excerpts_are_picked_by_the_share_of_their_split(tmp_path):
    directory, manifest = report_sets.write_set(tmp_path / "set", "melody")
    representation = representation_from_config(manifest.representation)
    sample = sampling.draw_sample(directory, manifest, representation, 0)
    picked = [e.split for e in sampling.pick(sample, manifest.splits, 20)]
    assert [picked.count(name) for name in manifest.splits] == [14, 3, 3]
    assert len(sampling.pick(sample, manifest.splits, 500)) == 81


def test_a_sampled_excerpt_is_what_the_shard_holds(tmp_path):
    directory, manifest = report_sets.write_set(tmp_path / "set", "melody")
    representation = representation_from_config(manifest.representation)
    examples = shards.load(directory, "test")
    for excerpt in sampling.draw_sample(directory, manifest, representation, 0)["test"]:
        row = excerpt.start_bar
        assert excerpt.piece == examples.pieces[row]
        assert excerpt.music == representation.to_notes(examples.events[np.array([row])][0])
        assert (excerpt.key is None) == (row % 5 == 0)
        assert (excerpt.style is None) == bool(row % 3)


def sequence(*notes, **fields):
    return NoteSequence(notes=tuple(sorted(notes)), length_steps=32, **fields)


REASON = re.compile(r'(?:Rejection\(\s*"\w+",|reject\(|reject_piece\()\s*"(\w+)"')


def test_every_reason_of_a_rejection_is_explained():
    sources = Path(cut.__file__).parent.rglob("*.py")
    reasons = {reason for path in sources for reason in REASON.findall(path.read_text("utf-8"))}
    assert {"off_grid", "bass", "no_chords", "wrong_meter", "unknown_drum"} <= reasons
    for reason in (*reasons, INTERNAL_ERROR, "melody_long_gap", "drums_silent"):
        assert advice.find_advice(reason), reason
    assert advice.find_advice("melody_of_a_new_kind") == ""


def by_title(sample):
    return {chart.title: chart for chart in histograms.draw_histograms(sample)}


def excerpt(music, **fields):
    known = {
        "split": "train", "piece": "p", "source": "s", "part": "", "style": None, "start_bar": 0,
        "qpm": 95.0, "key": None, "key_confidence": None, "attributes": (),
    }  # fmt: skip
    return sampling.SampledExcerpt(music=music, **{**known, **fields})


def test_histograms_count_what_there_is():
    music = sequence(Note(0, 60, 4), Note(4, 64, 5), Note(5, 60, 32))
    found = by_title({"train": [excerpt(music)], "test": []})
    assert set(found) == {"Pitch", "Length of notes", "Density", "Tempo"}
    assert found["Pitch"].rows[0] == ("C4", ("66.7 %", "0.0 %"))
    assert [row[0] for row in found["Length of notes"].rows] == ["1/16", "1/4", "longer"]
    assert [row[0] for row in found["Density"].rows] == ["0 to 0.5"]
    assert [row[0] for row in found["Tempo"].rows] == ["90 to 100"]


def test_measures_that_do_not_apply_are_left_out():
    nothing = (float("nan"),) * 5
    found = by_title({"train": [excerpt(sequence(Note(0, 60, 4)), attributes=nothing)]})
    assert "Note density" not in found
