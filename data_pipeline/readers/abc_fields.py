"""Reads the fields of ABC that music21 misreads, and rewrites them for music21.

Decisions: a field that music21 reads rightly stays as it is. A key with explicit accidentals is
written as a key without accidentals, and `Accidentals` puts the accidentals before the notes. A
mode that is neither major nor minor has no `Key`: it is written as the dorian mode of its
signature. The semitones by which the notes sound higher go to an extra field, `SHIFT`.

Source: The ABC music standard 2.1, sections 3.1.6, 3.1.8, 3.1.14, 4.6 and 7.
"""

import re
from fractions import Fraction

from musicvae.errors import ScoreError

SHIFT = "N:musicvae-shift="
OVERLAY = "N:musicvae-overlay"
"""Fields of our own: semitones from written to sounding notes; the start of an overlay."""

_FIFTHS = {letter: index - 1 for index, letter in enumerate("FCGDAEB")}
_MODES = {
    "maj": 0,
    "ion": 0,
    "": 0,
    "min": -3,
    "aeo": -3,
    "m": -3,
    "mix": -1,
    "dor": -2,
    "phr": -4,
    "loc": -5,
    "lyd": 1,
}
"""The distance in fifths from the major key's signature up to the signature of each mode."""

_PLAIN_KEY = re.compile(
    r"\s*[A-G][#b]?\s*(?:(?:maj|min|ion|aeo|mix|dor|phr|lyd)[a-z]*|m)?\s*(?:%.*)?", re.IGNORECASE
)
_KEY = re.compile(
    r"\s*(?P<tonic>[A-G])(?P<sign>[#b]?)\s*"
    r"(?P<mode>(?:[Mm][Aa][Jj]|[Mm][Ii][Nn]|[Ii][Oo][Nn]|[Aa][Ee][Oo]|[Mm][Ii][Xx]|[Dd][Oo][Rr]"
    r"|[Pp][Hh][Rr]|[Ll][Yy][Dd]|[Ll][Oo][Cc]|[Ee][Xx][Pp])[A-Za-z]*|m)?(?![A-Za-z])"
)
_UNKNOWN_MODE = re.compile(r"\s*[A-G][#b]?\s*[A-Za-z]+(?!\s*=)(?![A-Za-z])")
_ADDED = re.compile(r"(?<![^\s])(__|_|=|\^\^|\^)([A-Ga-g])(?![A-Za-z])")
_SHIFTS = re.compile(r"\b(transpose|octave|shift|score|sound)\s*=\s*(\S+)")
_NOTE = re.compile(r'"[^"]*"|![^!]*!|(?P<sign>[_=^]*)(?P<note>[A-Ga-g])|(?P<bar>\|)')


def shift_of(text: str) -> int:
    """The semitones by which a key or voice field has its notes sound higher.

    Raises:
        ScoreError: If the field moves notes in an unsupported way.
    """
    shift = 0
    for name, value in _SHIFTS.findall(text):
        if name not in ("transpose", "octave") or not re.fullmatch(r"[+-]?\d{1,2}", value):
            raise _not_read(f"{name}={value}", "transpose=NUMBER or octave=NUMBER")
        shift += int(value) * (12 if name == "octave" else 1)
    return shift


