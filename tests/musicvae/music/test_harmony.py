import numpy as np
import pytest
from pieces import make_part, make_piece

from musicvae.data_pipeline.cut.inference import infer_piece_chords as infer
from musicvae.music.chords import QUALITIES
from musicvae.music.notes import Meter

NAMES = list(QUALITIES)
COMMON = Meter()


def chord_notes(root, quality, start, end, *, lowest=48, bass=None):
    """A chord in close position over its root, or another bass, an octave below."""
    notes = [(start, lowest + root + interval, end) for interval in QUALITIES[quality]]
    return [*notes, (start, lowest - 12 + (root if bass is None else bass), end)]


def piece_of(*chords, steps=16, meter=COMMON, steps_per_quarter=4):
    notes = [
        note
        for index, (root, quality, *bass) in enumerate(chords)
        for note in chord_notes(
            root, quality, index * steps, (index + 1) * steps, bass=bass[0] if bass else None
        )
    ]
    return make_piece(
        make_part(*notes, steps_per_quarter=steps_per_quarter),
        meter=meter,
        steps_per_quarter=steps_per_quarter,
    )


def read(line):
    return [
        (float(onset), int(root), NAMES[quality] if quality >= 0 else None)
        for onset, root, quality in zip(line.onsets, line.roots, line.qualities, strict=True)
    ]


@pytest.mark.parametrize(
    "quality", [name for name in QUALITIES if name not in ("5", "min6", "aug", "dim7", "aug7")]
)
@pytest.mark.parametrize("root", [0, 5, 10])
def test_a_chord_that_sounds_for_bars_is_heard_as_what_it_is(root, quality):
    assert read(infer(piece_of((root, quality), (root, quality)))) == [(0.0, root, quality)]


@pytest.mark.parametrize("quality", ["aug", "dim7"])
def test_of_symmetric_chords_the_bass_is_the_root(quality):
    assert read(infer(piece_of((3, quality), (3, quality)))) == [(0.0, 3, quality)]


def test_a_progression_is_heard_chord_by_chord():
    line = infer(piece_of((0, "maj"), (9, "min"), (2, "min7"), (7, "7")))
    assert read(line) == [(0.0, 0, "maj"), (4.0, 9, "min"), (8.0, 2, "min7"), (12.0, 7, "7")]
    np.testing.assert_array_equal(line.basses, line.roots)


def test_chords_may_change_in_the_middle_of_a_bar():
    line = infer(piece_of((0, "maj"), (5, "maj"), (7, "maj"), (0, "maj"), steps=8))
    assert [onset for onset, *_ in read(line)] == [0.0, 2.0, 4.0, 6.0]


def test_the_bass_makes_a_slash_chord():
    line = infer(piece_of((0, "maj"), (7, "maj", 11), (9, "min")))
    assert line.roots.tolist() == [0, 7, 9]
    assert line.basses.tolist() == [0, 11, 9]


def test_passing_notes_change_nothing():
    notes = [*chord_notes(0, "maj", 0, 16), *chord_notes(7, "maj", 16, 32)]
    runs = [(step, 72 + step // 2 % 8, step + 2) for step in range(0, 32, 2)]
    line = infer(make_piece(make_part(*notes), make_part(*runs)))
    assert read(line) == [(0.0, 0, "maj"), (4.0, 7, "maj")]


def test_long_silence_has_no_chord():
    notes = [*chord_notes(0, "maj", 0, 16), *chord_notes(0, "maj", 80, 96)]
    line = infer(make_piece(make_part(*notes), bar_lines=range(0, 97, 16)))
    assert [root for _, root, _ in read(line)] == [0, -1, 0]
    assert (line.qualities[1], line.basses[1]) == (-1, -1)


def test_drums_and_effects_have_no_harmony():
    kit = make_part((0, 36, 1), is_drum=True)
    helicopter = make_part((0, 60, 16), program=125)
    assert infer(make_piece(kit, helicopter)) is None
    chords = make_part(*chord_notes(0, "maj", 0, 32))
    alone = infer(make_piece(chords))
    assert read(infer(make_piece(chords, kit, helicopter))) == read(alone)


@pytest.mark.parametrize("semitones", range(1, 12))
def test_transposed_music_has_transposed_chords(semitones):
    chords = [(0, "maj"), (9, "min"), (5, "maj7"), (7, "7sus4"), (7, "7")]
    here = infer(piece_of(*chords))
    there = infer(piece_of(*[(root + semitones, quality) for root, quality in chords]))
    np.testing.assert_array_equal((here.roots + semitones) % 12, there.roots)
    np.testing.assert_array_equal(here.qualities, there.qualities)
    np.testing.assert_array_equal(here.onsets, there.onsets)


@pytest.mark.parametrize(
    ("meter", "steps", "second"),
    [(Meter(3, 4), 12, 3.0), (Meter(6, 8), 6, 1.5), (Meter(7, 8), 14, 3.5), (Meter(2, 4), 8, 2.0)],
)
@pytest.mark.parametrize("scale", [1, 3])
def test_every_meter_has_beats(meter, steps, second, scale):
    chords = [(0, "maj"), (5, "maj"), (7, "maj"), (0, "maj")]
    piece = piece_of(*chords, steps=steps * scale, meter=meter, steps_per_quarter=4 * scale)
    assert [row[:2] for row in read(infer(piece))][:2] == [(0.0, 0), (second, 5)]


def test_irregular_bars_keep_their_time():
    notes = [*chord_notes(0, "maj", 0, 6), *chord_notes(7, "maj", 6, 22)]
    piece = make_piece(make_part(*notes), bar_lines=[0, 6, 22])
    assert read(infer(piece)) == [(0.0, 0, "maj"), (1.5, 7, "maj")]


def test_the_order_of_parts_changes_nothing():
    parts = [
        make_part(*chord_notes(root, "min7", 16 * i, 16 * i + 16))
        for i, root in enumerate((2, 7, 0))
    ]
    pieces = [make_piece(*order, bar_lines=[0, 16, 32, 48]) for order in (parts, parts[::-1])]
    assert read(infer(pieces[0])) == read(infer(pieces[1]))
