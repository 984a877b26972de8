"""Keys, scales and ranges of pitches as text: `Em`, `G dorian`, `C D E G A`, `C3-C5`."""

import re
from dataclasses import dataclass

from musicvae.errors import SettingError
from musicvae.music.notes import Key

SCALES = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "ionian": (0, 2, 4, 5, 7, 9, 11),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "aeolian": (0, 2, 3, 5, 7, 8, 10),
    "locrian": (0, 1, 3, 5, 6, 8, 10),
    "harmonic minor": (0, 2, 3, 5, 7, 8, 11),
    "melodic minor": (0, 2, 3, 5, 7, 9, 11),
    "major pentatonic": (0, 2, 4, 7, 9),
    "minor pentatonic": (0, 3, 5, 7, 10),
    "blues": (0, 3, 5, 6, 7, 10),
    "whole tone": (0, 2, 4, 6, 8, 10),
    "chromatic": tuple(range(12)),
}
"""The pitch classes of each scale above its tonic. A minor scale is the natural one."""

KEY_STEPS = {False: SCALES["major"], True: (*SCALES["minor"], 11)}
"""The pitch classes of a key above its tonic, by whether it is minor: the major scale, or natural
minor with the leading note."""

MOST_CHARACTERS = 60

_LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_SIGNS = {"": 0, "#": 1, "♯": 1, "b": -1, "♭": -1}
_NAME = r"([A-Ga-g])([#♯b♭]?)"
_KEY = re.compile(rf"{_NAME}\s*(m|(?i:min|minor|maj|major)|)")
_SCALE = re.compile(rf"{_NAME}\s+([A-Za-z ]+)")
_PITCH = re.compile(rf"{_NAME}(-?\d{{1,2}})")
_MIDDLE_C_OCTAVE = 4


@dataclass(frozen=True, slots=True)
class Scale:
    """A set of pitch classes.

    Attributes:
        pitch_classes: At least one, 0 to 11.
        key: The key that is nearest: its tonic is the scale's, and its third. None for pitch
            classes without a tonic.
    """

    pitch_classes: frozenset[int]
    key: Key | None = None


def scale_of_key(key: Key) -> Scale:
    """The pitch classes of a key, see `KEY_STEPS`."""
    return Scale(frozenset((key.tonic + step) % 12 for step in KEY_STEPS[key.is_minor]), key)


def parse_key(text: str) -> Key:
    """Reads a key, such as `G`, `Em`, `F# minor` or `Bb major`.

    Raises:
        SettingError: If the text is no key.

    >>> parse_key("Bbm")
    Key(tonic=10, is_minor=True)
    """
    found = _KEY.fullmatch(text.strip())
    if found is None:
        raise SettingError(
            f"the key {text[:MOST_CHARACTERS]!r}",
            expected="a tonic, with m or minor for a minor key",
            action="Write it like G, Em, F# minor or Bb major.",
            field="key",
        )
    letter, sign, mode = found.groups()
    return Key(_pitch_class(letter, sign), mode.lower() in ("m", "min", "minor"))


def parse_scale(text: str) -> Scale:
    """Reads a scale by its name, such as `G dorian`, or pitch classes, such as `C D E G A`.

    Raises:
        SettingError: If the text is no scale.

    >>> sorted(parse_scale("A minor pentatonic").pitch_classes)
    [0, 2, 4, 7, 9]
    >>> sorted(parse_scale("C Eb G").pitch_classes)
    [0, 3, 7]
    """
    names = text.strip().split()
    notes = [re.fullmatch(_NAME, name) for name in names]
    if names and len(text) <= MOST_CHARACTERS and all(notes):
        return Scale(frozenset(_pitch_class(*note.groups()) for note in notes if note))
    found = _SCALE.fullmatch(" ".join(names))
    if found is None or found[3].lower() not in SCALES:
        raise SettingError(
            f"the scale {text[:MOST_CHARACTERS]!r}",
            expected=f"a tonic and one of {', '.join(SCALES)}; or pitch classes",
            action='Write it like "G dorian" or "C D E G A".',
            field="scale",
        )
    tonic, steps = _pitch_class(found[1], found[2]), SCALES[found[3].lower()]
    is_minor = 3 in steps and 4 not in steps
    return Scale(frozenset((tonic + step) % 12 for step in steps), Key(tonic, is_minor))


def parse_range(text: str) -> tuple[int, int]:
    """Reads the lowest and the highest pitch, such as `C3-C5`; C4 is middle C, MIDI number 60.

    Raises:
        SettingError: If the text is no range, or its ends are the wrong way round.

    >>> parse_range("C3-C5")
    (48, 72)
    """
    found = re.fullmatch(rf"({_PITCH.pattern})\s*-\s*({_PITCH.pattern})", text.strip())
    ends = [_PITCH.fullmatch(found[i]) for i in (1, 5)] if found else []
    pitches = [
        12 * (int(end[3]) - _MIDDLE_C_OCTAVE) + 60 + _LETTERS[end[1].upper()] + _SIGNS[end[2]]
        for end in ends
        if end
    ]
    if len(pitches) != 2 or not 0 <= pitches[0] <= pitches[1] <= 127:
        raise SettingError(
            f"the range {text[:MOST_CHARACTERS]!r}",
            expected="the lowest and the highest pitch, between C-1 and G9",
            action="Write it like C3-C5; C4 is middle C.",
            field="range",
        )
    return pitches[0], pitches[1]


def _pitch_class(letter: str, sign: str) -> int:
    return (_LETTERS[letter.upper()] + _SIGNS[sign]) % 12
