"""Opens an input: a path, a pattern, a collection of music21, or a corpus.

Conventions: a listing gives the files of one input with their paths from the input's own folder on,
with that folder's name, sorted by path; only a compressed tar keeps its own order. An existing path
goes before the name of a corpus.
"""

import glob
import os
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from musicvae.errors import DataError

from .archives import Entry, archive_stem, open_archive
from .corpora import CORPORA
from .corpora import music21 as music21_corpus
from .fetch import fetched_path
from .locations import FileBytes, Location

LICENCE_NAMES = re.compile(r"(licen[cs]e|copying)(\.(md|txt|rst|adoc))?", re.IGNORECASE)

_WILD = re.compile(r"[*?\[]")


@runtime_checkable
class Listing(Protocol):
    """The files of an input."""

    def entries(self) -> Iterator[Entry]:
        """Every file; the same files in the same order each time."""
        ...

    def locate(self, path: str) -> Location | None:
        """The location of the bytes of a file; None if there is no file of this path."""
        ...


@dataclass(frozen=True, kw_only=True)
class Input:
    """One input that was found.

    Attributes:
        name: The input as the user gave it.
        source: The first part of its pieces' ids; tells nothing of where the input lies on disk.
        listing: Its files.
        licence: Its licence, where that is known without reading the files.
        is_file: Whether the input is a single file.
    """

    name: str
    source: str
    listing: Listing
    licence: str | None = None
    is_file: bool = False


class FolderListing:
    """The files in a folder and all below it; links to folders are not followed.

    Args:
        root: The folder.
        leave_out: A folder below the root that is passed over; its path has no links.
    """

    def __init__(self, root: Path, leave_out: Path | None = None) -> None:
        self._root = root
        self._skipped = "" if leave_out is None else str(leave_out)

    def entries(self) -> Iterator[Entry]:
        """Every file; the same files in the same order each time."""
        waiting = [_sorted_folder(str(self._root), f"{self._root.name}/")]
        while waiting:
            for path, location in waiting[-1]:
                if location.removesuffix("/") == self._skipped:
                    continue
                if path.endswith("/"):
                    waiting.append(_sorted_folder(location, path))
                    break
                yield _entry(path, location)
            else:
                waiting.pop()

    def locate(self, path: str) -> Location | None:
        """The location of the bytes of a file; None if there is no file of this path."""
        within = path.removeprefix(f"{self._root.name}/")
        location = f"{self._root}/{within}"
        return FileBytes(location) if os.path.isfile(location) else None  # noqa: PTH113  (a path as text)


class FilesListing:
    """Files that the user named, one by one or by a pattern.

    Args:
        base: The folder that the paths start from.
        paths: The files.
    """

    def __init__(self, base: Path, paths: list[str]) -> None:
        self._base = base
        self._locations = {os.path.relpath(path, base.parent): path for path in paths}

    def entries(self) -> Iterator[Entry]:
        """Every file; the same files in the same order each time."""
        for name, location in sorted(self._locations.items()):
            yield _entry(name, location)

    def locate(self, path: str) -> Location | None:
        """The location of the bytes of a file; None if there is no file of this path."""
        location = str(self._base.parent / path)
        return FileBytes(location) if os.path.isfile(location) else None  # noqa: PTH113  (a path as text)


def open_input(
    name: str, is_kept: Callable[[str], bool], *, leave_out: Path | None = None
) -> Input:
    """Opens an input.

    Args:
        name: The input as the user gave it.
        is_kept: Tells by a path whether the file must be at hand beside the pieces: see
            `CompressedTarListing`.
        leave_out: A folder whose files are passed over where they lie below the input.

    Raises:
        DataError: If there is no such input, or it is a damaged archive.
        OSError: If the input can't be read.
    """
    if name.startswith(music21_corpus.PREFIX):
        collection = name.removeprefix(music21_corpus.PREFIX)
        return Input(
            name=name,
            source=name,
            listing=FolderListing(music21_corpus.collection_folder(collection)),
            licence=music21_corpus.collection_licence(collection),
        )
    path = Path(name)
    skipped = None if leave_out is None else leave_out.resolve()
    if name and path.exists():
        return _open_path(name, path.resolve(), is_kept, skipped)
    if _WILD.search(name):
        return _open_pattern(name, skipped)
    if name in CORPORA:
        return _open_corpus(name, is_kept, skipped)
    raise DataError(
        f"no file or folder {name or 'named by an empty text'}",
        expected="a file, a folder, a pattern, an archive, music21:NAME, or the name of a corpus",
        action="Check the path; `musicvae corpora` lists the names.",
        field="inputs",
    )


