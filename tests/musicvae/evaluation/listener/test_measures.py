from pathlib import Path

import numpy as np
import pytest

from musicvae.evaluation.lines import lines_of
from musicvae.evaluation.listener.measures import (
    MEASURES,
    OF_BASS,
    OF_DRUMS,
    OF_FORM,
    OF_HARMONY,
    OF_PITCHES,
    measure,
)
from musicvae.representation import representation_from_config

OF_KINDS = {
    ("melody", 2): {"melody": {*OF_PITCHES}},
    ("melody", 16): {"melody": {*OF_PITCHES, *OF_FORM}},
    ("lead_sheet", 4): {"melody": {*OF_PITCHES, *OF_HARMONY}},
    ("lead_sheet", 8): {"melody": {*OF_PITCHES, *OF_FORM, *OF_HARMONY}},
    ("drums", 2): {"drums": {*OF_DRUMS}},
    ("drum_hits", 2): {"hits": {*OF_DRUMS}},
    ("groove", 2): {"hits": {*OF_DRUMS}},
    ("trio", 16): {
        "melody": {*OF_PITCHES, *OF_FORM},
        "bass": {*OF_PITCHES, *OF_FORM, *OF_BASS},
        "drums": {*OF_DRUMS},
    },
}


@pytest.mark.parametrize(("name", "bars"), OF_KINDS)
def test_what_is_measured_follows_from_lines_streams_and_length(name, bars, make_events):
    representation = representation_from_config({"name": name, "bars": bars})
    measured = measure(representation, make_events(representation, 4))
    assert {line: set(found) for line, found in measured.items()} == OF_KINDS[name, bars]
    assert all(value is not None for found in measured.values() for value in found.values())


def test_the_same_drums_measure_the_same_in_every_form(make_events):
    hits = representation_from_config({"name": "drum_hits"})
    drums = representation_from_config({"name": "drums"})
    as_hits = make_events(hits, 20)
    as_drums = np.stack([drums.to_tensor(hits.to_notes(each)) for each in as_hits])
    assert measure(hits, as_hits)["hits"] == measure(drums, as_drums)["drums"]


def test_transposed_music_measures_the_same(representation, make_events):
    events = make_events(representation, 30)
    for line in lines_of(representation):
        if line.is_pitched:  # into two octaves, which have room to move
            melody = events[..., line.columns[0]]
            melody[melody >= 2] = 40 + melody[melody >= 2] % 24
    expected = measure(representation, events)
    moved = representation.transpose(events, np.full(len(events), 5))
    is_pitched = any(line.is_pitched for line in lines_of(representation))
    assert (moved != events).any() == is_pitched
    for line, found in measure(representation, moved).items():
        assert found == pytest.approx(expected[line])


def test_silence_has_shares_of_nothing(representation):
    shape = (3, representation.length_steps, len(representation.streams))
    for line, found in measure(representation, np.zeros(shape, np.int16)).items():
        is_pitched = {each.name: each.is_pitched for each in lines_of(representation)}[line]
        if is_pitched:
            assert set(found.values()) == {None}, line
        else:
            assert found["repeats_bar_before"] is None
            assert found["crashes"] == found["periodic_cymbals"] == 0


def test_the_documentation_has_every_definition():
    page = (Path(__file__).parents[4] / "docs" / "models.md").read_text()
    for name, each in MEASURES.items():
        assert f"| {each.caption} (`{name}`) | {each.about} |" in page


def test_every_measure_is_defined_in_a_sentence():
    assert all(each.about.endswith(".") for each in MEASURES.values())
    captions = [each.caption for each in MEASURES.values()]
    assert len(set(captions)) == len(captions)
