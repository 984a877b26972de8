"""A melody as one event a step: the representation of the paper's melody models.

Conventions: an event is an integer below 90. 0 holds what is (a note that sounds goes on, silence
stays silent), 1 stops the note that sounds, 2 to 89 start the pitches 21 to 108 (the piano's 88
keys), which ends the note before. A tensor is `(step, 1)`: a melody is one stream.

Every tensor of events below 90 is a legal melody. A legal excerpt is one that `check` passes:
monophonic, on the grid, in range, of the right meter and length, with velocity
`DEFAULT_VELOCITY`, program 0 and no drums; for those `to_notes(to_tensor(x)) == x`, up to the
tempo and key, which a tensor does not hold.

Source: Roberts et al. 2018, A Hierarchical Latent Vector Model for Learning Long-Term Structure in
Music, section 5.1. Magenta numbers the events alike. Unlike Magenta we refuse what does not fit
with a named cause instead of returning nothing.
"""

from dataclasses import asdict, dataclass, replace

import numpy as np
from jaxtyping import Bool, Int, Int16

from musicvae.errors import RepresentationError, SettingError
from musicvae.notes import DEFAULT_VELOCITY, STEPS_PER_QUARTER, Meter, Note, NoteSequence

HOLD = 0
STOP = 1
FIRST_PITCH_EVENT = 2
LOWEST_PITCH = 21
HIGHEST_PITCH = 108

MOST_OFFSET_STEPS = 0.25
"""An onset further from the grid than this is refused: triplets stand a third of a step off or
more, and human timing at a steady tempo seldom reaches a quarter of a step."""


@dataclass(frozen=True, kw_only=True)
class Melody:
    """The melody representation for excerpts of `bars` bars in one `meter`.

    Raises:
        SettingError: If `bars` is below 1 or the meter's bar is no whole number of steps.
    """

    bars: int = 2
    meter: Meter = Meter()

    def __post_init__(self) -> None:
        if self.bars < 1:
            raise SettingError(
                f"bars={self.bars}",
                expected="1 or more",
                action="Give the number of bars of one excerpt, such as 2.",
                field="bars",
            )
        if self.meter.steps_per_bar(STEPS_PER_QUARTER) is None:
            raise SettingError(
                f"meter {self.meter}",
                expected=f"a meter whose bar is a whole number of {STEPS_PER_QUARTER * 4}th notes",
                action="Choose a meter such as 4/4, 3/4 or 6/8.",
                field="meter",
            )

    @property
    def name(self) -> str:
        return "melody"

    @property
    def vocabulary_sizes(self) -> tuple[int, ...]:
        """The number of events of each stream: one stream of 90."""
        return (FIRST_PITCH_EVENT + HIGHEST_PITCH - LOWEST_PITCH + 1,)

    @property
    def steps_per_bar(self) -> int:
        steps = self.meter.steps_per_bar(STEPS_PER_QUARTER)
        assert steps is not None
        return steps

    @property
    def length_steps(self) -> int:
        return self.bars * self.steps_per_bar

    def config(self) -> dict[str, object]:
        """What `representation_from_config` needs to make this again, as plain values."""
        return {"name": self.name, **asdict(self)}

    def check(self, excerpt: NoteSequence) -> RepresentationError | None:
        """The reason why an excerpt can't be held, or None if it can."""
        for cause, find in _FINDERS.items():
            if found := find(self, excerpt):
                expected, action = _ADVICE[cause]
                expected = expected.format(meter=self.meter)
                return RepresentationError(found, cause=cause, expected=expected, action=action)
        return None

    def to_tensor(self, excerpt: NoteSequence) -> Int16[np.ndarray, "step stream"]:
        """Writes an excerpt as events. Loudness and program are not kept.

        Raises:
            RepresentationError: If the excerpt can't be held; its `cause` is one of `off_grid`,
                `polyphonic`, `out_of_range`, `wrong_meter`, `wrong_length`, `wrong_resolution`
                and `drums`.
        """
        if error := self.check(excerpt):
            raise error
        events = np.full((self.length_steps, 1), HOLD, dtype=np.int16)
        for note in excerpt.notes:
            if note.end_step < self.length_steps:
                events[note.end_step, 0] = STOP
        for note in excerpt.notes:
            events[note.start_step, 0] = note.pitch - LOWEST_PITCH + FIRST_PITCH_EVENT
        return events

    def to_notes(self, events: Int[np.ndarray, "step stream"]) -> NoteSequence:
        """Reads events as an excerpt; any tensor of events below 90 is one."""
        notes: list[Note] = []
        onset: tuple[int, int] | None = None
        for step, event in enumerate([*events[:, 0].tolist(), STOP]):
            if event == HOLD:
                continue
            if onset is not None:
                notes.append(Note(start_step=onset[0], pitch=onset[1], end_step=step))
            onset = None if event == STOP else (step, event - FIRST_PITCH_EVENT + LOWEST_PITCH)
        return NoteSequence(notes=tuple(notes), length_steps=len(events), meter=self.meter)

    def is_onset(
        self, events: Int[np.ndarray, "batch step stream"]
    ) -> Bool[np.ndarray, "batch step stream"]:
        """Where a note starts."""
        return events >= FIRST_PITCH_EVENT

    def transpose(
        self, events: Int16[np.ndarray, "batch step stream"], semitones: Int[np.ndarray, " batch"]
    ) -> Int16[np.ndarray, "batch step stream"]:
        """Moves each excerpt by its own interval; one that would leave the range stays as it is."""
        is_pitch = events >= FIRST_PITCH_EVENT
        moved = np.where(is_pitch, events + semitones[:, None, None].astype(np.int16), events)
        is_legal = (moved >= FIRST_PITCH_EVENT) & (moved < self.vocabulary_sizes[0])
        fits = np.all(is_legal | ~is_pitch, axis=(1, 2), keepdims=True)
        return np.where(fits, moved, events)


