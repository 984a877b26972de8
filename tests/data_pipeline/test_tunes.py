import random

import pytest

from musicvae.data_pipeline.tunes import read_abc
from musicvae.errors import MusicVAEError
from musicvae.notes import Key, Meter, Note

HEAD = b"X:1\nT:Test\nM:4/4\nL:1/8\nK:G\n"


def notes_of(body, head=HEAD):
    (part,) = read_abc(head + body).parts
    return [(note.start_step, note.pitch, note.end_step) for note in part.notes.notes]


def test_pitches_follow_the_key_and_accidentals():
    assert [pitch for _, pitch, _ in notes_of(b"F ^c c =c C, c'|]\n")] == [66, 73, 73, 72, 48, 84]


def test_lengths_rests_and_broken_rhythm():
    assert notes_of(b"G2 z A/ A3/2 B>c|]\n") == [
        (0, 67, 4),
        (6, 69, 7),
        (7, 69, 10),
        (10, 71, 13),
        (13, 72, 14),
    ]


def test_a_tie_makes_one_note_across_the_bar_line():
    assert notes_of(b"G6 G2-|G2 G6|]\n") == [(0, 67, 12), (12, 67, 20), (20, 67, 32)]


def test_grace_notes_and_chord_symbols_are_left_out():
    assert notes_of(b'"Am"{ag}A4 "G7"B4|]\n') == [(0, 69, 8), (8, 71, 16)]


def test_repeats_are_not_played_twice():
    (part,) = read_abc(HEAD + b"|:G8|A8:|[1B8:|[2c8|]\n").parts
    assert [note.pitch for note in part.notes.notes] == [67, 69, 71, 72]
    assert part.bar_lines == (0, 16, 32, 48, 64)


def test_triplets_stand_off_the_grid():
    (part,) = read_abc(HEAD + b"(3GAB c6|]\n").parts
    assert [note.start_step for note in part.notes.notes] == [0, 1, 3, 4]
    assert [note.offset for note in part.notes.notes] == pytest.approx([0, 1 / 3, -1 / 3, 0])


def test_a_measure_of_a_strange_length_moves_nothing_off_the_grid():
    (part,) = read_abc(HEAD + b"(3GAB (3GAB G/3|G8|]\n").parts
    assert part.bar_lines == (0, 9, 25)
    assert part.notes.notes[-1] == Note(9, 67, 25)


def test_pickup_meter_key_and_tempo():
    piece = read_abc(b"X:1\nT:Test\nM:C|\nL:1/4\nQ:1/2=80\nK:Em\nB|GABc|d4|]\n")
    assert piece.meters == (Meter(2, 2),)
    assert piece.parts[0].bar_lines == (0, 4, 20, 36)
    assert piece.parts[0].notes.key == Key(4, is_minor=True)
    assert piece.parts[0].notes.qpm == 160


def test_a_mode_that_is_not_major_or_minor_is_no_key():
    (part,) = read_abc(HEAD.replace(b"K:G", b"K:Ador") + b"A8|]\n").parts
    assert part.notes.key is None


def test_a_change_of_meter_is_told():
    piece = read_abc(HEAD + b"G8|\nM:3/4\nG6|]\n")
    assert piece.meters == (Meter(4, 4), Meter(3, 4))


def test_free_meter_is_no_meter():
    assert read_abc(HEAD.replace(b"M:4/4", b"M:none") + b"G8|]\n").meters == ()


def test_a_tune_ends_at_an_empty_line():
    assert notes_of(b"G8|]\n\nNotes about a bad cage, for the editor.\n") == [(0, 67, 16)]


def test_voices_are_parts():
    piece = read_abc(HEAD + b"V:1\nG8|A8|\nV:2\nC,8|D,8|\nV:1\nB8|\n")
    assert [len(part.notes.notes) for part in piece.parts] == [3, 2]
    assert [part.name for part in piece.parts] == ["1", "2"]


def test_chords_sound_together():
    assert notes_of(b"[GBd]4 z4|]\n") == [(0, 67, 8), (0, 71, 8), (0, 74, 8)]


def test_other_encodings_and_line_ends_are_read():
    head = HEAD.replace(b"Test", "Café".encode("latin-1")).replace(b"\n", b"\r\n")
    assert notes_of(b"G8|]\r\n", head) == [(0, 67, 16)]


def test_a_tune_without_a_key_is_refused():
    with pytest.raises(MusicVAEError, match="without a key"):
        read_abc(b"X:1\nT:Test\nM:4/4\nG8|]\n")


def test_an_impossible_meter_is_refused():
    with pytest.raises(MusicVAEError, match="meter 4/5"):
        read_abc(HEAD.replace(b"4/4", b"4/5") + b"G8|]\n")


def test_mutated_tunes_are_read_or_raise():
    """No input loops or makes notes that break a law; what music21 raises, the worker catches."""
    chance = random.Random(0)
    tune = HEAD + b'|:(3GAB {c}d2 "Am"[ce]>f|^G-G z4 _A/ =B3/2|1 c8:|2 d8|]\n'
    read = 0
    for _ in range(300):
        data = bytearray(tune)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            parts = read_abc(bytes(data)).parts
        except Exception:  # noqa: BLE001, S112 (any: see above)
            continue
        read += bool(parts)
        for part in parts:
            assert list(part.bar_lines) == sorted(set(part.bar_lines))
    assert read > 50
