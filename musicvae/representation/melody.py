"""A melody as one event a step: the representation of the paper's melody models.

Conventions: an event is an integer below 90. 0 changes nothing (a sounding note goes on, silence
stays silent), 1 stops the sounding note, 2 to 89 start the pitches 21 to 108 (the piano's 88 keys)
and end the note before. A tensor is `(step, 1)`: a melody is one stream.

Every tensor of events below 90 is a legal melody. A legal excerpt passes `check`: it is monophonic,
on the grid, in range, of the right meter, resolution and length and without drums. For legal
excerpts `to_notes(to_tensor(x)) == x`, but a tensor does not hold velocity, program, tempo, key,
chords, and the distance of an onset from its step.

Source: Roberts et al. 2018, A Hierarchical Latent Vector Model for Learning Long-Term Structure in
Music, section 5.1. Magenta numbers the events alike. Magenta returns nothing for music that does
not fit; we refuse it with a named cause.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Int, Int16

from musicvae.music.attributes import ATTRIBUTES
from musicvae.music.instruments import HIGHEST_PITCH, LOWEST_PITCH
from musicvae.music.notes import Note, NoteSequence
from musicvae.music.top_line import on_grid, top_line
from musicvae.representation.checks import ON_STEPS, SAME_GRID
from musicvae.representation.kind import Kind, Reduction
from musicvae.representation.representation import Check, Representation
from musicvae.representation.streams import Stream

HOLD = 0
STOP = 1
FIRST_PITCH_EVENT = 2
EVENTS = FIRST_PITCH_EVENT + HIGHEST_PITCH - LOWEST_PITCH + 1
"""The number of events: 90."""


def write_line(
    starts: Int[np.ndarray, " note"],
    ends: Int[np.ndarray, " note"],
    pitches: Int[np.ndarray, " note"],
    length_steps: int,
) -> Int16[np.ndarray, " step"]:
    """Writes a line of notes, of any length, as events.

    A note ends at the latest where the next note starts; of notes that start together the last
    counts (the highest, if they are sorted). Pitches are not checked: a pitch outside
    `LOWEST_PITCH` to `HIGHEST_PITCH` gives an event outside the vocabulary.

    Args:
        starts: The step of each onset, ascending, below `length_steps`.
        ends: The first step after each note; may lie past the end.
        pitches: MIDI numbers.
        length_steps: The length of the line.
    """
    events = np.zeros(length_steps + 1, np.int16)
    stops = np.minimum(ends, length_steps)
    np.minimum(stops[:-1], starts[1:], out=stops[:-1])
    events[stops] = STOP
    events[starts] = pitches + (FIRST_PITCH_EVENT - LOWEST_PITCH)
    return events[:-1]


def write_notes(notes: Iterable[Note], length_steps: int) -> Int16[np.ndarray, " step"]:
    """Writes a line of notes, as `write_line`."""
    columns = [(note.start_step, note.end_step, note.pitch) for note in notes]
    starts, ends, pitches = np.array(columns, np.int32).reshape(-1, 3).T
    return write_line(starts, ends, pitches, length_steps)


def read_line(events: Int[np.ndarray, " step"]) -> list[Note]:
    """Reads the notes that `write_line` wrote; the last may go on to the end."""
    notes: list[Note] = []
    onset: tuple[int, int] | None = None
    for step, event in enumerate([*events.tolist(), STOP]):
        if event == HOLD:
            continue
        if onset is not None:
            notes.append(Note(start_step=onset[0], pitch=onset[1], end_step=step))
        onset = None if event == STOP else (step, event - FIRST_PITCH_EVENT + LOWEST_PITCH)
    return notes


def transpose_lines(
    events: Int16[np.ndarray, "batch step stream"], semitones: Int[np.ndarray, " batch"]
) -> Int16[np.ndarray, "batch step stream"]:
    """Moves all streams of each excerpt by its interval, or none if one would leave the range."""
    is_pitch = events >= FIRST_PITCH_EVENT
    moved = np.where(is_pitch, events + semitones[:, None, None].astype(np.int16), events)
    is_legal = (moved >= FIRST_PITCH_EVENT) & (moved < EVENTS)
    fits = np.all(is_legal | ~is_pitch, axis=(1, 2), keepdims=True)
    return np.where(fits, moved, events)


def allowed_in_line(allowed: Bool[np.ndarray, " pitch"]) -> Bool[np.ndarray, " event"]:
    """The events of a line that start no note outside the allowed pitches."""
    always = np.ones(FIRST_PITCH_EVENT, np.bool_)
    return np.concatenate([always, allowed[LOWEST_PITCH : HIGHEST_PITCH + 1]])


def find_polyphony(notes: Iterable[Note]) -> str | None:
    """Describes the first two notes of a line that sound together."""
    earlier: Note | None = None
    for note in notes:
        if earlier is not None and note.start_step < earlier.end_step:
            return f"pitches {earlier.pitch} and {note.pitch} together at step {note.start_step}"
        earlier = note
    return None


def find_range(notes: Iterable[Note]) -> str | None:
    """Describes the first note outside the piano's keys."""
    for note in notes:
        if not LOWEST_PITCH <= note.pitch <= HIGHEST_PITCH:
            return f"pitch {note.pitch} at step {note.start_step}"
    return None


