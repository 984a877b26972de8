from dataclasses import replace

import pytest

from musicvae.data_pipeline.filters import cut_overlaps, judge_excerpt, judge_part, judge_piece
from musicvae.data_pipeline.parts import Part, ReadPiece
from musicvae.notes import Meter, Note, NoteSequence


def sequence(*notes, length=32):
    made = tuple(sorted(Note(start, pitch, end) for start, pitch, end in notes))
    return NoteSequence(notes=made, length_steps=length)


def part(*notes, name=""):
    return Part(name=name, notes=sequence(*notes, length=64), bar_lines=(0, 16, 32, 48, 64))


SCALE = tuple((4 * step, 60 + step, 4 * step + 4) for step in range(8))
LINE = part(*SCALE)


def reason_of(found):
    return None if found is None else found.name


@pytest.mark.parametrize(
    ("meters", "reason"),
    [
        ((Meter(4, 4),), None),
        ((Meter(2, 2),), None),  # cut time has the same bar
        ((Meter(2, 2), Meter(4, 4)), None),
        ((), "no_meter"),
        ((Meter(3, 4),), "wrong_meter"),
        ((Meter(4, 4), Meter(3, 4)), "meter_changes"),
    ],
)
def test_pieces_in_another_meter_are_left_out(meters, reason):
    assert reason_of(judge_piece(ReadPiece(parts=(LINE,), meters=meters), Meter(4, 4))) == reason


def test_a_piece_without_notes_is_left_out():
    assert reason_of(judge_piece(ReadPiece(parts=(), meters=(Meter(),)), Meter())) == "no_notes"


def test_common_time_stands_for_cut_time():
    piece = ReadPiece(parts=(LINE,), meters=(Meter(4, 4),))
    assert judge_piece(piece, Meter(2, 2)) is None


DRUMS = replace(
    LINE,
    notes=NoteSequence(
        notes=tuple(Note(step, 36, step + 1, is_drum=True) for step in range(8)), length_steps=64
    ),
)
CHORDS = part(*((4 * step, 60 + third, 4 * step + 4) for step in range(8) for third in (0, 4, 7)))
BASS = part(*((4 * step, 36 + step, 4 * step + 4) for step in range(8)), name="Bass")
MELODY = replace(LINE, name="MELODY")


@pytest.mark.parametrize(
    ("parts", "reasons"),
    [
        ((LINE,), [None]),
        ((LINE, DRUMS, CHORDS, BASS), [None, "drums", "polyphonic", "bass"]),
        ((BASS,), [None]),  # alone, it is the melody
        ((MELODY, LINE, DRUMS), [None, "accompaniment", "drums"]),
    ],
)
def test_parts_that_are_no_melody_are_left_out(parts, reasons):
    piece = ReadPiece(parts=parts, meters=(Meter(),))
    assert [reason_of(judge_part(piece, part)) for part in parts] == reasons


def test_a_long_note_under_a_line_is_polyphony():
    held = part((0, 48, 64), *SCALE)
    assert reason_of(judge_part(ReadPiece(parts=(held,), meters=()), held)) == "polyphonic"


@pytest.mark.parametrize(
    ("notes", "reason"),
    [
        (SCALE, None),
        ((), "silent"),
        (((0, 60, 4), (4, 62, 8), (24, 60, 32)), "long_gap"),
        (((0, 60, 4), (4, 62, 8), (23, 60, 32)), None),
        (((16, 60, 20), (20, 62, 24), (24, 60, 32)), "long_gap"),  # a bar before the first
        (((0, 60, 4), (4, 62, 8), (8, 60, 16)), "long_gap"),  # and after the last
        (((0, 60, 16), (16, 62, 32)), "few_notes"),
        (((0, 60, 8), (8, 60, 16), (16, 60, 32)), "few_pitches"),
    ],
)
def test_excerpts_that_are_no_music_are_left_out(notes, reason):
    assert reason_of(judge_excerpt(sequence(*notes), 16)) == reason


def test_a_reason_says_what_was_found():
    assert judge_excerpt(sequence((0, 60, 2)), 16).found == "30 steps of silence"


@pytest.mark.parametrize(
    ("notes", "cut"),
    [
        (((0, 60, 5), (4, 62, 8)), ((0, 60, 4), (4, 62, 8))),
        (((0, 60, 6), (4, 62, 8)), ((0, 60, 6), (4, 62, 8))),  # two steps: two voices
        (((0, 60, 4), (4, 62, 8)), ((0, 60, 4), (4, 62, 8))),
        (((0, 60, 1), (0, 64, 1)), ((0, 60, 1), (0, 64, 1))),  # a chord stays one
        # Cutting may change the order of two notes that start together.
        (((0, 60, 5), (0, 60, 6), (5, 62, 8)), ((0, 60, 5), (0, 60, 5), (5, 62, 8))),
    ],
)
def test_legato_is_cut(notes, cut):
    assert cut_overlaps(sequence(*notes)) == sequence(*cut)


def test_cutting_keeps_the_order_of_equal_notes():
    notes = (Note(0, 60, 5, 90), Note(0, 60, 6, 70), Note(5, 62, 8))
    result = cut_overlaps(NoteSequence(notes=notes, length_steps=32))
    assert result.notes == (Note(0, 60, 5, 70), Note(0, 60, 5, 90), Note(5, 62, 8))
