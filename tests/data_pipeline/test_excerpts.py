from dataclasses import replace

import numpy as np
import pytest

from musicvae.data_pipeline.excerpts import Cutter, shape_of
from musicvae.data_pipeline.parts import Part, ReadPiece
from musicvae.notes import Key, Meter, Note, NoteSequence
from musicvae.representation import Melody

COMMON = Meter()
CUTTER = Cutter(representation=Melody(bars=2))


def piece_of(notes, bar_lines=None, meter=COMMON):
    lines = bar_lines or tuple(range(0, notes.length_steps + 1, 16))
    return ReadPiece(parts=(Part(name="", notes=notes, bar_lines=lines),), meters=(meter,))


def counts(cut):
    return {(left.stage, left.reason): left.count for left in cut.left}


def test_an_excerpt_starts_at_every_bar(melody):
    notes = replace(melody(0, bars=5), key=Key(7), qpm=90.0)
    cut = CUTTER.cut(piece_of(notes))
    (part,) = cut.parts
    assert part.start_bars == (0, 1, 2, 3)
    assert part.qpm == 90.0
    assert part.key == Key(7)
    assert cut.left == ()
    for bar, events in enumerate(part.events):
        expected = Melody(bars=2).to_tensor(notes.window(16 * bar, 32))
        np.testing.assert_array_equal(events, expected)


def test_excerpts_do_not_cross_irregular_bars(melody):
    lines = (0, 4, 20, 36, 52, 62, 78, 94, 128)
    cut = CUTTER.cut(piece_of(melody(0, bars=8), lines))
    (part,) = cut.parts
    assert part.start_bars == (1, 2, 5)
    # 4 steps before, 10 within and 34 after: three bars' worth.
    assert counts(cut) == {("bar", "irregular_bar"): 3}


def test_bars_that_are_too_few_are_counted(melody):
    cut = CUTTER.cut(piece_of(melody(0, bars=1)))
    assert cut.parts == ()
    assert counts(cut) == {("part", "too_short"): 1}
    lines = (0, 16, 20, 36, 52, 64)
    cut = CUTTER.cut(piece_of(melody(0, bars=4), lines))
    assert cut.parts[0].start_bars == (2,)
    assert counts(cut) == {("bar", "irregular_bar"): 1, ("bar", "short_run"): 1}


def test_cut_time_becomes_the_meter_asked_for(melody):
    cut = CUTTER.cut(piece_of(replace(melody(0, bars=2), meter=Meter(2, 2)), meter=Meter(2, 2)))
    assert len(cut.parts[0].events) == 1


def test_what_cannot_be_held_is_counted(melody):
    plain = melody(0, bars=8)
    spoilt = {
        0: replace(plain.notes[0], offset=0.33),
        12: replace(plain.notes[12], end_step=plain.notes[12].end_step + 3),
        24: replace(plain.notes[24], pitch=12),
    }
    notes = tuple(sorted(spoilt.get(i, note) for i, note in enumerate(plain.notes)))
    cut = CUTTER.cut(piece_of(replace(plain, notes=notes)))
    assert cut.parts[0].start_bars == (1, 4)
    assert counts(cut) == {
        ("excerpt", "off_grid"): 1,
        ("excerpt", "polyphonic"): 2,
        ("excerpt", "out_of_range"): 2,
    }


def test_a_piece_in_another_meter_is_one_reason(melody):
    cut = CUTTER.cut(piece_of(melody(0), meter=Meter(3, 4)))
    assert cut.parts == ()
    assert counts(cut) == {("piece", "wrong_meter"): 1}


def test_the_top_line_is_taken_where_it_is_asked_for():
    notes = tuple(
        Note(step, pitch, step + 4) for step in range(0, 32, 4) for pitch in (48, 60 + step // 4)
    )
    piece = piece_of(NoteSequence(notes=notes, length_steps=32))
    assert counts(CUTTER.cut(piece)) == {("part", "polyphonic"): 1}
    reduced = replace(CUTTER, reduces_to_top_line=True).cut(piece)
    (events,) = reduced.parts[0].events
    assert [note.pitch for note in Melody(bars=2).to_notes(events).notes] == list(range(60, 68))


@pytest.mark.parametrize("reduces", [False, True])
def test_drums_are_left_out(reduces):
    notes = tuple(Note(step, 36, step + 1, is_drum=True) for step in range(32))
    cut = replace(CUTTER, reduces_to_top_line=reduces).cut(
        piece_of(NoteSequence(notes=notes, length_steps=32))
    )
    assert counts(cut) == {("part", "drums"): 1}


def test_a_shape_is_the_same_in_every_key(melody):
    excerpt = melody(0, bars=2)
    assert shape_of(excerpt.transpose(5)) == shape_of(excerpt)
    assert shape_of(melody(1, bars=2)) != shape_of(excerpt)
    longer = (*excerpt.notes[:-1], replace(excerpt.notes[-1], end_step=31))
    assert shape_of(replace(excerpt, notes=longer)) != shape_of(excerpt)


def test_shapes_are_equal_exactly_where_events_are_equal_up_to_transposition(melody):
    excerpts = [melody(seed, bars=1).transpose(t) for seed in range(4) for t in (0, 1, 2)]
    representation = Melody(bars=1)
    for one in excerpts:
        for other in excerpts:
            lower = min(n.pitch for n in one.notes) - min(n.pitch for n in other.notes)
            moved = representation.to_tensor(other.transpose(lower))
            are_equal = bool((representation.to_tensor(one) == moved).all())
            assert (shape_of(one) == shape_of(other)) == are_equal
