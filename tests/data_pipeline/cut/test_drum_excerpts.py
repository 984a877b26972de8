from collections import Counter
from dataclasses import replace
from itertools import pairwise

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from pieces import bar_of, make_part, make_piece

from musicvae.data_pipeline.cut.drum_excerpts import cut_drums, cut_grooves, longest_silence
from musicvae.data_pipeline.cut.excerpts import CutSettings
from musicvae.data_pipeline.cut.rules import Rules
from musicvae.music.instruments import CLASS_OF_PITCH
from musicvae.music.notes import Meter, Note, NoteSequence
from musicvae.music.top_line import on_grid
from musicvae.representation import REPRESENTATIONS, DrumHits, Drums, Groove

KICK, SNARE, HAT = 36, 38, 42
TWO_BARS = CutSettings(representation=Drums(bars=2))


def beat(bars):
    """Hi-hats on every eighth, kick and snare in turn on every quarter."""
    hats = [(step, HAT, step + 1) for step in range(0, bars * 16, 2)]
    return [
        *hats,
        *((step, (KICK, SNARE)[step // 4 % 2], step + 1) for step in range(0, bars * 16, 4)),
    ]


def kit(*hits, velocities=None, **about):
    part = make_part(*hits, is_drum=True, **about)
    return part._replace(velocities=np.array(velocities, np.int16)) if velocities else part


def counts(cut):
    return {(each.stage, each.reason): each.count for each in cut.rejections}


def sequence_of_kit(piece):
    """All drums of a piece that have a class, as notes."""
    columns = [
        (part.starts, part.pitches, part.ends, part.velocities, part.offsets)
        for part in piece.parts
        if part.is_drum
    ]
    notes = [
        Note(start, pitch, end, velocity, is_drum=True, offset=offset)
        for part in columns
        for start, pitch, end, velocity, offset in zip(
            *(column.tolist() for column in part), strict=True
        )
        if CLASS_OF_PITCH[pitch] >= 0
    ]
    return NoteSequence(
        notes=tuple(sorted(notes)),
        length_steps=piece.length_steps,
        meter=piece.meter,
        steps_per_quarter=piece.steps_per_quarter,
    )


def refusal(excerpt, representation, rules, *, minds_timing):
    """What is wrong with an excerpt, told note by note."""
    hits = {(note.start_step, int(CLASS_OF_PITCH[note.pitch])) for note in excerpt.notes}
    steps = sorted({step for step, _ in hits})
    edges = [-1, *steps, excerpt.length_steps]
    gap = max(late - early - 1 for early, late in pairwise(edges))
    most = rules.most_offset_quarters * representation.steps_per_quarter
    off = sum(abs(note.offset) > most for note in excerpt.notes)
    if not hits:
        return "silent"
    if gap >= rules.longest_gap_bars * representation.steps_per_bar:
        return "long_gap"
    if len(hits) < rules.fewest_hits:
        return "few_hits"
    if len({drum for _, drum in hits}) < rules.fewest_drums:
        return "few_drums"
    if minds_timing and off > rules.most_off_grid * len(excerpt.notes):
        return "off_grid"
    return None


def check_law(piece, cut, cut_settings):
    """Each window is kept and refused as its notes alone say."""
    representation, rules = cut_settings.representation, cut_settings.rules
    is_groove = isinstance(representation, Groove)
    sequence = sequence_of_kit(piece)
    bars, rows, refused = [], [], Counter()
    for span in piece.spans:
        for bar in range(0, span.bars - representation.bars + 1, cut_settings.hop_bars):
            start = span.start_step + bar * piece.steps_per_bar
            excerpt = sequence.window(start, representation.length_steps)
            if cause := refusal(excerpt, representation, rules, minds_timing=not is_groove):
                refused[cause] += 1
            else:
                bars.append(bar_of(piece, span, bar))
                rows.append(representation.to_tensor(excerpt if is_groove else on_grid(excerpt)))
    found = {each.reason: each.count for each in cut.rejections if each.stage == "excerpt"}
    assert found == refused
    assert len(cut.excerpts) == bool(rows)
    for excerpts in cut.excerpts:
        assert excerpts.start_bars.tolist() == bars
        np.testing.assert_array_equal(excerpts.events, np.stack(rows))


@st.composite
def kits(draw):
    """Hits of some drums, mostly regular, with what drums may have wrong."""
    hits = []
    for pitch in draw(st.lists(st.sampled_from([36, 38, 37, 42, 22, 20, 49]), max_size=4)):
        step = draw(st.integers(0, 40))
        gaps = draw(st.lists(st.sampled_from([1, 2, 4, 4, 8, 16, 40]), min_size=1, max_size=30))
        for gap in gaps:
            offset = draw(st.sampled_from([0, 0, 0.1, -0.2, 0.4, -0.375])) if step else 0
            hits.append((step, pitch, step + 1, offset))
            step += gap
    return hits or [(0, 36, 1)]


@pytest.mark.slow
@given(
    hits=kits(),
    bars=st.integers(1, 3),
    hop_bars=st.integers(1, 2),
    meter=st.sampled_from([Meter(4, 4), Meter(3, 4), Meter(7, 8)]),
    steps_per_quarter=st.sampled_from([4, 12]),
    short_bar=st.integers(0, 9),
    form=st.sampled_from(["drums", "drum_hits", "groove"]),
    longest_gap_bars=st.sampled_from([0.5, 1.0, 2.0]),
)
@settings(max_examples=300, deadline=None)
def test_every_window_is_what_its_hits_say(
    hits, bars, hop_bars, meter, steps_per_quarter, short_bar, form, longest_gap_bars
):
    bar = meter.steps_per_bar(steps_per_quarter)
    bar_lines = np.cumsum([0] + [bar - (index == short_bar) for index in range(60)])
    velocities = [1 + 37 * index % 127 for index in range(len(hits))]
    part = kit(*hits, steps_per_quarter=steps_per_quarter, velocities=velocities)
    piece = make_piece(part, bar_lines=bar_lines, meter=meter, steps_per_quarter=steps_per_quarter)
    sizes = {"bars": bars, "meter": meter, "steps_per_quarter": steps_per_quarter}
    representation = REPRESENTATIONS[form](**sizes)
    cut_settings = CutSettings(
        representation=representation,
        hop_bars=hop_bars,
        rules=Rules(longest_gap_bars=longest_gap_bars),
    )
    cut = cut_grooves if form == "groove" else cut_drums
    if all(CLASS_OF_PITCH[pitch] < 0 for _, pitch, *_ in hits):
        assert counts(cut(piece, cut_settings))["piece", "no_drum_track"] == 1
    else:
        check_law(piece, cut(piece, cut_settings), cut_settings)


def test_all_drum_parts_are_one_kit():
    hats = kit(*[hit for hit in beat(4) if hit[1] == HAT], name="hats")
    rest = kit(*[hit for hit in beat(4) if hit[1] != HAT], name="rest")
    apart = cut_drums(make_piece(hats, rest), TWO_BARS)
    together = cut_drums(make_piece(kit(*beat(4))), TWO_BARS)
    assert apart.excerpts[0].part == "hats + rest"
    np.testing.assert_array_equal(apart.excerpts[0].events, together.excerpts[0].events)


def test_drums_without_a_class_are_counted_and_left_out():
    cut = cut_drums(make_piece(kit(*beat(2), (3, 20, 4), (5, 21, 6))), TWO_BARS)
    (each,) = cut.rejections
    assert (each.stage, each.reason, each.count) == ("note", "unknown_drum", 2)
    assert "20, 21" in each.found
    expected = cut_drums(make_piece(kit(*beat(2))), TWO_BARS)
    np.testing.assert_array_equal(cut.excerpts[0].events, expected.excerpts[0].events)


def test_a_piece_without_drums_is_refused():
    cut = cut_drums(make_piece(make_part((0, 60, 4))), TWO_BARS)
    assert cut.excerpts == ()
    assert counts(cut) == {("piece", "no_drum_track"): 1}


@pytest.mark.parametrize(
    ("hits", "reason", "found"),
    [
        ([(0, KICK, 1), (12, SNARE, 13), (31, SNARE, 32)], "long_gap", "18 steps of silence"),
        ([(0, KICK, 1), (12, SNARE, 13), (24, KICK, 25)], "few_hits", "3 hits"),
        ([(s, HAT, s + 1) for s in range(0, 32, 4)], "few_drums", "1 of the nine classes"),
    ],
)
def test_what_is_no_beat_is_refused(hits, reason, found):
    cut = cut_drums(make_piece(kit(*hits), bar_lines=[0, 16, 32]), TWO_BARS)
    assert cut.excerpts == ()
    assert [(each.reason, each.found) for each in cut.rejections] == [(reason, found)]


def test_a_shuffle_is_off_the_grid_of_16ths_but_not_of_triplets_nor_as_a_groove():
    beats = range(0, 96, 12)
    hits = [
        (step + late, pitch, step + late + 1)
        for step in beats
        for late, pitch in ((0, KICK), (4, HAT), (8, HAT))
    ]
    part = kit(*hits, steps_per_quarter=12)
    on_16ths, on_12ths = (
        make_piece(part, bar_lines=[0, 4 * n, 8 * n], steps_per_quarter=n) for n in (4, 12)
    )
    assert counts(cut_drums(on_16ths, TWO_BARS)) == {("excerpt", "off_grid"): 1}
    triplets = CutSettings(representation=Drums(bars=2, steps_per_quarter=12))
    assert len(cut_drums(on_12ths, triplets).excerpts[0].events) == 1
    played = CutSettings(representation=Groove(bars=2))
    assert len(cut_grooves(on_16ths, played).excerpts[0].events) == 1


def test_two_takes_of_a_pattern_are_one_excerpt_of_drums_and_two_grooves():
    loud = kit(*beat(4), velocities=[100] * len(beat(4)))
    takes = kit(*beat(4), velocities=[100 if step < 32 else 60 for step, *_ in sorted(beat(4))])
    hop = {"hop_bars": 2}
    drums = cut_drums(make_piece(takes), replace(TWO_BARS, **hop))
    assert len(set(drums.excerpts[0].shapes.tolist())) == 1
    settings_ = CutSettings(representation=Groove(bars=2), **hop)
    grooves = cut_grooves(make_piece(takes), settings_)
    assert len(set(grooves.excerpts[0].shapes.tolist())) == 2
    equal = cut_grooves(make_piece(loud), settings_)
    assert len(set(equal.excerpts[0].shapes.tolist())) == 1


def test_both_forms_of_drums_have_the_same_shapes():
    piece = make_piece(kit(*beat(4)))
    binary = replace(TWO_BARS, representation=DrumHits(bars=2))
    joined, split = (cut_drums(piece, each).excerpts[0] for each in (TWO_BARS, binary))
    np.testing.assert_array_equal(joined.shapes, split.shapes)
    assert split.events.shape == (3, 32, 9)


def test_drums_are_labelled_by_their_rhythm_alone():
    labels = cut_drums(make_piece(kit(*beat(2))), TWO_BARS).excerpts[0].labels
    assert np.isnan(labels.attributes[0, [0, 2]]).all()
    assert labels.attributes[0, 1] == 0.5
    assert labels.tonics.tolist() == [-1]


def test_the_longest_silence_counts_both_ends():
    sounds = np.array([0, 0, 0, 1, 0, 1, 0, 0], bool)
    assert longest_silence(sounds) == 3
    assert longest_silence(~sounds) == 2 - 1
