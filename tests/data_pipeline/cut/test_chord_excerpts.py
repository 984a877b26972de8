from itertools import pairwise

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from pieces import bar_of, make_part, make_piece

from musicvae.data_pipeline.cut.chord_excerpts import cut_chords
from musicvae.data_pipeline.cut.excerpts import CutSettings
from musicvae.data_pipeline.cut.rules import Rules
from musicvae.data_pipeline.readers.piece import ChordLine
from musicvae.music.chords import QUALITIES, Chord
from musicvae.music.notes import Meter, NoteSequence
from musicvae.representation import Chords

MAJ, MIN, SEVENTH = (list(QUALITIES).index(name) for name in ("maj", "min", "7"))
NOTE = make_part((0, 60, 4))


def chord_line(*chords):
    """Chords `(quarter, root, quality[, bass])`; a root of -1 is no chord."""
    rows = [(quarter, root, quality, *(bass or [root])) for quarter, root, quality, *bass in chords]
    onsets, roots, qualities, basses = (list(column) for column in zip(*rows, strict=True))
    return ChordLine(
        onsets=np.array(onsets, float),
        roots=np.array(roots, np.int16),
        qualities=np.array(qualities, np.int16),
        basses=np.array(basses, np.int16),
    )


def piece_of(*chords, bars=4, **about):
    bar_lines = range(0, 16 * bars + 1, 16)
    return make_piece(NOTE, bar_lines=bar_lines, chords=chord_line(*chords), **about)


def cut(piece, *, bars=2, resolution="half_bar", **rules):
    representation = Chords(bars=bars, resolution=resolution)
    return cut_chords(piece, CutSettings(representation=representation, rules=Rules(**rules)))


def counts(result):
    return {(each.stage, each.reason): each.count for each in result.rejections}


