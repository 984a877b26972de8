"""Measures the data pipeline: files and excerpts a second of one core, stage by stage.

Three measurements in one run over the same MIDI files: symusic's bare parse, the limit for any
reader that uses it; our pipeline, stage by stage in one process; and note_seq on the work of
Magenta's two-bar melodies (`note_seq_peer.py`), in its own environment. Seconds are CPU seconds of
one core. The measurements alternate, `--repeats` times each, and the median counts. Our pipeline
does more: keys, attributes, chords, digests and signatures; and its last stage writes the chunks.
The whole pipeline is measured in its own process, as note_seq is, after one chunk, so that imports
count for neither. Our pipeline processes a folder again and again for some seconds, as long as
note_seq needs for it once, so that changes in the machine's speed affect both alike.

    python benchmarks/pipeline.py FOLDER... --json build/pipeline.json
"""

import argparse
import json
import multiprocessing
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

import symusic
from rich.console import Console
from rich.table import Table

from musicvae.data_pipeline.cut.chunks import cut_chunk, make_chunks
from musicvae.data_pipeline.cut.cut import CUTTERS
from musicvae.data_pipeline.cut.excerpts import CutSettings
from musicvae.data_pipeline.cut.likeness import find_signatures
from musicvae.data_pipeline.grid.grid import put_on_grid
from musicvae.data_pipeline.readers import finish_pieces, parse_piece
from musicvae.data_pipeline.readers.piece import ReadPiece
from musicvae.data_pipeline.sources.corpus import Piece, open_sources
from musicvae.errors import MusicVAEError
from musicvae.representation import Melody

NOTE_SEQ = "note-seq==0.0.5"
PEER = Path(__file__).with_name("note_seq_peer.py")
SETTINGS = CutSettings(representation=Melody(bars=2))
GROUP = 128
LEAST_SECONDS = 4.0


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The times for one folder, in microseconds a file.

    Attributes:
        folder: The folder's name.
        files: The number of MIDI files.
        excerpts: The number of our excerpts.
        peer_excerpts: The number of note_seq's excerpts.
        parse_us: The time of symusic's bare parse.
        stages_us: Our time by stage.
        whole_us: Our time from the files to chunk files, in one process.
        peer_us: note_seq's time by stage.
        times_peer: note_seq's time divided by our time.
    """

    folder: str
    files: int
    excerpts: int
    peer_excerpts: int
    parse_us: float
    stages_us: dict[str, float]
    whole_us: float
    peer_us: dict[str, float]
    times_peer: float


def measure(folder: Path, *, most_files: int, repeats: int, peer: Path | None) -> Measured:
    """Measures one folder."""
    pieces = [piece for source in open_sources([str(folder)]) for piece in source.pieces()]
    pieces = [piece for piece in pieces if piece.kind == "midi"][:most_files]
    clock = Clock(len(pieces))
    excerpts = 0
    peers: list[dict[str, float]] = []
    peer_excerpts = 0
    for _ in range(repeats):
        excerpts = run_stages(pieces, clock)
        clock.add("whole", in_process_of_its_own(time_whole, pieces))
        if peer is not None:
            said = ask_peer(peer, [piece.location.path for piece in pieces])
            peer_excerpts = said["examples"]
            peers.append({k: v / len(pieces) * 1e6 for k, v in said["seconds"].items()})
    ours = clock.medians_us()
    peer_us = {name: statistics.median(one[name] for one in peers) for name in (peers or [{}])[0]}
    return Measured(
        folder=folder.name,
        files=len(pieces),
        excerpts=excerpts,
        peer_excerpts=peer_excerpts,
        parse_us=ours.pop("parse"),
        whole_us=(whole := ours.pop("whole")),
        stages_us=ours,
        peer_us=peer_us,
        times_peer=sum(peer_us.values()) / whole,
    )


class Clock:
    """Collects the CPU seconds of repeated work."""

    def __init__(self, files: int) -> None:
        self._files = files
        self._seconds: dict[str, list[float]] = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Times the work inside."""
        start = time.process_time()
        yield
        self.add(name, time.process_time() - start)

    def add(self, name: str, seconds: float) -> None:
        """Adds a time that was measured elsewhere."""
        self._seconds.setdefault(name, []).append(seconds)

    def medians_us(self) -> dict[str, float]:
        """The median time of each work, in microseconds a file."""
        return {
            name: statistics.median(seconds) / self._files * 1e6
            for name, seconds in self._seconds.items()
        }


