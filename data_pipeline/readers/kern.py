"""Reads scores in Humdrum's **kern through music21.

Decisions: each spine is a part; the sections of a file follow each other; grace notes are left out;
repeats are not played twice; notes without a pitch are left out; a key without a mode is no key.
"""

from collections.abc import Iterable
from fractions import Fraction

from music21 import harmony, note, stream
from music21.humdrum.spineParser import HumdrumDataCollection
from music21.key import Key as Music21Key
from music21.meter import TimeSignature
from music21.tempo import MetronomeMark

from musicvae.music.notes import Key, Meter

from .music21_guard import asking_music21
from .piece import ReadPiece
from .staff import Mark, Marks, Staff, StaffNote, WrittenKey, put_together

_KIND = "a kern score"
_DENOMINATORS = (1, 2, 4, 8, 16, 32, 64)


def read_kern(data: bytes) -> ReadPiece:
    """Reads a kern file.

    Raises:
        ScoreError: If music21 can't read the file.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    with asking_music21(_KIND):
        parsed = HumdrumDataCollection(text).parse()
        # A mass has one section after the other, each with its own spines.
        scores = [parsed] if isinstance(parsed, stream.Score) else list(parsed.scores)
        sections = [list(score.getElementsByClass(stream.Part)) for score in scores]
    marks = Marks.empty()
    staves: list[Staff] = []
    for section in sections:
        first = max((len(staff.lengths) for staff in staves), default=0)
        staves += [
            _read_part(part, Marks.empty() if index else marks, first)
            for index, part in enumerate(section)
        ]
    return put_together(staves, marks)


def _read_part(part: stream.Part, marks: Marks, first: int) -> Staff:
    """Reads a spine, whose first measure has the number `first`."""
    staff = Staff(part.partName or "")
    for _ in range(first):
        staff.close_measure(Fraction(0))
    measures: Iterable[stream.Measure] = part.getElementsByClass(stream.Measure)
    for number, measure in enumerate(measures, first):
        with asking_music21(_KIND):
            elements = list(measure.flatten())
            length = _exact(measure.highestTime)
        for element in elements:
            _read_mark(element, marks, number)
            if not isinstance(element, note.GeneralNote) or isinstance(element, harmony.Harmony):
                continue
            if element.duration.isGrace:
                continue
            for sounding in getattr(element, "notes", (element,)):
                if isinstance(sounding, note.Note):
                    tie = sounding.tie.type if sounding.tie else None
                    staff.add(
                        StaffNote(
                            measure=number,
                            onset=_exact(element.offset),
                            length=_exact(element.quarterLength),
                            pitch=sounding.pitch.midi,
                            is_tied=tie in ("stop", "continue"),
                        )
                    )
        staff.close_measure(length)
    return staff


def _read_mark(element: object, marks: Marks, number: int) -> None:
    if isinstance(element, TimeSignature):
        numerator, denominator = element.numerator, element.denominator
        if 1 <= numerator <= 255 and denominator in _DENOMINATORS:
            meter = Meter(numerator, denominator)
            marks.meters.append(Mark(number, _exact(element.offset), meter))
    elif isinstance(element, Music21Key) and element.mode in ("major", "minor"):
        key = Key(element.tonic.pitchClass, element.mode == "minor")
        marks.keys.append(Mark(number, _exact(element.offset), WrittenKey(key)))
    elif isinstance(element, MetronomeMark):
        qpm = float(element.getQuarterBPM() or 0)
        if 1 <= qpm <= 1000:
            marks.tempos.append(Mark(number, _exact(element.offset), round(qpm, 2)))


def _exact(quarters: Fraction | float) -> Fraction:
    return Fraction(quarters).limit_denominator(1024)
