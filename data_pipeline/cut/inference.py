"""Keys and chords of pieces on the grid, inferred from the notes that are no drums.

All pieces and excerpts of a call are processed together: the pieces lie end to end on a line of
steps, and so on a line of bars.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int32, Int64

from musicvae.data_pipeline.grid.grid import GridPiece
from musicvae.data_pipeline.readers.piece import ChordLine, KeyChange
from musicvae.music.harmony import FIRST_NOISE, infer_chords
from musicvae.music.keys import (
    EXCERPT_MARGIN,
    NOT_WRITTEN,
    BarRanges,
    ChosenKeys,
    EstimatedKey,
    choose_keys,
    expect_keys,
    fit_phrases,
    fit_pieces,
    number_written,
)
from musicvae.music.notes import Key

_CLASSES = np.arange(128) % 12

_C_MAJOR = [number_written(Key(0), has_mode=has_mode) for has_mode in (True, False)]
"""Programs write C major where no key was given."""

_CLEAR = 0.9
"""From this confidence on, the key of the notes replaces a written C major."""

_ROUNDING = 1e-6


def infer_piece_keys(pieces: Sequence[GridPiece]) -> list[EstimatedKey | None]:
    """The key of each piece of one grid, whatever is written; None for a piece with only drums."""
    keys = choose_keys(_weigh(pieces).fits)
    return [keys[row] for row in range(len(pieces))]


def infer_excerpt_keys(
    pieces: Sequence[GridPiece],
    numbers: Int64[np.ndarray, " batch"],
    first_steps: Int64[np.ndarray, " batch"],
    length_steps: int,
) -> ChosenKeys:
    """The key of each excerpt, from its phrase, its piece, and the key that the source writes.

    Args:
        pieces: The pieces of one grid.
        numbers: The number of the piece of each excerpt.
        first_steps: The first step of each excerpt, in the steps of its piece.
        length_steps: The length of every excerpt.
    """
    line = _weigh(pieces)
    firsts = line.bases.take(numbers)
    firsts += first_steps
    fits = fit_phrases(
        line.weights,
        BarRanges(
            firsts=line.bar_of_step.take(firsts),
            ends=line.bar_of_step.take(firsts + (length_steps - 1)) + 1,
        ),
        BarRanges(firsts=line.first_bars.take(numbers), ends=line.first_bars.take(numbers + 1)),
    )
    fits += _expect_keys(pieces, line.fits, numbers, first_steps)
    is_known = (line.fits.max(axis=1) > 0).take(numbers)
    return choose_keys(fits, is_known, margin=EXCERPT_MARGIN)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Line:
    """Some pieces end to end.

    Attributes:
        bases: The step of the line at which each piece starts.
        first_bars: The bar of the line at which each piece starts, and the end of the last piece.
        bar_of_step: The bar at each step; steps after the last bar line are in the last bar.
        weights: The steps of each pitch class in each bar; a note counts where it starts.
        fits: The fit of each key to each whole piece; 0 for a piece with only drums.
    """

    bases: Int64[np.ndarray, " batch"]
    first_bars: Int64[np.ndarray, " _"]
    bar_of_step: Int32[np.ndarray, " step"]
    weights: Float64[np.ndarray, "12 bar"]
    fits: Float64[np.ndarray, "batch 24"]


def _weigh(pieces: Sequence[GridPiece]) -> _Line:
    ends = np.cumsum([piece.length_steps for piece in pieces])
    bases = np.concatenate([[0], ends[:-1]])
    first_bars = np.cumsum([0, *(len(piece.bar_steps) - 1 for piece in pieces)])
    bar_count = int(first_bars[-1])
    lines = np.concatenate([piece.bar_steps[:-1] for piece in pieces])
    lines += bases.repeat(np.diff(first_bars))
    bar_of_step = np.arange(bar_count, dtype=np.int32).repeat(np.diff(lines, append=ends[-1]))
    owned = [
        (number, part)
        for number, piece in enumerate(pieces)
        for part in piece.parts
        if not part.is_drum
    ]
    if not owned:
        return _Line(
            bases=bases,
            first_bars=first_bars,
            bar_of_step=bar_of_step,
            weights=np.zeros((12, bar_count)),
            fits=np.zeros((len(pieces), 24)),
        )
    numbers = np.array([number for number, _ in owned])
    sizes = np.array([len(part.starts) for _, part in owned])
    starts = np.concatenate([part.starts for _, part in owned])
    ends = np.concatenate([part.ends for _, part in owned])
    pitches = np.concatenate([part.pitches for _, part in owned])
    cells = bar_of_step.take(starts + bases[numbers].repeat(sizes))
    cells += (bar_count * _CLASSES).take(pitches)
    weights = np.bincount(cells, ends - starts, 12 * bar_count).reshape(12, bar_count)
    return _Line(
        bases=bases,
        first_bars=first_bars,
        bar_of_step=bar_of_step,
        weights=weights,
        fits=fit_pieces(
            np.add.reduceat(weights, first_bars[:-1], axis=1),
            _find_last_classes(numbers, sizes, ends, pitches, pieces),
        ),
    )


def _find_last_classes(
    numbers: Int64[np.ndarray, " part"],
    sizes: Int64[np.ndarray, " part"],
    ends: Int32[np.ndarray, " note"],
    pitches: Int32[np.ndarray, " note"],
    pieces: Sequence[GridPiece],
) -> Int64[np.ndarray, " batch"]:
    """The lowest pitch class that sounds in the last eighth before each piece is silent.

    Args:
        numbers: The number of the piece of each part.
        sizes: The number of notes of each part.
        ends: The ends of the notes of all parts.
        pitches: Their pitches.
        pieces: The pieces.
    """
    last_ends = np.zeros(len(pieces), np.int32)
    np.maximum.at(last_ends, numbers, np.maximum.reduceat(ends, sizes.cumsum() - sizes))
    eighth = pieces[0].steps_per_quarter // 2
    lasts = (ends > (last_ends - eighth)[numbers].repeat(sizes)).nonzero()[0]
    lowest = np.full(len(pieces), 127)
    np.minimum.at(lowest, numbers.repeat(sizes)[lasts], pitches[lasts])
    return lowest % 12


def _expect_keys(
    pieces: Sequence[GridPiece],
    fits: Float64[np.ndarray, "piece 24"],
    numbers: Int64[np.ndarray, " batch"],
    first_steps: Int64[np.ndarray, " batch"],
) -> Float64[np.ndarray, "batch 24"]:
    """The fit of each key to the piece of each excerpt, with the bonus of the written key.

    Args:
        pieces: The pieces.
        fits: The fit of each key to each piece.
        numbers: The number of the piece of each excerpt.
        first_steps: The first step of each excerpt in its piece.
    """
    written = [piece.piece.keys for piece in pieces]
    counts = np.array([len(keys) for keys in written])
    first = np.array([_number(keys[0]) if keys else NOT_WRITTEN for keys in written])
    estimated = choose_keys(fits)
    is_default = np.isin(first, _C_MAJOR) & (counts == 1)
    is_default &= (estimated.tonics + 3 * estimated.are_minor) % 12 != 0
    is_default &= estimated.confidences >= _CLEAR
    first[is_default] = NOT_WRITTEN
    expected = expect_keys(fits, first).take(numbers, axis=0)
    for number in (counts > 1).nonzero()[0].tolist():
        own = (numbers == number).nonzero()[0]
        times = np.array([change.quarter for change in written[number]])
        starts = pieces[number].quarters(first_steps[own])
        at = times.searchsorted(starts + _ROUNDING, side="right") - 1
        here = np.array([_number(change) for change in written[number]])[np.maximum(at, 0)]
        expected[own] = expect_keys(fits[number, None], here)
    return expected


def _number(written: KeyChange) -> int:
    return number_written(written.key, has_mode=written.has_mode)


def infer_piece_chords(piece: GridPiece) -> ChordLine | None:
    """The chords of a piece; None if only drums and noises play."""
    parts = [part for part in piece.parts if not part.is_drum and part.program < FIRST_NOISE]
    if not parts:
        return None
    chords = infer_chords(
        np.concatenate([part.starts for part in parts]),
        np.concatenate([part.ends for part in parts]),
        np.concatenate([part.pitches for part in parts]),
        bar_steps=piece.bar_steps,
        meter=piece.meter,
        steps_per_quarter=piece.steps_per_quarter,
    )
    return ChordLine(
        onsets=piece.quarters(chords.steps),
        roots=chords.roots,
        qualities=chords.qualities,
        basses=chords.basses,
    )