def _open_path(
    name: str, path: Path, is_kept: Callable[[str], bool], skipped: Path | None
) -> Input:
    if path.is_dir():
        return Input(name=name, source=path.name, listing=FolderListing(path, skipped))
    if not path.is_file():
        raise DataError(
            f"{name}, which is no file and no folder",
            expected="a file, a folder, a pattern, an archive, music21:NAME, or a corpus' name",
            action="Save its content as a file, and give that file.",
            field="inputs",
        )
    archive = open_archive(str(path), is_kept)
    if archive is not None:
        return Input(name=name, source=archive_stem(path.name), listing=archive)
    return Input(
        name=name,
        source=path.name,
        listing=FilesListing(path, [str(path)]),
        licence=_licence_beside(path.parent),
        is_file=True,
    )


def _open_pattern(name: str, skipped: Path | None) -> Input:
    wild_at = _WILD.search(name).start()  # type: ignore[union-attr]  # it has a wild card
    folder_end = name[:wild_at].rfind("/") + 1
    base = _without_steps_up(Path(name[:folder_end]).absolute())
    found = glob.glob(f"{glob.escape(str(base))}/{name[folder_end:]}", recursive=True)  # noqa: PTH207  (paths as text)
    paths = [
        path
        for path in found
        if not os.path.isdir(path)  # noqa: PTH112  (a path as text)
        and (skipped is None or skipped not in Path(path).parents)
    ]
    if not any(map(os.path.isfile, paths)):
        raise DataError(
            f"no file that the pattern {name} fits",
            expected="a pattern such as 'midi/**/*.mid'",
            action="Check the pattern; ** stands for any folders.",
            field="inputs",
        )
    listing = FilesListing(base, paths)
    return Input(name=name, source=base.name, listing=listing, licence=_licence_beside(base))


def _without_steps_up(path: Path) -> Path:
    """A path without `..`; links after the last `..` keep their names."""
    if ".." not in path.parts:
        return path
    after_steps = len(path.parts) - path.parts[::-1].index("..")
    return Path(*path.parts[:after_steps]).resolve().joinpath(*path.parts[after_steps:])


def _open_corpus(name: str, is_kept: Callable[[str], bool], skipped: Path | None) -> Input:
    path = fetched_path(name)
    corpus = CORPORA[name]
    if path is None:
        fetchable = f"Run `musicvae fetch {name}` first"
        by_hand = f"Get it from {corpus.homepage} and give its folder"
        raise DataError(
            f"the corpus {name}, which is not here",
            expected="a corpus that was fetched",
            action=f"{fetchable if corpus.download else by_hand}.",
            field="inputs",
        )
    found = _open_path(name, path, is_kept, skipped)
    return Input(name=name, source=name, listing=found.listing, licence=corpus.licence)


def _licence_beside(folder: Path) -> str | None:
    for path in sorted(folder.iterdir()):
        if path.is_file() and LICENCE_NAMES.fullmatch(path.name):
            return licence_line(path.read_bytes())
    return None


def licence_line(text: bytes) -> str | None:
    """The first line of a licence that is not empty."""
    lines = (line.strip(" #\t") for line in text.decode("utf-8", errors="replace").splitlines())
    return next((line[:200] for line in lines if line), None)


def _sorted_folder(location: str, path: str) -> Iterator[tuple[str, str]]:
    """The paths of a folder's files and folders, sorted, each with its path on disk.

    Paths of folders end with a slash. The names are held: some 100 bytes a file of this one folder.
    """
    with os.scandir(location) as files:
        names = [file.name + "/" * file.is_dir(follow_symlinks=False) for file in files]
    names.sort()
    return ((path + name, os.path.join(location, name)) for name in names)  # noqa: PTH118  (paths as text)


def _entry(path: str, location: str) -> Entry:
    try:
        facts = os.stat(location)  # noqa: PTH116  (a path as text)
    except OSError as error:
        # A file that went away or a broken link is no reason to end the walk.
        is_broken_link = isinstance(error, FileNotFoundError) and os.path.islink(location)  # noqa: PTH114  (a path as text)
        return Entry(path, None, "", "link" if is_broken_link else "unreadable")
    if not stat.S_ISREG(facts.st_mode):
        is_link = os.path.islink(location)  # noqa: PTH114  (a path as text)
        return Entry(path, None, "", "link" if is_link else "no_file")
    return Entry(path, FileBytes(location), f"{facts.st_size}@{facts.st_mtime_ns}")