@pytest.mark.slow
@given(
    roots=st.lists(st.integers(-1, 11), min_size=12, max_size=12),
    qualities=st.lists(st.integers(0, len(QUALITIES) - 1), min_size=12, max_size=12),
    basses=st.lists(st.integers(0, 11), min_size=12, max_size=12),
    resolution=st.sampled_from(["bar", "half_bar", "step"]),
    meter=st.sampled_from([Meter(4, 4), Meter(3, 4), Meter(6, 8)]),
    short_bar=st.integers(0, 9),
)
@settings(max_examples=200, deadline=None)
def test_every_window_is_what_its_chords_say(
    roots, qualities, basses, resolution, meter, short_bar
):
    bar = meter.steps_per_bar()
    representation = Chords(bars=2, meter=meter, resolution=resolution)
    bar_lines = np.cumsum([0] + [bar - 2 * (index == short_bar) for index in range(12)])
    # A chord at every bar line, or in the middle of every other bar too.
    starts = [int(start) for start in bar_lines[:-1]]
    if resolution != "bar":
        starts = [start + (bar // 2 if index % 2 else 0) for index, start in enumerate(starts)]
    chords = [
        (start / 4, root, quality, root if root < 0 else bass)
        for start, root, quality, bass in zip(starts, roots, qualities, basses, strict=True)
    ]
    piece = make_piece(NOTE, bar_lines=bar_lines, meter=meter, chords=chord_line(*chords))
    values = tuple(
        Chord(start)
        if root < 0
        else Chord(start, root, list(QUALITIES)[quality], bass if bass != root else None)
        for start, (_, root, quality, bass) in zip(starts, chords, strict=True)
    )
    whole = NoteSequence(notes=(), length_steps=int(bar_lines[-1]), meter=meter, chords=values)
    expected, at = [], []
    for span in piece.spans:
        for index in range(span.bars - 1):
            window = whole.window(span.start_step + index * bar, 2 * bar)
            if len({(c.root, c.quality) for c in window.chords if c.root is not None}) >= 2:
                expected.append(representation.to_tensor(window))
                at.append(bar_of(piece, span, index))
    result = cut_chords(piece, CutSettings(representation=representation))
    assert [each for excerpts in result.excerpts for each in excerpts.start_bars.tolist()] == at
    if expected:
        np.testing.assert_array_equal(result.excerpts[0].events, np.stack(expected))


def test_written_chords_go_before_inferred_ones():
    (excerpts,) = cut(piece_of((0, 0, MAJ), (4, 7, SEVENTH), (8, 9, MIN))).excerpts
    assert excerpts.part == "chords written"
    chord = 1 + np.array([0 * 17 + MAJ, 7 * 17 + SEVENTH, 9 * 17 + MIN])
    assert excerpts.events[0, :, 0].tolist() == chord[[0, 0, 1, 1]].tolist()
    assert excerpts.events[1, :, 0].tolist() == chord[[1, 1, 2, 2]].tolist()


def test_chords_are_inferred_where_none_are_written():
    triads = [(60, 64, 67), (65, 69, 72), (67, 71, 74), (60, 64, 67)]
    notes = [
        (16 * bar, pitch, 16 * bar + 16) for bar, pitches in enumerate(triads) for pitch in pitches
    ]
    (excerpts,) = cut(
        make_piece(make_part(*notes), bar_lines=range(0, 65, 16)), resolution="bar"
    ).excerpts
    assert excerpts.part == "chords inferred"
    roots = (excerpts.events[..., 0] - 1) // len(QUALITIES)
    assert roots.tolist() == [[0, 5], [5, 7], [7, 0]]


def test_a_slot_gets_the_chord_that_holds_longest():
    piece = piece_of((0, 0, MAJ), (1, 5, MAJ), (4, 7, MAJ), (6.1, 2, MIN), (8, 0, MAJ))
    bars = cut(piece, resolution="bar").excerpts[0].events[0, :, 0]
    assert ((bars - 1) // len(QUALITIES)).tolist() == [5, 7]
    halves = cut(piece).excerpts[0].events[0, :, 0]
    assert ((halves - 1) // len(QUALITIES)).tolist() == [0, 5, 7, 2]
    steps = cut(piece, resolution="step").excerpts[0].events[0, :, 0]
    assert ((steps - 1) // len(QUALITIES)).tolist() == [0] * 4 + [5] * 12 + [7] * 8 + [2] * 8


def test_a_slash_chord_keeps_its_bass():
    (excerpts,) = cut(piece_of((0, 0, MAJ, 4), (4, 7, MAJ))).excerpts
    assert excerpts.events[0, :, 1].tolist() == [5, 5, 0, 0]


@pytest.mark.parametrize(
    ("chords", "reason"),
    [([(0, 0, MAJ)], "few_chords"), ([(0, -1, -1), (12, 0, MAJ)], "no_chords")],
)
def test_what_has_no_harmony_to_learn_is_refused(chords, reason):
    result = cut(piece_of(*chords))
    assert result.excerpts == () and reason in {each.reason for each in result.rejections}


def test_one_chord_passes_where_the_rule_says_so():
    assert len(cut(piece_of((0, 0, MAJ)), fewest_chords=1).excerpts[0].events) == 3


def test_drums_alone_have_no_chords():
    kit = make_part(*[(step, 36, step + 1) for step in range(0, 64, 4)], is_drum=True)
    result = cut(make_piece(kit))
    assert counts(result) == {("piece", "no_chords"): 1}


def test_a_progression_in_another_key_has_the_same_shape():
    chords = [(0, 0, MAJ, 4), (4, 7, SEVENTH), (8, 9, MIN), (12, -1, -1)]
    moved = [
        (at, (root + 5) % 12 if root >= 0 else -1, q, *((b + 5) % 12 for b in bass))
        for at, root, q, *bass in chords
    ]
    here, there = (cut(piece_of(*each)).excerpts[0] for each in (chords, moved))
    np.testing.assert_array_equal(here.shapes, there.shapes)
    others = [
        [(0, 0, MAJ), *chords[1:]],
        [(0, 0, MIN, 4), *chords[1:]],
        [(0, 1, MAJ, 5), *chords[1:]],
    ]
    digests = [cut(piece_of(*each)).excerpts[0].shapes[0] for each in (chords, *others)]
    assert all(a != b for a, b in pairwise(sorted(digests)))


def test_chords_are_labelled_with_the_notes_that_go_with_them():
    labels = cut(piece_of((0, 0, MAJ), (4, 7, MAJ))).excerpts[0].labels
    assert labels.attributes[0, 0] == 1.0
    assert labels.chords.shape == (1, 4)


def test_a_lead_sheet_without_notes_is_cut():
    kit = make_part((0, 36, 1), is_drum=True)
    piece = make_piece(kit, bar_lines=[0, 16, 32], chords=chord_line((0, 0, MAJ), (4, 7, MAJ)))
    assert len(cut(piece).excerpts[0].events) == 1
