"""Opens compressed MusicXML (.mxl): a zip archive that holds one score."""

import io
import struct
import zipfile
import zlib

from musicvae.errors import ScoreError

from .xml import MOST_BYTES

_SUFFIXES = (".xml", ".musicxml")

_ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,  # a compression that Python doesn't have
    RuntimeError,  # a password
    OSError,  # an offset before the start
    ValueError,
)
"""The errors of Python's reader for a damaged archive."""


def is_score_archive(head: bytes) -> bool:
    """Whether a zip archive with these first bytes holds a score.

    The container comes first, or the score; other archives may hold many pieces.
    """
    if not head.startswith(b"PK\x03\x04") or len(head) < 30:
        return False
    size = int.from_bytes(head[26:28], "little")
    name = head[30 : 30 + size].decode("utf-8", "replace")
    return name in ("mimetype", "META-INF/", "META-INF/container.xml") or (
        "/" not in name and name.lower().endswith(_SUFFIXES)
    )


def decompress(data: bytes) -> bytes:
    """The score in a compressed file; the container names the score, but is often damaged.

    Raises:
        ScoreError: If the archive is damaged, holds no score, or grows too large: a thousandfold
            growth is an attack.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                if name.lower().endswith(_SUFFIXES) and not name.startswith("META-INF/"):
                    with archive.open(name) as file:
                        text = file.read(MOST_BYTES + 1)
                    if len(text) > MOST_BYTES:
                        raise _damaged(f"more than {MOST_BYTES} bytes of XML")
                    return text
    except _ZIP_ERRORS as error:
        raise _damaged(str(error) or "an archive that ends early") from error
    raise _damaged("an archive without a score")


def _damaged(found: str) -> ScoreError:
    return ScoreError(
        f"a damaged MusicXML file ({found})",
        expected="a zip archive with a score in it",
        action="Export the score again.",
    )
