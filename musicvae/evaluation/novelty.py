"""Does a model repeat what it has learnt: the longest runs that its music shares with training.

Conventions: a run is a row of onsets of one line that occurs, note for note and in the same rhythm,
in an excerpt of the training split, transposed or not where it has pitches. Its length is the
number of its onsets; a single one is no run. How long a note sounds does not matter.

Runs are compared by hashes of 64 bits: among a million of them two differ and look alike with a
chance below one in ten million.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int, Int16, UInt64

from musicvae.data.shards import Events
from musicvae.evaluation.lines import Line
from musicvae.representation import Representation

LONG_RUN = 12
"""Onsets of a run that is likely to be heard as a quotation: two bars of a folk tune or so."""

READ_AT_ONCE = 50_000
_BASE = np.uint64(0x9E3779B97F4A7C15)
_INVERSE = np.uint64(pow(int(_BASE), -1, 2**64))


@dataclass(frozen=True, kw_only=True)
class Novelty:
    """The longest run of each excerpt that also stands in the training split.

    Attributes:
        mean: Its mean length.
        longest: The longest of all.
        long: Share of excerpts with a run of `LONG_RUN` onsets or more.
        whole: Share of excerpts that are such a run from the first onset to the last.
        lengths: How many excerpts have a longest run of 0, 1, 2 onsets and so on.
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
    """Compares sets of excerpts with all of the training split; takes 50 bytes an onset of it."""
    known = _moves(representation, line, training)
    return {
        name: _judge(_longest_runs(known, moves), moves)
        for name, moves in (
            (name, _moves(representation, line, events)) for name, events in sets.items()
        )
    }


@dataclass(frozen=True, kw_only=True, eq=False)
class _Moves:
    """What leads from each onset of an excerpt to the next, one excerpt after the other.

    Attributes:
        row: The excerpt of each move.
        end: The place after the last move of the same excerpt.
        sums: The sum of all moves before each place, each times the base to the power of its own.
        inverses: The inverse of the base to the power of each place.
        onsets: The onsets of each excerpt.
    """

    row: Int[np.ndarray, " _moves"]
    end: Int[np.ndarray, " _moves"]
    sums: UInt64[np.ndarray, " _places"]
    inverses: UInt64[np.ndarray, " _places"]
    onsets: Int[np.ndarray, " batch"]

    def hashes(
        self, places: Int[np.ndarray, " _found"], length: int
    ) -> UInt64[np.ndarray, " _found"]:
        """Of so many moves from each place on: equal for equal moves, wherever they stand."""
        sums = self.sums[places + length] - self.sums[places]
        hashes: UInt64[np.ndarray, " _found"] = sums * self.inverses[places]
        return hashes

    def fit(self, places: Int[np.ndarray, " _"], length: int) -> Int[np.ndarray, " _"]:
        """The places from which so many moves lie in one excerpt."""
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
    """The onsets of the longest run of each excerpt.

    A longer run begins only where a shorter one does, so that few places are left to look at.
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
