import numpy as np
import pytest

from musicvae.music.chords import Chord
from musicvae.music.notes import Note, NoteSequence
from musicvae.report.plots import piano_roll_image
from musicvae.report.roll import drum_name, find_rows


def drum(step, pitch, velocity=80, offset=0.0):
    return Note(step, pitch, step + 1, velocity, is_drum=True, offset=offset)


def test_drums_alone_have_a_row_each_and_no_keys():
    rows = find_rows([drum(0, 42), drum(0, 36), drum(4, 38), drum(6, 36)])
    assert (rows.drums, rows.count) == ((36, 38, 42), 3)
    assert [rows.row_of(pitch, is_drum=True) for pitch in (36, 38, 42)] == [0, 1, 2]


def test_keys_stand_over_the_drums():
    low, high = Note(0, 40, 4, program=33), Note(0, 72, 4)
    rows = find_rows([low, high, drum(0, 36), drum(0, 49)])
    assert rows.row_of(49, is_drum=True) == 1
    assert rows.row_of(40) == 4  # over the empty row, and the key below it
    assert rows.row_of(72) - rows.row_of(40) == 32
    assert rows.count == 2 + 1 + (73 - 39 + 1)


def test_drums_stand_class_by_class():
    rows = find_rows(drum(0, pitch) for pitch in (3, 51, 35, 40, 36, 38))
    assert [drum_name(pitch) for pitch in rows.drums] == [
        "kick",
        "kick 35",
        "snare",
        "snare 40",
        "ride cymbal",
        "drum 3",
    ]


def test_few_pitches_have_an_octave_of_rows():
    assert find_rows([Note(0, 60, 4)]).count == 13
    assert find_rows([]).count >= 13


def test_a_loud_hit_is_deeper_than_a_soft_one():
    def darkness(velocity):
        loudest = drum(0, 38, velocity=127)
        hits = tuple(sorted((loudest, drum(8, 36, velocity=velocity))))
        return (255 - piano_roll_image([NoteSequence(hits, 16)]).astype(int)).sum()

    assert darkness(20) < darkness(80) < darkness(120)


def test_a_hit_stands_where_it_was_played():
    places = []
    for offset in (-0.4, 0.0, 0.4):
        image = piano_roll_image([NoteSequence((drum(7, 36, offset=offset),), 16)])
        blue = np.abs(image.astype(int) - np.array([0x20, 0x66, 0xA8])[:, None, None]).sum(0) < 40
        places.append(np.nonzero(blue)[1].mean())
    assert places[1] - places[0] == pytest.approx(places[2] - places[1], abs=1.5)
    assert places[1] - places[0] > 3


def test_chords_are_written_over_their_roll():
    melody = NoteSequence((Note(0, 60, 4),), 32)
    chords = NoteSequence((Note(0, 60, 4),), 32, chords=(Chord(0, 0, "maj"), Chord(16, 9, "min")))
    plain, named = piano_roll_image([melody]), piano_roll_image([chords])
    assert named.shape[1] > plain.shape[1]
