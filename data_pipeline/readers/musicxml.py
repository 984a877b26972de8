"""Reads scores in MusicXML.

music21 reads MusicXML too, but takes seconds; this reader, which needs only the notes and their
times, takes hundredths of a second. Decisions: each voice of each staff is a part; pitches are
sounding pitches, not the written pitches of a transposing instrument; grace and cue notes are left
out; repeats are not played twice, so first and second endings follow each other as on the page.
Meters and keys come from the first staff that has any. The mode of a key signature counts as known
only where it is minor: many programs write none, or write major for every signature.

Source: MusicXML 4.0, W3C Community Group.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from xml.etree import ElementTree as ET

from musicvae.errors import ScoreError
from musicvae.music.chords import NO_QUALITY, QUALITY_OF_KIND, ParsedChord
from musicvae.music.midi.remarks import Remarks
from musicvae.music.notes import Key, Meter

from .mxl import decompress
from .piece import ReadPiece
from .staff import Mark, Marks, Staff, StaffNote, WrittenKey, put_together
from .xml import parse_xml

_PITCH_CLASSES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_DENOMINATORS = (1, 2, 4, 8, 16, 32, 64)
_BEAT_UNITS = {
    "whole": Fraction(4),
    "half": Fraction(2),
    "quarter": Fraction(1),
    "eighth": Fraction(1, 2),
    "16th": Fraction(1, 4),
}
_DRUM_CHANNEL = 10
_LONGEST = 1_000_000
"""The limit of a position in quarter notes, far beyond the limit for a piece."""


def read_musicxml(data: bytes) -> ReadPiece:
    """Reads a MusicXML file, compressed or not, by parts or by measures.

    Raises:
        ScoreError: If the file is no MusicXML, is damaged, or grows too large.
    """
    if data.startswith(b"PK"):
        data = decompress(data)
    root = parse_xml(data, kind="a MusicXML file")
    if root.tag not in ("score-partwise", "score-timewise"):
        raise _damaged(f"a root named {root.tag}")
    instruments = {
        element.get("id", ""): element for element in root.iterfind("part-list/score-part")
    }
    marks, remarks = Marks.empty(), Remarks()
    players = []
    for part_id, measures in _parts(root):
        player = _Player(part_id, instruments.get(part_id), marks, remarks)
        for measure in measures:
            player.read_measure(measure)
        players.append(player)
    staves = [staff for player in players for staff in player.staves]
    return put_together(staves, marks)._replace(remarks=remarks.all())


def _parts(root: ET.Element) -> Iterator[tuple[str, list[ET.Element]]]:
    """The measures of each part."""
    if root.tag == "score-partwise":
        for part in root.iterfind("part"):
            yield part.get("id", ""), part.findall("measure")
        return
    parts: dict[str, list[ET.Element]] = {}
    for measure in root.iterfind("measure"):
        for part in measure.iterfind("part"):
            parts.setdefault(part.get("id", ""), []).append(part)
    yield from parts.items()


@dataclass(frozen=True, slots=True)
class _Drum:
    """The General MIDI key of an instrument without pitch."""

    key: int


class _Player:
    """Reads one `<part>` of the score, from left to right."""

    def __init__(
        self, part_id: str, element: ET.Element | None, marks: Marks, remarks: Remarks
    ) -> None:
        self._marks = marks
        self._remarks = remarks
        self._is_leader = not marks.meters
        self._measure = 0
        self._now = self._end = self._onset = Fraction(0)
        self._divisions = Fraction(1)
        self._transposition = 0
        self._drums: dict[str, _Drum] = {}
        name, program, channel = part_id, 0, 0
        if element is not None:
            name = (element.findtext("part-name") or "").strip()
            program = _whole(element.findtext("midi-instrument/midi-program"), 1) - 1
            channel = _whole(element.findtext("midi-instrument/midi-channel"), 0)
            for instrument in element.iterfind("midi-instrument"):
                key = _whole(instrument.findtext("midi-unpitched"), 0) - 1
                if key >= 0:
                    self._drums[instrument.get("id", "")] = _Drum(key)
        is_drum = channel == _DRUM_CHANNEL
        program = 0 if is_drum else min(max(program, 0), 127)
        self._pitched = Staff(name, program=program, is_drum=is_drum)
        self._unpitched = Staff(name, is_drum=True)
        self.staves = (self._pitched, self._unpitched)

    def read_measure(self, measure: ET.Element) -> None:
        """Reads the next measure."""
        self._now = self._end = self._onset = Fraction(0)
        for element in measure:
            read = _READERS.get(element.tag)
            if read is not None:
                read(self, element)
                if abs(self._now) > _LONGEST:
                    raise _damaged("a measure without end")
        for staff in self.staves:
            staff.close_measure(self._end)
        self._measure += 1

    def read_note(self, note: ET.Element) -> None:
        if note.find("grace") is not None:
            return
        length = self._duration(note)
        if note.find("chord") is None:
            self._onset = self._now
            self._move(length)
        if note.find("rest") is not None or note.find("cue") is not None:
            return
        staff, pitch = self._pitched, self._pitch(note)
        staff_number, voice = note.findtext("staff") or "1", note.findtext("voice") or "1"
        if pitch is None:
            instrument = note.find("instrument")
            drum = self._drums.get("" if instrument is None else instrument.get("id", ""))
            if drum is None and instrument is None and len(self._drums) == 1:
                (drum,) = self._drums.values()
            if drum is None:
                found = f"part {self._unpitched.name!r}, measure {self._measure + 1}"
                self._remarks.add("note_without_instrument", found)
                return
            staff, pitch = self._unpitched, drum.key
        staff.add(
            StaffNote(
                measure=self._measure,
                onset=self._onset,
                length=length,
                pitch=pitch,
                is_tied=any(tie.get("type") == "stop" for tie in note.iterfind("tie")),
                line=f"staff {staff_number}, voice {voice}",
            )
        )

    def read_backup(self, element: ET.Element) -> None:
        self._now = max(self._now - self._duration(element), Fraction(0))

    def read_forward(self, element: ET.Element) -> None:
        self._move(self._duration(element))

    def read_attributes(self, element: ET.Element) -> None:
        divisions = element.findtext("divisions")
        if divisions is not None:
            self._divisions = _fraction(divisions)
            if self._divisions <= 0:
                raise _damaged(f"{divisions} divisions a quarter note")
        transpose = element.find("transpose")
        if transpose is not None:
            octaves = _whole(transpose.findtext("octave-change"), 0)
            self._transposition = _whole(transpose.findtext("chromatic"), 0) + 12 * octaves
        if not self._is_leader:
            return
        for time in element.iterfind("time"):
            if (meter := _meter(time)) is not None:
                self._marks.meters.append(Mark(self._measure, self._now, meter))
        key = element.find("key")
        fifths = None if key is None else key.findtext("fifths")
        if key is not None and fifths is not None:
            is_minor = (key.findtext("mode") or "").strip() == "minor"
            tonic = (7 * _whole(fifths, 0) - 3 * is_minor + self._transposition) % 12
            written = WrittenKey(Key(tonic, is_minor), has_mode=is_minor)
            self._marks.keys.append(Mark(self._measure, self._now, written))

    def read_direction(self, element: ET.Element) -> None:
        """Reads a tempo: the sound's, else the written tempo."""
        sound = element if element.tag == "sound" else element.find("sound")
        text = None if sound is None else sound.get("tempo")
        qpm = _fraction(text) if text else Fraction(0)
        if not qpm:
            for metronome in element.iterfind("direction-type/metronome"):
                unit = _BEAT_UNITS.get((metronome.findtext("beat-unit") or "").strip())
                number = re.search(r"\d{1,4}(?:\.\d{1,4})?", metronome.findtext("per-minute") or "")
                if unit and number:
                    dots = Fraction(3, 2) if metronome.find("beat-unit-dot") is not None else 1
                    qpm = Fraction(number[0]) * unit * dots
        if 1 <= qpm <= 1000:
            self._marks.tempos.append(Mark(self._measure, self._now, round(float(qpm), 2)))

    def read_harmony(self, element: ET.Element) -> None:
        chord = _chord(element)
        if chord is not None:
            offset = _fraction(element.findtext("offset") or "0") / self._divisions
            when = max(self._now + offset, Fraction(0))
            self._marks.chords.append(Mark(self._measure, when, chord))

    def _move(self, length: Fraction) -> None:
        self._now += length
        self._end = max(self._end, self._now)

    def _duration(self, element: ET.Element) -> Fraction:
        length = _fraction(element.findtext("duration") or "0") / self._divisions
        if length < 0:
            raise _damaged("a duration below 0")
        # Triplets are whole numbers of divisions: a finer duration is no music.
        return length.limit_denominator(1024)

    def _pitch(self, note: ET.Element) -> int | None:
        pitch = note.find("pitch")
        if pitch is None:
            return None
        step, octave = (pitch.findtext("step") or "").strip(), _whole(pitch.findtext("octave"), 4)
        if step not in _PITCH_CLASSES:
            raise _damaged(f"a pitch named {step!r}")
        alter = round(_fraction(pitch.findtext("alter") or "0"))
        return 12 * (octave + 1) + _PITCH_CLASSES[step] + alter + self._transposition


