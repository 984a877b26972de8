"""One excerpt as a piano roll in SVG, and as the numbers that the page's player plays.

Conventions: pitched notes stand in rows of semitones, the black keys shaded, drums in one lane a
class under them, chords as their symbols over the notes they are played with. Lengths and places
are in units of the SVG, which is as wide for two bars as a card of the page.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from musicvae.music.chords import QUALITIES, symbol
from musicvae.music.instruments import BASS_PROGRAMS, CLASS_OF_PITCH, DRUM_CLASSES
from musicvae.music.notes import DEFAULT_VELOCITY, NoteSequence
from musicvae.report.plots import BLACK_KEYS, pitch_name

_GUTTER, _DRUM_GUTTER = 36.0, 78.0
"""Room for the names of the rows on the left."""

_SHORT_WIDTH, _LONG_WIDTH, _BAR_WIDTH = 360.0, 1000.0, 88.0
SHORT_BARS = 4
"""An excerpt of more bars gets the whole width of the page."""

_PITCHED_HEIGHT = 132.0
_FEWEST_ROW_HEIGHT = 3.6
_LANE_HEIGHT = 12.0
_SYMBOL_HEIGHT, _SYMBOL_WIDTH = 16.0, 8.0
"""The height of a line of chord symbols, and the width of one character."""

_NUMBER_HEIGHT = 18.0
_FEWEST_ROWS = 13
_CHORD_ROOT, _CHORD_BASS = 48, 36


@dataclass(frozen=True, slots=True, order=True)
class Sound:
    """One note as it is drawn and played.

    Attributes:
        start: In quarter notes.
        pitch: MIDI number; of a drum, the General MIDI key of its class.
        length: In quarter notes.
        velocity: 1 to 127.
        voice: `melody`, `bass`, `chord` or `drum`.
    """

    start: float
    pitch: int
    length: float
    velocity: int
    voice: str


@dataclass(frozen=True, kw_only=True)
class Roll:
    """An excerpt to be seen and heard.

    Attributes:
        svg: The picture, with a hidden cursor.
        voices: Which voices sound in it.
        playing: What the player needs, as plain values.
    """

    svg: Markup
    voices: tuple[str, ...]
    playing: dict[str, object]


def to_roll(sequence: NoteSequence, *, qpm: float, name: str = "", first_bar: int = 1) -> Roll:
    """Draws an excerpt, and writes down how it is played.

    Args:
        sequence: Its notes, or its chords.
        qpm: Quarter notes a minute.
        name: What it is called for those who do not see it.
        first_bar: The number of its first bar.
    """
    sounds = tuple(sorted((*_notes(sequence), *_chord_notes(sequence))))
    quarters = sequence.length_steps / sequence.steps_per_quarter
    return Roll(
        svg=_draw(sequence, sounds, _frame(sequence, sounds, quarters, first_bar), name),
        voices=tuple(sorted({sound.voice for sound in sounds})),
        playing={
            "qpm": round(qpm, 3),
            "quarters": round(quarters, 4),
            "notes": [
                [round(s.start, 4), round(s.length, 4), s.pitch, s.velocity, s.voice]
                for s in sounds
            ],
        },
    )


def _notes(sequence: NoteSequence) -> Iterator[Sound]:
    per_quarter = sequence.steps_per_quarter
    for note in sequence.notes:
        start = max(0.0, note.start_step + note.offset)
        voice = "bass" if note.program in BASS_PROGRAMS else "melody"
        yield Sound(
            start=start / per_quarter,
            pitch=note.pitch,
            length=(note.end_step - start) / per_quarter,
            velocity=note.velocity,
            voice="drum" if note.is_drum else voice,
        )


def _chord_notes(sequence: NoteSequence) -> Iterator[Sound]:
    """Every chord in close position over its bass, held until the next."""
    starts = [*(chord.start_step for chord in sequence.chords), sequence.length_steps]
    for chord, end in zip(sequence.chords, starts[1:], strict=True):
        if chord.root is None or end <= chord.start_step:
            continue
        bass = chord.root if chord.bass is None else chord.bass
        pitches = [_CHORD_BASS + bass]
        pitches += [_CHORD_ROOT + chord.root + above for above in QUALITIES[chord.quality]]
        for pitch in pitches:
            yield Sound(
                start=chord.start_step / sequence.steps_per_quarter,
                pitch=pitch,
                length=(end - chord.start_step) / sequence.steps_per_quarter,
                velocity=DEFAULT_VELOCITY,
                voice="chord",
            )


@dataclass(frozen=True, kw_only=True)
class _Frame:
    """Where things stand.

    Attributes:
        width: Of the whole picture.
        quarters: The length of the excerpt.
        first_bar: The number of its first bar.
        top: Where the rows of pitches begin.
        lowest: Pitch of the lowest row.
        rows: The number of rows of pitches; 0 where there are none.
        has_drums: Whether the drums' lanes are there.
    """

    width: float
    quarters: float
    first_bar: int
    top: float
    lowest: int
    rows: int
    has_drums: bool

    @property
    def gutter(self) -> float:
        return _DRUM_GUTTER if self.has_drums else _GUTTER

    @property
    def row_height(self) -> float:
        return max(_FEWEST_ROW_HEIGHT, _PITCHED_HEIGHT / max(1, self.rows))

    @property
    def lanes_top(self) -> float:
        return self.top + (self.rows * self.row_height + 6 if self.rows else 0.0)

    @property
    def bottom(self) -> float:
        lanes = len(DRUM_CLASSES) * _LANE_HEIGHT if self.has_drums else 0.0
        return self.lanes_top + lanes

    def x(self, quarter: float) -> float:
        return self.gutter + (self.width - self.gutter - 2) * quarter / self.quarters

    def y(self, pitch: int) -> float:
        return self.top + (self.lowest + self.rows - 1 - pitch) * self.row_height

    def lane(self, drum_class: int) -> float:
        return self.lanes_top + (len(DRUM_CLASSES) - 1 - drum_class) * _LANE_HEIGHT


def _frame(
    sequence: NoteSequence, sounds: tuple[Sound, ...], quarters: float, first_bar: int
) -> _Frame:
    pitches = [sound.pitch for sound in sounds if sound.voice != "drum"]
    has_drums = any(sound.voice == "drum" for sound in sounds)
    if not sounds:
        pitches = [60, 71]
    lowest, highest = (min(pitches) - 1, max(pitches) + 1) if pitches else (0, -1)
    missing = max(0, _FEWEST_ROWS - (highest - lowest + 1)) if pitches else 0
    bars = quarters * sequence.meter.denominator / (4 * sequence.meter.numerator)
    return _Frame(
        width=_SHORT_WIDTH if bars <= SHORT_BARS else max(_LONG_WIDTH, _BAR_WIDTH * bars),
        quarters=quarters,
        first_bar=first_bar,
        top=2 * _SYMBOL_HEIGHT + 4 if sequence.chords else 4.0,
        lowest=lowest - missing // 2,
        rows=highest - lowest + 1 + missing,
        has_drums=has_drums,
    )


def _draw(sequence: NoteSequence, sounds: tuple[Sound, ...], frame: _Frame, name: str) -> Markup:
    height = frame.bottom + _NUMBER_HEIGHT
    return Markup("").join(
        [
            Markup('<svg viewBox="0 0 {:.0f} {:.0f}" role="img">').format(frame.width, height),
            Markup("<title>{}</title>").format(f"{name}: {len(sounds)} notes"),
            *_draw_rows(frame),
            *_draw_beats(sequence, frame),
            *_draw_symbols(sequence, frame),
            *(_draw_sound(sound, frame) for sound in sounds),
            Markup(
                '<line class="cursor" data-left="{0:.1f}" data-width="{1:.1f}" x1="{0:.1f}" '
                'x2="{0:.1f}" y1="2" y2="{2:.1f}"/></svg>'
            ).format(frame.x(0.0), frame.x(frame.quarters) - frame.x(0.0), frame.bottom),
        ]
    )


def _draw_rows(frame: _Frame) -> Iterator[Markup]:
    left, right = frame.gutter, frame.x(frame.quarters)
    for pitch in range(frame.lowest, frame.lowest + frame.rows):
        y, bottom = frame.y(pitch), frame.y(pitch) + frame.row_height
        if pitch % 12 in BLACK_KEYS:
            yield _rectangle("black", left, y, right - left, frame.row_height)
        elif pitch % 12 in (0, 5):  # a white key beside a white key: a line divides them
            yield _line("beat", left, bottom, right, bottom)
        if pitch % 12 == 0:
            yield _text(left - 6, (y + bottom) / 2 + 4, pitch_name(pitch), "end")
    if frame.has_drums:
        for number, drum in enumerate(DRUM_CLASSES):
            y = frame.lane(number)
            if number % 2:
                yield _rectangle("black", left, y, right - left, _LANE_HEIGHT)
            yield _text(left - 6, y + 10, drum.name.removesuffix(" cymbal"), "end")


def _draw_beats(sequence: NoteSequence, frame: _Frame) -> Iterator[Markup]:
    beat = 4 / sequence.meter.denominator
    beats = round(frame.quarters / beat)
    for number in range(beats + 1):
        bar, rest = divmod(number, sequence.meter.numerator)
        x = frame.x(min(number * beat, frame.quarters))
        yield _line("beat" if rest else "bar", x, frame.top, x, frame.bottom)
        if not rest and number < beats:
            yield _text(x + 3, frame.bottom + 13, str(bar + frame.first_bar), "start")


def _draw_symbols(sequence: NoteSequence, frame: _Frame) -> Iterator[Markup]:
    """Writes the chords in one line, and in a second one what has no room in the first."""
    ends = [0.0, 0.0]
    for chord in sequence.chords:
        x = frame.x(chord.start_step / sequence.steps_per_quarter) + 2
        line = 0 if ends[0] <= x else 1
        ends[line] = x + _SYMBOL_WIDTH * (len(symbol(chord)) + 1)
        yield Markup('<text class="symbol" x="{:.1f}" y="{:.1f}">{}</text>').format(
            x, (2 - line) * _SYMBOL_HEIGHT - 2, symbol(chord)
        )


def _draw_sound(sound: Sound, frame: _Frame) -> Markup:
    x = frame.x(sound.start)
    if sound.voice == "drum":
        y, height = frame.lane(int(CLASS_OF_PITCH[sound.pitch])), _LANE_HEIGHT
        width = max(3.0, min(8.0, frame.x(sound.length) - frame.x(0.0)))
    else:
        y, height = frame.y(sound.pitch), frame.row_height
        width = max(2.0, frame.x(sound.start + sound.length) - x)
    # A soft note is paler.
    opacity = 0.35 + 0.65 * min(1.0, sound.velocity / DEFAULT_VELOCITY)
    gap = min(0.4, height / 12)
    return Markup(
        '<rect class="note {}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="1" '
        'fill-opacity="{:.2f}"/>'
    ).format(sound.voice, x, y + gap, max(1.5, width - 0.8), height - 2 * gap, opacity)


def _rectangle(kind: str, x: float, y: float, width: float, height: float) -> Markup:
    return Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>').format(
        kind, x, y, width, height
    )


def _line(kind: str, x1: float, y1: float, x2: float, y2: float) -> Markup:
    return Markup('<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>').format(
        kind, x1, y1, x2, y2
    )


def _text(x: float, y: float, text: str, anchor: str) -> Markup:
    return Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(
        x, y, anchor, text
    )
