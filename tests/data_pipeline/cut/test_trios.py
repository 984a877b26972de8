from dataclasses import replace

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from pieces import bar_of, make_part, make_piece, sequence_of

from musicvae.data_pipeline.cut.excerpts import CutSettings
from musicvae.data_pipeline.cut.rules import Rules
from musicvae.data_pipeline.cut.trios import cut_trios
from musicvae.data_pipeline.readers.chord_columns import chord_line
from musicvae.music.attributes import ATTRIBUTES
from musicvae.music.chords import Chord, ParsedChord
from musicvae.music.instruments import BASS_PROGRAM
from musicvae.music.notes import NoteSequence
from musicvae.music.top_line import on_grid
from musicvae.representation import Drums, Melody, Trio
from musicvae.representation.melody import MELODY

BARS = 4
SETTINGS = CutSettings(representation=Trio(bars=2))


def tune(*, first=0, last=BARS * 16, program=0, name="lead", lowest=60):
    notes = [(step, lowest + step // 4 % 7, step + 4) for step in range(first, last, 4)]
    return make_part(*notes, program=program, name=name)


def bass(*, first=0, last=BARS * 16, program=33, name="bass"):
    notes = [(step, 36 + step // 8 % 3, step + 8) for step in range(first, last, 8)]
    return make_part(*notes, program=program, name=name)


def kit(*, last=BARS * 16):
    hits = [(step, (36, 42, 38, 42)[step // 2 % 4], step + 1) for step in range(0, last, 2)]
    return make_part(*hits, is_drum=True, name="kit")


def counts(cut):
    return {(each.stage, each.reason): each.count for each in cut.rejections}


def trio_sequence(piece, lead, low, drums):
    """The notes of three parts as a trio: the melody on a piano, the bass on an electric bass."""
    streams = [(sequence_of(piece, lead), 0), (sequence_of(piece, low), BASS_PROGRAM)]
    notes = [
        replace(note, program=program) for sequence, program in streams for note in sequence.notes
    ]
    notes += on_grid(sequence_of(piece, drums)).notes
    return NoteSequence(notes=tuple(sorted(notes)), length_steps=piece.length_steps)


def is_silent_too_long(excerpt, rules):
    """Whether a line keeps silent for longer than a trio may, told note by note."""
    starts = [*(note.start_step for note in excerpt.notes), excerpt.length_steps]
    ends = [0, *(note.end_step for note in excerpt.notes)]
    gap = max(start - end for start, end in zip(starts, ends, strict=True))
    return not excerpt.notes or gap >= 16 * rules.longest_trio_gap_bars


@st.composite
def lines(draw, program, lowest):
    """Notes one at a time with some silence, at times off the grid."""
    notes, step = [], draw(st.integers(0, 30))
    for _ in range(draw(st.integers(4, 30))):
        length = draw(st.sampled_from([1, 2, 4, 8]))
        offset = draw(st.sampled_from([0, 0, 0, 0, 0, 0, 0.2, 0.4])) if step else 0
        notes.append((step, lowest + draw(st.integers(0, 7)), step + length, offset))
        step += length + draw(st.sampled_from([0, 0, 0, 4, 33]))
    return make_part(*notes, program=program)


@pytest.mark.slow
@given(
    lead=lines(program=73, lowest=60),
    low=lines(program=32, lowest=30),
    bars=st.integers(1, 3),
    hop_bars=st.integers(1, 2),
    short_bar=st.integers(0, 9),
)
@settings(max_examples=150, deadline=None)
def test_every_excerpt_is_what_its_notes_say(lead, low, bars, hop_bars, short_bar):
    bar_lines = np.cumsum([0] + [16 - (index == short_bar) for index in range(30)])
    piece = make_piece(lead, low, kit(last=320), bar_lines=bar_lines)
    trio, rules = Trio(bars=bars), Rules(fewest_notes=1, fewest_pitches=1)
    cut = cut_trios(piece, CutSettings(representation=trio, hop_bars=hop_bars, rules=rules))
    whole = trio_sequence(piece, *piece.parts)
    alone = [sequence_of(piece, part) for part in piece.parts]
    expected, at = [], []
    for span in piece.spans:
        for bar in range(0, span.bars - bars + 1, hop_bars):
            window = (span.start_step + 16 * bar, 16 * bars)
            excerpts = [sequence.window(*window) for sequence in alone]
            if any(is_silent_too_long(excerpt, rules) for excerpt in excerpts):
                continue
            if trio.check(whole.window(*window)) is None:
                expected.append(trio.to_tensor(whole.window(*window)))
                at.append(bar_of(piece, span, bar))
    assert [bar for each in cut.excerpts for bar in each.start_bars.tolist()] == at
    if expected:
        np.testing.assert_array_equal(cut.excerpts[0].events, np.stack(expected))


def test_every_combination_of_a_melody_and_a_bass_is_taken():
    piece = make_piece(
        tune(name="piano"),
        tune(name="flute", program=73),
        bass(),
        bass(name="slap", program=36),
        kit(),
    )
    cut = cut_trios(piece, SETTINGS)
    assert [each.part for each in cut.excerpts] == [
        "piano + bass + kit",
        "piano + slap + kit",
        "flute + bass + kit",
        "flute + slap + kit",
    ]
    assert [each.program for each in cut.excerpts] == [0, 0, 73, 73]
    assert [len(each.events) for each in cut.excerpts] == [3] * 4
    assert cut.rejections == ()


def test_no_more_combinations_are_taken_than_the_rule_says():
    piece = make_piece(*[tune(name=str(number)) for number in range(5)], bass(), kit())
    cut = cut_trios(piece, replace(SETTINGS, rules=Rules(most_trios=3)))
    assert [each.part[0] for each in cut.excerpts] == ["0", "1", "2"]
    assert counts(cut) == {("part", "many_trios"): 2}


@pytest.mark.parametrize(
    ("parts", "reasons"),
    [
        ([tune(), bass()], {"no_drum_track"}),
        ([tune(), kit()], {"no_bass_track"}),
        ([bass(), kit()], {"no_melody_track"}),
        ([kit()], {"no_melody_track", "no_bass_track"}),
        ([tune()], {"no_bass_track", "no_drum_track"}),
    ],
)
def test_each_missing_role_is_named(parts, reasons):
    cut = cut_trios(make_piece(*parts), SETTINGS)
    assert cut.excerpts == ()
    assert {each.reason for each in cut.rejections} == reasons


@pytest.mark.parametrize(
    ("parts", "silent"),
    [([tune(), bass()], [2]), ([tune()], [1, 2]), ([kit()], [0, 1]), ([bass(), kit()], [0])],
)
def test_a_missing_line_is_silent_where_fewer_lines_are_enough(parts, silent):
    piece = make_piece(*parts)
    enough = Rules(fewest_trio_lines=len(parts))
    cut = cut_trios(piece, replace(SETTINGS, rules=enough))
    (excerpts,) = cut.excerpts
    assert len(excerpts.events) == BARS - 1
    assert [line for line in range(3) if not excerpts.events[..., line].any()] == silent
    assert not counts(cut).keys() & {("piece", "no_drum_track"), ("piece", "no_bass_track")}
    too_few = Rules(fewest_trio_lines=len(parts) + 1)
    assert cut_trios(piece, replace(SETTINGS, rules=too_few)).excerpts == ()


def test_a_low_part_is_the_bass_where_no_program_says_so():
    low = bass(program=0, name="left hand")
    (excerpts,) = cut_trios(make_piece(tune(), low, kit()), SETTINGS).excerpts
    assert excerpts.part == "lead + left hand + kit"


def test_a_low_part_is_nothing_where_a_program_says_which_the_bass_is():
    low = bass(program=0, name="left hand")
    cut = cut_trios(make_piece(tune(), low, bass(), kit()), SETTINGS)
    assert [each.part for each in cut.excerpts] == ["lead + bass + kit"]
    assert counts(cut) == {("part", "bass"): 1}


def test_pads_and_effects_carry_no_tune():
    cut = cut_trios(make_piece(tune(), tune(program=90), bass(), kit()), SETTINGS)
    assert [each.part for each in cut.excerpts] == ["lead + bass + kit"]
    assert counts(cut) == {("part", "other_program"): 1}


def test_chords_are_reduced_to_their_highest_notes():
    notes = [(step, 60 + step // 4 % 7, step + 4) for step in range(0, 64, 4)]
    thirds = make_part(*notes, *((start, pitch - 3, end) for start, pitch, end in notes))
    (excerpts,) = cut_trios(make_piece(thirds, bass(), kit()), SETTINGS).excerpts
    (expected,) = cut_trios(make_piece(make_part(*notes), bass(), kit()), SETTINGS).excerpts
    np.testing.assert_array_equal(excerpts.events, expected.events)


def test_a_silence_of_two_bars_in_one_line_ends_the_trio():
    piece = make_piece(tune(last=32), bass(), kit())
    cut = cut_trios(piece, SETTINGS)
    assert cut.excerpts[0].start_bars.tolist() == [0, 1]
    assert counts(cut) == {("excerpt", "melody_silent"): 1}
    longer = cut_trios(piece, replace(SETTINGS, representation=Trio(bars=4)))
    assert counts(longer) == {("excerpt", "melody_long_gap"): 1}
    assert "'lead'" in longer.rejections[0].found


def test_a_bass_may_stay_on_one_note_but_not_a_melody():
    drone = make_part(*[(step, 36, step + 8) for step in range(0, 64, 8)], program=33)
    assert cut_trios(make_piece(tune(), drone, kit()), SETTINGS).excerpts
    chant = make_part(*[(step, 60, step + 8) for step in range(0, 64, 8)])
    cut = cut_trios(make_piece(chant, bass(), kit()), SETTINGS)
    assert counts(cut) == {("excerpt", "melody_few_pitches"): 3}


def test_a_trio_in_another_key_has_the_same_shape():
    here = cut_trios(make_piece(tune(), bass(), kit()), SETTINGS).excerpts[0]
    parts = [part._replace(pitches=part.pitches + 3) for part in (tune(), bass())]
    there = cut_trios(make_piece(*parts, kit()), SETTINGS).excerpts[0]
    assert (here.events != there.events).any()
    np.testing.assert_array_equal(here.shapes, there.shapes)
    apart = cut_trios(make_piece(parts[0], bass(), kit()), SETTINGS).excerpts[0]
    assert not set(here.shapes.tolist()) & set(apart.shapes.tolist())


def test_the_labels_are_those_of_the_three_lines_together():
    piece = make_piece(tune(), bass(), kit())
    (excerpts,) = cut_trios(piece, SETTINGS).excerpts
    whole = trio_sequence(piece, *piece.parts)
    for row, bar in enumerate(excerpts.start_bars.tolist()):
        expected = MELODY.measure(whole.window(16 * bar, 32))
        np.testing.assert_allclose(
            excerpts.labels.attributes[row], [expected[name] for name in ATTRIBUTES], rtol=1e-6
        )


def test_the_streams_are_those_of_the_other_representations():
    piece = make_piece(tune(), bass(), kit())
    (excerpts,) = cut_trios(piece, SETTINGS).excerpts
    lead, low, drums = (sequence_of(piece, part).window(0, 32) for part in piece.parts)
    streams = [Melody(bars=2).to_tensor(lead), Melody(bars=2).to_tensor(low)]
    streams.append(Drums(bars=2).to_tensor(drums))
    np.testing.assert_array_equal(excerpts.events[0], np.concatenate(streams, axis=1))


OVER_CHORDS = replace(SETTINGS, representation=Trio(bars=2, chords=True))


def first_chords(cut):
    representation = OVER_CHORDS.representation
    (excerpts,) = cut.excerpts
    return [representation.to_notes(events).chords for events in excerpts.events]


def test_written_chords_go_with_the_lines():
    line = chord_line(np.array([1.0, 8.0]), [ParsedChord(7, "7", 11), ParsedChord(0, "maj7")])
    piece = make_piece(tune(), bass(), kit(), chords=line)
    cut = cut_trios(piece, OVER_CHORDS)
    assert first_chords(cut) == [
        (Chord(4, 7, "7", 11),),
        (Chord(0, 7, "7", 11), Chord(16, 0, "maj7")),
        (Chord(0, 0, "maj7"),),
    ]
    (bare,) = cut_trios(piece, SETTINGS).excerpts
    (excerpts,) = cut.excerpts
    np.testing.assert_array_equal(excerpts.events[..., :3], bare.events)
    np.testing.assert_array_equal(excerpts.shapes, bare.shapes)


def test_chords_that_are_not_written_are_inferred_from_all_parts():
    triads = [
        (step, pitch, step + 16) for step in range(0, 64, 16) for pitch in (57, 60, 64, 69, 72)
    ]
    pad = make_part(*triads, program=90, name="pad")
    low = make_part(*[(step, 33, step + 8) for step in range(0, 64, 8)], program=33, name="bass")
    lead = make_part(*[(step, 69 + step // 4 % 2 * 3, step + 4) for step in range(0, 64, 4)])
    cut = cut_trios(make_piece(lead, low, kit(), pad), OVER_CHORDS)
    assert {chord for chords in first_chords(cut) for chord in chords} == {Chord(0, 9, "min")}
