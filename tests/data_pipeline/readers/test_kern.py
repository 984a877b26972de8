import random
from pathlib import Path

import pytest
from music21 import corpus

from musicvae.data_pipeline.readers.kern import read_kern
from musicvae.data_pipeline.readers.piece import KeyChange, MeterChange, TempoChange
from musicvae.errors import ScoreError
from musicvae.music.notes import Key, Meter

DUET = """\
**kern\t**kern
*M3/4\t*M3/4
*k[f#]\t*k[f#]
*G:\t*G:
*MM90\t*MM90
=1-\t=1-
2.GG\t4g
.\t4a
.\t[4b
=2\t=2
2.r\t4b]
.\t8qcc
.\t6cc
.\t6cc
.\t6cc
=3\t=3
2.D\t4f# 4a
.\t2r
==\t==
*-\t*-
"""


def rows(part):
    """Onset, pitch and end of each note, in twelfths of a quarter note."""
    columns = ((12 * part.onsets).round(6), part.pitches, (12 * part.ends).round(6))
    return list(zip(*(column.tolist() for column in columns), strict=True))


def test_spines_are_parts_with_ties_triplets_and_chords():
    piece = read_kern(DUET.encode())
    # music21 gives the upper spine first, as a score has it.
    high, low = piece.parts
    assert rows(low) == [(0, 43, 36), (72, 50, 108)]
    assert rows(high) == [
        (0, 67, 12),
        (12, 69, 24),
        (24, 71, 48),
        (48, 72, 56),
        (56, 72, 64),
        (64, 72, 72),
        (72, 66, 84),
        (72, 69, 84),
    ]


def test_meter_key_tempo_and_bars():
    piece = read_kern(DUET.encode())
    assert piece.meters == (MeterChange(0, Meter(3, 4)),)
    assert piece.keys == (KeyChange(0.0, Key(7)),)
    assert piece.tempos == (TempoChange(0.0, 90.0),)
    assert piece.bar_lines.tolist() == [0, 3, 6, 9]


def test_sections_follow_each_other():
    second = DUET.replace("*M3/4", "*M2/4").replace("2.GG", "2GG").replace(".\t[4b\n", "")
    second = second[: second.index("=2")] + "==\t==\n*-\t*-\n"
    piece = read_kern((DUET + second).encode())
    assert len(piece.parts) == 4
    assert piece.meters == (MeterChange(0, Meter(3, 4)), MeterChange(3, Meter(2, 4)))
    assert piece.bar_lines.tolist() == [0, 3, 6, 9, 11]
    assert rows(piece.parts[2]) == [(108, 67, 120), (120, 69, 132)]


def test_a_mazurka_of_chopin():
    piece = read_kern(Path(corpus.getWork("chopin/mazurka06-2")).read_bytes())
    assert len(piece.parts) == 2
    assert piece.meters == (MeterChange(0, Meter(3, 4)),)
    assert len(piece.bar_lines) > 70
    assert all((part.ends > part.onsets).all() for part in piece.parts)


def test_what_music21_chokes_on_is_refused():
    with pytest.raises(ScoreError, match="a kern score that music21 can't read"):
        read_kern(b"")


def test_kern_without_notes_has_no_parts():
    assert read_kern(b"**kern\n*M4/4\n*-\n").parts == ()


def test_mutated_kern_is_read_or_refused():
    chance = random.Random(0)
    read = 0
    for _ in range(200):
        data = bytearray(DUET.encode())
        for _ in range(chance.randint(1, 3)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            piece = read_kern(bytes(data))
        except ScoreError:
            continue
        read += bool(piece.parts)
    assert read > 50