def run_stages(pieces: Sequence[Piece], clock: Clock) -> int:
    """Does each stage for all pieces; counts excerpts."""
    representation = SETTINGS.representation
    with clock("parse"):
        for piece in pieces:
            with suppress(RuntimeError):
                symusic.Score(piece.location.path)
    with clock("open"):
        opened = [(piece.read_bytes(), piece.kind, piece.read_side()) for piece in pieces]
    files = []
    with clock("read: each file"):
        for each in opened:
            with suppress(MusicVAEError):
                files.append(parse_piece(*each))
    # As many at once as `cut_pieces` takes of files of this size.
    with clock("read: together"):
        read = [piece for group in batched(files, GROUP) for piece in finish_pieces(group)]
    known = [each for each in read if isinstance(each, ReadPiece) and each.parts and each.meters]
    with clock("grid"):
        groups = [
            put_on_grid(group, representation.meter, representation.steps_per_quarter)
            for group in batched(known, GROUP)
        ]
    with clock("cut and label"):
        cut = [CUTTERS[representation.name].cut(group, SETTINGS) for group in groups]
    with clock("signature"):
        for group in groups:
            find_signatures(group)
    return sum(
        len(excerpts.events) for group in cut for found in group for excerpts in found.excerpts
    )


def time_whole(pieces: Sequence[Piece]) -> float:
    """The CPU seconds of all stages, chunk by chunk as in a process of `prepare`."""
    with tempfile.TemporaryDirectory() as folder:
        chunks = make_chunks(cycle(pieces))
        cut_chunk(next(chunks), SETTINGS, Path(folder), lambda _: None)
        start = time.process_time()
        files, seconds = 0, 0.0
        while seconds < LEAST_SECONDS:
            chunk = next(chunks)
            cut_chunk(chunk, SETTINGS, Path(folder), lambda _: None)
            files += len(chunk.items)
            seconds = time.process_time() - start
    return seconds / files * len(pieces)


def in_process_of_its_own(
    work: Callable[[Sequence[Piece]], float], pieces: Sequence[Piece]
) -> float:
    """The result of work in a new process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, (pieces,))


def batched(values: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """Batches of values, in order."""
    return (values[start : start + size] for start in range(0, len(values), size))


def ask_peer(peer: Path, paths: Sequence[str]) -> dict[str, Any]:
    """note_seq's times for the same files."""
    done = subprocess.run(
        [peer / "bin" / "python", PEER],
        input="\n".join(paths),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def make_peer(folder: Path) -> Path:
    """An environment with note_seq, made if it is missing."""
    if not (folder / "bin" / "python").exists():
        venv.create(folder, with_pip=True)
        subprocess.run([folder / "bin" / "pip", "install", "--quiet", NOTE_SEQ], check=True)
    return folder


def table_of(measured: list[Measured]) -> Table:
    """The table of all measurements."""
    table = Table(title="Microseconds a file, one core", title_justify="left")
    table.add_column("")
    for each in measured:
        table.add_column(f"{each.folder} ({each.files:,} files)", justify="right")
    rows: dict[str, Callable[[Measured], str]] = {
        "symusic, bare parse": lambda m: f"{m.parse_us:,.0f}",
        **{
            f"ours: {name}": (lambda m, name=name: f"{m.stages_us[name]:,.0f}")
            for name in measured[0].stages_us
        },
        "ours: whole, to chunk files": lambda m: f"{m.whole_us:,.0f}",
        "  files a second": lambda m: f"{1e6 / m.whole_us:,.0f}",
        "  excerpts a second": lambda m: f"{m.excerpts / m.files * 1e6 / m.whole_us:,.0f}",
        **{
            f"note_seq: {name}": (lambda m, name=name: f"{m.peer_us[name]:,.0f}")
            for name in measured[0].peer_us
        },
        "times note_seq": lambda m: f"{m.times_peer:.1f}" if m.peer_us else "not measured",
    }
    for name, tell in rows.items():
        table.add_row(name, *(tell(each) for each in measured))
    return table


def times_peer_of_all(measured: list[Measured]) -> float:
    """note_seq's time for all files of all folders divided by ours."""
    peer_us = sum(each.files * sum(each.peer_us.values()) for each in measured)
    return peer_us / sum(each.files * each.whole_us for each in measured)


def main() -> None:
    """Measures, prints a table, and writes JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path, help="folders of MIDI files")
    parser.add_argument("--json", type=Path, default=Path("build/pipeline.json"))
    parser.add_argument("--files", type=int, default=2000, help="most files of a folder")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--peer", type=Path, default=Path("build/note_seq"),
                        help="note_seq's environment; made if it is missing")  # fmt: skip
    parser.add_argument("--no-peer", action="store_true", help="leave note_seq out")
    options = parser.parse_args()
    peer = None if options.no_peer else make_peer(options.peer)
    measured = [
        measure(folder, most_files=options.files, repeats=options.repeats, peer=peer)
        for folder in options.folders
    ]
    console = Console()
    console.print(table_of(measured))
    of_all = times_peer_of_all(measured)
    if peer is not None:
        console.print(f"all files together: {of_all:.1f} times note_seq")
    options.json.parent.mkdir(parents=True, exist_ok=True)
    record = {
        "python": sys.version.split()[0],
        "folders": [asdict(each) for each in measured],
        "times_peer_of_all": of_all,
    }
    options.json.write_text(json.dumps(record, indent=2) + "\n")


if __name__ == "__main__":
    main()
