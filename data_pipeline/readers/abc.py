"""Reads tunes in ABC, from music21's tokens.

music21 could make a score from the tokens, but that takes twenty times as long, and music21 invents
time signatures for measures of the wrong length. Decisions: grace notes are left out; repeats are
not played twice, so first and second endings follow each other as on the page; a tune ends at the
first empty line, as the ABC standard says. Quoted text over a note is a chord if it is a chord
symbol. A mode that is neither major nor minor gives no key.

Source: The ABC music standard 2.1.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import takewhile
from typing import NamedTuple

from music21 import abcFormat, pitch
from music21.key import Key as Music21Key

from musicvae.errors import ScoreError
from musicvae.music.chords import parse_symbol
from musicvae.music.notes import Key, Meter

from .abc_fields import OVERLAY, SHIFT, Accidentals, shift_of, write_meter, write_tempo
from .music21_guard import asking_music21
from .piece import ReadPiece
from .staff import Mark, Marks, Staff, StaffNote, WrittenKey, put_together

_STANDARD = (2, 1, 0)
"""The version of ABC for files that name none. music21 would take 1.3, which does not say how long
an accidental lasts; players of such files always let it last to the bar line."""

_START = re.compile(r"^X:", re.MULTILINE)
_TUNE = re.compile(r"(?:.*\n)*?K:.*\n(?:.*\S.*\n)*")
_HEAD_FIELD = re.compile(r"^(?:[ABCDFGHILMNORSUZmr]:|%).*\n", re.MULTILINE)
"""The fields in the head of a file that count for all its tunes; other lines are free text."""

_FIELD = re.compile(r"[A-Za-z+]:|%")
_IN_LINE = re.compile(
    r'"[^"\n]*"|![^!\n]*!|%.*|\[(?P<field>[A-Za-z]:[^\[\]\n]*)\]|x|[ZX](?P<measures>\d{0,3})'
    r"|(?P<overlay>\(&|&\)?)"
    r"|(?P<mark>y[\d/]*|[~H-Wh-w](?!:[^:|\]])"
    r"|\+(?:[<>][()]?|[.~^\d]|/+|f{1,4}|D\.[CS]\.[a-z]*|(?!z+\+)(?=[a-z]*[h-z])[a-z]+[()]?)\+)"
    r"|\+(?P<chord>(?=[^+]*[A-Ga-g])[_=^A-Ga-gz,'\d/-]+)\+"
)
"""Quoted text, a decoration, a comment, a field, an invisible rest, a rest of whole measures, a
mark, or a chord between plus signs, as before ABC 2.0. A mark is extra space, a letter for a
decoration that begins no field, or a decoration between plus signs, as before ABC 2.1. Letters
between plus signs that could be notes are a decoration only if they are a sign of loudness; text
without such letters is always a decoration."""

_MEASURE_REST = "z9999"
"""A rest of an impossible length, which marks a rest of a whole measure."""

_BESIDE_NOTES = re.compile(r'"[^"]*"|![^!]*!|z[\d/]*')
_NOTE = re.compile(r"[_=^]*[A-Ga-g][,']*[\d/]*-?")
"""A note within a chord with its tie; above, the other content of a chord."""

_KIND = "an ABC tune"


class _Voice(NamedTuple):
    """A voice: its notes and its marks."""

    staff: Staff
    marks: Marks


def read_abc(data: bytes) -> ReadPiece:
    """Reads one tune of an ABC file, with the file's head before it.

    Raises:
        ScoreError: If the tune has no key line before its notes, or is no ABC.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    text = text.replace("\r\n", "\n").replace("\r", "\n") + "\n"
    start = _START.search(text)
    offset = start.start() if start else 0
    head = "".join(_HEAD_FIELD.findall(text[:offset]))
    tune = _TUNE.match(text, offset)
    if tune is None:
        raise ScoreError(
            "an ABC tune without a key",
            expected="a line that starts with K: before the notes",
            action="Add the key.",
        )
    with asking_music21(_KIND):
        tokens = abcFormat.ABCFile(abcVersion=_STANDARD).readstr(head + _simplify(tune[0])).tokens
    voices = [_read_voice(name, voice) for name, voice in _voices(tokens).items()]
    return put_together([voice.staff for voice in voices], _leading_marks(voices))


