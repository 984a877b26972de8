"""Runs all stages: music in, a data set out.

Reading and cutting run in processes, one piece at a time; what follows is quick and runs in order
of the inputs and of the pieces' ids, so that the same inputs give the same bytes however many
processes there were; unless a piece timed out or crashed, which another run may keep: the console
then says so. Nothing in the output folder changes before every piece was read. Then the old
manifest goes, the shards are written, and the new manifest comes last: an interrupted run leaves
either the old data set, or none. Running it again starts over.
"""

import platform
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import numpy as np
from jaxtyping import Int16
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from musicvae import shards
from musicvae.errors import DataError, SettingError
from musicvae.representation import Representation

from .corpus import MOST_NAMESAKES, Corpus, Piece, find_corpora
from .dedupe import Deduper, order_of_splits
from .excerpts import CutPart, CutPiece, Cutter, Left
from .filters import THRESHOLDS
from .manifest import Rejections, count_sources, table_of_rejections
from .split import assign_split, check_shares
from .workers import GIVEN_UP, Failure, run

DEFAULT_SHARES = {"train": 0.8, "validation": 0.1, "test": 0.1}


@dataclass(frozen=True, kw_only=True)
class PrepareSettings:
    """What to prepare and how.

    Attributes:
        inputs: MIDI files, scores, folders of them, or `music21:NAME`.
        out: The folder of the data set; made where it is missing.
        representation: What the tensors are of.
        shares: The share of the pieces of each split, by name; they sum to 1.
        workers: The number of processes, 1 or more.
        reduces_to_top_line: Whether music in several voices is reduced to its highest, instead of
            being left out as polyphonic.
        timeout_s: How long reading one piece may take, in seconds.

    Raises:
        SettingError: If a setting is out of range.
    """

    inputs: tuple[str, ...]
    out: Path
    representation: Representation
    shares: dict[str, float] = field(default_factory=lambda: dict(DEFAULT_SHARES))
    workers: int = 1
    reduces_to_top_line: bool = False
    timeout_s: float = 60.0

    def __post_init__(self) -> None:
        check_shares(self.shares)
        for name in ("workers", "timeout_s"):
            value = getattr(self, name)
            if value <= 0:
                raise SettingError(
                    f"{name}={value}", expected="more than 0", action="Raise it.", field=name
                )


@dataclass(frozen=True, slots=True)
class _Row:
    """One excerpt that is kept."""

    events: Int16[np.ndarray, "step stream"]
    provenance: shards.Provenance


def prepare(settings: PrepareSettings, *, console: Console | None = None) -> shards.Manifest:
    """Prepares a data set and returns its manifest.

    Progress goes to the console, if there is one, and at the end warnings: of splits that are
    empty, and of pieces that another run might keep.

    Raises:
        ScoreError: If an input is no music that can be read.
        DataError: If an input is not there, or if not one excerpt could be kept. In that case
            the console gets a table of the reasons first.
    """
    corpora = find_corpora(settings.inputs)
    _make_folder(settings.out)
    pieces = [piece for corpus in corpora for piece in corpus.pieces]
    cut = _cut_all(pieces, settings, console)
    rejections = Rejections()
    for piece, result in zip(pieces, cut, strict=True):
        for left in result.left:
            rejections.add(piece.id, piece.source, left)
    rows = _select(pieces, cut, settings, rejections)
    if not any(rows.values()):
        raise _no_examples(rejections, _wrong_meters(cut), console)
    manifest = _write(settings, corpora, rows, rejections)
    if console is not None:
        for warning in _warnings(manifest):
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
            action="Choose another.",
            field="out",
        ) from error


