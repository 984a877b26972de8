import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from pieces import make_part, make_piece, sequence_of

from musicvae.data_pipeline.cut.labels import Stretch, label
from musicvae.data_pipeline.readers.piece import ChordLine, KeyChange, TempoChange
from musicvae.music.chords import QUALITIES
from musicvae.music.notes import Key, Meter
from musicvae.representation.melody import MELODY

SCALE = [(4 * step, pitch, 4 * step + 4) for step, pitch in enumerate([60, 62, 64, 65, 67] * 4)]
D_MAJOR = [(start, pitch + 2, end) for start, pitch, end in SCALE]


def label_part(piece, first_steps=(0, 16), length_steps=32, part=0):
    line = piece.parts[part]
    return label(
        [Stretch(piece, np.array(first_steps))],
        line.starts,
        line.pitches,
        is_drum=line.is_drum,
        length_steps=length_steps,
    )


notes = st.lists(
    st.tuples(st.integers(0, 130), st.integers(30, 90), st.integers(1, 9)), min_size=1, max_size=60
)


@given(
    streams=st.tuples(notes, notes),
    meter=st.sampled_from([Meter(4, 4), Meter(3, 4), Meter(6, 8), Meter(5, 4), Meter(7, 8)]),
    steps_per_quarter=st.sampled_from([4, 12]),
    short_bar=st.integers(0, 9),
    bars=st.integers(1, 3),
    kind=st.sampled_from(["line", "drums", "both"]),
)
@settings(max_examples=150, deadline=None)
def test_the_measures_are_those_of_the_notes(
    streams, meter, steps_per_quarter, short_bar, bars, kind
):
    bar = meter.steps_per_bar(steps_per_quarter)
    parts = [
        make_part(
            *[(start, pitch, start + length) for start, pitch, length in stream],
            steps_per_quarter=steps_per_quarter,
            is_drum=is_drum,
        )
        for stream, is_drum in zip(streams, (False, True), strict=True)
    ]
    lines = np.cumsum([0] + [bar - (index == short_bar) for index in range(20)])
    piece = make_piece(*parts, bar_lines=lines, meter=meter, steps_per_quarter=steps_per_quarter)
    used = {"line": piece.parts[:1], "drums": piece.parts[1:], "both": piece.parts}[kind]
    starts = np.concatenate([part.starts for part in used])
    pitches = np.concatenate([part.pitches for part in used])
    is_drum = np.concatenate([np.full(len(part.starts), part.is_drum) for part in used])
    order = np.lexsort((pitches, starts))
    first_steps = np.array(
        [
            span.start_step + index * bar
            for span in piece.spans
            for index in range(span.bars - bars + 1)
        ]
    )
    labels = label(
        [Stretch(piece, first_steps)],
        starts[order],
        pitches[order],
        is_drum=is_drum[order] if kind == "both" else kind == "drums",
        length_steps=bars * bar,
    )
    sequence = sequence_of(piece, *used)
    windows = [sequence.window(step, bars * bar) for step in first_steps.tolist()]
    expected = np.array([list(MELODY.measure(window).values()) for window in windows], np.float32)
    if kind == "drums":
        expected[:, [0, 2]] = np.nan
    np.testing.assert_array_equal(labels.attributes, expected)


def test_the_tempo_is_that_at_the_start():
    tempos = (TempoChange(0.0, 100.0), TempoChange(4.0, 80.0))
    labels = label_part(make_piece(make_part(*SCALE), tempos=tempos))
    assert labels.qpms.tolist() == [100.0, 80.0]


def keys_of(labels):
    return list(zip(labels.tonics.tolist(), labels.are_minor.tolist(), strict=True))


