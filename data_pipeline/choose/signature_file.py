"""The signatures of all pieces, on disk, read one hash of all pieces at a time.

A signature takes 256 bytes, too many to hold for millions of pieces. The file is blocks of some
thousand signatures. A block holds the numbers of the first hash, piece after piece, then the
numbers of the second hash, and so on.
"""

from pathlib import Path
from types import TracebackType

import numpy as np
from jaxtyping import UInt32

from musicvae.data_pipeline.cut.likeness import HASHES

_BLOCK_ROWS = 1 << 14
"""A block is written when it has at least this many rows: 4 MB."""

_NUMBER_BYTES = 4


class SignatureFile:
    """Takes signatures, then gives them hash by hash; a context that removes its file at the end.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("w+b")
        self._block_sizes: list[int] = []
        self._waiting: list[UInt32[np.ndarray, "_ hash"]] = []
        self._waiting_rows = 0

    def __enter__(self) -> "SignatureFile":  # noqa: PYI034  # the checker of shapes knows no Self
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
        self._path.unlink()

    def __len__(self) -> int:
        return sum(self._block_sizes) + self._waiting_rows

    def add(self, signatures: UInt32[np.ndarray, "batch hash"]) -> None:
        """Adds the signatures of further pieces."""
        self._waiting.append(signatures)
        self._waiting_rows += len(signatures)
        if self._waiting_rows >= _BLOCK_ROWS:
            self._flush()

    def column(self, number: int) -> UInt32[np.ndarray, " piece"]:
        """The numbers of one hash, of all pieces in the order in which they were added."""
        self._flush()
        column = np.empty(len(self), np.uint32)
        first = 0
        for size in self._block_sizes:
            self._file.seek((first * HASHES + number * size) * _NUMBER_BYTES)
            self._file.readinto(column[first : first + size].data)
            first += size
        return column

    def _flush(self) -> None:
        if self._waiting_rows:
            block = np.concatenate(self._waiting)
            self._file.seek(0, 2)
            self._file.write(np.ascontiguousarray(block.T).data)
            self._block_sizes.append(len(block))
            self._waiting, self._waiting_rows = [], 0
