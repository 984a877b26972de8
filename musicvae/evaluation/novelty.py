"""Copies of training music: the longest runs that excerpts share with the training split.

Conventions: a run is a series of consecutive onsets of a line that also stands in an excerpt of the
training split, note for note and in the same rhythm; a line with pitches may be transposed. The
length of a run is the number of its onsets, at least two. Durations of notes do not matter.

Runs are compared by hashes of 64 bits: among a million runs, the chance that two different runs
have equal hashes is below one in ten million.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int, Int16, UInt64

from musicvae.data.shards import Events
from musicvae.evaluation.lines import Line
from musicvae.representation import Representation

LONG_RUN = 12
"""The onsets of a run that listeners may take for a quotation: about two bars of a folk tune."""

READ_AT_ONCE = 50_000
_BASE = np.uint64(0x9E3779B97F4A7C15)
_INVERSE = np.uint64(pow(int(_BASE), -1, 2**64))


@dataclass(frozen=True, kw_only=True)
class Novelty:
    """The longest runs of a set of excerpts.

    Attributes:
        mean: The mean length of an excerpt's longest run.
        longest: The length of the longest run of all.
        long: Share of excerpts with a run of `LONG_RUN` onsets or more.
        whole: Share of excerpts that are a run from the first onset to the last.
        lengths: The number of excerpts whose longest run has 0, 1, 2 onsets and so on.
    """

    mean: float
    longest: int
    long: float
    whole: float
    lengths: tuple[int, ...]


def find_copies(
    representation: Representation,
    line: Line,
    training: Events,
    sets: Mapping[str, Int16[np.ndarray, "_ step stream"]],
) -> dict[str, Novelty]:
    """Compares sets of excerpts with the whole training split; needs 50 bytes an onset of it."""
    known = _moves(representation, line, training)
    return {
        name: _judge(_longest_runs(known, moves), moves)
        for name, moves in (
            (name, _moves(representation, line, events)) for name, events in sets.items()
        )
    }


@dataclass(frozen=True, kw_only=True, eq=False)
class _Moves:
    """The moves of all excerpts: a move leads from an onset to the next in pitch and time.

    Attributes:
        row: The excerpt of each move.
        end: The index after the last move of the same excerpt.
        sums: For each index, the sum of the moves before it, each times the base to the power of
            the move's index.
        inverses: The inverse of the base to the power of each index.
        onsets: The number of onsets of each excerpt.
    """

    row: Int[np.ndarray, " _moves"]
    end: Int[np.ndarray, " _moves"]
    sums: UInt64[np.ndarray, " _places"]
    inverses: UInt64[np.ndarray, " _places"]
    onsets: Int[np.ndarray, " batch"]

    def hashes(
        self, places: Int[np.ndarray, " _found"], length: int
    ) -> UInt64[np.ndarray, " _found"]:
        """Hashes the `length` moves from each index on; equal moves have equal hashes anywhere."""
        sums = self.sums[places + length] - self.sums[places]
        hashes: UInt64[np.ndarray, " _found"] = sums * self.inverses[places]
        return hashes

    def fit(self, places: Int[np.ndarray, " _"], length: int) -> Int[np.ndarray, " _"]:
        """Keeps the indices from which `length` moves lie in one excerpt."""
        fitting: Int[np.ndarray, " _"] = places[places + length <= self.end[places]]
        return fitting


def _moves(representation: Representation, line: Line, events: Events) -> _Moves:
    rows, moves, onsets = [], [], []
    for first in range(0, len(events), READ_AT_ONCE):
        part = events[first : first + READ_AT_ONCE]
        is_onset = line.is_onset(representation, part)
        row, step = np.nonzero(is_onset)
        symbol = line.symbols(part)[row, step].astype(np.int64)
        goes_on = np.diff(row) == 0
        where = np.diff(symbol) if line.is_pitched else symbol[:-1] * line.size + symbol[1:]
        move = where * part.shape[1] + np.diff(step)
        rows.append(row[:-1][goes_on] + first)
        moves.append(move[goes_on])
        onsets.append(is_onset.sum(1))
    row = np.concatenate(rows)
    mixed = _mix(np.concatenate(moves).astype(np.uint64))
    powers, inverses = (
        np.multiply.accumulate(np.concatenate([[np.uint64(1)], np.full(len(mixed), base)]))
        for base in (_BASE, _INVERSE)
    )
    return _Moves(
        row=row,
        end=np.searchsorted(row, row, side="right"),
        sums=np.concatenate([np.zeros(1, np.uint64), np.cumsum(mixed * powers[:-1])]),
        inverses=inverses,
        onsets=np.concatenate(onsets),
    )


def _mix(values: UInt64[np.ndarray, " _"]) -> UInt64[np.ndarray, " _"]:
    """Spreads numbers evenly: the finaliser of SplitMix64 (Steele et al. 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: UInt64[np.ndarray, " _"] = values ^ (values >> np.uint64(31))
    return mixed


def _longest_runs(known: _Moves, asked: _Moves) -> Int[np.ndarray, " batch"]:
    """Counts the onsets of the longest run of each excerpt.

    A longer run begins only where a shorter run begins, so that few indices remain.
    """
    longest = np.zeros(len(asked.onsets), np.int64)
    there, here = np.arange(len(known.row)), np.arange(len(asked.row))
    length = 0
    while len(here):
        length += 1
        there, here = known.fit(there, length), asked.fit(here, length)
        known_runs, runs = known.hashes(there, length), asked.hashes(here, length)
        there, here = there[np.isin(known_runs, runs)], here[np.isin(runs, known_runs)]
        longest[asked.row[here]] = length + 1
    return longest


def _judge(runs: Int[np.ndarray, " batch"], moves: _Moves) -> Novelty:
    return Novelty(
        mean=float(runs.mean()),
        longest=int(runs.max()),
        long=float((runs >= LONG_RUN).mean()),
        whole=float(((runs == moves.onsets) & (runs > 0)).mean()),
        lengths=tuple(np.bincount(runs).tolist()),
    )
