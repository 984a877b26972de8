"""Reads tunes in ABC, from the tokens that music21 makes of them.

music21 would go on to make a score of the tokens, which takes twenty times as long and, for
measures of the wrong length, invents time signatures. Decisions: grace notes and chord symbols are
left out; repeats are not played twice, so first and second endings follow each other as they stand
on the page; a tune ends at the first empty line, as the ABC standard says.

Source: The ABC music standard 2.1.
"""

import re
from fractions import Fraction
from functools import cache

from music21 import abcFormat, pitch
from music21.key import Key as Music21Key

from musicvae.errors import ScoreError
from musicvae.notes import DEFAULT_QPM, Key, Meter

from .parts import Part, ReadPiece
from .staff import Staff

_STANDARD = (2, 1, 0)
"""The version of ABC that a file is read by unless it names one. music21 takes 1.3, which says
nothing of how long an accidental holds; players of such files always held it to the bar line."""

_HEAD_AND_TUNE = re.compile(r"(?:.*\n)*?K:.*\n(?:.*\S.*\n)*")


def read_abc(data: bytes) -> ReadPiece:
    """Reads one tune of an ABC file.

    Raises:
        ScoreError: If it has no key line, after which its notes would stand, or is no ABC.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    tune = _HEAD_AND_TUNE.match(text.replace("\r\n", "\n").replace("\r", "\n") + "\n")
    if tune is None:
        raise ScoreError(
            "an ABC tune without a key",
            expected="a line that starts with K: before the notes",
            action="Add the key.",
        )
    tokens = abcFormat.ABCFile(abcVersion=_STANDARD).readstr(tune[0]).tokens
    meters: dict[Meter, None] = {}
    key: Key | None = None
    qpm = DEFAULT_QPM
    for token in tokens:
        if not isinstance(token, abcFormat.ABCMetadata):
            continue
        if token.isMeter() and (numbers := token.getTimeSignatureParameters()):
            meters[_meter(numbers[0], numbers[1])] = None
        elif token.isKey() and key is None:
            key = _key(token)
        elif token.isTempo() and (mark := token.getMetronomeMarkObject()):
            qpm = round(float(mark.getQuarterBPM() or qpm), 2)
    parts = (
        _read_voice(name, voice, next(iter(meters), Meter()), qpm, key)
        for name, voice in _voices(tokens).items()
    )
    return ReadPiece(parts=tuple(part for part in parts if part), meters=tuple(meters))


def _voices(tokens: list[abcFormat.ABCToken]) -> dict[str, list[abcFormat.ABCToken]]:
    """The tokens of each voice; a tune without voices is one."""
    voices: dict[str, list[abcFormat.ABCToken]] = {}
    name = ""
    for token in tokens:
        if isinstance(token, abcFormat.ABCMetadata) and token.isVoice():
            name = token.data.split()[0] if token.data.split() else ""
        voices.setdefault(name, []).append(token)
    return voices


def _read_voice(
    name: str, tokens: list[abcFormat.ABCToken], meter: Meter, qpm: float, key: Key | None
) -> Part | None:
    staff = Staff()
    now = Fraction(0)
    for token in tokens:
        if isinstance(token, abcFormat.ABCBar) and now:
            staff.close_measure(now)
            now = Fraction(0)
        # A chord is a note to music21, too.
        if not isinstance(token, abcFormat.ABCNote) or token.inGrace:
            continue
        length = Fraction(token.quarterLength)
        if token.activeTuplet is not None:
            length *= Fraction(token.activeTuplet.tupletMultiplier())
        length = length.limit_denominator(1024)
        is_tied = token.tie in ("stop", "continue")
        for sounding in getattr(token, "subTokens", (token,)):
            if sounding.pitchName is not None:
                staff.add(_midi_number(sounding.pitchName), now, length, is_tied=is_tied)
        now += length
    if now:
        staff.close_measure(now)
    return staff.part(name=name, meter=meter, qpm=qpm, key=key)


@cache
def _midi_number(name: str) -> int:
    return int(pitch.Pitch(name).midi)


def _meter(numerator: int, denominator: int) -> Meter:
    if not 1 <= numerator <= 255 or denominator not in (1, 2, 4, 8, 16, 32, 64):
        raise ScoreError(
            f"the meter {numerator}/{denominator}",
            expected="a meter such as 4/4 or 6/8",
            action="Mend the line that starts with M:.",
        )
    return Meter(numerator, denominator)


def _key(token: abcFormat.ABCMetadata) -> Key | None:
    """The key, where it is major or minor; other modes are none of our two."""
    signature = token.getKeySignatureObject()
    if isinstance(signature, Music21Key) and signature.mode in ("major", "minor"):
        return Key(tonic=signature.tonic.pitchClass, is_minor=signature.mode == "minor")
    return None
