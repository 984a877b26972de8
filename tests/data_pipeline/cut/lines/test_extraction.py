import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from pieces import make_part, make_piece, sequence_of

from musicvae.data_pipeline.cut.lines.extraction import (
    check_melody,
    choose_parts,
    cut_overlaps,
    reduce_to_top_line,
)
from musicvae.data_pipeline.cut.rules import Rules
from musicvae.errors import SettingError
from musicvae.music.top_line import top_line

RULES = Rules()
SCALE = tuple((4 * step, 60 + step, 4 * step + 4) for step in range(8))


def part(*notes, name="", **kind):
    return make_part(*(notes or SCALE), name=name, **kind)


LINE = part(name="Flute", program=73)
DRUMS = part(name="Kit", is_drum=True)
CHORDS = part(
    *((4 * step, 60 + third, 4 * step + 4) for step in range(8) for third in (0, 4, 7)),
    name="Piano",
)
BASS = part(*((4 * step, 36 + step, 4 * step + 4) for step in range(8)), name="Bass", program=33)
MELODY = part(name="MELODY")
HELD = part((0, 48, 64), *SCALE)


def choose(*parts, melody="every", rules=RULES):
    """The choices of the parts of one piece."""
    (choices,) = choose_parts([make_piece(*parts)], melody, rules).choices
    return choices


def reasons(*parts, melody="every", rules=RULES):
    return [
        each.rejection and each.rejection.reason
        for each in choose(*parts, melody=melody, rules=rules)
    ]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ((LINE,), [None]),
        ((LINE, DRUMS, CHORDS, BASS), [None, "drums", "polyphonic", "bass"]),
        ((BASS,), [None]),  # alone, it is the melody
        ((MELODY, LINE, DRUMS), [None, "accompaniment", "drums"]),
        ((HELD,), ["polyphonic"]),
    ],
)
def test_every_part_that_carries_a_melody_is_taken(parts, expected):
    assert reasons(*parts) == expected


def test_a_few_onsets_on_sounding_notes_are_no_polyphony():
    line = part(*SCALE[:-1], (28, 67, 34), *((32 + 4 * i, 60 + i, 36 + 4 * i) for i in range(8)))
    assert reasons(line) == [None]
    assert reasons(line, rules=Rules(most_polyphony=0.0)) == ["polyphonic"]


def test_the_top_line_of_chords_is_taken():
    assert reasons(LINE, DRUMS, CHORDS, BASS, melody="top-line") == [None, "drums", None, "bass"]
    lanes = choose_parts([make_piece(CHORDS)], "top-line", RULES).lanes
    assert lanes.line_of(0).pitches.tolist() == [67] * 8


def test_the_likeliest_part_is_taken_alone():
    assert reasons(CHORDS, LINE, DRUMS, melody="likeliest") == ["less_likely", None, "drums"]
    choices = choose(CHORDS, LINE, melody="likeliest")
    assert choices[0].rejection.found.startswith("'Piano' scores -")
    assert reasons(CHORDS, melody="likeliest") == ["polyphonic"]
    assert reasons(DRUMS, DRUMS, melody="likeliest") == ["drums", "drums"]


def test_a_track_is_taken_by_its_name():
    assert reasons(LINE, BASS, melody="track:Bass") == ["other_track", None]
    assert reasons(LINE, DRUMS, CHORDS, melody="track:Kit") == [
        "other_track",
        "drums",
        "other_track",
    ]


def test_parts_are_taken_by_their_program():
    assert reasons(LINE, CHORDS, MELODY, melody="program:73") == [None, *["other_program"] * 2]
    assert reasons(LINE, CHORDS, MELODY, melody="program:0-31") == [
        "other_program",
        "polyphonic",
        None,
    ]
    assert reasons(LINE, BASS, melody="program:32-39") == ["other_program", "bass"]


@pytest.mark.parametrize(
    "melody",
    ["", "top", "every:one", "track:", "program:", "program:x", "program:128", "program:9-8"],
)
def test_what_names_no_way_of_choosing_is_told(melody):
    with pytest.raises(SettingError, match="top-line, track:NAME"):
        check_melody(melody)
    with pytest.raises(SettingError, match="Choose one"):
        choose(LINE, melody=melody)


def test_many_pieces_are_judged_as_each_alone():
    pieces = [
        make_piece(LINE, DRUMS, CHORDS, BASS),
        make_piece(DRUMS),
        make_piece(BASS),
        make_piece(MELODY, LINE),
        make_piece(HELD),
    ]
    together = choose_parts(pieces, "every", RULES, room_steps=32)
    alone = [choose_parts([piece], "every", RULES) for piece in pieces]
    for row, own in zip(together.choices, alone, strict=True):
        assert [each.rejection for each in row] == [each.rejection for each in own.choices[0]]
    assert alone[1].lanes is None
    for row, own in zip(together.choices, alone, strict=True):
        for each, choice in zip(row, own.choices[0], strict=True):
            if each.lane >= 0:
                line, expected = together.lanes.line_of(each.lane), own.lanes.line_of(choice.lane)
                assert line.starts.tolist() == expected.starts.tolist()
                assert line.ends.tolist() == expected.ends.tolist()
                assert (line.name, line.program) == (expected.name, expected.program)


@pytest.mark.parametrize(
    ("notes", "ends"),
    [
        (((0, 60, 5), (4, 62, 8)), [4, 8]),
        (((0, 60, 6), (4, 62, 8)), [6, 8]),  # two steps: two voices
        (((0, 60, 4), (4, 62, 8)), [4, 8]),
        (((0, 60, 1), (0, 64, 1)), [1, 1]),  # a chord stays one
        (((0, 60, 5), (0, 64, 6), (5, 62, 8)), [5, 5, 8]),
    ],
)
def test_legato_is_cut(notes, ends):
    line = make_piece(part(*notes)).parts[0]
    assert cut_overlaps(line, RULES).ends.tolist() == ends


notes = st.tuples(st.integers(0, 40), st.integers(0, 127), st.integers(1, 20))


@given(st.lists(notes, min_size=1, max_size=40))
@settings(max_examples=300, deadline=None)
def test_the_top_line_is_that_of_the_notes(rows):
    piece = make_piece(part(*((start, pitch, start + length) for start, pitch, length in rows)))
    line = reduce_to_top_line(piece.parts[0])
    expected = top_line(sequence_of(piece, piece.parts[0])).notes
    found = np.stack([line.starts, line.pitches, line.ends], axis=1).tolist()
    assert found == [[note.start_step, note.pitch, note.end_step] for note in expected]
