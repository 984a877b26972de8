"""Writes files whole or not at all: under a temporary name beside the final name, then by a rename.

A full disk, an error or the end of the process never harms an older file.
"""

import glob
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from musicvae.errors import MusicVAEError

_UNFINISHED = ".partial"

_MOST_NAME_BYTES = 200
"""A file system takes names of up to 255 bytes; the temporary name adds 25 to the final name."""


@contextmanager
def new_file(path: Path, *, is_durable: bool = False) -> Iterator[Path]:
    """Yields a temporary file to fill, and renames it to `path` at the end.

    Args:
        path: The final name; a file of this name is replaced.
        is_durable: Whether to flush the bytes to the disk before the rename, so that even a power
            cut leaves no empty file. Costs some milliseconds.

    Raises:
        OSError: If the file can't be written; its `filename` is `path`, also on a full disk, where
            Python names no file.
    """
    with temporary_file(path) as unfinished:
        yield unfinished
        if is_durable:
            with unfinished.open("rb+") as file:
                os.fsync(file.fileno())
        unfinished.replace(path)


@contextmanager
def temporary_file(path: Path) -> Iterator[Path]:
    """Yields an unused name beside `path`; a file of that name is removed at the end.

    Raises:
        OSError: As `new_file` does.
    """
    # Not by `tempfile`, whose files other users can't read.
    stem = os.fsdecode(os.fsencode(path.name)[:_MOST_NAME_BYTES])
    unfinished = path.with_name(f"{stem}.{secrets.token_hex(8)}{_UNFINISHED}")
    try:
        yield unfinished
    except OSError as error:
        error.filename = str(path)
        raise
    finally:
        unfinished.unlink(missing_ok=True)


def write_file(path: Path, content: bytes | str, *, is_durable: bool = False) -> None:
    """Writes a file as `new_file` does; text as UTF-8."""
    with new_file(path, is_durable=is_durable) as unfinished:
        unfinished.write_bytes(content if isinstance(content, bytes) else content.encode())


def check_folder(directory: Path, error: type[MusicVAEError], *marks: str) -> None:
    """Checks that a folder is missing, empty, or written by an earlier run of the same work.

    Args:
        directory: The folder to write into.
        error: The kind of error to raise.
        marks: Names of files and folders; each shows that the folder is such a run's.

    Raises:
        MusicVAEError: If the folder holds other files.
    """
    names = sorted(path.name for path in directory.iterdir()) if directory.is_dir() else []
    if names and not set(names) & set(marks):
        raise error(
            f"a folder {directory} with other files in it, such as {names[0]}",
            expected="a new or empty folder, or the folder of an earlier run",
            action="Give another `out`.",
            field="out",
        )


def remove_unfinished(path: Path) -> None:
    """Removes the temporary files for `path` that killed processes left behind.

    Only for a caller who knows that nobody else is writing `path`.
    """
    for unfinished in path.parent.glob(f"{glob.escape(path.name)}.*{_UNFINISHED}"):
        unfinished.unlink(missing_ok=True)


def stamp(path: Path) -> tuple[int, ...]:
    """Numbers that change when a file is written or replaced; empty while it is not there."""
    try:
        status = path.stat()
    except OSError:
        return ()
    return status.st_mtime_ns, status.st_size, status.st_ino
