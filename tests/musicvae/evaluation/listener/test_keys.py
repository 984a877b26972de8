import numpy as np
import pytest
from lines import line, lines, pitch

from musicvae.evaluation.listener.keys import (
    SCALES,
    TONES,
    count_classes,
    name_keys,
    signatures,
    sounding,
)
from musicvae.representation import Melody

C_MAJOR = "C4 - D4 - E4 - F4 - G4 - - - E4 - C4 -"
A_MINOR = "A4 - - - E4 - C4 - B3 - G#3 - A3 - - -"


def test_a_note_sounds_until_it_stops_or_another_starts():
    events = line("- C4 - D4 - . - E4")[None]
    found = sounding(events)[0].tolist()
    assert found == [-1, 60, 60, 62, 62, -1, -1, 64]


def test_a_note_counts_once_where_it_starts():
    counts = count_classes(lines("C4 - - - C5 - G4 .", ". . . . . . . ."))
    assert counts[0, [0, 7]].tolist() == [2, 1]
    assert counts.sum(axis=1).tolist() == [3, 0]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (C_MAJOR, 0),
        (A_MINOR, 12 + 9),
        ("G4 - B4 - D5 - G5 - F#5 - D5 - G4 - - -", 7),
        # The first note is long: durations count, not the number of notes.
        ("F4 - - - - - - - - - - - A4 - C5 -", 5),
    ],
)
def test_keys_are_named_as_a_musician_names_them(text, key):
    assert name_keys(line(text)[None]).tolist() == [key]


def test_silence_has_no_key():
    assert name_keys(np.ones((2, 8), np.int16)).tolist() == [-1, -1]


def test_a_key_moves_with_its_music():
    melody = np.stack([line(C_MAJOR), line(A_MINOR)])
    for semitones in range(12):
        moved = Melody().transpose(melody[..., None], np.array([semitones, semitones]))[..., 0]
        assert name_keys(moved).tolist() == [semitones, 12 + (9 + semitones) % 12]


def test_relative_keys_share_a_signature():
    assert signatures(np.array([0, 12 + 9, 7, 12 + 4, 12])).tolist() == [0, 0, 7, 7, 3]


def test_a_minor_key_has_its_leading_note():
    a_minor = {pitch(name) % 12 for name in ("A4", "B4", "C4", "D4", "E4", "F4", "G4", "G#4")}
    assert set(np.flatnonzero(TONES[12 + 9]).tolist()) == a_minor
    assert TONES.sum(axis=1).tolist() == [7] * 12 + [8] * 12
    assert len(np.unique(SCALES, axis=0)) == 12