class Accidentals:
    """The accidentals of a signature that music21 can't write, while a tune is read."""

    def __init__(self) -> None:
        self._signs: dict[str, str] = {}
        self._written: set[str] = set()

    def write_key(self, text: str) -> str:
        """Rewrites a key field for music21, with a field for a shift."""
        self._signs = {}
        self._written.clear()
        if _PLAIN_KEY.fullmatch(text):
            return f"K:{text}"
        text = text.partition("%")[0]
        shift = shift_of(text)
        shifted = f"{SHIFT}{shift}\n" if shift else ""
        if text.strip().startswith(("HP", "Hp")):
            signs = {"F": "^", "C": "^"} if text.strip().startswith("Hp") else {}
            return shifted + self._write_signs(signs)
        key = _KEY.match(text)
        if key is None and _UNKNOWN_MODE.match(text):
            raise _not_read(
                f"the key {text.strip()}", "a key with a mode of ABC, such as Bm or B mix"
            )
        mode = (key["mode"] or "").lower()[:3] if key else "exp"
        added = {letter.upper(): sign for sign, letter in _ADDED.findall(text)}
        if key is None or mode == "exp":
            return shifted + self._write_signs(added)
        sharps = _FIFTHS[key["tonic"]] + 7 * {"#": 1, "b": -1, "": 0}[key["sign"]] + _MODES[mode]
        if not -7 <= sharps <= 7:
            raise _not_read(f"the key {text.strip()}", "a key of up to seven sharps or flats")
        if not added and mode != "loc":
            return f"{shifted}K:{key[0].strip()}"
        order = "FCGDAEB"
        signs = dict.fromkeys(order[:sharps], "^") if sharps > 0 else {}
        signs |= dict.fromkeys(order[sharps:], "_") if sharps < 0 else {}
        signs |= added
        sharpened = {letter: sign for letter, sign in signs.items() if sign != "="}
        return shifted + self._write_signs(sharpened)

    def _write_signs(self, signs: dict[str, str]) -> str:
        order = "FCGDAEB"
        count = len(signs)
        if signs == dict.fromkeys(order[:count], "^"):
            return f"K:{_dorian(count)}"
        if signs == dict.fromkeys(order[7 - count :], "_"):
            return f"K:{_dorian(-count)}"
        self._signs = signs
        return f"K:{_dorian(0)}"

    def write_notes(self, line: str) -> str:
        """A line of music with the accidentals of its signature."""
        return _NOTE.sub(self._write_note, line) if self._signs else line

    def _write_note(self, found: re.Match[str]) -> str:
        if found["bar"]:
            self._written.clear()
        if not found["note"]:
            return found[0]
        letter = found["note"].upper()
        if found["sign"]:
            self._written.add(letter)
        elif letter not in self._written:
            return self._signs.get(letter, "") + found[0]
        return found[0]


def _dorian(sharps: int) -> str:
    fifths = sharps + 2
    letter = "FCGDAEB"[(fifths + 1) % 7]
    sign = {-1: "b", 0: "", 1: "#"}[(fifths + 1) // 7]
    return f"{letter}{sign}dor"


def write_meter(text: str) -> str:
    """Rewrites a meter field for music21: a sum becomes one meter.

    Raises:
        ScoreError: If a sum can't be read.

    >>> write_meter("2+3/8"), write_meter("(3+3+2)/8"), write_meter("2/4+3/8")
    ('M:5/8', 'M:8/8', 'M:7/8')
    """
    if "+" not in text:
        return f"M:{text}"
    plain = re.sub(r"[\s()]", "", text.partition("%")[0])
    if not re.fullmatch(r"(?:\d{1,3}(?:/\d{1,2})?\+)+\d{1,3}/\d{1,2}", plain):
        raise _not_read(f"the meter {text.strip()}", "a meter such as 4/4, 6/8 or 2+3/8")
    beats, total, finest = 0, Fraction(0), 1
    for term in plain.split("+"):
        count, _, unit = term.partition("/")
        beats += int(count)
        if unit:
            if int(unit) == 0:
                raise _not_read(f"the meter {text.strip()}", "a meter such as 4/4, 6/8 or 2+3/8")
            total += Fraction(beats, int(unit))
            beats, finest = 0, max(finest, int(unit))
    return f"M:{total * finest}/{finest}"


def write_tempo(text: str) -> str:
    """Rewrites a tempo field for music21: without spaces, and with one length.

    >>> write_tempo("1/4 = 120"), write_tempo("1/4 1/8 = 40"), write_tempo('"Allegro" 1/4=120')
    ('Q:1/4=120', 'Q:3/8=40', 'Q:"Allegro" 1/4=120')
    """
    found = re.match(r'((?:"[^"]*")?\s*)(\d+/\d+(?:\s+\d+/\d+)*)\s*=\s*(\d+)', text)
    if found is None or "/0" in found[2]:
        return f"Q:{text}"
    length = sum(map(Fraction, found[2].split()), Fraction(0))
    return f"Q:{found[1]}{length.numerator}/{length.denominator}={found[3]}{text[found.end() :]}"


def _not_read(found: str, expected: str) -> ScoreError:
    return ScoreError(
        f"an ABC field that is not read ({found})",
        expected=expected,
        action="Write it so, or leave the tune out.",
    )
