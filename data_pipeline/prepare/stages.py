"""Runs all stages: music in, a data set out.

Worker processes read and cut the pieces in chunks; each chunk becomes a file in OUT/.prepare. When
all chunks are there, similar pieces are joined into clusters, each cluster gets a split, copies of
excerpts are dropped, and the shards are written. The same inputs give the same bytes for any number
of processes or machines, and also after a run was killed: the next run goes on at the next chunk or
shard. Only pieces that timed out, crashed or ran out of memory may be kept by another run; the
console then says so.
"""

import hashlib
import json
import os
import platform
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from itertools import chain
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import MofNCompleteColumn, TextColumn

from musicvae.data.manifest import FORMAT_VERSION, MANIFEST_NAME, Manifest, load_manifest
from musicvae.data_pipeline.choose.earlier_split import read_earlier_split
from musicvae.data_pipeline.choose.selection import select
from musicvae.data_pipeline.choose.split import check_shares
from musicvae.data_pipeline.cut import likeness
from musicvae.data_pipeline.cut.chunks import Chunk, chunk_path, is_whole, make_chunks
from musicvae.data_pipeline.cut.excerpts import CutSettings
from musicvae.data_pipeline.sources.corpus import MOST_NAMESAKES, CorpusSource, open_sources
from musicvae.errors import DataError, SettingError
from musicvae.files import check_folder
from musicvae.work import Limits
from musicvae.work.progress import progress_bar

from .cutting import cut_chunks
from .data_set import abandon, write_data_set
from .finished import find_finished, save_states
from .remarks import find_warnings, no_examples

DEFAULT_SHARES = {"train": 0.8, "validation": 0.1, "test": 0.1}
ENGINES = ("local", "ray")

_WORK_FOLDER = ".prepare"


@dataclass(frozen=True, kw_only=True)
class PrepareSettings:
    """The inputs of a data set, and how it is made.

    Attributes:
        inputs: Files, folders, patterns, archives or corpora: see `corpus.open_sources`.
        out: The folder of the data set; made where it is missing.
        cut: How the pieces are cut.
        shares: The share of the pieces of each split, by name; they sum to 1.
        split_of: An earlier data set of the same music: its pieces, and pieces that are the same
            tunes, keep the splits that they have there.
        workers: The number of processes, or of Ray's actors; 1 or more.
        limits: The limits on each process; a large score needs a hundredth of the memory.
        engine: `local` for processes of this machine, `ray` for a Ray cluster.
        address: The address of the Ray cluster, which must see the same files; None starts a
            cluster on this machine.

    Raises:
        SettingError: If a setting is out of range.
    """

    inputs: tuple[str, ...]
    out: Path
    cut: CutSettings
    shares: dict[str, float] = field(default_factory=lambda: dict(DEFAULT_SHARES))
    split_of: Path | None = None
    workers: int = 1
    limits: Limits = Limits()
    engine: str = "local"
    address: str | None = None

    def __post_init__(self) -> None:
        check_shares(self.shares)
        if self.workers < 1:
            raise SettingError(
                f"workers={self.workers}",
                expected="1 or more",
                action="Give the number of processes.",
                field="workers",
            )
        if self.engine not in ENGINES:
            raise SettingError(
                f"the engine {self.engine!r}",
                expected=f"one of {', '.join(ENGINES)}",
                action="Choose an engine from the list.",
                field="engine",
            )
        if self.address is not None and self.engine != "ray":
            raise SettingError(
                f"the address {self.address} with the engine {self.engine}",
                expected="an address only with the engine ray",
                action="Choose `engine` ray, or leave the address out.",
                field="address",
            )