def _simplify(tune: str) -> str:
    """Rewrites the notations that music21 misreads.

    music21 reads the field [K:D] as a chord: fields go to their own lines. It ignores invisible
    rests and rests of whole measures: they become plain rests. It loses a note after the letter of
    a fermata and an accidental after a decoration, and plays some decorations and wide spaces as
    notes: decorations and wide spaces are removed.
    """
    accidentals = Accidentals()
    lines: list[str] = []
    for line in tune.split("\n"):
        simple = line if _FIELD.match(line) else _IN_LINE.sub(_simplify_one, line)
        lines += (_write_line(each, accidentals) for each in simple.split("\n") if each)
    return "\n".join([*lines, ""])


def _write_line(line: str, accidentals: Accidentals) -> str:
    """Rewrites a line for music21."""
    match line[:2]:
        case "K:":
            return accidentals.write_key(line[2:])
        case "M:":
            return write_meter(line[2:])
        case "Q:":
            return write_tempo(line[2:])
    return line if _FIELD.match(line) else accidentals.write_notes(line)


def _simplify_one(found: re.Match[str]) -> str:
    if found["field"]:
        return f"\n{found['field']}\n"
    if found["overlay"]:
        if found["overlay"] != "&":
            raise ScoreError(
                "an overlay of several measures in an ABC tune",
                expected="overlays of one measure, with & alone",
                action="Write a second voice instead.",
            )
        return f"\n{OVERLAY}\n"
    if found["mark"]:
        return ""
    if found["chord"]:
        return f"[{found['chord']}]"
    if found["measures"] is not None:
        return "|".join([_MEASURE_REST] * int(found["measures"] or 1))
    return "z" if found[0] == "x" else found[0]


def _voices(tokens: list[abcFormat.ABCToken]) -> dict[str, list[abcFormat.ABCToken]]:
    """The tokens of each voice; a tune without voices has one.

    The tokens before the first notes belong to all voices, and begin each voice.
    """
    voices: dict[str, list[abcFormat.ABCToken]] = {}
    name = ""
    is_head = True
    for token in tokens:
        if isinstance(token, abcFormat.ABCMetadata):
            is_head = is_head and not token.isKey()
            if token.isVoice() and not is_head:
                name = token.data.split()[0] if token.data.split() else ""
        if name not in voices:
            voices[name] = list(takewhile(_is_field, voices.get("", [])))
        voices[name].append(token)
    return voices


def _is_field(token: abcFormat.ABCToken) -> bool:
    return isinstance(token, abcFormat.ABCMetadata)


def _leading_marks(voices: Sequence[_Voice]) -> Marks:
    """The marks of the first voice with notes: later voices repeat its meters and keys.

    Chords may be in another voice: in a voice of rests, or over the bass.
    """
    leader = next((voice for voice in voices if voice.staff.notes), voices[0]).marks
    chords = (voice.marks.chords for voice in voices if voice.marks.chords)
    return leader if leader.chords else replace(leader, chords=next(chords, []))


def _read_voice(name: str, tokens: list[abcFormat.ABCToken]) -> _Voice:
    staff, marks = Staff(name), Marks.empty()
    now = longest = Fraction(0)
    overlay = 0
    shifts = {"K": 0, "V": 0}
    tied_on: list[str | None] = []
    for token in tokens:
        if isinstance(token, abcFormat.ABCBar) and (now or longest):
            staff.close_measure(max(now, longest))
            now = longest = Fraction(0)
            overlay = 0
        elif isinstance(token, abcFormat.ABCMetadata) and token.src.strip() == OVERLAY:
            longest, now = max(now, longest), Fraction(0)
            overlay += 1
        elif isinstance(token, abcFormat.ABCMetadata):
            _read_shift(token, name, shifts)
            _read_field(token, marks, len(staff.lengths), now, sum(shifts.values()))
        # In music21 a chord is a note, too.
        elif isinstance(token, abcFormat.ABCNote) and not token.inGrace:
            for symbol in token.chordSymbols:
                chord = parse_symbol(symbol.strip('"'))
                if chord is not None:
                    marks.chords.append(Mark(len(staff.lengths), now, chord))
            if token.src.endswith(_MEASURE_REST):
                meter = marks.meters[-1].value if marks.meters else Meter()
                now += Fraction(meter.quarters_per_bar)
            else:
                position = _Position(now, sum(shifts.values()), overlay)
                now += _read_note(token, staff, position, tied_on)
                tied_on = _tied_on(token)
    if now or longest:
        staff.close_measure(max(now, longest))
    return _Voice(staff, marks)


