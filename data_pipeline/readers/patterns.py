"""Reads drum-machine patterns of Hydrogen (.h2pattern).

Conventions of the format: a quarter note has 48 positions; `size` is the length of the pattern;
`leadlag` moves a hit early (below 0) or late by up to five positions; velocity is 0 to 1. The
drum kit GMRockKit numbers its instruments; `type` names them.

Decisions: a pattern is a loop, and is read as the loop played twice, so that the music over its end
is included. Three quarter notes with hits on every third 16th rather than on every fourth are not
3/4, but the four beats of a shuffle with a cell for each triplet: they are read as 4/4 in triplets.

Source: Hydrogen's manual and its sources, `src/core/Basics/Pattern.cpp`, `Note.h`.
"""

import math
from dataclasses import dataclass
from xml.etree import ElementTree as ET

import numpy as np

from musicvae.errors import ScoreError
from musicvae.music.bars import MeterChange
from musicvae.music.notes import Meter

from .piece import Part, ReadPiece
from .xml import parse_xml

TURNS = 2
"""The number of times that the loop is played."""

_POSITIONS_PER_QUARTER = 48
_MOST_LEAD_LAG = 5
"""Positions by which a hit of lead-lag 1 is late."""

_SHORTEST_SIZE, _LONGEST_SIZE = 12, 48 * 64
_TRIPLET_BAR = 3 * _POSITIONS_PER_QUARTER

DRUM_KEYS = {
    "Kick": 36, "Stick": 37, "Snare": 38, "Hand Clap": 39, "Snare Rimshot": 40, "Tom Floor": 41,
    "Hi-hat Closed": 42, "Tom Low": 45, "Hi-hat Pedal": 44, "Tom Mid": 47, "Hi-hat Open": 46,
    "Cowbell": 56, "Ride Bow": 51, "Crash": 49, "Ride 2": 59, "Splash": 55,
    "Hi-hat Semi-Open": 46, "Ride Bell": 53,
}  # fmt: skip
"""The General MIDI key of each type of instrument, in the order of GMRockKit's numbers."""

_KIT = tuple(DRUM_KEYS.values())


@dataclass(frozen=True, slots=True)
class _Hit:
    position: float
    key: int
    velocity: int


def read_pattern(data: bytes) -> ReadPiece:
    """Reads one pattern.

    Raises:
        ScoreError: If the pattern is damaged, or its size is impossible.
    """
    root = parse_xml(data, kind="a Hydrogen pattern")
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    pattern = root.find("pattern")
    if pattern is None:
        raise _damaged("no pattern in it")
    size = int(_number(pattern, "size", 4.0 * _POSITIONS_PER_QUARTER))
    if not _SHORTEST_SIZE <= size <= _LONGEST_SIZE:
        raise _damaged(f"a size of {size}")
    hits = [hit for note in pattern.iter("note") if (hit := _read_hit(note, size))]
    scale, meter = _measure(size, hits)
    length = size * scale
    part = _make_part(pattern.findtext("name") or "", hits, scale, length)
    return ReadPiece(
        parts=(part,) if part else (),
        bar_lines=_bar_lines(length, meter) if part and meter else np.zeros(0),
        meters=(MeterChange(0, meter),) if part and meter else (),
        style=_style(pattern),
        missing_meter="" if meter or not part else f"a pattern of {size} positions",
    )


def _read_hit(note: ET.Element, size: int) -> _Hit | None:
    position = _number(note, "position", -1.0)
    if not 0 <= position < size or (note.findtext("note_off") or "").strip() == "true":
        return None
    name = (note.findtext("type") or "").strip()
    number = int(_number(note, "instrument", -1.0))
    key = DRUM_KEYS.get(name)
    if key is None:
        if not 0 <= number < len(_KIT):
            raise _damaged(f"the instrument {number} ({name or 'of no type'})")
        key = _KIT[number]
    late = min(max(_number(note, "leadlag", 0.0), -1.0), 1.0) * _MOST_LEAD_LAG
    velocity = round(127 * _number(note, "velocity", 0.8))
    return _Hit(position + late, key, min(max(velocity, 1), 127))


def _measure(size: int, hits: list[_Hit]) -> tuple[float, Meter | None]:
    """Quarter notes a position, and the meter; None if a bar is no whole number of 16ths."""
    if size == _TRIPLET_BAR:
        on_thirds = sum(hit.position in (36, 108) for hit in hits)
        on_fourths = sum(hit.position in (48, 96) for hit in hits)
        if on_thirds > on_fourths:
            return 4 / size, Meter(4, 4)
    quarters, rest = divmod(size, _POSITIONS_PER_QUARTER)
    if not rest:
        # Several bars of 4/4 in one pattern.
        return 1 / _POSITIONS_PER_QUARTER, Meter(4 if quarters % 4 == 0 else quarters, 4)
    sixteenths, rest = divmod(size, _POSITIONS_PER_QUARTER // 4)
    if rest:
        return 1 / _POSITIONS_PER_QUARTER, None
    is_eighths = sixteenths % 2 == 0
    meter = Meter(sixteenths // 2, 8) if is_eighths else Meter(sixteenths, 16)
    return 1 / _POSITIONS_PER_QUARTER, meter


def _make_part(name: str, hits: list[_Hit], scale: float, length: float) -> Part | None:
    if not hits:
        return None
    rows = {(hit.position * scale, hit.key): hit.velocity for hit in hits}
    onsets, keys = (np.tile(column, TURNS) for column in zip(*rows, strict=True))
    velocities = np.tile(list(rows.values()), TURNS)
    # An early hit on the first beat comes before the bar line, except at the start.
    onsets = np.maximum(onsets + np.repeat(np.arange(TURNS), len(rows)) * length, 0.0)
    order = np.lexsort((keys, onsets))
    return Part(
        name=name,
        is_drum=True,
        onsets=onsets[order],
        ends=onsets[order] + 0.25,
        pitches=keys[order].astype(np.int16),
        velocities=velocities[order].astype(np.int16),
    )


def _bar_lines(length: float, meter: Meter) -> np.ndarray:
    bar = 4 * meter.numerator / meter.denominator
    return np.arange(round(TURNS * length / bar) + 1) * bar


def _style(pattern: ET.Element) -> str:
    """The first tag or category, before any name of the collection."""
    tags = [(tag.text or "").strip() for tag in pattern.iter("tag")]
    words = [*tags, (pattern.findtext("category") or "").strip()]
    return next((word for word in words if word and word != "not_categorized"), "").lower()


def _number(element: ET.Element, name: str, default: float) -> float:
    text = element.findtext(name)
    if text is None:
        return default
    try:
        found = float(text)
    except ValueError as error:
        raise _damaged(f"{name}={text!r}") from error
    if not math.isfinite(found) or abs(found) > 1e9:
        raise _damaged(f"{name}={text!r}")
    return found


def _damaged(found: str) -> ScoreError:
    return ScoreError(
        f"a damaged drum pattern ({found})",
        expected="a pattern that Hydrogen wrote",
        action="Save the pattern again.",
    )
