from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pieces import make_part, make_piece, sequence_of

from musicvae.data_pipeline.cut.cut import CUTTERS
from musicvae.data_pipeline.cut.excerpts import CutSettings
from musicvae.data_pipeline.cut.lead_sheets import cut_lead_sheets
from musicvae.data_pipeline.cut.melodies import cut_melodies
from musicvae.data_pipeline.cut.rules import Rules
from musicvae.data_pipeline.readers.piece import ChordLine
from musicvae.music.chords import QUALITIES, Chord
from musicvae.music.notes import NoteSequence
from musicvae.representation import LeadSheet, Melody

MAJ, MIN, SEVENTH = (list(QUALITIES).index(name) for name in ("maj", "min", "7"))
BARS = 4
SHEETS = CutSettings(representation=LeadSheet(bars=2))


def tune(*, last=BARS * 16, up=0, name="tune"):
    notes = [(step, 60 + up + step // 4 % 7, step + 4) for step in range(0, last, 4)]
    return make_part(*notes, name=name)


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


def piece_of(*chords, parts=(), **about):
    return make_piece(
        *(parts or (tune(),)),
        bar_lines=range(0, 16 * BARS + 1, 16),
        chords=chord_line(*chords) if chords else None,
        **about,
    )


def counts(cut):
    return {(each.stage, each.reason): each.count for each in cut.rejections}


@settings(max_examples=60, deadline=None)
@given(
    at=st.lists(st.integers(0, 16 * BARS - 1), min_size=1, max_size=12, unique=True),
    chance=st.randoms(use_true_random=False),
)
def test_every_window_is_what_its_notes_and_chords_say(at, chance):
    chords = []
    for step in [0, *sorted(set(at) - {0})]:
        root = chance.randrange(-1, 12) if chords else 0
        quality = chance.randrange(len(QUALITIES)) if root >= 0 else -1
        chords.append((step / 4, root, quality, chance.randrange(12) if root >= 0 else -1))
    piece = piece_of(*chords)
    whole = NoteSequence(
        notes=sequence_of(piece, *piece.parts).notes,
        length_steps=piece.length_steps,
        chords=tuple(
            Chord(
                int(quarter * 4),
                *((root, list(QUALITIES)[quality]) if root >= 0 else ()),
                bass=None if bass == root else bass,
            )
            for quarter, root, quality, bass in chords
        ),
    )
    (excerpts,) = cut_lead_sheets(piece, SHEETS).excerpts
    for start_bar, events in zip(excerpts.start_bars.tolist(), excerpts.events, strict=True):
        window = whole.window(16 * start_bar, 32)
        assert np.array_equal(SHEETS.representation.to_tensor(window), events)


def test_the_melodies_are_those_of_melodies():
    harmony = make_part(*[(step, 48, step + 8) for step in range(0, 64, 8)], name="bass line")
    piece = piece_of((0, 0, MAJ), (8, 5, MAJ), parts=(tune(), harmony))
    (melodies,) = cut_melodies([piece], CutSettings(representation=Melody(bars=2)))
    sheets = cut_lead_sheets(piece, SHEETS)
    assert [each.part for each in sheets.excerpts] == [each.part for each in melodies.excerpts]
    for sheet, melody in zip(sheets.excerpts, melodies.excerpts, strict=True):
        assert np.array_equal(sheet.events[..., :1], melody.events)
        assert np.array_equal(sheet.labels.attributes, melody.labels.attributes)
    assert sheets.rejections == melodies.rejections


def test_without_written_chords_nothing_is_cut():
    cut = cut_lead_sheets(piece_of(), SHEETS)
    assert cut.excerpts == ()
    assert counts(cut) == {("piece", "no_chords"): 1}


def test_what_begins_before_the_first_chord_is_left_out():
    cut = cut_lead_sheets(piece_of((4, 0, MAJ)), SHEETS)
    assert cut.excerpts[0].start_bars.tolist() == [1, 2]
    assert counts(cut) == {("excerpt", "no_chords"): 1}
    assert cut.rejections[0].found == "it begins before the first chord"


@pytest.mark.parametrize(("first", "start_bars"), [(4.1, [1, 2]), (4.2, [2])])
def test_a_chord_starts_at_the_step_that_is_nearest(first, start_bars):
    cut = cut_lead_sheets(piece_of((first, 0, MAJ)), SHEETS)
    assert cut.excerpts[0].start_bars.tolist() == start_bars
    assert cut.excerpts[0].events[0, 0, 1] > 0


def test_that_there_is_no_chord_may_be_known():
    cut = cut_lead_sheets(piece_of((0, -1, -1), (7, 0, MAJ), (8, -1, -1)), SHEETS)
    assert cut.excerpts[0].start_bars.tolist() == [0, 1]
    assert cut.excerpts[0].events[0, :, 1].tolist() == [0] * 28 + [1] * 4
    assert counts(cut) == {("excerpt", "no_chords"): 1}
    assert cut.rejections[0].found == "no chord"


def test_one_chord_is_enough():
    cut = cut_lead_sheets(piece_of((0, 0, MAJ)), SHEETS)
    assert len(cut.excerpts[0].events) == 3


def test_a_melody_that_is_refused_stays_out():
    hole = make_part(*[(step, 60 + step % 5, step + 2) for step in (0, 2, 4, 60, 61, 62)])
    cut = cut_lead_sheets(piece_of((0, 0, MAJ), parts=(hole,)), SHEETS)
    assert cut.excerpts == ()
    assert ("excerpt", "long_gap") in counts(cut)
    (same,) = CUTTERS["lead_sheet"].cut([piece_of((0, 0, MAJ), parts=(hole,))], SHEETS)
    assert same.rejections == cut.rejections


def test_a_piece_in_another_key_has_the_same_shapes():
    chords = [(0, 0, MAJ, 4), (4, 7, SEVENTH), (8, 9, MIN), (12, -1, -1)]
    moved = [
        (at, (root + 5) % 12 if root >= 0 else -1, q, *((b + 5) % 12 for b in bass))
        for at, root, q, *bass in chords
    ]
    here = cut_lead_sheets(piece_of(*chords), SHEETS).excerpts[0]
    there = cut_lead_sheets(piece_of(*moved, parts=(tune(up=5),)), SHEETS).excerpts[0]
    octave = cut_lead_sheets(piece_of(*chords, parts=(tune(up=12),)), SHEETS).excerpts[0]
    assert np.array_equal(here.shapes, there.shapes)
    assert np.array_equal(here.shapes, octave.shapes)
    others = [
        piece_of(*moved),
        piece_of(*chords, parts=(tune(up=5),)),
        piece_of((0, 0, MIN, 4), *chords[1:]),
        piece_of((0, 0, MAJ), *chords[1:]),
    ]
    digests = [cut_lead_sheets(each, SHEETS).excerpts[0].shapes[0] for each in others]
    assert all(one != other for one, other in pairwise(sorted([*digests, here.shapes[0]])))


def test_the_parts_and_the_rules_are_the_settings_own():
    chosen = CutSettings(
        representation=LeadSheet(bars=2), hop_bars=2, melody="track:b", rules=Rules(fewest_notes=9)
    )
    piece = piece_of((0, 0, MAJ), parts=(tune(name="a"), tune(name="b", up=12)))
    cut = cut_lead_sheets(piece, chosen)
    assert cut.excerpts == ()
    assert counts(cut) == {("part", "other_track"): 1, ("excerpt", "few_notes"): 2}
