"""Lists the files in zip and tar archives, each with the location of its bytes.

Conventions: paths are as the archive writes them. Nothing is unpacked to disk, so a member's path
is a name and never a path on disk. Members of a zip and of a plain tar come in the order of their
paths. A compressed tar can only be read from its start, so its members come in its own order, each
with its bytes.
"""

import bz2
import gzip
import lzma
import os
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, runtime_checkable

from musicvae.errors import DataError

from .locations import MOST_BYTES, FileBytes, HeldBytes, Location, ZipBytes

_MOST_KEPT_BYTES = 256 * 1024 * 1024
"""The limit on the files beside the pieces in one compressed tar; the largest corpus has 20 MB."""

_ENCRYPTED = 0x1
_GZIP, _BZIP2, _XZ = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0"
_BUFFER_BYTES = 1 << 15

_DAMAGES = (
    tarfile.TarError,
    zipfile.BadZipFile,
    lzma.LZMAError,
    zlib.error,
    struct.error,
    EOFError,
    # The standard library raises these errors over a directory with strange numbers.
    IndexError,
    NotImplementedError,
    OverflowError,
    RecursionError,
    ValueError,
)
_TAR_ENDINGS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")


@runtime_checkable  # jaxtyping's checker tests for it
class _TarFile(Protocol):
    """The bytes of a tar archive, unpacked or unpacking."""

    def read(self, size: int, /) -> bytes: ...
    def seek(self, offset: int, /) -> int: ...
    def tell(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of an input.

    Attributes:
        path: The file's path from the input's own folder on, with slashes.
        location: The location of the bytes; None where they can't be read.
        state: A text that changes whenever the bytes do.
        reason: Why the bytes can't be read, if so: see `corpus.CorpusSource`.
    """

    path: str
    location: Location | None
    state: str
    reason: str = "locked"


class ZipListing:
    """The files in a zip archive.

    Raises:
        DataError: If the archive is damaged or can't be read.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        with _reading(path), zipfile.ZipFile(path) as archive:
            members = [info for info in archive.infolist() if not info.is_dir()]
        self._members = sorted(
            ((_slashed(info.filename), self._locate(info), f"{info.CRC:08x}") for info in members),
            key=lambda member: member[0],
        )

    def entries(self) -> Iterator[Entry]:
        """Every file; the same files in the same order each time."""
        return (Entry(*member) for member in self._members)

    def locate(self, path: str) -> Location | None:
        """The location of the bytes of a file; None if there is no file of this path."""
        return self._locations.get(path)

    def is_score(self) -> bool:
        """Whether the archive is one compressed score, an .mxl."""
        return "META-INF/container.xml" in self._locations

    @cached_property
    def _locations(self) -> dict[str, Location | None]:
        return {path: location for path, location, _ in self._members}

    def _locate(self, info: zipfile.ZipInfo) -> Location | None:
        if info.flag_bits & _ENCRYPTED:
            return None
        if info.compress_type in (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED):
            is_stored = info.compress_type == zipfile.ZIP_STORED
            return ZipBytes(
                self._path,
                info.header_offset,
                info.compress_size,
                info.file_size,
                is_stored,
                info.CRC,
            )
        return None


class TarListing:
    """The files in a tar archive that is not compressed."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._time = os.stat(path).st_mtime_ns  # noqa: PTH116  (a path as text)
        with _reading(path), open(path, "rb") as file, _open_tar(file) as archive:  # noqa: PTH123  (a path as text)
            self._members = sorted(
                (_slashed(info.name), info.offset_data, info.size if _has_bytes(info) else None)
                for info in _files(archive)
            )

    def entries(self) -> Iterator[Entry]:
        """Every file; the same files in the same order each time."""
        for path, offset, size in self._members:
            location = None if size is None else FileBytes(self._path, offset, size)
            yield Entry(path, location, f"{offset}+{size}@{self._time}")

    def locate(self, path: str) -> Location | None:
        """The location of the bytes of a file; None if there is no file of this path."""
        return self._locations.get(path)

    @cached_property
    def _locations(self) -> dict[str, Location | None]:
        return {entry.path: entry.location for entry in self.entries()}


class CompressedTarListing:
    """The files in a compressed tar archive, which is read anew from its start each time.

    Args:
        path: The archive.
        is_kept: Tells by a file's name whether the file belongs to a piece, so that it must be at
            hand wherever in the archive it stands.
    """

    def __init__(self, path: str, is_kept: Callable[[str], bool]) -> None:
        self._path = path
        self._time = os.stat(path).st_mtime_ns  # noqa: PTH116  (a path as text)
        self._is_kept = is_kept
        self._kept: dict[str, Location] = {}
        self._kept_bytes = 0

    def entries(self) -> Iterator[Entry]:
        """Every file; the same files in the same order each time."""
        with _reading(self._path), _unpacked(self._path) as file:
            if not _is_tar(self._path, file.read(512)):
                raise _no_tar(self._path)
            file.seek(0)
            # tarfile's own unpacking takes a file that was cut off for one that ends there.
            with _open_tar(file) as archive:
                for info in _files(archive):
                    yield self._entry(archive, info)
            # The checksum stands at the end: reading the rest compares it.
            while file.read(_BUFFER_BYTES):
                continue

    def locate(self, path: str) -> Location | None:
        """The location of a kept file that `entries` has passed; None if there is no such file."""
        return self._kept.get(path)

    def _entry(self, archive: tarfile.TarFile, info: tarfile.TarInfo) -> Entry:
        path, state = _slashed(info.name), f"{info.offset}+{info.size}@{self._time}"
        file = archive.extractfile(info) if _has_bytes(info) else None
        if file is None:
            return Entry(path, None, state)
        data = file.read() if info.size <= MOST_BYTES else b""
        location = HeldBytes((data,), info.size)
        if self._is_kept(path) and path not in self._kept:
            self._keep(path, location)
        return Entry(path, location, state)

    def _keep(self, path: str, location: HeldBytes) -> None:
        self._kept_bytes += sum(map(len, location.parts))
        if self._kept_bytes > _MOST_KEPT_BYTES:
            raise DataError(
                f"{self._path}, with more than {_MOST_KEPT_BYTES} bytes of files beside its pieces",
                expected="tables and lists of a corpus",
                action="Unpack the archive, and give the folder.",
                field="inputs",
            )
        self._kept[path] = location


def open_archive(
    path: str, is_kept: Callable[[str], bool]
) -> ZipListing | TarListing | CompressedTarListing | None:
    """The listing of an archive, known by its content; None for any other file and for a score.

    Raises:
        DataError: If the archive is damaged or can't be read.
    """
    with open(path, "rb") as file:  # noqa: PTH123  (a path as text)
        head = file.read(512)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        listing = ZipListing(path)
        return None if listing.is_score() else listing
    if head.startswith((_GZIP, _BZIP2, _XZ)):
        return CompressedTarListing(path, is_kept)
    return TarListing(path) if _is_tar(path, head) else None


def _is_tar(path: str, head: bytes) -> bool:
    """Whether a file of this name and beginning is a tar; old tars bear no mark."""
    return head[257:262] == b"ustar" or path.lower().endswith(_TAR_ENDINGS)


def is_archive(head: bytes) -> bool:
    """Whether a file with this beginning is an archive, or compressed."""
    return head.startswith((b"PK\x03\x04", _GZIP, _BZIP2, _XZ)) or (head[257:262] == b"ustar")


def archive_stem(name: str) -> str:
    """The name of an archive's file without its endings.

    >>> archive_stem("groove.tar.gz")
    'groove'
    """
    lower = name.lower()
    ending = next((end for end in (*_TAR_ENDINGS, ".zip") if lower.endswith(end)), "")
    return name[: len(name) - len(ending)] or name


def _open_tar(file: _TarFile) -> tarfile.TarFile:
    return tarfile.open(fileobj=_Guarded(file), mode="r:")  # type: ignore[call-overload, no-any-return]  # all that it needs


def _unpacked(path: str) -> gzip.GzipFile | bz2.BZ2File | lzma.LZMAFile:
    with open(path, "rb") as file:  # noqa: PTH123  (a path as text)
        head = file.read(6)
    if head.startswith(_GZIP):
        return gzip.GzipFile(path)
    return bz2.BZ2File(path) if head.startswith(_BZIP2) else lzma.LZMAFile(path)


class _Guarded:
    """A tar file whose headers are not believed: no read is of more than `MOST_BYTES`.

    tarfile reads names and notes of the size that a header claims, and a negative size as all that
    is left (CVE-2025-8194).
    """

    def __init__(self, file: _TarFile) -> None:
        self._file = file
        self.tell = file.tell
        self.seek = file.seek

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= MOST_BYTES:
            raise tarfile.ReadError(f"a size of {size} bytes")
        return self._file.read(size)


def _files(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    while (info := archive.next()) is not None:
        if info.size < 0:
            raise tarfile.ReadError(f"a size of {info.size} bytes")
        if not info.isdir():
            yield info
        archive.members.clear()  # type: ignore[attr-defined]  # it keeps every header it ever saw


@contextmanager
def _reading(path: str) -> Iterator[None]:
    try:
        yield
    except _DAMAGES as error:
        raise _damaged(path, error) from error
    except OSError as error:
        if error.errno is not None:  # the system's; without a number it is bz2's or gzip's
            raise
        raise _damaged(path, error) from error


def _damaged(path: str, error: Exception) -> DataError:
    return DataError(
        f"{path}, a damaged archive ({error})",
        expected="a .zip, .tar or .tar.gz as it was made",
        action="Fetch or pack it again.",
        field="inputs",
    )


def _no_tar(path: str) -> DataError:
    return DataError(
        f"{path}, which is compressed but no tar archive",
        expected="a .zip, .tar or .tar.gz, or a file that is not compressed",
        action="Unpack it.",
        field="inputs",
    )


def _has_bytes(info: tarfile.TarInfo) -> bool:
    """Whether a member has bytes of its own, in one piece: no link, no device, no holes."""
    return info.isreg() and not info.issparse()


def _slashed(path: str) -> str:
    return path.replace("\\", "/")
