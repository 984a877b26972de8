"""Caches the results of slow readers, so that they read a piece only once.

Conventions: one file a piece, named by a digest of its bytes, its format and the reader's version.
The file holds a digest of the rest, then JSON, which holds no code and whose numbers read back
equal. A damaged file is written anew. If the folder can't be written, nothing is cached.
"""

import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from platformdirs import user_cache_path

from musicvae.errors import ScoreError
from musicvae.files import write_file
from musicvae.music.bars import MeterChange
from musicvae.music.notes import Key, Meter

from .piece import ChordLine, KeyChange, Part, ReadPiece, TempoChange

_DIGEST_BYTES = 16
_COLUMNS = {
    "onsets": np.float64,
    "ends": np.float64,
    "pitches": np.int16,
    "velocities": np.int16,
    "roots": np.int16,
    "qualities": np.int16,
    "basses": np.int16,
}


def cache_folder() -> Path:
    """The folder of the cache: `MUSICVAE_CACHE`, or the user's cache folder."""
    chosen = os.environ.get("MUSICVAE_CACHE")
    return Path(chosen) if chosen else user_cache_path("musicvae", appauthor=False)


def read_through_cache(
    data: bytes, reader: str, read: Callable[[], Callable[[bytes], ReadPiece]]
) -> ReadPiece:
    """Reads a piece, from the cache if it is there.

    Args:
        data: The bytes of the piece.
        reader: The reader's name and version; the version changes with the reader's results.
        read: Gives the reader; called only if the cache has no result.

    Raises:
        ScoreError: If the reader raises it; the error is cached as well.
    """
    digest = hashlib.blake2b(data, digest_size=20, key=reader.encode()[:64]).hexdigest()
    path = cache_folder() / "readings" / digest[:2] / f"{digest[2:]}.json"
    kept = _load(path)
    if kept is None:
        try:
            kept = read()(data)
        except ScoreError as error:
            kept = error
        _save(path, kept)
    if isinstance(kept, ScoreError):
        raise kept
    return kept


def _save(path: Path, kept: ReadPiece | ScoreError) -> None:
    document = {"error": _error(kept)} if isinstance(kept, ScoreError) else _piece(kept)
    text = json.dumps(document, separators=(",", ":")).encode()
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, _digest(text) + b"\n" + text)


def _load(path: Path) -> ReadPiece | ScoreError | None:
    try:
        digest, _, text = path.read_bytes().partition(b"\n")
    except OSError:
        return None
    if digest != _digest(text):
        return None
    document = json.loads(text)
    if "error" in document:
        return ScoreError(**document["error"])
    chords = document["chords"]
    return ReadPiece(
        parts=tuple(Part(**_columns(part)) for part in document["parts"]),
        bar_lines=np.array(document["bar_lines"], dtype=np.float64),
        meters=tuple(MeterChange(bar, Meter(*meter)) for bar, meter in document["meters"]),
        tempos=tuple(TempoChange(*tempo) for tempo in document["tempos"]),
        keys=tuple(KeyChange(quarter, Key(*key)) for quarter, key in document["keys"]),
        chords=None if chords is None else ChordLine(**_columns(chords)),
        style=document["style"],
        missing_meter=document["missing_meter"],
    )


def _digest(text: bytes) -> bytes:
    return hashlib.blake2b(text, digest_size=_DIGEST_BYTES).hexdigest().encode()


def _error(error: ScoreError) -> dict[str, str]:
    return {"found": error.found, "expected": error.expected, "action": error.action}


def _piece(piece: ReadPiece) -> dict[str, object]:
    return {
        "parts": [_lists(part._asdict()) for part in piece.parts],
        "bar_lines": piece.bar_lines.tolist(),
        "meters": [
            (change.bar, (change.meter.numerator, change.meter.denominator))
            for change in piece.meters
        ],
        "tempos": [(change.quarter, change.qpm) for change in piece.tempos],
        "keys": [
            (change.quarter, (change.key.tonic, change.key.is_minor)) for change in piece.keys
        ],
        "chords": None if piece.chords is None else _lists(vars(piece.chords)),
        "style": piece.style,
        "missing_meter": piece.missing_meter,
    }


def _lists(values: dict[str, object]) -> dict[str, object]:
    return {
        name: value.tolist() if isinstance(value, np.ndarray) else value
        for name, value in values.items()
    }


def _columns(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: np.array(value, dtype=_COLUMNS[name]) if name in _COLUMNS else value
        for name, value in values.items()
    }
