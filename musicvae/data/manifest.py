"""The manifest of a prepared data set: its content, its sources and its settings.

`manifest.json` is written last and by a rename: a folder without it is no data set, even if it
holds shards.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from musicvae.errors import DataError
from musicvae.files import write_file

FORMAT_VERSION = 2
MANIFEST_NAME = "manifest.json"

COMMON_SUFFIX = "_common"
"""Ends the name of the split that holds what a split has in common with the training split."""


@dataclass(frozen=True, kw_only=True)
class Shard:
    """One file of a split, with its hash.

    Attributes:
        name: The file's name.
        excerpts: The number of rows.
        size_bytes: The file's size.
        sha256: The file's SHA-256.
    """

    name: str
    excerpts: int
    size_bytes: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Split:
    """One split: the sizes and files of its content.

    Attributes:
        pieces: The number of pieces with at least one excerpt.
        excerpts: The number of excerpts.
        content_hash: SHA-256 of the events of all its excerpts, in order.
        shards: The files, in order.
    """

    pieces: int
    excerpts: int
    content_hash: str
    shards: tuple[Shard, ...]


@dataclass(frozen=True, kw_only=True)
class Source:
    """One input: its licence, and the number of its pieces and excerpts.

    Attributes:
        name: A folder's or file's own name, a corpus' name, or `music21:NAME`.
        licence: The licence as its owner states it, or None if none was found.
        pieces: The number of pieces found.
        pieces_used: The number of pieces with at least one excerpt.
        skipped_files: The number of files that are no music.
        fingerprint: A digest of the names and the content of its files; empty in sets of earlier
            versions.
        excerpts: The number of excerpts by split.
    """

    name: str
    licence: str | None
    pieces: int
    pieces_used: int
    skipped_files: int = 0
    fingerprint: str = ""
    excerpts: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class Example:
    """An example of a rejection: the piece, and the finding."""

    piece: str
    found: str


@dataclass(frozen=True, kw_only=True)
class RejectionCount:
    """The number of rejections at one stage for one reason.

    Attributes:
        stage: The rejected unit: a `piece`, a `part`, a `bar`, a `note` or an `excerpt`.
        reason: The reason's name.
        count: The number of rejections.
        sources: The same count by source.
        examples: A few examples from each source.
    """

    stage: str
    reason: str
    count: int
    sources: dict[str, int]
    examples: tuple[Example, ...]


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """Pieces that count as one tune, by their notes or their titles.

    Attributes:
        pieces: The ids of the first few pieces.
        size: The number of pieces.
        sources: The sources of the pieces.
        splits: The splits of the pieces: one, unless their corpora put them in several.
        likeness: The share of patterns that the most similar pair has in common, 0 to 1; 0 if only
            titles joined the pieces.
    """

    pieces: tuple[str, ...]
    size: int
    sources: tuple[str, ...]
    splits: tuple[str, ...]
    likeness: float


@dataclass(frozen=True, kw_only=True)
class Clusters:
    """The clusters of similar pieces, as counts.

    Attributes:
        count: Clusters of two or more pieces.
        pieces: Pieces in these clusters.
        largest: Pieces in the largest cluster.
        pairs: Pairs of pieces with similar notes.
        pairs_across_sources: Similar pairs of pieces from two sources.
        leaks_avoided: Pairs that titles and paths alone would have put in two splits.
        leaks_left: Pairs that are in two splits, since their corpora put them there.
        examples: The largest clusters, and the largest clusters across sources.
    """

    count: int = 0
    pieces: int = 0
    largest: int = 0
    pairs: int = 0
    pairs_across_sources: int = 0
    leaks_avoided: int = 0
    leaks_left: int = 0
    examples: tuple[Cluster, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The facts of a prepared data set: enough to judge it without opening a shard.

    Attributes:
        format_version: The version of this format.
        representation: `Representation.config()` of the tensors.
        settings: Every rule with its value, the shares of the splits and the versions of software.
        splits: The splits by name.
        sources: The inputs, in the user's order.
        rejections: The counts of all reasons, the most frequent first within its stage.
        clusters: The clusters of similar pieces.
        meters: The bars of all pieces that could be read, by their meter, the most frequent first.
        content_hash: SHA-256 over the representation and every split's content: equal for equal
            examples, on any machine, from any path, with any number of workers.
    """

    format_version: int = FORMAT_VERSION
    representation: dict[str, object]
    settings: dict[str, object]
    splits: dict[str, Split]
    sources: tuple[Source, ...]
    rejections: tuple[RejectionCount, ...]
    clusters: Clusters = Clusters()
    meters: dict[str, int] = field(default_factory=dict)
    content_hash: str


def save_manifest(manifest: Manifest, directory: Path) -> None:
    """Writes the manifest by a rename, which completes the data set."""
    text = json.dumps(asdict(manifest), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    write_file(directory / MANIFEST_NAME, text, is_durable=True)


def load_manifest(directory: Path) -> Manifest:
    """Reads the manifest of a prepared data set.

    Raises:
        DataError: If the manifest is missing, damaged, or of another version.
    """
    try:
        fields = json.loads((directory / MANIFEST_NAME).read_bytes())
    except (FileNotFoundError, NotADirectoryError) as error:
        raise DataError(
            f"no {MANIFEST_NAME} in {directory}",
            expected="a folder that `musicvae prepare` finished",
            action="Run `musicvae prepare`, to the end if it was interrupted.",
            field="data",
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise damaged(directory, f"an unreadable manifest ({error})") from error
    version = fields.get("format_version") if isinstance(fields, dict) else None
    if version != FORMAT_VERSION:
        raise DataError(
            f"a data set of format {version} in {directory}",
            expected=f"format {FORMAT_VERSION}",
            action="Prepare the data again with this version of musicvae.",
            field="data",
        )
    try:
        return TypeAdapter(Manifest).validate_python(fields)
    except ValidationError as error:
        raise damaged(directory, f"a manifest with wrong fields ({error.errors()[0]})") from error


def hash_content(representation: Mapping[str, object], splits: Mapping[str, Split]) -> str:
    """The hash of a whole data set: of its representation and of every split's events."""
    content = {name: split.content_hash for name, split in splits.items()}
    text = json.dumps([dict(representation), content], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def damaged(directory: Path, found: str) -> DataError:
    """The error for a data set that differs from its manifest."""
    return DataError(
        f"{found} in {directory}",
        expected="the files as `musicvae prepare` left them",
        action="Prepare the data again.",
        field="data",
    )
