from collections import Counter
from dataclasses import replace

import hypothesis.strategies as st
import music21
import numpy as np
import pytest
from hypothesis import given, settings
from pieces import bar_of, make_part, make_piece, sequence_of

from musicvae.data_pipeline.cut.cut import cut_reads
from musicvae.data_pipeline.cut.excerpts import CutSettings
from musicvae.data_pipeline.cut.lines.extraction import cut_overlaps
from musicvae.data_pipeline.cut.melodies import cut_melodies
from musicvae.data_pipeline.cut.rules import Rules
from musicvae.data_pipeline.readers.piece import (
    ChordLine,
    KeyChange,
    MeterChange,
    ReadPiece,
    TempoChange,
)
from musicvae.music.notes import Key, Meter
from musicvae.representation import Melody
from musicvae.representation.melody import FIRST_PITCH_EVENT

TWO_BARS = CutSettings(representation=Melody(bars=2))
EVERY_PART = Rules(most_polyphony=1.0, bass_below=0)


def cut_one(piece, cut_settings):
    """What is cut of a piece alone."""
    (cut,) = cut_melodies([piece], cut_settings)
    return cut


def scale(steps, *, first=60, length=4):
    return [(step, first + step // length % 12, step + length) for step in range(0, steps, length)]


def counts(cut):
    return {(each.stage, each.reason): each.count for each in cut.rejections}


def window_starts(piece, bars, hop_bars):
    return [
        (span.start_step + bar * piece.steps_per_bar, bar_of(piece, span, bar))
        for span in piece.spans
        for bar in range(0, span.bars - bars + 1, hop_bars)
    ]


def refusal(excerpt, representation, rules):
    """What is wrong with an excerpt, told note by note."""
    notes = excerpt.notes
    ends = [0, *(note.end_step for note in notes)]
    starts = [*(note.start_step for note in notes), excerpt.length_steps]
    gap = max(start - end for start, end in zip(starts, ends, strict=True))
    if not notes:
        return "silent"
    if gap >= rules.longest_gap_bars * representation.steps_per_bar:
        return "long_gap"
    if len(notes) < rules.fewest_notes:
        return "few_notes"
    if len({note.pitch for note in notes}) < rules.fewest_pitches:
        return "few_pitches"
    if error := representation.check(excerpt):
        return error.cause
    sixteenth = representation.steps_per_quarter // 4
    fine = [note for note in notes if note.start_step % sixteenth]
    return "straight" if len(fine) < rules.fewest_fine_onsets else None


def check_law(piece, cut_settings):
    """Each window of each part is kept and refused as its notes alone say."""
    representation, rules = cut_settings.representation, cut_settings.rules
    expected = []
    refused = Counter()
    for part in piece.parts:
        sequence = sequence_of(piece, cut_overlaps(part, rules))
        rows = []
        for start, bar in window_starts(piece, representation.bars, cut_settings.hop_bars):
            excerpt = sequence.window(start, representation.length_steps)
            if cause := refusal(excerpt, representation, rules):
                refused[cause] += 1
            else:
                rows.append((bar, representation.to_tensor(excerpt)))
        if rows:
            expected.append(rows)
    cut = cut_one(piece, cut_settings)
    assert len(cut.excerpts) == len(expected)
    for excerpts, rows in zip(cut.excerpts, expected, strict=True):
        assert excerpts.start_bars.tolist() == [bar for bar, _ in rows]
        np.testing.assert_array_equal(excerpts.events, np.stack([events for _, events in rows]))
    found = {each.reason: each.count for each in cut.rejections if each.stage == "excerpt"}
    assert found == refused
    return len(expected)


@st.composite
def melodic_lines(draw):
    """Notes that are mostly a line, with what a line may have wrong."""
    notes = []
    step = draw(st.integers(0, 20))
    for _ in range(draw(st.integers(1, 40))):
        length = draw(st.sampled_from([1, 2, 3, 4, 6, 8, 16, 24]))
        pitch = draw(st.sampled_from([60, 62, 64, 65, 67, 60, 62, 12, 120]))
        offset = draw(st.sampled_from([0, 0, 0, 0, 0.2, -0.2, 0.26, -0.4]))
        notes.append((step, pitch, step + length, max(offset, -step)))
        step += draw(st.sampled_from([length, length, length, length - 1, length + 1, 0, 20]))
    return notes


@given(
    lines=st.lists(melodic_lines(), min_size=1, max_size=2),
    bars=st.integers(1, 3),
    hop_bars=st.integers(1, 2),
    meter=st.sampled_from([Meter(4, 4), Meter(3, 4), Meter(6, 8), Meter(7, 8)]),
    steps_per_quarter=st.sampled_from([4, 12]),
    short_bar=st.integers(0, 9),
    fewest_pitches=st.integers(1, 4),
    fewest_fine_onsets=st.integers(0, 3),
)
@settings(max_examples=200, deadline=None)
def test_every_window_is_what_its_notes_say(
    lines, bars, hop_bars, meter, steps_per_quarter, short_bar, fewest_pitches, fewest_fine_onsets
):
    bar = meter.steps_per_bar(steps_per_quarter)
    # An irregular bar somewhere, or past the end.
    bar_lines = np.cumsum([0] + [bar - (index == short_bar) for index in range(40)])
    parts = [make_part(*line, steps_per_quarter=steps_per_quarter) for line in lines]
    piece = make_piece(
        *parts, bar_lines=bar_lines, meter=meter, steps_per_quarter=steps_per_quarter
    )
    representation = Melody(bars=bars, meter=meter, steps_per_quarter=steps_per_quarter)
    rules = replace(
        EVERY_PART, fewest_pitches=fewest_pitches, fewest_fine_onsets=fewest_fine_onsets
    )
    check_law(piece, CutSettings(representation=representation, hop_bars=hop_bars, rules=rules))


def read_corpus(name):
    """A piece of music21's corpus: its voices as parts, in bars of four quarters."""
    parts = []
    for part in music21.corpus.parse(name).parts:
        notes = part.flatten().stripTies().getElementsByClass(music21.note.Note)
        rows = [
            (float(n.offset) * 4, n.pitch.midi, float(n.offset + n.quarterLength) * 4)
            for n in notes
        ]
        parts.append(make_part(*rows, name=part.partName or ""))
    return make_piece(*parts)


@pytest.mark.parametrize(
    "name",
    ["bach/bwv66.6", "ryansMammoth/7thRegimentReel"],
)
def test_real_music_is_what_its_notes_say(name):
    piece = read_corpus(name)
    assert check_law(piece, replace(TWO_BARS, rules=EVERY_PART)) > 0


def test_an_excerpt_starts_at_every_bar():
    piece = make_piece(make_part(*scale(80), name="Flute", program=73))
    cut = cut_one(piece, TWO_BARS)
    (excerpts,) = cut.excerpts
    assert excerpts.start_bars.tolist() == [0, 1, 2, 3]
    assert (excerpts.part, excerpts.program) == ("Flute", 73)
    assert len(excerpts.labels.qpms) == len(excerpts.shapes) == 4
    assert cut.rejections == ()


def test_excerpts_do_not_cross_irregular_bars():
    lines = (0, 4, 20, 36, 52, 62, 78, 94, 128)
    cut = cut_one(make_piece(make_part(*scale(128)), bar_lines=lines), TWO_BARS)
    assert cut.excerpts[0].start_bars.tolist() == [1, 2, 5]
    assert counts(cut) == {("bar", "irregular_bar"): 3}


def test_bars_that_are_too_few_are_counted():
    cut = cut_one(make_piece(make_part(*scale(16))), TWO_BARS)
    assert cut.excerpts == ()
    assert counts(cut) == {("piece", "too_short"): 1}
    lines = (0, 16, 20, 36, 52, 64)
    cut = cut_one(make_piece(make_part(*scale(64)), bar_lines=lines), TWO_BARS)
    assert cut.excerpts[0].start_bars.tolist() == [2]
    assert counts(cut) == {("bar", "irregular_bar"): 2, ("bar", "short_run"): 1}


def test_what_was_found_first_is_told():
    line = scale(128)
    line[0] = (*line[0], 0.33)
    line[12] = (48, 63, 55)
    line[24] = (96, 12, 100)
    cut = cut_one(make_piece(make_part(*line)), TWO_BARS)
    assert cut.excerpts[0].start_bars.tolist() == [1, 4]
    found = {each.reason: (each.count, each.found) for each in cut.rejections}
    assert found == {
        "off_grid": (1, "an onset +0.33 steps off the grid at step 0"),
        "polyphonic": (2, "pitches 63 and 61 together at step 20"),
        "out_of_range": (2, "pitch 12 at step 16"),
    }


@pytest.mark.parametrize(
    ("notes", "reason", "found"),
    [
        ([(64, 60, 68)], "silent", "no notes"),
        ([(0, 60, 4), (4, 62, 8), (24, 60, 32)], "long_gap", "16 steps of silence"),
        ([(17, 60, 20), (20, 62, 24), (24, 60, 32)], "long_gap", "17 steps of silence"),
        ([(0, 60, 4), (4, 62, 8), (8, 60, 16)], "long_gap", "16 steps of silence"),
        ([(0, 60, 16), (16, 62, 32)], "few_notes", "2 notes"),
        ([(0, 60, 8), (8, 60, 16), (16, 60, 32)], "few_pitches", "1 pitch"),
    ],
)
def test_excerpts_that_are_no_music_are_left_out(notes, reason, found):
    piece = make_piece(make_part(*notes), bar_lines=(0, 16, 32))
    (each,) = cut_one(piece, TWO_BARS).rejections
    assert (each.reason, each.found) == (reason, found)


def test_a_gap_just_under_a_bar_is_kept():
    notes = [(0, 60, 4), (4, 62, 8), (23, 60, 32)]
    assert cut_one(make_piece(make_part(*notes), bar_lines=(0, 16, 32)), TWO_BARS).rejections == ()


def test_onsets_may_be_taken_as_they_fall_on_the_grid():
    piece = make_piece(make_part(*[(*note, 0.4) for note in scale(32)]))
    lax = replace(TWO_BARS, rules=Rules(most_offset_quarters=0.125))
    assert counts(cut_one(piece, TWO_BARS)) == {("excerpt", "off_grid"): 1}
    assert len(cut_one(piece, lax).excerpts[0].events) == 1


def test_a_set_on_a_finer_grid_can_hold_only_music_that_needs_the_grid():
    straight, triplets = scale(96, length=6), scale(96, length=4)
    on_12 = CutSettings(
        representation=Melody(bars=2, steps_per_quarter=12), rules=Rules(fewest_fine_onsets=1)
    )
    pieces = [
        make_piece(
            make_part(*line, steps_per_quarter=12), bar_lines=(0, 48, 96), steps_per_quarter=12
        )
        for line in (straight, triplets)
    ]
    refused, kept = [cut_one(piece, on_12) for piece in pieces]
    (rejection,) = refused.rejections
    assert (rejection.reason, rejection.found) == ("straight", "0 onsets between the sixteenths")
    assert len(kept.excerpts[0].events) == 1


def test_parts_that_are_left_out_are_counted():
    drums = make_part(*scale(32), is_drum=True)
    bass = make_part(*scale(32, first=30), name="Bass")
    cut = cut_one(make_piece(make_part(*scale(32)), drums, bass), TWO_BARS)
    assert len(cut.excerpts) == 1
    assert counts(cut) == {("part", "drums"): 1, ("part", "bass"): 1}


def shapes_of(line):
    return cut_one(make_piece(make_part(*line)), TWO_BARS).excerpts[0].shapes.tolist()


def test_a_shape_is_the_same_in_every_key():
    line = scale(64)
    higher = [(start, pitch + 5, end) for start, pitch, end in line]
    assert shapes_of(line) == shapes_of(higher)
    first, second, third = shapes_of(line)
    assert first == second  # the scale goes on, a third higher
    assert third != first  # and starts again
    assert shapes_of([*line[:-1], (60, 71, 63)])[:2] == [first, second]
    assert shapes_of([*line[:-1], (60, 71, 63)])[2] != third


whole_pieces = st.fixed_dictionaries(
    {
        "parts": st.lists(
            st.tuples(
                melodic_lines(),
                st.sampled_from(["", "MELODY", "Bass"]),
                st.sampled_from([0, 40]),
                st.sampled_from([False, False, True]),
            ),
            max_size=3,
        ),
        "short_bar": st.integers(0, 40),
        "waltz_bar": st.integers(1, 39),
        "times": st.lists(st.integers(0, 60), max_size=2, unique=True).map(sorted),
        "has_chords": st.booleans(),
    }
)
"""What pieces are made of: parts, bars, tempos, keys and chords."""


def read_whole(parts, short_bar, waltz_bar, times, has_chords, *, steps_per_quarter):
    """A piece that begins in 4/4."""
    bar = 4 * steps_per_quarter
    lengths = [bar - (index == short_bar) for index in range(40)]
    lengths[waltz_bar:] = [3 * bar // 4] * (40 - waltz_bar)
    return ReadPiece(
        parts=tuple(
            make_part(
                *line,
                steps_per_quarter=steps_per_quarter,
                name=name,
                program=program,
                is_drum=is_drum,
            )
            for line, name, program, is_drum in parts
        ),
        bar_lines=np.cumsum([0, *lengths]) / steps_per_quarter,
        meters=(MeterChange(0, Meter()), MeterChange(waltz_bar, Meter(3, 4))),
        tempos=tuple(TempoChange(float(time), 90.0 + time) for time in times),
        keys=tuple(KeyChange(float(time), Key(time % 12)) for time in times[1:]),
        chords=CHORDS if has_chords else None,
    )


CHORDS = ChordLine(
    onsets=np.array([2.0, 9.0]),
    roots=np.array([0, 7], np.int16),
    qualities=np.array([0, 1], np.int16),
    basses=np.array([0, 7], np.int16),
)


def columns_of(excerpts):
    labels = excerpts.labels._asdict()
    own = {"start_bars": excerpts.start_bars, "events": excerpts.events, "shapes": excerpts.shapes}
    return (excerpts.part, excerpts.program), {
        name: (column.dtype, column.shape, column.tobytes())
        for name, column in (labels | own).items()
    }


@given(
    music=st.lists(whole_pieces, min_size=1, max_size=5),
    melody=st.sampled_from(["every", "top-line", "likeliest", "track:MELODY", "program:0-31"]),
    steps_per_quarter=st.sampled_from([4, 12]),
)
@settings(max_examples=150, deadline=None)
def test_pieces_together_are_cut_as_each_alone(music, melody, steps_per_quarter):
    reads = [read_whole(**each, steps_per_quarter=steps_per_quarter) for each in music]
    how = CutSettings(
        representation=Melody(bars=2, steps_per_quarter=steps_per_quarter), melody=melody
    )
    together = cut_reads(reads, how)
    alone = [cut_reads([read], how)[0] for read in reads]
    for one, other in zip(together, alone, strict=True):
        assert one.rejections == other.rejections
        assert [columns_of(each) for each in one.excerpts] == [
            columns_of(each) for each in other.excerpts
        ]
        assert (one.signature is None) == (other.signature is None)
        assert one.signature is None or (one.signature == other.signature).all()


def test_velocities_stand_at_the_onsets_of_parts_with_dynamics():
    tune = make_part(*scale(96))
    louder = tune._replace(velocities=np.arange(40, 40 + len(tune.onsets), dtype=np.int16))
    by_rule = tune._replace(velocities=np.tile(np.array([105, 95, 80], np.int16), 8))
    cut = cut_one(make_piece(tune, louder, by_rule), TWO_BARS)
    flat, played, ruled = (each.velocities for each in cut.excerpts)
    assert not flat.any() and not ruled.any()
    onsets = cut.excerpts[1].events[..., 0] >= FIRST_PITCH_EVENT
    np.testing.assert_array_equal(played > 0, onsets)
    assert played[1][onsets[1]].tolist() == list(range(44, 52))


def test_the_last_note_of_a_window_keeps_its_velocity_beside_a_held_note():
    notes = [(0, 60, 20), *((step, 60 + step, step + 2) for step in range(20, 64, 2))]
    part = make_part(*notes)
    part = part._replace(velocities=np.arange(50, 50 + len(notes), dtype=np.int16))
    cut = cut_one(make_piece(part), replace(TWO_BARS, rules=EVERY_PART))
    second = next(each.velocities[1] for each in cut.excerpts)
    assert second[:4].tolist() == [0, 0, 0, 0] and second[4] == 51
