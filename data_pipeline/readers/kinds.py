"""Finds the format of a piece by its first bytes, and calls the format's reader."""

import re
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import version

from musicvae.errors import MidiError

from .cache import read_through_cache
from .drum_parts import DRUM_CHANNEL, find_channel, mark_drums
from .midi_file import ParsedFile, make_pieces, parse_midi
from .musicxml import read_musicxml
from .mxl import is_score_archive
from .patterns import read_pattern
from .performance import read_performance
from .piece import ReadPiece

MIDI, MUSICXML, ABC, KERN, PATTERN = "midi", "musicxml", "abc", "kern", "h2pattern"

KINDS = (MIDI, MUSICXML, ABC, KERN, PATTERN)
"""The formats with a reader."""

READER_VERSION = 8
"""Raised when the results of the readers that use music21 change: see `cache`."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_XML = re.compile(rb"\s*<(?:\?xml|!DOCTYPE|!--|score-partwise|score-timewise|drumkit_pattern)")
_SCORE = re.compile(rb"<(?:score-partwise|score-timewise)\b|<!DOCTYPE\s+score-")
_PATTERN = re.compile(rb"<drumkit_pattern\b")
_KERN = re.compile(rb"^\*\*(?:kern|recip|text|dynam|mens)\b", re.MULTILINE)
_ABC_MARK = re.compile(rb"\s*%abc")
# The number of a tune, which is its first field, then any other field; any text may come before.
# The pattern reads each line once.
_TUNE = re.compile(rb"^X:[ \t]*\d[^\n]*\n(?:%[^\n]*\n)*[A-Za-z]:", re.MULTILINE)


def kind_of(head: bytes) -> str | None:
    """The format of a file by its first 4,096 bytes: one of `KINDS`, or None.

    The first member of a zip archive shows whether the archive is a score.
    """
    if head.startswith(b"MThd") or (head.startswith(b"RIFF") and head[8:12] == b"RMID"):
        return MIDI
    if head.startswith(b"PK"):
        return MUSICXML if is_score_archive(head) else None
    text = _as_ascii(head)
    if _XML.match(text):
        if _PATTERN.search(text):
            return PATTERN
        return MUSICXML if _SCORE.search(text) else None
    text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if _KERN.search(text):
        return KERN
    is_page = text.lstrip().startswith(b"<")  # a page that may be about tunes
    is_tune = not is_page and (_ABC_MARK.match(text) or _TUNE.search(text))
    return ABC if is_tune else None


def read_piece(
    data: bytes, kind: str, side: Mapping[str, bytes], drums: str = DRUM_CHANNEL
) -> ReadPiece:
    """Reads a piece.

    Args:
        data: Its bytes; for ABC the head of the file and one tune.
        kind: One of `KINDS`.
        side: The bytes of the files that belong to it, by what they hold: `beats`, `chords` or
            `keys`.
        drums: The parts that are drums beside those of channel 10: see `drum_parts`.

    Raises:
        MidiError, ScoreError, DataError: If it, or a file beside it, can't be read.
    """
    (piece,) = finish_pieces([parse_piece(data, kind, side, drums)])
    if isinstance(piece, MidiError):
        raise piece
    return piece


def parse_piece(
    data: bytes, kind: str, side: Mapping[str, bytes], drums: str = DRUM_CHANNEL
) -> ReadPiece | ParsedFile:
    """Does the part of `read_piece` that is done for each piece alone: of a MIDI file the parsing.

    Raises:
        MidiError, ScoreError, DataError: As `read_piece`.
    """
    if kind == MIDI and "beats" not in side:
        parsed = parse_midi(data, find_channel(drums))
        if drums == DRUM_CHANNEL:
            return parsed
        patterns = (
            pattern._replace(tracks=mark_drums(pattern.tracks, drums))
            for pattern in parsed.patterns
        )
        return parsed._replace(patterns=tuple(patterns))
    piece = _parse_other(data, kind, side)
    return piece if drums == DRUM_CHANNEL else piece._replace(parts=mark_drums(piece.parts, drums))


def _parse_other(data: bytes, kind: str, side: Mapping[str, bytes]) -> ReadPiece:
    match kind:
        case "midi":
            return read_performance(data, side)
        case "musicxml":
            return read_musicxml(data)
        case "h2pattern":
            return read_pattern(data)
        case _:
            return read_through_cache(
                data, f"{kind} {READER_VERSION} music21 {version('music21')}", _READERS[kind]
            )


def finish_pieces(parsed: Iterable[ReadPiece | ParsedFile]) -> list[ReadPiece | MidiError]:
    """Does the rest of `read_piece`, for many pieces in one go; says what is wrong with a piece."""
    parsed = list(parsed)
    made = iter(make_pieces([each for each in parsed if isinstance(each, ParsedFile)]))
    return [next(made) if isinstance(each, ParsedFile) else each for each in parsed]


# music21 takes a second to import; a process that needs none of it never pays.


def _abc_reader() -> Callable[[bytes], ReadPiece]:
    from .abc import read_abc  # noqa: PLC0415

    return read_abc


def _kern_reader() -> Callable[[bytes], ReadPiece]:
    from .kern import read_kern  # noqa: PLC0415

    return read_kern


_READERS = {"abc": _abc_reader, "kern": _kern_reader}


def _as_ascii(head: bytes) -> bytes:
    """The text with one byte a letter, whatever Unicode it is written in."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head.replace(b"\0", b"")[2:]
    return head.removeprefix(_BYTE_ORDER_MARK)
