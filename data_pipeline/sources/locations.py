"""Locations of a file's bytes: on disk, in an archive, or already in memory.

Conventions: a location is a small value that can be pickled and read in another process, or on
another machine that sees the same files. Nothing is ever unpacked to disk, and no more than
`MOST_BYTES` of a file are read, whatever its archive claims.
"""

import os
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol, runtime_checkable

from musicvae.errors import DataError

MOST_BYTES = 16 * 1024 * 1024
"""The scores of long operas are smaller."""

HEAD_BYTES = 4096
"""The bytes that are read to tell a file's kind."""

_FIRST_BYTES = 1 << 16
"""The first read of a file. Most files are smaller; allocating `MOST_BYTES` takes longer than
reading them."""

_AS_BYTES: int = getattr(os, "O_BINARY", 0)
"""Without it Windows takes some bytes for ends of lines."""

_MOST_PACKED_BYTES = 2 * MOST_BYTES
"""Bytes that do not compress grow a little; a directory that claims more is wrong."""

_LOCAL_HEADER = struct.Struct("<4s5H3L2H")
_LOCAL_MAGIC = b"PK\x03\x04"


@runtime_checkable
class Location(Protocol):
    """Where bytes can be read; the same bytes every time."""

    def head(self) -> bytes:
        """The first `HEAD_BYTES`, or fewer.

        Raises:
            DataError: If the file can't be read.
        """
        ...

    def read(self) -> bytes:
        """All of the bytes.

        Raises:
            DataError: If the file can't be read, or holds more than `MOST_BYTES`.
        """
        ...


@dataclass(frozen=True, slots=True)
class FileBytes:
    """A file on disk, or a part of one: a member of an archive that is not compressed.

    Attributes:
        path: The file.
        offset: The offset of the first byte.
        size: The number of bytes; None for all bytes to the file's end.
    """

    path: str
    offset: int = 0
    size: int | None = None

    def head(self) -> bytes:
        return self._read(HEAD_BYTES if self.size is None else min(self.size, HEAD_BYTES))

    def read(self) -> bytes:
        if self.size is not None:
            data = self._read(_within_limit(self.size))
            if len(data) != self.size:
                raise _damaged(f"{len(data)} bytes of a member that should have {self.size}")
            return data
        data = self._read(MOST_BYTES + 1)
        _within_limit(len(data))
        return data

    def _read(self, size: int) -> bytes:
        try:
            # By the system's own calls: making a file object takes as long as reading a tune.
            descriptor = os.open(self.path, os.O_RDONLY | _AS_BYTES)
            try:
                if self.offset:
                    os.lseek(descriptor, self.offset, os.SEEK_SET)
                return _read_exactly(descriptor, size)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise _unreadable(error) from error


@dataclass(frozen=True, slots=True)
class ZipBytes:
    """A member of a zip archive.

    Attributes:
        path: The archive.
        offset: The offset of the member's local header.
        packed_size: The bytes that the member takes in the archive.
        size: The bytes of the unpacked member, by the archive's directory.
        is_stored: Whether it is not compressed.
        checksum: The CRC-32 of the bytes, by the archive's directory.
    """

    path: str
    offset: int
    packed_size: int
    size: int
    is_stored: bool
    checksum: int

    def head(self) -> bytes:
        return self._unpack(min(self.packed_size, HEAD_BYTES), HEAD_BYTES)

    def read(self) -> bytes:
        size = _within_limit(self.size)
        data = self._unpack(min(self.packed_size, _MOST_PACKED_BYTES), size)
        if len(data) != size:
            raise _damaged(f"{len(data)} bytes of a member that should have {size}")
        if zlib.crc32(data) != self.checksum:
            raise _damaged("a member that does not fit its checksum")
        return data

    def _unpack(self, packed_size: int, most: int) -> bytes:
        try:
            with Path(self.path).open("rb") as file:
                packed = _packed_bytes(file, self.offset, packed_size)
        except OSError as error:
            raise _unreadable(error) from error
        except ValueError as error:  # no file has room for an offset of more than 63 bits
            raise _damaged(f"a member at byte {self.offset}") from error
        if self.is_stored:
            return packed[:most]
        try:
            # A limit of 0 would mean none.
            return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, max(most, 1))[:most]
        except zlib.error as error:
            raise _damaged(str(error)) from error


@dataclass(frozen=True, slots=True)
class HeldBytes:
    """Bytes in memory: a tune of an ABC file, or a member of a compressed tar.

    Attributes:
        parts: The bytes, in parts; the tunes of one file share its head as the first part.
        size: The size of the file; a file past the limit is not held as a whole.
    """

    parts: tuple[bytes, ...]
    size: int

    def head(self) -> bytes:
        return b"".join(self.parts)[:HEAD_BYTES]

    def read(self) -> bytes:
        _within_limit(self.size)
        return b"".join(self.parts)


def hold(data: bytes) -> HeldBytes:
    """The location of bytes in memory."""
    return HeldBytes((data,), len(data))


def _within_limit(size: int) -> int:
    if size > MOST_BYTES:
        raise DataError(
            f"a file of more than {MOST_BYTES} bytes",
            expected=f"at most {MOST_BYTES} bytes",
            action="Leave the file out, or divide it.",
        )
    return size


def _packed_bytes(file: BinaryIO, offset: int, size: int) -> bytes:
    """The packed bytes after a local header, whose length only the header itself says."""
    file.seek(offset)
    header = file.read(_LOCAL_HEADER.size)
    if len(header) < _LOCAL_HEADER.size or not header.startswith(_LOCAL_MAGIC):
        raise _damaged("no member where the archive's directory has one")
    *_, name_size, extra_size = _LOCAL_HEADER.unpack(header)
    file.seek(name_size + extra_size, 1)
    return file.read(size)


def _read_exactly(descriptor: int, size: int) -> bytes:
    """Reads up to `size` bytes; memory is taken as the bytes come."""
    data = os.read(descriptor, min(size, _FIRST_BYTES))
    while len(data) < size and (
        more := os.read(descriptor, min(size - len(data), max(len(data), _FIRST_BYTES)))
    ):
        data += more
    return data


def _unreadable(error: OSError) -> DataError:
    return DataError(
        f"a file that can't be opened ({error.strerror})",
        expected="a file that may be read",
        action="Change its permissions, or leave it out.",
    )


def _damaged(found: str) -> DataError:
    return DataError(
        f"a damaged archive ({found})",
        expected="an archive as it was made",
        action="Fetch or pack it again.",
    )
