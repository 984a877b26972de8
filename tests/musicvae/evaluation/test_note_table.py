import numpy as np
import pytest

from musicvae.evaluation.lines import lines_of
from musicvae.evaluation.note_table import (
    BINS,
    OF_DRUMS,
    OF_PITCHES,
    OF_PLAYED_DRUMS,
    measures_of,
    note_tables,
)
from musicvae.music.notes import Note, NoteSequence
from musicvae.representation import Drums, Groove, Melody, Trio, representation_from_config

TUNE = NoteSequence(
    notes=(Note(0, 60, 4), Note(4, 64, 6), Note(7, 62, 8), Note(16, 72, 32)), length_steps=32
)
SILENCE = NoteSequence(notes=(), length_steps=32)


def table_of(*music, representation=None):
    representation = representation or Melody()
    events = np.stack([representation.to_tensor(each) for each in music])
    return next(iter(note_tables(representation, events).values()))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("notes", [4, 0, 4]),
        ("pitch", [60, 64, 62, 72] * 2),
        ("pitch_class", [0, 4, 2, 0] * 2),
        ("pitch_range", [12, 12]),
        ("interval", [4, 2, 10] * 2),
        ("duration", [4, 2, 1, 16] * 2),
        ("inter_onset", [4, 3, 9] * 2),
        ("onset_position", [0, 4, 7, 0] * 2),
    ],
)
def test_the_measures_of_known_tunes(name, expected):
    notes = table_of(TUNE, SILENCE, TUNE)
    assert OF_PITCHES[name].values(notes).tolist() == expected


BEAT = NoteSequence(
    notes=tuple(
        sorted(
            [
                *(Note(step, 42, step + 1, 70, is_drum=True, offset=0.25) for step in (0, 4, 17)),
                Note(0, 36, 1, 100, is_drum=True),
            ]
        )
    ),
    length_steps=32,
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("drum", [0, 2, 2, 2]),
        ("hits", [3, 1]),
        ("inter_onset", [4, 13]),
        ("onset_position", [0, 4, 1]),
        ("velocity", [100, 70, 70, 70]),
        ("offset", [0, 0.25, 0.25, 0.25]),
    ],
)
def test_the_measures_of_a_known_beat(name, expected):
    notes = table_of(BEAT, representation=Groove())
    assert OF_PLAYED_DRUMS[name].values(notes).tolist() == expected


def test_every_measure_is_tested():
    assert (len(OF_PITCHES), len(OF_DRUMS), len(OF_PLAYED_DRUMS)) == (8, 4, 6)


def test_silence_has_nothing_to_measure_but_its_count():
    measured = {name: each.values(table_of(SILENCE)) for name, each in OF_PITCHES.items()}
    assert measured.pop("notes").tolist() == [0]
    assert not any(each.size for each in measured.values())


def test_every_note_belongs_to_one_line(representation, make_events):
    events = make_events(representation, 10)
    tables = note_tables(representation, events)
    assert list(tables) == [line.name for line in lines_of(representation)]
    expected = sum(len(representation.to_notes(each).notes) for each in events)
    assert sum(len(table.start) for table in tables.values()) == expected > 0
    for table in tables.values():
        assert table.counts.shape == (10,)


def test_a_trios_notes_go_to_their_lines():
    notes = sorted([Note(0, 72, 4), Note(0, 40, 8, program=33), Note(4, 36, 5, is_drum=True)])
    trio = Trio(bars=1)
    events = trio.to_tensor(NoteSequence(notes=tuple(notes), length_steps=16))[None]
    pitches = {name: table.pitch.tolist() for name, table in note_tables(trio, events).items()}
    assert pitches == {"melody": [72], "bass": [40], "drums": [36]}


@pytest.mark.parametrize(
    ("name", "expected"),
    [("melody", OF_PITCHES), ("drums", OF_DRUMS), ("groove", OF_PLAYED_DRUMS)],
)
def test_what_is_measured_depends_on_the_line(name, expected):
    representation = representation_from_config({"name": name})
    (line,) = lines_of(representation)
    assert measures_of(representation, line) == expected


def test_bins_are_as_wide_as_the_data_fill():
    notes = OF_PITCHES["notes"]
    assert notes.bin_width(np.arange(16)) == 1
    assert notes.bin_width(np.arange(10 * BINS)) == 10
    assert notes.bin_width(np.array([], int)) == 1
    assert OF_PITCHES["pitch"].bin_width(np.arange(10 * BINS)) == 1


def test_a_drum_machine_has_no_loudness():
    drums = Drums()
    assert "velocity" not in measures_of(drums, lines_of(drums)[0])
