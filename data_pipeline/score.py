"""Reads scores in MusicXML through music21.

Decisions: grace notes and chord symbols are left out; repeats are not played twice, so first and
second endings follow each other as they stand on the page; notes without a pitch are left out.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterable
from xml.etree import ElementTree as ET

from music21 import harmony, note, stream
from music21.key import Key as Music21Key
from music21.key import KeySignature
from music21.meter import TimeSignature
from music21.musicxml.xmlToM21 import MusicXMLImporter
from music21.tempo import MetronomeMark

from musicvae.errors import ScoreError
from musicvae.notes import DEFAULT_QPM, Key, Meter

from .parts import ReadPiece
from .staff import Staff

_MOST_XML_BYTES = 64 * 1024 * 1024
"""What a compressed score may grow to; a thousandfold growth is an attack, not a score."""

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
"""What a damaged archive makes Python's reader raise."""


def read_musicxml(data: bytes) -> ReadPiece:
    """Reads a MusicXML file, compressed or not.

    Raises:
        ScoreError: If it is neither, or grows too large.
    """
    if data.startswith(b"PK"):
        data = _decompress(data)
    try:
        root = ET.fromstring(data)  # noqa: S314 (expat refuses entities that grow)
    except ET.ParseError as error:
        raise _damaged(str(error)) from error
    if root.tag != "score-partwise":
        raise _damaged(f"a root named {root.tag}")
    importer = MusicXMLImporter()  # type: ignore[no-untyped-call]  # music21's own
    importer.xmlRootToScore(root, importer.stream)  # type: ignore[no-untyped-call]  # as above
    return _read_stream(importer.stream)


def _decompress(data: bytes) -> bytes:
    """The score in a compressed file: its container names it, but is often damaged itself."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                if name.endswith((".xml", ".musicxml")) and not name.startswith("META-INF/"):
                    with archive.open(name) as file:
                        text = file.read(_MOST_XML_BYTES + 1)
                    if len(text) > _MOST_XML_BYTES:
                        raise _damaged(f"more than {_MOST_XML_BYTES} bytes of XML")
                    return text
    except _ZIP_ERRORS as error:
        raise _damaged(str(error) or "an archive that ends early") from error
    raise _damaged("an archive without a score")


def _damaged(found: str) -> ScoreError:
    return ScoreError(
        f"a damaged MusicXML file ({found})",
        expected="MusicXML with score-partwise as its root",
        action="Export the score again.",
    )


def _read_stream(score: stream.Score) -> ReadPiece:
    meters = tuple(
        dict.fromkeys(
            Meter(signature.numerator, signature.denominator)
            for signature in score.recurse().getElementsByClass(TimeSignature)
        )
    )
    qpm = _first_qpm(score)
    key = _first_key(score)
    parts = (
        _read_staff(part.getElementsByClass(stream.Measure)).part(
            name=part.partName or "", meter=(*meters, Meter())[0], qpm=qpm, key=key
        )
        for part in score.parts
    )
    return ReadPiece(parts=tuple(part for part in parts if part), meters=meters)


def _read_staff(measures: Iterable[stream.Measure]) -> Staff:
    staff = Staff()
    for measure in measures:
        for element in (measure.flatten() if measure.voices else measure).notes:
            if isinstance(element, harmony.Harmony) or element.duration.isGrace:
                continue
            for sounding in getattr(element, "notes", (element,)):
                if not isinstance(sounding, note.Note):
                    continue
                tie = sounding.tie.type if sounding.tie else None
                staff.add(
                    sounding.pitch.midi,
                    element.offset,
                    element.quarterLength,
                    is_tied=tie in ("stop", "continue"),
                )
        staff.close_measure(measure.highestTime or measure.barDuration.quarterLength)
    return staff


def _first_qpm(score: stream.Score) -> float:
    for mark in score.recurse().getElementsByClass(MetronomeMark):
        qpm = mark.getQuarterBPM()
        if qpm:
            return round(float(qpm), 2)
    return DEFAULT_QPM


def _first_key(score: stream.Score) -> Key | None:
    """The first key, where its mode is written; a key signature alone may be either."""
    signature = next(iter(score.recurse().getElementsByClass(KeySignature)), None)
    if isinstance(signature, Music21Key) and signature.mode in ("major", "minor"):
        return Key(tonic=signature.tonic.pitchClass, is_minor=signature.mode == "minor")
    return None
