"""Compares chords inferred from notes with the written chords.

Reads every piece with written chords (symbols of a lead sheet, side files), infers its chords from
its notes alone, and compares the two at every moment from the first written chord to the end of the
last bar. Shares are of time, in quarter notes. As in mir_eval, two chords agree in the root; in the
triad, if their tones up to the fifth are equal; and in the seventh, if all tones are equal.
Sevenths are compared if the written chord is a major or minor triad, with or without a seventh, a
dominant seventh, or no chord. Two no-chords agree.

POP909 is compared by all of its notes, with the accompaniment; OpenEWLD has lead sheets, where the
melody alone must show the chords.

A hash of the piece's split key divides the pieces into two halves. The constants of
`musicvae/music/harmony.py` were tuned on half A of POP909; half B was held out.

    python benchmarks/chords.py POP909 OPENEWLD --json build/chords.json
"""

import argparse
import hashlib
import json
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float64
from rich.console import Console
from rich.table import Table

from musicvae.data_pipeline.cut.inference import infer_piece_chords
from musicvae.data_pipeline.grid.grid import put_on_grid
from musicvae.data_pipeline.readers import read_piece
from musicvae.data_pipeline.readers.piece import ChordLine, ReadPiece
from musicvae.data_pipeline.sources.corpus import open_sources
from musicvae.errors import MusicVAEError
from musicvae.music.chords import QUALITIES

MEASURES = ("root", "triad", "seventh", "same")
STEPS_PER_QUARTER = 4

_TRIADS = np.array(
    [
        sum(1 << interval for interval in intervals if interval < 8)
        for intervals in QUALITIES.values()
    ]
    + [0]
)
"""A number for each quality, equal for equal triads; the last is for no chord."""

_SEVENTHS = np.array([name in ("maj", "min", "7", "maj7", "min7") for name in QUALITIES] + [True])
"""Whether sevenths are compared under each written quality."""


@dataclass(frozen=True, kw_only=True)
class Accuracy:
    """The accuracy of the chords of some pieces.

    Attributes:
        source: The corpus.
        half: `A` or `B`.
        pieces: The number of pieces.
        quarters: The number of compared quarter notes.
        shares: The share of quarter notes that agree, by the name of the measure.
        piece_us: Microseconds to infer the chords of a piece.
    """

    source: str
    half: str
    pieces: int
    quarters: int
    shares: dict[str, float]
    piece_us: int


def main() -> None:
    """Measures each corpus, prints a table, and writes JSON with `--json`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", help="corpora whose pieces have chords")
    parser.add_argument("--json", type=Path, help="the file of figures to write")
    arguments = parser.parse_args()
    results = [accuracy for folder in arguments.folders for accuracy in measure_corpus(folder)]
    Console().print(make_table(results))
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(result) for result in results], indent=2))


def measure_corpus(folder: str) -> list[Accuracy]:
    """Infers the chords of every piece with written chords in a corpus."""
    (source,) = open_sources([folder])
    halves = {"A": Sums(), "B": Sums()}
    for piece in source.pieces():
        try:
            read = read_piece(piece.read_bytes(), piece.kind, piece.read_side())
        except MusicVAEError:
            continue
        if read.chords is None or not read.parts or not read.meters:
            continue
        digest = hashlib.sha256(piece.split_key.encode()).digest()
        halves["AB"[digest[0] % 2]].add(read)
    return [sums.result(source.name, half) for half, sums in halves.items() if sums.pieces]


class Sums:
    """The sums over pieces."""

    def __init__(self) -> None:
        self.pieces = 0
        self._seconds = 0.0
        self._agreed = np.zeros(len(MEASURES))
        self._compared = np.zeros(len(MEASURES))

    def add(self, piece: ReadPiece) -> None:
        """Infers the chords of a piece, and compares them with the written chords."""
        assert piece.chords is not None
        (on_grid,) = put_on_grid([piece], piece.meters[0].meter, STEPS_PER_QUARTER)
        start = time.process_time()
        inferred = infer_piece_chords(on_grid)
        self._seconds += time.process_time() - start
        if inferred is None:
            return
        self.pieces += 1
        agreed, compared = compare(piece.chords, inferred, float(piece.bar_lines[-1]))
        self._agreed += agreed
        self._compared += compared

    def result(self, source: str, half: str) -> Accuracy:
        shares = (self._agreed / self._compared).round(4).tolist()
        return Accuracy(
            source=source,
            half=half,
            pieces=self.pieces,
            quarters=round(float(self._compared[0])),
            shares=dict(zip(MEASURES, shares, strict=True)),
            piece_us=round(self._seconds / self.pieces * 1e6),
        )


def compare(
    written: ChordLine, inferred: ChordLine, end: float
) -> tuple[Float64[np.ndarray, " attribute"], Float64[np.ndarray, " attribute"]]:
    """For each measure, the number of quarter notes that agree, and that are compared."""
    edges = np.unique(np.concatenate([written.onsets, inferred.onsets, [end]]))
    edges = edges[(edges >= written.onsets[0]) & (edges <= end)]
    lengths, times = np.diff(edges), edges[:-1]
    true = written.onsets.searchsorted(times, side="right") - 1
    found = np.maximum(inferred.onsets.searchsorted(times, side="right") - 1, 0)
    qualities, guesses = written.qualities[true], inferred.qualities[found]
    root = written.roots[true] == inferred.roots[found]
    triad = root & (_TRIADS[qualities] == _TRIADS[guesses])
    same = root & (qualities == guesses)
    has_seventh = _SEVENTHS[qualities]
    everywhere = np.ones(len(lengths), bool)
    agreed = np.stack([root, triad, same & has_seventh, same])
    compared = np.stack([everywhere, everywhere, has_seventh, everywhere])
    return agreed @ lengths, compared @ lengths


def make_table(results: Iterable[Accuracy]) -> Table:
    """A table with a row for each half of a corpus."""
    table = Table(title="Chords inferred from the notes, against the written ones")
    for name in ("corpus", "half"):
        table.add_column(name, no_wrap=True)
    for name in ("pieces", "quarters", *MEASURES, "us a piece"):
        table.add_column(name, justify="right")
    for result in results:
        shares = [f"{result.shares[name]:.1%}" for name in MEASURES]
        numbers = [f"{result.pieces:,}", f"{result.quarters:,}", *shares, f"{result.piece_us:,}"]
        table.add_row(result.source, result.half, *numbers)
    return table


if __name__ == "__main__":
    main()
