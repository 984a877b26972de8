import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from pieces import make_part, make_piece, sequence_of

from musicvae.data_pipeline.cut.inference import infer_piece_keys
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


def test_a_written_key_is_sure():
    keys = (KeyChange(0.0, Key(7)), KeyChange(4.0, Key(4, is_minor=True)))
    labels = label_part(make_piece(make_part(*SCALE), keys=keys))
    assert keys_of(labels) == [(7, 0), (4, 1)]
    assert labels.key_confidences.tolist() == [1.0, 1.0]


def test_a_key_is_estimated_where_none_is_written():
    piece = make_piece(make_part(*D_MAJOR))
    labels = label_part(piece)
    assert keys_of(labels) == [(2, 0), (2, 0)]
    assert labels.key_confidences[0] == np.float32(infer_piece_keys([piece])[0].confidence)
    assert 0 < labels.key_confidences[0] < 1


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


TUNE = (66, 70, 73, 78, 73, 70, 71, 68, 65, 61, 66, 70, 73, 71, 70, 66)
F_SHARP_MAJOR = [(4 * step, pitch, 4 * step + 4) for step, pitch in enumerate(TUNE)]


@pytest.mark.parametrize(
    ("notes", "key", "expected"),
    [
        (SCALE, Key(0), (0, 0)),
        (F_SHARP_MAJOR, Key(0), (6, 0)),  # a program wrote it where nobody gave a key
        (F_SHARP_MAJOR, Key(7), (7, 0)),  # no program writes this by itself
    ],
)
def test_a_c_major_that_the_notes_contradict_is_not_believed(notes, key, expected):
    labels = label_part(make_piece(make_part(*notes), keys=(KeyChange(0.0, key),)))
    assert keys_of(labels) == [expected, expected]


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
