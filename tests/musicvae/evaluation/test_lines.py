import numpy as np
import pytest

from musicvae.evaluation.lines import lines_of
from musicvae.representation import representation_from_config
from musicvae.representation.hits import join_hits

EXPECTED = {
    "melody": [("melody", (0,), 90, True)],
    "drums": [("drums", (0,), 512, False)],
    "drum_hits": [("hits", tuple(range(9)), 512, False)],
    "groove": [("hits", tuple(range(9)), 512, False)],
    "trio": [("melody", (0,), 90, True), ("bass", (1,), 90, True), ("drums", (2,), 512, False)],
    "lead_sheet": [("melody", (0,), 90, True)],
}


@pytest.mark.parametrize("name", EXPECTED)
def test_every_kind_has_its_lines(name):
    lines = lines_of(representation_from_config({"name": name}))
    found = [(line.name, line.columns, line.size, line.is_pitched) for line in lines]
    assert found == EXPECTED[name]


def test_hits_are_written_as_drums_are():
    hits = np.random.default_rng(0).random((5, 32, 9)) < 0.3
    (line,) = lines_of(representation_from_config({"name": "drum_hits"}))
    symbols = line.symbols(hits.astype(np.int16))
    assert np.array_equal(symbols, np.stack([join_hits(each) for each in hits]))


def test_symbols_are_within_their_number(representation, make_events):
    events = make_events(representation, 10)
    for line in lines_of(representation):
        symbols = line.symbols(events)
        assert symbols.min() >= 0
        assert symbols.max() < line.size


def test_an_onset_of_any_stream_is_one_of_the_line(representation, make_events):
    events = make_events(representation, 10)
    for line in lines_of(representation):
        expected = representation.is_onset(events)[..., list(line.columns)].max(-1)
        assert np.array_equal(line.is_onset(representation, events), expected)
        assert expected.any()
