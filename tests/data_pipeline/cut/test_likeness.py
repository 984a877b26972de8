import random
import time

import numpy as np
import pytest

from musicvae.data_pipeline.cut import likeness
from musicvae.data_pipeline.cut.likeness import HASHES, find_signatures
from musicvae.data_pipeline.grid.grid import GridPart, put_on_grid
from musicvae.data_pipeline.readers.piece import MeterChange, Part, ReadPiece
from musicvae.music.notes import Meter


def make_part(onsets, pitches, *, is_drum=False, lengths=0.25):
    return Part(
        name="",
        is_drum=is_drum,
        onsets=np.asarray(onsets, np.float64),
        ends=np.asarray(onsets, np.float64) + lengths,
        pitches=np.asarray(pitches, np.int16),
        velocities=np.full(len(onsets), 80, np.int16),
    )


def make_signature(*parts, steps_per_quarter=4):
    bars = 1 + int(max(part.ends.max() for part in parts)) // 4
    piece = ReadPiece(
        parts=parts,
        bar_lines=4.0 * np.arange(bars + 1),
        meters=(MeterChange(0, Meter()),),
    )
    return find_signatures(put_on_grid([piece], Meter(), steps_per_quarter))[0]


def make_tune(seed, notes=120):
    """Onsets in quarters and pitches."""
    chance = random.Random(seed)
    steps = np.cumsum([chance.choice([2, 2, 2, 4, 6]) for _ in range(notes)])
    return steps / 4, np.array([chance.randrange(60, 80) for _ in range(notes)])


def likeness_of(one, other):
    return (one == other).mean()


def test_a_tune_is_itself_in_every_key_and_at_every_tempo():
    onsets, pitches = make_tune(0)
    one = make_signature(make_part(onsets, pitches))
    assert one.shape == (HASHES,)
    for other in (
        make_part(onsets, pitches - 7),
        make_part(2 * onsets, pitches),
        make_part(onsets + 16, pitches),
        make_part(onsets, pitches, lengths=0.1),
    ):
        np.testing.assert_array_equal(make_signature(other), one)
    np.testing.assert_array_equal(
        make_signature(make_part(onsets, pitches), steps_per_quarter=12), one
    )


def test_chords_below_a_tune_are_not_looked_at():
    onsets, pitches = make_tune(0)
    chords = make_part(np.repeat(onsets, 2), np.stack([pitches - 12, pitches], axis=1).reshape(-1))
    np.testing.assert_array_equal(
        make_signature(chords), make_signature(make_part(onsets, pitches))
    )


@pytest.mark.parametrize(("changed", "least", "most"), [(1, 0.8, 1.0), (6, 0.38, 0.7)])
def test_a_tune_with_changes_is_like_itself(changed, least, most):
    onsets, pitches = make_tune(0)
    other = pitches.copy()
    other[:: len(other) // changed] += 1
    found = likeness_of(
        make_signature(make_part(onsets, pitches)), make_signature(make_part(onsets, other))
    )
    assert least <= found <= most


def test_the_likeness_is_the_share_of_patterns_in_common():
    onsets, pitches = make_tune(1, 400)
    rest, others = make_tune(2, 400)
    whole = make_signature(make_part(onsets, pitches))
    half = make_part(
        np.concatenate([onsets[:200], rest[:200] + onsets[200]]),
        np.concatenate([pitches[:200], others[:200]]),
    )
    assert likeness_of(whole, make_signature(half)) == pytest.approx(1 / 3, abs=0.18)


def test_drums_are_compared_where_there_is_nothing_else():
    chance = random.Random(0)
    hits = [chance.choice([36, 38, 42]) for _ in range(100)]
    drums = make_part(np.arange(100) / 2, hits, is_drum=True)
    other = make_part(np.arange(100) / 2, hits[::-1], is_drum=True)
    assert likeness_of(make_signature(drums), make_signature(other)) < 0.1
    tune = make_part(*make_tune(0))
    np.testing.assert_array_equal(make_signature(tune, drums), make_signature(tune, other))
    np.testing.assert_array_equal(make_signature(drums), make_signature(drums))


def test_what_is_too_short_is_like_nothing():
    for notes in range(1, likeness.PATTERN_NOTES + 1):
        assert make_signature(make_part(np.arange(notes), [60] * notes)) is None
    assert make_signature(make_part([0.0], [36], is_drum=True)) is None


def test_a_signature_takes_microseconds():
    onsets, pitches = make_tune(0, 200)
    piece = ReadPiece(
        parts=(make_part(onsets, pitches),),
        bar_lines=4.0 * np.arange(100),
        meters=(MeterChange(0, Meter()),),
    )
    grids = put_on_grid([piece], Meter(), 4)
    assert isinstance(grids[0].parts[0], GridPart)
    best = 1.0
    for _ in range(20):
        start = time.perf_counter()
        find_signatures(grids)
        best = min(best, time.perf_counter() - start)
    assert best < 500e-6  # some 40 without the checker of shapes
