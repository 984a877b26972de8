"""Melody, bass and drums together: the representation of the paper's trio models.

Conventions: a tensor is `(step, 3)`: the melody and the bass as in `melody`, 90 events each, and
the drums as in `drums`, 512. In an excerpt a drum is told by `is_drum`, the bass by its program, 32
to 39 of General MIDI; all other notes are the melody. `to_notes` plays the melody with program 0
(piano) and the bass with 33 (electric bass), as Magenta does.

Every tensor within the vocabulary is a legal excerpt. A legal excerpt has a melody and a bass of
one note at a time, each in the piano's range, and the classes' drums, all on the grid, and the
right meter, resolution and length; each of the three may be silent. For those
`to_notes(to_tensor(x)) == x`, up to what a tensor does not hold: which program of its group a line
had, and what `melody` and `drums` say.

Source: Roberts et al. 2018, section 5.1.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

import numpy as np
from jaxtyping import Bool, Int, Int16

from musicvae.errors import RepresentationError
from musicvae.music.instruments import BASS_PROGRAM, BASS_PROGRAMS, HIGHEST_PITCH, LOWEST_PITCH
from musicvae.music.notes import STEPS_PER_QUARTER, Meter, Note, NoteSequence
from musicvae.representation import drums, grid, melody
from musicvae.representation.grid import Check
from musicvae.representation.representation import Representation
from musicvae.representation.streams import Stream


@dataclass(frozen=True, slots=True)
class TrioNotes:
    """The notes of an excerpt by the stream that they belong to."""

    melody: tuple[Note, ...]
    bass: tuple[Note, ...]
    drums: tuple[Note, ...]


@dataclass(frozen=True, kw_only=True)
class Trio:
    """The trio representation for excerpts of `bars` bars in one `meter`.

    Raises:
        SettingError: If there are no such excerpts; see `grid.check_settings`.
    """

    bars: int = 16
    meter: Meter = Meter()
    steps_per_quarter: int = STEPS_PER_QUARTER

    def __post_init__(self) -> None:
        grid.check_settings(self.bars, self.meter, self.steps_per_quarter)

    @property
    def name(self) -> str:
        return "trio"

    @property
    def streams(self) -> tuple[Stream, ...]:
        return (
            Stream(name="melody", size=melody.EVENTS),
            Stream(name="bass", size=melody.EVENTS),
            Stream(name="drums", size=drums.EVENTS),
        )

    @property
    def vocabulary_sizes(self) -> tuple[int, ...]:
        """The number of events of each stream."""
        return tuple(stream.size for stream in self.streams)

    @property
    def steps_per_bar(self) -> int:
        return grid.steps_per_bar(self.meter, self.steps_per_quarter)

    @property
    def length_steps(self) -> int:
        return self.bars * self.steps_per_bar

    @property
    def rows_per_bar(self) -> int:
        return self.steps_per_bar

    def config(self) -> dict[str, object]:
        """What `representation_from_config` needs to make this again, as plain values."""
        return {"name": self.name, **asdict(self)}

    def check(self, excerpt: NoteSequence) -> RepresentationError | None:
        """The reason why an excerpt can't be held, or None if it can."""
        return grid.find_error(_CHECKS, self, excerpt)

    def to_tensor(self, excerpt: NoteSequence) -> Int16[np.ndarray, "step stream"]:
        """Writes an excerpt as events.

        Raises:
            RepresentationError: If the excerpt can't be held; its `cause` is one of
                `wrong_resolution`, `wrong_meter`, `wrong_length`, `off_grid`, `polyphonic` and
                `out_of_range`.
        """
        if error := self.check(excerpt):
            raise error
        notes = split_notes(excerpt)
        streams = (
            melody.write_notes(notes.melody, self.length_steps),
            melody.write_notes(notes.bass, self.length_steps),
            drums.join_hits(drums.write_notes(notes.drums, self.length_steps)),
        )
        return np.stack(streams, axis=1)

    def to_notes(self, events: Int[np.ndarray, "step stream"]) -> NoteSequence:
        """Reads events as an excerpt; any tensor within the vocabulary is one."""
        lead = melody.read_line(events[:, 0])
        bass = [replace(note, program=BASS_PROGRAM) for note in melody.read_line(events[:, 1])]
        hits = drums.read_hits(drums.split_hits(events[:, 2]))
        return NoteSequence(
            notes=tuple(sorted([*lead, *bass, *hits])),
            length_steps=len(events),
            meter=self.meter,
            steps_per_quarter=self.steps_per_quarter,
        )

    def is_onset(
        self, events: Int[np.ndarray, "batch step stream"]
    ) -> Bool[np.ndarray, "batch step stream"]:
        """Where a note of the stream starts, or anything is hit."""
        return events >= np.array([melody.FIRST_PITCH_EVENT, melody.FIRST_PITCH_EVENT, 1])

    def transpose(
        self, events: Int16[np.ndarray, "batch step stream"], semitones: Int[np.ndarray, " batch"]
    ) -> Int16[np.ndarray, "batch step stream"]:
        """Moves the melody and the bass of each excerpt by its interval, or neither.

        An excerpt of which either would leave the range stays as it is; drums never move.
        """
        lines = melody.transpose_lines(events[..., :2], semitones)
        return np.concatenate([lines, events[..., 2:]], axis=-1)


def split_notes(excerpt: NoteSequence) -> TrioNotes:
    """Tells the notes of the three streams from each other."""
    return TrioNotes(
        melody=tuple(
            note for note in excerpt.notes if not note.is_drum and note.program not in BASS_PROGRAMS
        ),
        bass=tuple(
            note for note in excerpt.notes if not note.is_drum and note.program in BASS_PROGRAMS
        ),
        drums=tuple(note for note in excerpt.notes if note.is_drum),
    )


def _find_in_lines(
    find: Callable[[tuple[Note, ...]], str | None],
) -> Callable[[Representation, NoteSequence], str | None]:
    """Looks for something in the melody, then in the bass, and says in which it is."""

    def find_in_lines(_: Representation, excerpt: NoteSequence) -> str | None:
        notes = split_notes(excerpt)
        for line, its_notes in (("melody", notes.melody), ("bass", notes.bass)):
            if found := find(its_notes):
                return f"{found} of the {line}"
        return None

    return find_in_lines


_CHECKS = (
    *grid.SAME_GRID,
    grid.ON_STEPS,
    Check(
        cause="polyphonic",
        find=_find_in_lines(melody.find_polyphony),
        expected="one note at a time in the melody and in the bass",
        action="Choose one track for each, or reduce it to its top line.",
    ),
    Check(
        cause="out_of_range",
        find=_find_in_lines(melody.find_range),
        expected=f"pitches {LOWEST_PITCH} to {HIGHEST_PITCH}",
        action="Transpose it.",
    ),
    drums.KNOWN_DRUMS,
)
