"""How often the chords that are inferred from notes are those that the source writes.

Every piece whose source writes chords (symbols of a lead sheet, side files) is read, its chords are
inferred from its notes alone, and the two are compared at every moment from the first written chord
to the end of the last bar. Shares are of time, in quarter notes. As in mir_eval, two chords have
the same root, the same triad where their tones up to the fifth are the same too, and the same
seventh where all tones are; sevenths are compared where the written chord is a major or minor
triad, one of those with a seventh, a dominant seventh, or none. Where both say that there is no
chord they agree.

POP909 is compared by all of its notes, accompaniment included; OpenEWLD has lead sheets, so there
the melody alone must tell the chords.

The pieces fall in two halves by a hash of what the split goes by. The constants of
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
"""A number for each quality that is the same for the same triad; the last is for no chord."""

_SEVENTHS = np.array([name in ("maj", "min", "7", "maj7", "min7") for name in QUALITIES] + [True])
"""Whether sevenths are compared under each written quality."""


@dataclass(frozen=True, kw_only=True)
class Accuracy:
    """How well the chords of some pieces were inferred.

    Attributes:
        source: The corpus.
        half: `A` or `B`.
        pieces: Their number.
        quarters: The quarter notes compared.
        shares: The share of them that agrees, by the name of the measure.
        piece_us: Microseconds to infer the chords of a piece.
    """

    source: str
    half: str
    pieces: int
    quarters: int
    shares: dict[str, float]
    piece_us: int


def main() -> None:
    """Measures each corpus, prints the table, and writes the figures where one asked for them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", help="corpora whose pieces have chords")
    parser.add_argument("--json", type=Path, help="where the figures are written")
    arguments = parser.parse_args()
    results = [accuracy for folder in arguments.folders for accuracy in measure_corpus(folder)]
    Console().print(make_table(results))
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(result) for result in results], indent=2))


def measure_corpus(folder: str) -> list[Accuracy]:
    """Infers the chords of every piece of a corpus that has written ones."""
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
    """What is added up over pieces."""

    def __init__(self) -> None:
        self.pieces = 0
        self._seconds = 0.0
        self._agreed = np.zeros(len(MEASURES))
        self._compared = np.zeros(len(MEASURES))

    def add(self, piece: ReadPiece) -> None:
        """Infers the chords of one piece and compares them with its own."""
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
    """The quarter notes of each measure that agree, and those that are compared."""
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
    """One row a half of a corpus."""
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
