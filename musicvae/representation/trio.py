"""Melody, bass and drums together: the representation of the paper's trio models.

Conventions: a tensor is `(step, 3)`: the melody and the bass as in `melody`, 90 events each, and
the drums as in `drums`, 512. With chords it is `(step, 5)`: the chord of each step and its bass
follow, as in `chords`, 205 and 13; a model hears them as a condition. In an excerpt `is_drum` marks
the drums, and the programs 32 to 39 of General MIDI mark the bass; all other notes are the melody.
`to_notes` plays the melody with program 0 (piano) and the bass with 33 (electric bass), as Magenta
does.

Every tensor within the vocabulary is a legal excerpt. A legal excerpt has a melody and a bass of
one note at a time, each in the piano's range, and drums that play their classes, all on the grid,
and the right meter, resolution and length; each of the three may be silent. For legal excerpts
`to_notes(to_tensor(x)) == x`, but a tensor does not hold the program within its group, nor chords
where it has no streams for them, and the exceptions that `melody`, `drums` and `chords` name apply.

Source: Roberts et al. 2018, section 5.1; the chords are our own.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from statistics import median_low

import numpy as np
from jaxtyping import Bool, Int, Int16

from musicvae.music.attributes import ATTRIBUTES
from musicvae.music.chords import Chord
from musicvae.music.instruments import BASS_PROGRAM, BASS_PROGRAMS, HIGHEST_PITCH, LOWEST_PITCH
from musicvae.music.notes import Note, NoteSequence
from musicvae.music.top_line import lowest_line, on_grid, top_line
from musicvae.representation import hits, melody
from musicvae.representation.checks import KNOWN_DRUMS, ON_STEPS, SAME_GRID
from musicvae.representation.chords import CONDITIONS, Chords, chords_of_steps, transpose_with
from musicvae.representation.kind import Kind, Reduction
from musicvae.representation.recombination import mix_trios
from musicvae.representation.representation import Check, Representation
from musicvae.representation.streams import Stream

MELODY, BASS, DRUMS = "melody", "bass", "drums"
"""The lines, and the names of their streams."""


def line_of(note: Note) -> str:
    """The line that plays a note."""
    if note.is_drum:
        return DRUMS
    return BASS if note.program in BASS_PROGRAMS else MELODY


def notes_of(notes: Iterable[Note], line: str) -> tuple[Note, ...]:
    """The notes that a line plays."""
    return tuple(note for note in notes if line_of(note) == line)


def reduce_to_trio(music: NoteSequence) -> NoteSequence:
    """Keeps a melody, a bass and drums: the highest notes, the lowest notes, the known drums.

    Where no program is a bass, the lowest of several programs becomes the bass.
    """
    lead, bass = notes_of(music.notes, MELODY), notes_of(music.notes, BASS)
    programs = {note.program for note in lead}
    if not bass and len(programs) > 1:
        lowest = min(sorted(programs), key=lambda program: _middle_pitch(lead, program))
        bass = tuple(note for note in lead if note.program == lowest)
        lead = tuple(note for note in lead if note.program != lowest)
    played = [
        *top_line(replace(music, notes=lead)).notes,
        *(
            replace(note, program=BASS_PROGRAM)
            for note in lowest_line(replace(music, notes=bass)).notes
        ),
        *hits.known_drums(music.notes),
    ]
    return on_grid(replace(music, notes=tuple(sorted(played))))


def _middle_pitch(notes: Iterable[Note], program: int) -> int:
    return median_low(note.pitch for note in notes if note.program == program)


def _find_in_lines(
    find: Callable[[tuple[Note, ...]], str | None],
) -> Callable[[Representation, NoteSequence], str | None]:
    """Searches the melody, then the bass for a fault, and names the line."""

    def find_in_lines(_: Representation, excerpt: NoteSequence) -> str | None:
        for line in (MELODY, BASS):
            if found := find(notes_of(excerpt.notes, line)):
                return f"{found} of the {line}"
        return None

    return find_in_lines


_CHECKS = (
    *SAME_GRID,
    ON_STEPS,
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
    KNOWN_DRUMS,
)

TRIO = Kind(
    name="trio",
    content="a melody and a bass of one note at a time each, and drums, of which every drum of a "
    "kit counts as one of nine classes; loudness is not modelled",
    usual_bars=(16,),
    attributes=tuple(ATTRIBUTES.values()),
    # Drums would fill every position, and the bass would take part in every interval.
    measured_line=MELODY,
    line_of=line_of,
    reduction=Reduction(
        reduce=reduce_to_trio, keeps="a melody, the lowest line of a bass, and drums, on the grid"
    ),
    recombine=mix_trios,
)


_LINES = (
    Stream(name=MELODY, size=melody.EVENTS),
    Stream(name=BASS, size=melody.EVENTS),
    Stream(name=DRUMS, size=hits.EVENTS),
)


@dataclass(frozen=True, kw_only=True)
class Trio(Representation):
    """Melody, bass and drums in three streams.

    Attributes:
        chords: Whether the chords follow in two condition streams.
    """

    bars: int = 16
    chords: bool = False

    kind = TRIO
    checks = _CHECKS

    @property
    def streams(self) -> tuple[Stream, ...]:
        return (*_LINES, *CONDITIONS) if self.chords else _LINES

    @property
    def harmony(self) -> Chords:
        """The representation of the chords alone."""
        return chords_of_steps(self)

    def config(self) -> dict[str, object]:
        """The settings; without chords `chords` is left out, as it was before trios had chords."""
        config = super().config()
        return config if self.chords else {k: v for k, v in config.items() if k != "chords"}

    def is_onset(
        self, events: Int[np.ndarray, "batch step stream"]
    ) -> Bool[np.ndarray, "batch step stream"]:
        lines = np.array([melody.FIRST_PITCH_EVENT, melody.FIRST_PITCH_EVENT, 1])
        is_start = np.zeros(events.shape, np.bool_)
        is_start[..., :3] = events[..., :3] >= lines
        return is_start

    def allowed_events(
        self, in_scale: Bool[np.ndarray, " pitch"], in_range: Bool[np.ndarray, " pitch"]
    ) -> tuple[Bool[np.ndarray, " _event"], ...]:
        lead, bass = melody.allowed_in_line(in_scale & in_range), melody.allowed_in_line(in_scale)
        return (lead, bass, np.ones(hits.EVENTS, np.bool_))

    def transpose(
        self, events: Int16[np.ndarray, "batch step stream"], semitones: Int[np.ndarray, " batch"]
    ) -> Int16[np.ndarray, "batch step stream"]:
        """Moves the melody, the bass and the chords of each excerpt by its interval, or none.

        If melody or bass would leave the range, the excerpt stays as it is; drums never move.
        """
        lines, kit, harmonies = np.split(events, (2, 3), axis=-1)
        moved = melody.transpose_lines(lines, semitones)
        if self.chords:
            harmonies = transpose_with(self.harmony, lines, moved, harmonies, semitones)
        return np.concatenate([moved, kit, harmonies], axis=-1)

    def _write(self, excerpt: NoteSequence) -> Int16[np.ndarray, "step stream"]:
        length = self.length_steps
        columns = (
            melody.write_notes(notes_of(excerpt.notes, MELODY), length),
            melody.write_notes(notes_of(excerpt.notes, BASS), length),
            hits.join_hits(hits.write_notes(notes_of(excerpt.notes, DRUMS), length)),
        )
        lines = np.stack(columns, axis=1)
        if not self.chords:
            return lines
        return np.concatenate([lines, self.harmony.to_tensor(excerpt)], axis=1)

    def _read_notes(self, events: Int[np.ndarray, "step stream"]) -> list[Note]:
        lead = melody.read_line(events[:, 0])
        bass = [replace(note, program=BASS_PROGRAM) for note in melody.read_line(events[:, 1])]
        return sorted([*lead, *bass, *hits.read_hits(hits.split_hits(events[:, 2]))])

    def _read_chords(self, events: Int[np.ndarray, "step stream"]) -> tuple[Chord, ...]:
        return self.harmony.to_notes(events[:, 3:]).chords if self.chords else ()