def tune(*degrees, start=0):
    """Quarter notes of the white keys from C4, counted from 0."""
    white = [0, 2, 4, 5, 7, 9, 11]
    return [
        (4 * step, 60 + 12 * (degree // 7) + white[degree % 7], 4 * step + 4)
        for step, degree in enumerate(degrees, start)
    ]


def move(notes, *, steps=0, semitones=0):
    return [(start + steps, pitch + semitones, end + steps) for start, pitch, end in notes]


C_MAJOR = tune(0, 2, 4, 7, 5, 3, 4, 2, 1, 2, 3, 4, 4, -1, 1, 0)
A_MINOR = tune(-2, 0, 2, 5, 3, 1, 2, 0, -1, 0, 1, 2, 2, -3, -1, -2)
VAGUE = tune(*[1, 4, 5, 1] * 4)
"""Four bars each; D, G and A are notes of many keys."""


def test_a_key_is_estimated_where_none_is_written():
    labels = label_part(make_piece(make_part(*D_MAJOR)))
    assert keys_of(labels) == [(2, 0), (2, 0)]
    assert ((labels.key_confidences > 0.5) & (labels.key_confidences < 1)).all()


def test_each_phrase_of_a_piece_that_modulates_has_its_key():
    there = C_MAJOR + move(C_MAJOR, steps=64)
    piece = make_piece(make_part(*there, *move(there, steps=128, semitones=4)))
    labels = label_part(piece, first_steps=range(0, 225, 16))
    # The phrases of the other excerpts reach over the border.
    assert keys_of(labels)[:5] == [(0, 0)] * 5
    assert keys_of(labels)[-5:] == [(4, 0)] * 5


def test_relative_keys_are_told_apart():
    piece = make_piece(make_part(*C_MAJOR, *move(A_MINOR, steps=64), *move(A_MINOR, steps=128)))
    labels = label_part(piece, first_steps=(0, 80, 160))
    assert keys_of(labels) == [(0, 0), (9, 1), (9, 1)]


def test_a_bar_of_another_key_does_not_change_the_key_of_a_phrase():
    chromatic = [(80, 61, 84), (84, 66, 88), (88, 68, 92), (92, 63, 96)]
    notes = [*C_MAJOR, *[note for note in move(C_MAJOR, steps=64) if not 80 <= note[0] < 96]]
    piece = make_piece(make_part(*notes, *chromatic))
    assert keys_of(label_part(piece, first_steps=(80,), length_steps=16)) == [(0, 0)]


@pytest.mark.parametrize(("signature", "key"), [(2, (2, 0)), (7, (7, 0)), (5, (2, 1))])
def test_a_signature_decides_where_the_notes_do_not(signature, key):
    piece = make_piece(make_part(*VAGUE), keys=(KeyChange(0.0, Key(signature), has_mode=False),))
    assert keys_of(label_part(piece)) == [key] * 2


def test_a_signature_leaves_the_mode_to_the_notes():
    signature = (KeyChange(0.0, Key(7), has_mode=False),)
    major = make_piece(make_part(*move(C_MAJOR, semitones=7)), keys=signature)
    minor = make_piece(make_part(*move(A_MINOR, semitones=7)), keys=signature)
    assert keys_of(label_part(major)) == [(7, 0)] * 2
    assert keys_of(label_part(minor)) == [(4, 1)] * 2


def test_a_written_key_counts_from_its_place_on():
    keys = (KeyChange(0.0, Key(7)), KeyChange(16.0, Key(2)))
    piece = make_piece(make_part(*VAGUE, *move(VAGUE, steps=64)), keys=keys)
    assert keys_of(label_part(piece, first_steps=(0, 48, 64))) == [(7, 0), (7, 0), (2, 0)]


@pytest.mark.parametrize("key", [Key(0), Key(9, is_minor=True)])
def test_a_written_mode_decides_between_relative_keys(key):
    piece = make_piece(make_part(*tune(*[0, 2, 6, 1] * 4)), keys=(KeyChange(0.0, key),))
    assert keys_of(label_part(piece)) == [(key.tonic, key.is_minor)] * 2


def test_a_key_hears_all_pitched_parts_and_no_drums():
    melody = make_part(*move(C_MAJOR, semitones=12))
    bass = make_part((0, 45, 32), (32, 40, 48), (48, 45, 64))
    drums = make_part(*[(step, 42, step + 1) for step in range(64)], is_drum=True)
    assert keys_of(label_part(make_piece(melody, bass, drums))) == [(9, 1)] * 2
    assert keys_of(label_part(make_piece(melody, drums))) == [(0, 0)] * 2


def test_drums_of_a_piece_with_a_key_have_none():
    drums = make_part(*[(4 * step, 36, 4 * step + 1) for step in range(16)], is_drum=True)
    labels = label_part(make_piece(make_part(*C_MAJOR), drums), part=1)
    assert keys_of(labels) == [(-1, -1)] * 2


def test_drums_have_no_key_and_no_measures_of_pitch():
    labels = label_part(make_piece(make_part(*SCALE, is_drum=True)))
    assert keys_of(labels) == [(-1, -1), (-1, -1)]
    assert np.isnan(labels.key_confidences).all()
    assert np.isnan(labels.attributes[:, [0, 2]]).all()
    assert np.isfinite(labels.attributes[:, [1, 3, 4]]).all()


def test_drums_have_no_key_whatever_the_file_writes():
    piece = make_piece(make_part(*SCALE, is_drum=True), keys=(KeyChange(0.0, Key(0)),))
    labels = label_part(piece)
    assert keys_of(labels) == [(-1, -1), (-1, -1)]
    assert np.isnan(labels.key_confidences).all()


def test_no_windows_have_no_labels():
    labels = label_part(make_piece(make_part(*SCALE)), first_steps=np.zeros(0, np.int64))
    assert {len(column) for column in labels} == {0}


@pytest.mark.parametrize("has_mode", [True, False])
def test_a_c_major_that_the_notes_contradict_is_a_default_of_a_program(has_mode):
    default = KeyChange(0.0, Key(0), has_mode)
    piece = make_piece(make_part(*tune(*[2, 4, 5, 6] * 4)), keys=(default,))
    assert keys_of(label_part(piece)) == [(4, 1)] * 2
    # A piece whose keys change has no default.
    changing = piece.piece._replace(keys=(default, KeyChange(100.0, Key(5))))
    assert keys_of(label_part(piece._replace(piece=changing))) == [(9, 1)] * 2


def test_chords_are_those_written_at_each_half_bar():
    minor = list(QUALITIES).index("min")
    chords = ChordLine(
        onsets=np.array([2.0, 4.0, 7.0]),
        roots=np.array([0, -1, 9], np.int16),
        qualities=np.array([0, -1, minor], np.int16),
        basses=np.array([0, -1, 9], np.int16),
    )
    labels = label_part(make_piece(make_part(*SCALE), chords=chords))
    a_minor = 1 + 9 * len(QUALITIES) + minor
    assert labels.chords.tolist() == [[-1, 1, 0, 0], [0, 0, a_minor, a_minor]]


def test_without_chords_none_is_known():
    labels = label_part(make_piece(make_part(*SCALE)))
    assert labels.chords.tolist() == [[-1] * 4] * 2