def prepare(settings: PrepareSettings, *, console: Console | None = None) -> Manifest:
    """Prepares a data set and returns its manifest.

    A folder that holds the same data set already stays as it is. The console, if there is one,
    shows the progress, and at the end warnings: of empty splits, of pieces that another run might
    keep, and of pieces that our own code failed on.

    Raises:
        ScoreError: If an input is no music that can be read.
        DataError: If an input is not there; if the folder holds a data set of other settings or
            other music, or another run is preparing it; or if no excerpt could be kept: the console
            then gets a table of the reasons first.
    """
    sources = open_sources(settings.inputs, leave_out=settings.out)
    check_folder(settings.out, DataError, MANIFEST_NAME, _WORK_FOLDER)
    _make_folder(settings.out)
    with _locked(settings.out):
        representation, record = settings.cut.representation, _record(settings)
        finished = find_finished(settings.out, representation.config(), record, sources)
        if finished is not None:
            save_states(settings.out, sources)
            _clean(settings.out)
            if console is not None:
                console.print(f"{settings.out}: there already", highlight=False, markup=False)
            return finished
        work = _work_folder(settings, sources)
        earlier = read_earlier_split(settings.split_of) if settings.split_of else {}
        chunks = _cut_all(sources, settings, work, console)
        selection = select(chunks, settings.shares, work, earlier)
        if not selection.kept_count:
            _clean(settings.out)
            raise no_examples(selection, str(representation.meter), console)
        save_states(settings.out, sources)
        manifest = write_data_set(selection, sources, representation, record, work, settings.out)
        _clean(settings.out)
    if console is not None:
        for warning in find_warnings(manifest, selection.unnamed):
            console.print(f"[bold red]Warning:[/] {escape(warning)}", highlight=False)
    return manifest


def _make_folder(out: Path) -> None:
    """Makes the output folder before hours of reading, not after."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(
            f"{out}, which can't be made a folder ({error.strerror})",
            expected="a folder, or a place for a new one",
            action="Choose another `out`.",
            field="out",
        ) from error


@contextmanager
def _locked(out: Path) -> Iterator[None]:
    """Keeps a second run out of the folder; the lock ends with the process, however it ends."""
    try:
        import fcntl  # noqa: PLC0415  # not on Windows
    except ImportError:
        yield
        return
    folder = os.open(out, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DataError(
                f"another run that is preparing {out}",
                expected="one run at a time",
                action="Wait for it, end it, or choose another folder.",
                field="out",
            ) from error
        yield
    finally:
        os.close(folder)


def _work_folder(settings: PrepareSettings, sources: Sequence[CorpusSource]) -> Path:
    """The folder of this run's chunks; a killed run of the same work has left its chunks there."""
    # The chunks do not depend on the split.
    record = {
        name: value
        for name, value in _record(settings).items()
        if name not in ("shares", "split_of")
    }
    plan = {
        "work": [settings.cut.representation.config(), record],
        "sources": [[source.name, source.state] for source in sources],
        "format": FORMAT_VERSION,
    }
    text = json.dumps(plan, sort_keys=True)
    name = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
    folder = settings.out / _WORK_FOLDER / name
    folder.mkdir(parents=True, exist_ok=True)
    for other in folder.parent.iterdir():
        if other != folder:
            abandon(other, settings.out)
    return folder


def _cut_all(
    sources: Sequence[CorpusSource],
    settings: PrepareSettings,
    work: Path,
    console: Console | None,
) -> list[Path]:
    """Cuts the missing chunks, and gives the files of all chunks."""
    paths: list[Path] = []
    with progress_bar(console, MofNCompleteColumn(), TextColumn("pieces")) as progress:
        task = progress.add_task("reading", total=sum(source.piece_count for source in sources))

        def missing() -> Iterator[Chunk]:
            pieces = chain.from_iterable(source.pieces() for source in sources)
            for chunk in make_chunks(pieces):
                paths.append(chunk_path(work, chunk))
                if is_whole(paths[-1]):
                    progress.advance(task, len(chunk.items))
                else:
                    yield chunk

        for chunk in cut_chunks(
            missing(),
            settings.cut,
            work,
            settings.limits,
            workers=settings.workers,
            address=settings.address,
            on_ray=settings.engine == "ray",
        ):
            progress.advance(task, len(chunk.items))
    return paths


def _record(settings: PrepareSettings) -> dict[str, object]:
    """The settings that the data set depends on beside the inputs and the representation."""
    cut = settings.cut
    return {
        "shares": dict(settings.shares),
        **(
            {"split_of": load_manifest(settings.split_of).content_hash} if settings.split_of else {}
        ),
        "hop_bars": cut.hop_bars,
        "melody": cut.melody,
        "drums": cut.drums,
        "rules": asdict(cut.rules),
        **asdict(settings.limits),
        "most_namesakes": MOST_NAMESAKES,
        "likeness": {
            "hashes": likeness.HASHES,
            "pattern_notes": likeness.PATTERN_NOTES,
            "pattern_hits": likeness.PATTERN_HITS,
            "least_likeness": likeness.LEAST_LIKENESS,
        },
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("musicvae", "music21", "numpy", "pyarrow")},
        },
    }


def _clean(out: Path) -> None:
    shutil.rmtree(out / _WORK_FOLDER, ignore_errors=True)