def _read_shift(token: abcFormat.ABCMetadata, name: str, shifts: dict[str, int]) -> None:
    """Notes the distance between written and sounding pitch in a voice."""
    if token.src.startswith(SHIFT):
        shifts["K"] = int(token.src.removeprefix(SHIFT))
    elif token.isVoice() and token.data.split()[:1] in (
        [name],
        [] if name else token.data.split()[:1],
    ):
        shifts["V"] = shift_of(token.data)


class _Position(NamedTuple):
    """The position of a note: its time in the measure, the shift of its pitch, and the overlay."""

    onset: Fraction
    shift: int
    overlay: int


def _read_note(
    token: abcFormat.ABCNote, staff: Staff, position: _Position, tied_on: Sequence[str | None]
) -> Fraction:
    """Adds a token's notes, and returns its length."""
    with asking_music21(_KIND):
        length = Fraction(token.quarterLength)
        if token.activeTuplet is not None:
            length *= Fraction(token.activeTuplet.tupletMultiplier())
    # Triplets of quarter notes are in thirds; a float from music21 may be a hair off.
    length = length.limit_denominator(1024)
    for sounding in getattr(token, "subTokens", (token,)):
        if sounding.pitchName is not None:
            note = StaffNote(
                measure=len(staff.lengths),
                onset=position.onset,
                length=length,
                pitch=_midi_number(sounding.pitchName) + position.shift,
                line=f"overlay {position.overlay}" if position.overlay else "",
                is_tied=token.tie in ("stop", "continue") or sounding.pitchName in tied_on,
            )
            staff.add(note)
    return length


def _tied_on(token: abcFormat.ABCNote) -> list[str | None]:
    """The notes within a chord that are tied to the next note: music21 loses these ties."""
    if not isinstance(token, abcFormat.ABCChord):
        return []
    written = _NOTE.findall(_BESIDE_NOTES.sub("", token.src))
    notes = [
        note
        for note in token.subTokens
        if isinstance(note, abcFormat.ABCNote) and note.pitchName is not None
    ]
    if len(written) != len(notes):
        return []
    return [note.pitchName for note, text in zip(notes, written, strict=True) if text.endswith("-")]


def _read_field(
    token: abcFormat.ABCMetadata, marks: Marks, measure: int, now: Fraction, shift: int
) -> None:
    if token.isMeter():
        with asking_music21(_KIND):
            numbers = token.getTimeSignatureParameters()
        if numbers:
            marks.meters.append(Mark(measure, now, _meter(numbers[0], numbers[1])))
    elif token.isKey():
        with asking_music21(_KIND):
            signature = token.getKeySignatureObject()
        if isinstance(signature, Music21Key) and signature.mode in ("major", "minor"):
            key = Key((signature.tonic.pitchClass + shift) % 12, signature.mode == "minor")
            marks.keys.append(Mark(measure, now, WrittenKey(key)))
    elif token.isTempo():
        with asking_music21(_KIND):
            found = token.getMetronomeMarkObject()
            qpm = float((found and found.getQuarterBPM()) or 0)
        if 1 <= qpm <= 1000:
            marks.tempos.append(Mark(measure, now, round(qpm, 2)))


@cache
def _midi_number(name: str) -> int:
    with asking_music21(_KIND):
        return int(pitch.Pitch(name).midi)


def _meter(numerator: int, denominator: int) -> Meter:
    if not 1 <= numerator <= 255 or denominator not in (1, 2, 4, 8, 16, 32, 64):
        raise ScoreError(
            f"the meter {numerator}/{denominator}",
            expected="a meter such as 4/4 or 6/8",
            action="Mend the line that starts with M:.",
        )
    return Meter(numerator, denominator)
