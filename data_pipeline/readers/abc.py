"""Reads tunes in ABC, from the tokens that music21 makes of them.

music21 would go on to make a score of the tokens, which takes twenty times as long and, for
measures of the wrong length, invents time signatures. Decisions: grace notes are left out; repeats
are not played twice, so first and second endings follow each other as they stand on the page; a
tune ends at the first empty line, as the ABC standard says. Quoted text over a note is a chord
where it can be read as one. Modes that are neither major nor minor are no key of ours.

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
from .staff import Mark, Marks, Staff, StaffNote, put_together

_STANDARD = (2, 1, 0)
"""The version of ABC that a file is read by unless it names one. music21 takes 1.3, which says
nothing of how long an accidental holds; players of such files always held it to the bar line."""

_START = re.compile(r"^X:", re.MULTILINE)
_TUNE = re.compile(r"(?:.*\n)*?K:.*\n(?:.*\S.*\n)*")
_HEAD_FIELD = re.compile(r"^(?:[ABCDFGHILMNORSUZmr]:|%).*\n", re.MULTILINE)
"""What may stand in the head of a file and hold for all its tunes; other lines are free text."""

_FIELD = re.compile(r"[A-Za-z+]:|%")
_IN_LINE = re.compile(
    r'"[^"\n]*"|![^!\n]*!|%.*|\[(?P<field>[A-Za-z]:[^\[\]\n]*)\]|x|[ZX](?P<measures>\d{0,3})'
    r"|(?P<overlay>\(&|&\)?)"
    r"|(?P<mark>y[\d/]*|[~H-Wh-w](?!:[^:|\]])"
    r"|\+(?:[<>][()]?|[.~^\d]|/+|f{1,4}|D\.[CS]\.[a-z]*|(?!z+\+)(?=[a-z]*[h-z])[a-z]+[()]?)\+)"
    r"|\+(?P<chord>(?=[^+]*[A-Ga-g])[_=^A-Ga-gz,'\d/-]+)\+"
)
"""Quoted text, a decoration, a comment, a field, an invisible rest, a rest of whole measures, a
mark, or a chord between plus signs, as before ABC 2.0. A mark is more space, a letter that stands
for a decoration and begins no field, or a decoration between plus signs, as before ABC 2.1: of
letters that a chord has, too, only the signs of loudness are one, and what has none is no chord."""

_MEASURE_REST = "z9999"
"""A rest of a length that no music has stands for one of a measure."""

_BESIDE_NOTES = re.compile(r'"[^"]*"|![^!]*!|z[\d/]*')
_NOTE = re.compile(r"[_=^]*[A-Ga-g][,']*[\d/]*-?")
"""A note within a chord, with what ties it to the next, and what else may stand there."""

_KIND = "an ABC tune"


class _Voice(NamedTuple):
    """A voice that was read: its notes, and what else it says."""

    staff: Staff
    marks: Marks


def read_abc(data: bytes) -> ReadPiece:
    """Reads one tune of an ABC file, with the file's head before it.

    Raises:
        ScoreError: If it has no key line, after which its notes would stand, or is no ABC.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    text = text.replace("\r\n", "\n").replace("\r", "\n") + "\n"
    start = _START.search(text)
    place = start.start() if start else 0
    head = "".join(_HEAD_FIELD.findall(text[:place]))
    tune = _TUNE.match(text, place)
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
    """The tune without what music21 does not know.

    It takes the field [K:D] for a chord: fields go to lines of their own. It passes over rests that
    are not printed and those of whole measures: they become others. It passes over a note behind
    the letter of a fermata, forgets an accidental behind others, and has a few, and wide spaces,
    sound: these are left out.
    """
    accidentals = Accidentals()
    lines: list[str] = []
    for line in tune.split("\n"):
        simple = line if _FIELD.match(line) else _IN_LINE.sub(_simplify_one, line)
        lines += (_write_line(each, accidentals) for each in simple.split("\n") if each)
    return "\n".join([*lines, ""])


def _write_line(line: str, accidentals: Accidentals) -> str:
    """A line as music21 reads it."""
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
    """The tokens of each voice; a tune without voices is one.

    What stands before the notes is said of all voices, and is the first of each.
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
    """What the first voice with notes says: the others repeat its meters, keys and chords.

    Chords may stand in another: in one of rests, or over the bass.
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
        # A chord is a note to music21, too.
        elif isinstance(token, abcFormat.ABCNote) and not token.inGrace:
            for symbol in token.chordSymbols:
                chord = parse_symbol(symbol.strip('"'))
                if chord is not None:
                    marks.chords.append(Mark(len(staff.lengths), now, chord))
            if token.src.endswith(_MEASURE_REST):
                meter = marks.meters[-1].value if marks.meters else Meter()
                now += Fraction(meter.quarters_per_bar)
            else:
                place = _Place(now, sum(shifts.values()), overlay)
                now += _read_note(token, staff, place, tied_on)
                tied_on = _tied_on(token)
    if now or longest:
        staff.close_measure(max(now, longest))
    return _Voice(staff, marks)


def _read_shift(token: abcFormat.ABCMetadata, name: str, shifts: dict[str, int]) -> None:
    """Takes note of how far the notes of a voice sound from where they are written."""
    if token.src.startswith(SHIFT):
        shifts["K"] = int(token.src.removeprefix(SHIFT))
    elif token.isVoice() and token.data.split()[:1] in (
        [name],
        [] if name else token.data.split()[:1],
    ):
        shifts["V"] = shift_of(token.data)


class _Place(NamedTuple):
    """Where a note stands: its time in the measure, the shift of its pitch, and the overlay."""

    onset: Fraction
    shift: int
    overlay: int


def _read_note(
    token: abcFormat.ABCNote, staff: Staff, place: _Place, tied_on: Sequence[str | None]
) -> Fraction:
    """Adds what sounds, and gives how long it lasts."""
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
                onset=place.onset,
                length=length,
                pitch=_midi_number(sounding.pitchName) + place.shift,
                line=f"overlay {place.overlay}" if place.overlay else "",
                is_tied=token.tie in ("stop", "continue") or sounding.pitchName in tied_on,
            )
            staff.add(note)
    return length


def _tied_on(token: abcFormat.ABCNote) -> list[str | None]:
    """The notes within a chord that are tied to what follows: music21 loses these ties."""
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
            marks.keys.append(Mark(measure, now, key))
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
