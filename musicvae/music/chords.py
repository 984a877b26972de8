"""Chords as values (a root, a quality and a bass), and chord symbols.

Conventions: a root and a bass are pitch classes (0 for C to 11 for B); a quality is a name of
`QUALITIES`, which gives its intervals in semitones above the root. Where there is no chord the root
is None and the quality `NO_QUALITY`.

Symbols are read in both notations of corpora: lead sheets (`Bbm7b5/Ab`) and Harte
(`A#:hdim7/b7`), where the bass is an interval above the root. A chord outside `QUALITIES` is read
as the nearest quality: extensions (9, 11, 13) count as their seventh, added notes are ignored, an
altered fifth counts only where a quality has it, and the triad matters more than the seventh
(`Cmaj7#5` is augmented).

Source: Harte et al. 2005, Symbolic Representation of Musical Chords: A Proposed Syntax for Text
Annotations, for the colon form.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

QUALITIES: dict[str, tuple[int, ...]] = {
    "maj": (0, 4, 7),
    "min": (0, 3, 7),
    "dim": (0, 3, 6),
    "aug": (0, 4, 8),
    "sus2": (0, 2, 7),
    "sus4": (0, 5, 7),
    "5": (0, 7),
    "6": (0, 4, 7, 9),
    "min6": (0, 3, 7, 9),
    "7": (0, 4, 7, 10),
    "maj7": (0, 4, 7, 11),
    "min7": (0, 3, 7, 10),
    "minmaj7": (0, 3, 7, 11),
    "dim7": (0, 3, 6, 9),
    "hdim7": (0, 3, 6, 10),
    "aug7": (0, 4, 8, 10),
    "7sus4": (0, 5, 7, 10),
}
"""The intervals of every quality."""

MOST_CHORDS = 4_096
"""The limit of chords in one piece: a chord a bar for two hours in 4/4 at 120 a minute."""

NO_QUALITY = "none"
"""The quality where there is no chord."""

_INDICES = {quality: index for index, quality in enumerate(QUALITIES)}


@dataclass(frozen=True, slots=True, order=True)
class Chord:
    """One chord on the step grid; it lasts until the next chord.

    Attributes:
        start_step: The step at which the chord starts, 0 or more.
        root: Pitch class, 0 to 11; None where there is no chord.
        quality: A name of `QUALITIES`; `none` where there is no chord.
        bass: Pitch class of the lowest note where it is not the root; None otherwise.
    """

    start_step: int
    root: int | None = None
    quality: str = NO_QUALITY
    bass: int | None = None

    def __post_init__(self) -> None:
        assert self.start_step >= 0, self.start_step
        _check(self)


@dataclass(frozen=True, slots=True)
class ParsedChord:
    """The content of a chord symbol: a `Chord` without its step."""

    root: int | None = None
    quality: str = NO_QUALITY
    bass: int | None = None

    def __post_init__(self) -> None:
        _check(self)


def _check(chord: Chord | ParsedChord) -> None:
    if chord.root is None:
        assert chord.quality == NO_QUALITY and chord.bass is None, chord
    else:
        assert 0 <= chord.root < 12 and chord.quality in QUALITIES, chord
        assert chord.bass is None or (0 <= chord.bass < 12 and chord.bass != chord.root), chord


def quality_index(quality: str) -> int:
    """The index of a quality in `QUALITIES`; -1 for `none`."""
    return -1 if quality == NO_QUALITY else _INDICES[quality]


def transpose(chord: Chord, semitones: int) -> Chord:
    """Moves a chord up by `semitones`."""
    if chord.root is None:
        return chord
    bass = None if chord.bass is None else (chord.bass + semitones) % 12
    return Chord(chord.start_step, (chord.root + semitones) % 12, chord.quality, bass)


# Symbols

NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")

_SUFFIXES = {
    "maj": "", "min": "m", "dim": "dim", "aug": "aug", "sus2": "sus2", "sus4": "sus4", "5": "5",
    "6": "6", "min6": "m6", "7": "7", "maj7": "maj7", "min7": "m7", "minmaj7": "m(maj7)",
    "dim7": "dim7", "hdim7": "m7b5", "aug7": "aug7", "7sus4": "7sus4", NO_QUALITY: "",
}  # fmt: skip


def symbol(chord: Chord | ParsedChord, names: Sequence[str] = NAMES) -> str:
    """Writes a chord as on a lead sheet; `parse_symbol` reads it back.

    Args:
        chord: The chord.
        names: The name of each pitch class, see `musicvae.music.spelling.spell`.

    >>> symbol(ParsedChord(10, "hdim7", 8))
    'Bbm7b5/Ab'
    """
    if chord.root is None:
        return "N.C."
    bass = "" if chord.bass is None else f"/{names[chord.bass]}"
    return f"{names[chord.root]}{_SUFFIXES[chord.quality]}{bass}"


@lru_cache(maxsize=4096)  # a corpus repeats few symbols
def parse_symbol(text: str) -> ParsedChord | None:
    """Reads a chord symbol, as on a lead sheet or in Harte's notation.

    Returns:
        The chord, without a root for `N.C.`, `N` and alike; None if the text is no known symbol.

    >>> parse_symbol("C#m7b5/G")
    ParsedChord(root=1, quality='hdim7', bass=7)
    >>> parse_symbol("A:min7/b3")
    ParsedChord(root=9, quality='min7', bass=0)
    """
    text = text.strip().translate(_SIGNS)
    if text.casefold() in _NO_CHORDS:
        return ParsedChord()
    for form in (_SHEET, _HARTE):
        found = form.fullmatch(text)
        notes = found and _read_kind(found["kind"] or "")
        if found and notes:
            root = _pitch_class(found["root"])
            if degrees := found.groupdict().get("degrees"):
                _add_degrees(notes, degrees, is_complete=not found["kind"])
            bass = _read_bass(root, found["bass"])
            return ParsedChord(root, _nearest_quality(notes), None if bass == root else bass)
    return None


_SIGNS = str.maketrans(
    {"♯": "#", "♭": "b", "°": "o", "º": "o", "ø": "h", "Ø": "h", "Δ": "^", "∆": "^", "△": "^",
     "\N{MINUS SIGN}": "-", "\N{EN DASH}": "-", " ": None}
)  # fmt: skip

_NO_CHORDS = frozenset({"n", "nc", "n.c.", "n.c", "none", "tacet"})

_LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_SCALE = (0, 2, 4, 5, 7, 9, 11)

_SHEET = re.compile(
    r"(?P<root>[A-G][#b]{0,2})(?P<kind>[^/:]*(?:6/9[^/:]*)?)(?:/(?P<bass>[A-Ga-g][#b]{0,2}))?"
)
_HARTE = re.compile(
    r"(?P<root>[A-G][#b]*)(?::(?P<kind>[^/(]*)(?:\((?P<degrees>[^/]*)\))?)?"
    r"(?:/(?P<bass>[#b]*(?:[1-9]|1[0-3])|[A-G][#b]*))?"
)
_DEGREE = re.compile(r"(?P<omitted>\*?)(?P<signs>[#b]*)(?P<number>1[0-3]|[1-9])")

_CHANGES: tuple[tuple[str, dict[str, int | None]], ...] = (
    (r"(?:no|omit)3(?:rd)?|power", {"third": None}),
    (r"(?:no|omit)(?:1|5(?:th)?|7)", {}),
    (r"h(?:alf)?-?(?:dim(?:inished)?)?7?", {"third": 3, "fifth": 6, "seventh": 10}),
    (r"(?:\^|[Mm]aj(?:or)?|MAJ|ma|Ma|M|j)(?:7|9|11|13)|\^", {"seventh": 11}),
    (r"[Mm]aj(?:or)?|MAJ|ma(?!dd)|Ma|M(?![Ii])|j", {}),
    # A plus or minus right after the root names a triad, unless a 5 follows.
    (r"(?:#|\+|(?<=.)\+)5", {"fifth": 8}),
    (r"(?:b|-|(?<=.)dim)5", {"fifth": 6}),
    (r"(?:#|(?<=.)\+)7", {"seventh": 11}),
    (r"(?:b|(?<=.)-)7", {"seventh": 10}),
    (r"(?:#|b|(?<=.)[+-])(?:4|6|9|10|11|13)", {}),
    (r"minor|[Mm]in?|MIN|m|-", {"third": 3}),
    (r"(?:dim(?:inished)?|o)(?:7|9|11|13)", {"third": 3, "fifth": 6, "seventh": 9}),
    (r"dim(?:inished)?|o", {"third": 3, "fifth": 6}),
    (r"aug(?:mented)?|\+", {"fifth": 8}),
    (r"[Ss]us2", {"suspended": 2}),
    (r"[Ss]us[49]?", {"suspended": 5}),
    (r"add6", {"sixth": 9}),
    (r"add[#b]?(?:2|4|9|11|13)", {}),
    (r"6/9|69|6", {"sixth": 9}),
    (r"7|9|11|13|alt", {"seventh": 10}),
    (r"5", {"third": None}),
    (r"2", {"suspended": 2}),
    (r"4", {"suspended": 5}),
    (r"dom(?:inant)?|[(),]", {}),
)
"""Patterns of the text between root and bass on a lead sheet, with the intervals above the root
that each sets; the first pattern that matches counts."""

_TOKEN = re.compile("|".join(f"({pattern})" for pattern, _ in _CHANGES))
"""Matches any pattern of `_CHANGES`; the number of the group is the index plus 1."""


def _read_kind(text: str) -> dict[str, int | None] | None:
    """The intervals of a kind of chord; None if a part of the text matches no pattern."""
    notes: dict[str, int | None] = {"third": 4, "fifth": 7}
    if text == "1":  # in Harte's notation the root alone
        return notes | {"third": None}
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None or found.lastindex is None:
            return None
        at = found.end()
        changes = _CHANGES[found.lastindex - 1][1]
        # The first seventh stays: in maj7(9) the 9 sets no other seventh.
        notes.update(changes if "seventh" not in notes else changes | {"seventh": notes["seventh"]})
    return notes


def _add_degrees(notes: dict[str, int | None], text: str, *, is_complete: bool) -> None:
    """Adds (or omits, after a star) the degrees of Harte's list, such as `b7` and `*5`.

    Args:
        notes: The intervals of the shorthand before the list; changed here.
        text: The list without its parentheses.
        is_complete: Whether the list stands alone; then the chord has a third only if listed.
    """
    if is_complete:
        notes["third"] = None
    for found in _DEGREE.finditer(text):
        number = int(found["number"])
        interval = _interval(found["signs"], number)
        if found["omitted"]:
            notes.update({3: {"third": None}, 7: {"seventh": None}}.get(number, {}))
        elif number in (2, 4) and notes["third"] is None:
            notes["suspended"] = interval
        elif (number, interval) in _LISTED:
            notes[_LISTED[number, interval]] = interval


_LISTED = {
    **dict.fromkeys([(3, 3), (3, 4)], "third"),
    **dict.fromkeys([(5, 6), (5, 7), (5, 8)], "fifth"),
    **dict.fromkeys([(7, 9), (7, 10), (7, 11)], "seventh"),
    (6, 9): "sixth",
}
"""The degrees and intervals that make a difference between qualities."""

_TRIADS = {
    (4, 7): "maj", (4, 6): "maj", (4, 8): "aug", (3, 7): "min", (3, 8): "min", (3, 6): "dim"
}  # fmt: skip

_SEVENTHS = {
    ("maj", 9): "6", ("maj", 10): "7", ("maj", 11): "maj7",
    ("min", 9): "min6", ("min", 10): "min7", ("min", 11): "minmaj7",
    ("dim", 9): "dim7", ("dim", 10): "hdim7", ("aug", 10): "aug7",
}  # fmt: skip


def _nearest_quality(notes: dict[str, int | None]) -> str:
    """The quality with the most of these notes and no other notes; the triad comes first."""
    third, fifth = notes["third"], notes["fifth"]
    seventh = notes.get("seventh") or notes.get("sixth")
    if suspended := notes.get("suspended"):
        return "sus2" if suspended == 2 else "7sus4" if seventh == 10 else "sus4"
    if third is None or fifth is None:
        return "5"
    triad = _TRIADS[third, fifth]
    return triad if seventh is None else _SEVENTHS.get((triad, seventh), triad)


def _read_bass(root: int, text: str | None) -> int:
    if text is None:
        return root
    if not text[-1].isdigit():
        return _pitch_class(text)
    found = _DEGREE.fullmatch(text)
    assert found is not None, text
    return (root + _interval(found["signs"], int(found["number"]))) % 12


def _interval(signs: str, degree: int) -> int:
    """The semitones of a degree of the major scale, 1 to 13, above the root."""
    octaves, place = divmod(degree - 1, 7)
    return 12 * octaves + _SCALE[place] + _accidentals(signs)


def _pitch_class(name: str) -> int:
    return (_LETTERS[name[0].upper()] + _accidentals(name[1:])) % 12


def _accidentals(signs: str) -> int:
    return signs.count("#") - signs.count("b")


QUALITY_OF_KIND: dict[str, str] = (
    {
        "major": "maj",
        "minor": "min",
        "augmented": "aug",
        "diminished": "dim",
        "power": "5",
        "pedal": "5",
        "suspended-second": "sus2",
        "suspended-fourth": "sus4",
        "suspended-fourth-seventh": "7sus4",
        "major-sixth": "6",
        "minor-sixth": "min6",
        "seventh-flat-five": "7",
        "half-diminished": "hdim7",
        "half-diminished-minor-ninth": "hdim7",
        "diminished-minor-ninth": "dim7",
        "none": NO_QUALITY,
    }
    | {
        f"{family}-{size}": quality
        for family, quality in {
            "dominant": "7",
            "major": "maj7",
            "minor": "min7",
            "diminished": "dim7",
            "augmented": "aug7",
            "augmented-dominant": "aug7",
            "augmented-major": "aug",
            "half-diminished": "hdim7",
            "minor-major": "minmaj7",
            "major-minor": "minmaj7",
        }.items()
        for size in ("seventh", "ninth", "11th", "13th")
    }
    | {"dominant": "7", "major-minor": "minmaj7"}
)
"""The quality of each kind of chord in MusicXML and music21.

Kinds that are no chord on a root (Neapolitan, Italian, French, German, Tristan, other) are not
listed. A pedal has no third.
"""