_READERS = {
    "note": _Player.read_note,
    "backup": _Player.read_backup,
    "forward": _Player.read_forward,
    "attributes": _Player.read_attributes,
    "direction": _Player.read_direction,
    "sound": _Player.read_direction,
    "harmony": _Player.read_harmony,
}


def _meter(time: ET.Element) -> Meter | None:
    """The meter, or None if it is invalid: `3+2` over 8 is 5/8, and 2/4 + 3/8 is 7/8."""
    total = Fraction(0)
    finest = 1
    pairs = zip(time.iterfind("beats"), time.iterfind("beat-type"), strict=False)
    for beats, beat_type in pairs:
        count = sum(_whole(beat, 0) for beat in (beats.text or "").split("+"))
        unit = _whole(beat_type.text, 0)
        if unit not in _DENOMINATORS or count < 1:
            return None
        total += Fraction(count, unit)
        finest = max(finest, unit)
    numerator = int(total * finest)
    return Meter(numerator, finest) if 1 <= numerator <= 255 else None


def _chord(harmony: ET.Element) -> ParsedChord | None:
    kind = (harmony.findtext("kind") or "").strip()
    quality = QUALITY_OF_KIND.get(kind)
    root = _named(harmony, "root")
    if quality == NO_QUALITY:
        return ParsedChord()
    if quality is None or root is None:
        return None
    bass = _named(harmony, "bass")
    return ParsedChord(root, quality, None if bass == root else bass)


def _named(harmony: ET.Element, name: str) -> int | None:
    """The pitch class of a chord's root or bass."""
    step = (harmony.findtext(f"{name}/{name}-step") or "").strip()
    if step not in _PITCH_CLASSES:
        return None
    alter = round(_fraction(harmony.findtext(f"{name}/{name}-alter") or "0"))
    return (_PITCH_CLASSES[step] + alter) % 12


def _fraction(text: str) -> Fraction:
    text = text.strip()
    # Fraction would read 1e999999999 too, and never end.
    if re.fullmatch(r"[+-]?\d{1,9}(?:\.\d{0,9})?|[+-]?\.\d{1,9}", text) is None:
        raise _damaged(f"the number {text[:20]!r}")
    return Fraction(text)


def _whole(text: str | None, default: int) -> int:
    return default if text is None or not text.strip() else round(_fraction(text))


def _damaged(found: str) -> ScoreError:
    return ScoreError(
        f"a damaged MusicXML file ({found})",
        expected="MusicXML with score-partwise or score-timewise as its root",
        action="Export the score again.",
    )
