"""An excerpt as a piano roll in SVG, and as the numbers that the page's player plays.

Conventions: chords are written over the notes that play them. Lengths are in units of the SVG; a
roll of two bars is as wide as a card of the page.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from musicvae.music.chords import QUALITIES, symbol
from musicvae.music.instruments import BASS_PROGRAMS
from musicvae.music.notes import Note, NoteSequence
from musicvae.report.roll import Rows, find_beats, find_paleness, find_rows, find_span

_GUTTER, _DRUM_GUTTER = 36.0, 78.0
"""The room for the names of the rows, on the left."""

_SHORT_WIDTH, _LONG_WIDTH, _BAR_WIDTH = 360.0, 1000.0, 88.0
SHORT_BARS = 4
"""A roll of more bars is as wide as the page."""

_KEYS_HEIGHT = 132.0
_LEAST_KEY_HEIGHT = 3.6
_DRUM_HEIGHT = 12.0
_LEAST_HIT_WIDTH, _MOST_HIT_WIDTH = 3.0, 8.0
_SYMBOL_HEIGHT, _SYMBOL_WIDTH = 16.0, 8.0
"""The height of a line of chord symbols, and the width of a character in it."""

_NUMBER_HEIGHT = 18.0
_CHORD_ROOT, _CHORD_BASS = 48, 36

_Voiced = tuple[str, Note]
"""The voice of a note, `melody`, `bass`, `chord` or `drum`, and the note."""


@dataclass(frozen=True, kw_only=True)
class Roll:
    """An excerpt to see and to hear.

    Attributes:
        svg: The picture, with a hidden cursor.
        voices: The voices that sound in it.
        playing: The values that the player needs.
    """

    svg: Markup
    voices: tuple[str, ...]
    playing: dict[str, object]


def to_roll(sequence: NoteSequence, *, qpm: float, name: str = "", first_bar: int = 1) -> Roll:
    """Draws an excerpt, and lists the notes that the player plays.

    Args:
        sequence: Its notes and its chords.
        qpm: Quarter notes a minute.
        name: The name that a screen reader says.
        first_bar: The number of its first bar.
    """
    per_quarter = sequence.steps_per_quarter
    voiced = [*_voice_notes(sequence), *_voice_chords(sequence)]
    notes = []
    for voice, note in voiced:
        start, end = find_span(note, per_quarter)
        start = max(0.0, start)
        notes.append([round(start, 4), round(end - start, 4), note.pitch, note.velocity, voice])
    return Roll(
        svg=_draw(sequence, voiced, name, first_bar),
        voices=tuple(sorted({voice for voice, _ in voiced})),
        playing={
            "qpm": round(qpm, 3),
            "quarters": round(sequence.length_steps / per_quarter, 4),
            "notes": sorted(notes),
        },
    )


def _voice_notes(sequence: NoteSequence) -> Iterator[_Voiced]:
    for note in sequence.notes:
        pitched = "bass" if note.program in BASS_PROGRAMS else "melody"
        yield "drum" if note.is_drum else pitched, note


def _voice_chords(sequence: NoteSequence) -> Iterator[_Voiced]:
    """Plays each chord in close position over its bass, until the next chord."""
    starts = [*(chord.start_step for chord in sequence.chords), sequence.length_steps]
    for chord, end in zip(sequence.chords, starts[1:], strict=True):
        if chord.root is None or end <= chord.start_step:
            continue
        bass = chord.root if chord.bass is None else chord.bass
        above = (_CHORD_ROOT + chord.root + interval for interval in QUALITIES[chord.quality])
        for pitch in (_CHORD_BASS + bass, *above):
            yield "chord", Note(chord.start_step, pitch, end)


@dataclass(frozen=True, kw_only=True)
class _Frame:
    """The geometry of a roll.

    Attributes:
        width: The width of the whole picture.
        quarters: The length of the excerpt in quarter notes.
        top: The upper edge of the rows.
        rows: The rows of keys and drums.
    """

    width: float
    quarters: float
    top: float
    rows: Rows

    @property
    def left(self) -> float:
        return _DRUM_GUTTER if self.rows.drums else _GUTTER

    @property
    def key_height(self) -> float:
        return max(_LEAST_KEY_HEIGHT, _KEYS_HEIGHT / max(1, len(self.rows.pitches)))

    @property
    def bottom(self) -> float:
        return self.y(-1)

    def x(self, quarter: float) -> float:
        return self.left + (self.width - self.left - 2) * quarter / self.quarters

    def y(self, row: int) -> float:
        """Finds the upper edge of a row."""
        drums = self.rows.first_key
        above = max(0, self.rows.count - 1 - max(row, drums - 1)) * self.key_height
        return self.top + above + max(0, drums - 1 - row) * _DRUM_HEIGHT

    def height(self, row: int) -> float:
        return _DRUM_HEIGHT if row < self.rows.first_key else self.key_height


def _draw(sequence: NoteSequence, voiced: Sequence[_Voiced], name: str, first_bar: int) -> Markup:
    quarters = sequence.length_steps / sequence.steps_per_quarter
    bars = quarters * sequence.meter.denominator / (4 * sequence.meter.numerator)
    frame = _Frame(
        width=_SHORT_WIDTH if bars <= SHORT_BARS else max(_LONG_WIDTH, _BAR_WIDTH * bars),
        quarters=quarters,
        top=2 * _SYMBOL_HEIGHT + 4 if sequence.chords else 4.0,
        rows=find_rows(note for _, note in voiced),
    )
    return Markup("").join(
        [
            Markup('<svg viewBox="0 0 {:.0f} {:.0f}" role="img"><title>{}</title>').format(
                frame.width, frame.bottom + _NUMBER_HEIGHT, f"{name}: {len(voiced)} notes"
            ),
            *_draw_rows(frame),
            *_draw_beats(sequence, frame, first_bar),
            *_draw_symbols(sequence, frame),
            *(_draw_note(voice, note, sequence.steps_per_quarter, frame) for voice, note in voiced),
            Markup(
                '<line class="cursor" data-left="{0:.1f}" data-width="{1:.1f}" x1="{0:.1f}" '
                'x2="{0:.1f}" y1="2" y2="{2:.1f}"/></svg>'
            ).format(frame.left, frame.x(quarters) - frame.left, frame.bottom),
        ]
    )


def _draw_rows(frame: _Frame) -> Iterator[Markup]:
    right = frame.x(frame.quarters)
    for row in frame.rows.shaded:
        yield Markup(
            '<rect class="black" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>'
        ).format(frame.left, frame.y(row), right - frame.left, frame.height(row))
    for row in frame.rows.ruled:
        y = frame.y(row - 1)
        yield _line("beat", frame.left, y, right, y)
    for row, name in frame.rows.names(only_c=True).items():
        middle = frame.y(row) + frame.height(row) / 2
        yield _text(frame.left - 6, middle + 4, name.removesuffix(" cymbal"), "end")


def _draw_beats(sequence: NoteSequence, frame: _Frame, first_bar: int) -> Iterator[Markup]:
    beats = find_beats(sequence, frame.quarters)
    for start in beats.starts:
        bar, beat = beats.count(start)
        x = frame.x(start)
        yield _line("beat" if beat else "bar", x, frame.top, x, frame.bottom)
        if not beat and start < frame.quarters:
            yield _text(x + 3, frame.bottom + 13, str(bar + first_bar), "start")


def _draw_symbols(sequence: NoteSequence, frame: _Frame) -> Iterator[Markup]:
    """Writes the chords in one line, and in a second line where the first has no room."""
    ends = [0.0, 0.0]
    for chord in sequence.chords:
        x = frame.x(chord.start_step / sequence.steps_per_quarter) + 2
        line = 0 if ends[0] <= x else 1
        ends[line] = x + _SYMBOL_WIDTH * (len(symbol(chord)) + 1)
        yield Markup('<text class="symbol" x="{:.1f}" y="{:.1f}">{}</text>').format(
            x, (2 - line) * _SYMBOL_HEIGHT - 2, symbol(chord)
        )


def _draw_note(voice: str, note: Note, steps_per_quarter: int, frame: _Frame) -> Markup:
    start, end = find_span(note, steps_per_quarter)
    row = frame.rows.row_of(note.pitch, is_drum=note.is_drum)
    x = frame.x(max(0.0, start))
    width = max(_LEAST_HIT_WIDTH, frame.x(end) - x - 0.8)
    if note.is_drum:
        width = min(_MOST_HIT_WIDTH, width)
    gap = min(0.4, frame.height(row) / 12)
    return Markup(
        '<rect class="note {}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="1" '
        'fill-opacity="{:.2f}"/>'
    ).format(
        voice,
        x,
        frame.y(row) + gap,
        width,
        frame.height(row) - 2 * gap,
        1 - find_paleness(note.velocity),
    )


def _line(kind: str, x1: float, y1: float, x2: float, y2: float) -> Markup:
    return Markup('<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>').format(
        kind, x1, y1, x2, y2
    )


def _text(x: float, y: float, text: str, anchor: str) -> Markup:
    return Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(
        x, y, anchor, text
    )