def _cut_all(
    pieces: Sequence[Piece], settings: PrepareSettings, console: Console | None
) -> list[CutPiece]:
    cutter = Cutter(
        representation=settings.representation, reduces_to_top_line=settings.reduces_to_top_line
    )
    cut: list[CutPiece] = [CutPiece()] * len(pieces)
    columns = (
        TextColumn("reading"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("pieces"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=console is None) as progress:
        task = progress.add_task("reading", total=len(pieces))
        outcomes = run(cutter, pieces, workers=settings.workers, timeout_s=settings.timeout_s)
        # Closed even on Ctrl-C, which ends the processes.
        with closing(outcomes):
            for outcome in outcomes:
                result = outcome.result
                if isinstance(result, Failure):
                    left = Left(stage="piece", reason=result.reason, count=1, found=result.found)
                    result = CutPiece(left=(left,))
                cut[outcome.index] = result
                progress.advance(task)
    return cut


def _select(
    pieces: Sequence[Piece],
    cut: Sequence[CutPiece],
    settings: PrepareSettings,
    rejections: Rejections,
) -> dict[str, list[_Row]]:
    """Assigns the pieces to splits and drops duplicates."""
    rows: dict[str, list[_Row]] = {name: [] for name in settings.shares}
    sides = [assign_split(piece.split_key, settings.shares) for piece in pieces]
    deduper = Deduper()
    for split in order_of_splits(settings.shares):
        for piece, side, result in zip(pieces, sides, cut, strict=True):
            if side != split:
                continue
            for part in result.parts:
                kept = deduper.keep(part.shapes, split)
                rows[split].extend(_row(piece, part, index) for index in kept.indices)
                for reason, count in (
                    ("duplicate", kept.duplicates),
                    ("in_other_split", kept.leaks),
                ):
                    if count:
                        found = f"{count} of {len(part.shapes)} excerpts"
                        left = Left(stage="excerpt", reason=reason, count=count, found=found)
                        rejections.add(piece.id, piece.source, left)
    return rows


def _row(piece: Piece, part: CutPart, index: int) -> _Row:
    provenance = shards.Provenance(
        piece=piece.id,
        source=piece.source,
        part=part.name,
        start_bar=part.start_bars[index],
        qpm=part.qpm,
        tonic=part.key.tonic if part.key else None,
        is_minor=part.key.is_minor if part.key else None,
    )
    return _Row(part.events[index], provenance)


def _write(
    settings: PrepareSettings,
    corpora: Sequence[Corpus],
    rows: dict[str, list[_Row]],
    rejections: Rejections,
) -> shards.Manifest:
    representation = settings.representation
    shape = (0, representation.length_steps, len(representation.vocabulary_sizes))
    shards.clear(settings.out)
    splits = {
        name: shards.write_split(
            settings.out,
            name,
            np.stack([row.events for row in kept]) if kept else np.empty(shape, np.int16),
            [row.provenance for row in kept],
        )
        for name, kept in rows.items()
    }
    config = representation.config()
    kept_rows = (
        (row.provenance.source, row.provenance.piece, name)
        for name, kept in rows.items()
        for row in kept
    )
    manifest = shards.Manifest(
        representation=config,
        settings={
            "shares": dict(settings.shares),
            "hop_bars": 1,
            "reduces_to_top_line": settings.reduces_to_top_line,
            "timeout_s": settings.timeout_s,
            "thresholds": {**THRESHOLDS, "most_namesakes": MOST_NAMESAKES},
            "versions": {
                "python": platform.python_version(),
                **{name: version(name) for name in ("musicvae", "music21", "symusic")},
            },
        },
        splits=splits,
        sources=count_sources(corpora, kept_rows, list(rows)),
        rejections=rejections.entries(),
        content_hash=shards.hash_content(config, splits),
    )
    shards.save_manifest(manifest, settings.out)
    return manifest


def _warnings(manifest: shards.Manifest) -> Iterator[str]:
    """What is amiss with a data set that was made."""
    for name, split in manifest.splits.items():
        if not split.excerpts:
            yield (
                f"the split {name!r} is empty. Prepare more pieces, or give it a larger share with "
                "--split."
            )
    for entry in manifest.rejections:
        if entry.reason in GIVEN_UP:
            yield (
                f"{_count(entry)}, such as {entry.examples[0].piece}: another run of the same "
                "inputs may keep more, and be another data set."
            )


def _count(entry: shards.Rejection) -> str:
    return f"{entry.count} {entry.stage}{'s' * (entry.count != 1)} {entry.reason}"


def _wrong_meters(cut: Sequence[CutPiece]) -> list[str]:
    """What was found in pieces of the wrong meter, the most frequent first."""
    left = (left for result in cut for left in result.left)
    found = Counter(each.found for each in left if each.reason == "wrong_meter")
    return [f"{meter} in {count}" for meter, count in found.most_common(3)]


def _no_examples(
    rejections: Rejections, wrong_meters: Sequence[str], console: Console | None
) -> DataError:
    entries = rejections.entries()
    if console is not None:
        console.print(table_of_rejections(entries))
    reasons = ", ".join(map(_count, entries[:5]))
    action = "Give other music, another meter or fewer bars, or ask for the top line."
    if {entry.reason for entry in entries} == {"wrong_meter"}:
        action = f"Give --meter as it is found ({', '.join(wrong_meters)}), or other music."
    return DataError(
        f"no examples: {reasons or 'no music in any piece'}",
        expected="at least one excerpt that can be kept",
        action=action,
        field="inputs",
    )