def top_line(sequence: NoteSequence) -> NoteSequence:
    """Reduces any music to a melody: at every step the highest note, without drums.

    Onsets stay as far off the grid as they were: `on_grid` moves them. A note that starts below one
    that still sounds is left out; a note that starts above one cuts it short. Pitches outside the
    piano's 88 keys move by octaves.
    """
    line: list[Note] = []
    for note in sorted(sequence.notes, key=lambda note: (note.start_step, -note.pitch)):
        if note.is_drum:
            continue
        if line and note.start_step < line[-1].end_step:
            if note.start_step == line[-1].start_step or note.pitch < line[-1].pitch:
                continue
            line[-1] = replace(line[-1], end_step=note.start_step)
        line.append(replace(note, velocity=DEFAULT_VELOCITY, program=0))
    return replace(sequence, notes=tuple(replace(n, pitch=_fold(n.pitch)) for n in line))


def on_grid(sequence: NoteSequence) -> NoteSequence:
    """Moves every onset to the step it is nearest to; triplets become the rhythm next to them."""
    return replace(sequence, notes=tuple(replace(note, offset=0.0) for note in sequence.notes))


def _fold(pitch: int) -> int:
    while pitch < LOWEST_PITCH:
        pitch += 12
    while pitch > HIGHEST_PITCH:
        pitch -= 12
    return pitch


def _find_drums(_: Melody, excerpt: NoteSequence) -> str | None:
    return "a drum track" if any(note.is_drum for note in excerpt.notes) else None


def _find_resolution(_: Melody, excerpt: NoteSequence) -> str | None:
    if excerpt.steps_per_quarter == STEPS_PER_QUARTER:
        return None
    return f"a grid of {excerpt.steps_per_quarter} steps a quarter note"


def _find_meter(melody: Melody, excerpt: NoteSequence) -> str | None:
    return None if excerpt.meter == melody.meter else f"the meter {excerpt.meter}"


def _find_length(melody: Melody, excerpt: NoteSequence) -> str | None:
    if excerpt.length_steps == melody.length_steps:
        return None
    return f"{excerpt.length_steps} steps where {melody.bars} bars have {melody.length_steps}"


def _find_offset(_: Melody, excerpt: NoteSequence) -> str | None:
    for note in excerpt.notes:
        if abs(note.offset) > MOST_OFFSET_STEPS:
            return f"an onset {note.offset:+.2f} steps off the grid at step {note.start_step}"
    return None


def _find_polyphony(_: Melody, excerpt: NoteSequence) -> str | None:
    for earlier, later in zip(excerpt.notes, excerpt.notes[1:], strict=False):
        if later.start_step < earlier.end_step:
            return f"pitches {earlier.pitch} and {later.pitch} together at step {later.start_step}"
    return None


def _find_range(_: Melody, excerpt: NoteSequence) -> str | None:
    for note in excerpt.notes:
        if not LOWEST_PITCH <= note.pitch <= HIGHEST_PITCH:
            return f"pitch {note.pitch} at step {note.start_step}"
    return None


_REDUCE = "Ask for the top line to have it reduced."

_FINDERS = {
    "drums": _find_drums,
    "wrong_resolution": _find_resolution,
    "wrong_meter": _find_meter,
    "wrong_length": _find_length,
    "off_grid": _find_offset,
    "polyphonic": _find_polyphony,
    "out_of_range": _find_range,
}

_ADVICE = {
    "drums": ("pitched notes", "Leave the drums out, or use a drum model."),
    "wrong_resolution": (f"{STEPS_PER_QUARTER} steps", "Read the music on that grid."),
    "wrong_meter": ("{meter}", "Give music in that meter."),
    "wrong_length": ("an excerpt of that length", "Cut the music to whole bars."),
    "off_grid": (
        f"onsets within {MOST_OFFSET_STEPS} steps of a 16th note (no triplets)",
        f"Quantise the music, or leave the triplets out. {_REDUCE}",
    ),
    "polyphonic": ("one note at a time", _REDUCE),
    "out_of_range": (f"pitches {LOWEST_PITCH} to {HIGHEST_PITCH}", f"Transpose it. {_REDUCE}"),
}