def _find_drums(_: Representation, excerpt: NoteSequence) -> str | None:
    return "a drum track" if any(note.is_drum for note in excerpt.notes) else None


_REDUCE = "Ask for the top line to have it reduced."

CHECKS = (
    Check(
        cause="drums",
        find=_find_drums,
        expected="pitched notes",
        action="Leave the drums out, or use a drum model.",
    ),
    *SAME_GRID,
    replace(ON_STEPS, action=f"{ON_STEPS.action} {_REDUCE}"),
    Check(
        cause="polyphonic",
        find=lambda _, excerpt: find_polyphony(excerpt.notes),
        expected="one note at a time",
        action=_REDUCE,
    ),
    Check(
        cause="out_of_range",
        find=lambda _, excerpt: find_range(excerpt.notes),
        expected=f"pitches {LOWEST_PITCH} to {HIGHEST_PITCH}",
        action=f"Transpose it. {_REDUCE}",
    ),
)

MELODY = Kind(
    name="melody",
    content="melodies of one note at a time; loudness is not modelled",
    usual_bars=(2, 16),
    attributes=tuple(ATTRIBUTES.values()),
    reduction=Reduction(
        reduce=lambda music: on_grid(top_line(music)), keeps="its top line, on the grid"
    ),
)


@dataclass(frozen=True, kw_only=True)
class Melody(Representation):
    """Melodies in one stream of 90 events."""

    kind = MELODY
    streams = (Stream(name="melody", size=EVENTS),)
    checks = CHECKS

    def is_onset(
        self, events: Int[np.ndarray, "batch step stream"]
    ) -> Bool[np.ndarray, "batch step stream"]:
        return events >= FIRST_PITCH_EVENT

    def allowed_events(
        self, in_scale: Bool[np.ndarray, " pitch"], in_range: Bool[np.ndarray, " pitch"]
    ) -> tuple[Bool[np.ndarray, " _event"], ...]:
        return (allowed_in_line(in_scale & in_range),)

    def transpose(
        self, events: Int16[np.ndarray, "batch step stream"], semitones: Int[np.ndarray, " batch"]
    ) -> Int16[np.ndarray, "batch step stream"]:
        """Moves each excerpt by its interval, unless it would leave the range."""
        return transpose_lines(events, semitones)

    def _write(self, excerpt: NoteSequence) -> Int16[np.ndarray, "step stream"]:
        return write_notes(excerpt.notes, self.length_steps)[:, None]

    def _read_notes(self, events: Int[np.ndarray, "step stream"]) -> list[Note]:
        return read_line(events[:, 0])
