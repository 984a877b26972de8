"""Drums as the hits of nine classes a step: the representation of the paper's drum models.

Conventions: every drum of a kit is reduced to one of nine classes, `DRUM_CLASSES`; a class is hit
or not at each step. An event is a number below 512 whose bit `i` (worth `2 ** i`) says that class
`i` is hit, and a tensor `(step, 1)`; the nine-bit form has a stream a class instead, `(step, 9)`,
of 1 for a hit and 0 for none. The order of the classes and of the bits is Magenta's.

Every tensor within the vocabulary is a legal excerpt: drums alone, each of the classes' drums, on
the grid, of the right meter, resolution and length. For those `to_notes(to_tensor(x)) == x`, up to
what a tensor does not hold: velocity, duration (a hit lasts a step), which drum of its class it
was (it is played back as the class's own), how far it was off its step, tempo, key and chords.

Source: Roberts et al. 2018, section 5.1, for nine classes and 512 events. Unlike Magenta we refuse
drums outside the table with a cause; it leaves them out without a word.
"""

from dataclasses import asdict, dataclass

import numpy as np
from jaxtyping import Bool, Int, Int16

from musicvae.errors import RepresentationError
from musicvae.music.instruments import CLASS_OF_PITCH, DRUM_CLASSES
from musicvae.music.notes import STEPS_PER_QUARTER, Meter, Note, NoteSequence
from musicvae.representation import grid
from musicvae.representation.grid import Check
from musicvae.representation.representation import Representation
from musicvae.representation.streams import Stream

_BITS = 1 << np.arange(len(DRUM_CLASSES), dtype=np.int16)
EVENTS = 1 << len(DRUM_CLASSES)
"""The number of events of the form with one stream: 512."""


@dataclass(frozen=True, kw_only=True)
class Drums:
    """The drum representation for excerpts of `bars` bars in one `meter`.

    Attributes:
        bars: The length of an excerpt.
        meter: Of all excerpts.
        steps_per_quarter: The resolution, 4 or 12.
        is_binary: Whether a tensor has nine streams of two events and not one of 512.

    Raises:
        SettingError: If there are no such excerpts; see `grid.check_settings`.
    """

    bars: int = 2
    meter: Meter = Meter()
    steps_per_quarter: int = STEPS_PER_QUARTER
    is_binary: bool = False

    def __post_init__(self) -> None:
        grid.check_settings(self.bars, self.meter, self.steps_per_quarter)

    @property
    def name(self) -> str:
        return "drum_hits" if self.is_binary else "drums"

    @property
    def streams(self) -> tuple[Stream, ...]:
        """One of all hits at a step, or one a class."""
        if self.is_binary:
            return tuple(Stream(name=drum.name, size=2) for drum in DRUM_CLASSES)
        return (Stream(name="drums", size=EVENTS),)

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
        settings = asdict(self)
        del settings["is_binary"]  # the name says it
        return {"name": self.name, **settings}

    def check(self, excerpt: NoteSequence) -> RepresentationError | None:
        """The reason why an excerpt can't be held, or None if it can."""
        return grid.find_error(_CHECKS, self, excerpt)

    def to_tensor(self, excerpt: NoteSequence) -> Int16[np.ndarray, "step stream"]:
        """Writes an excerpt as events.

        Raises:
            RepresentationError: If the excerpt can't be held; its `cause` is one of `no_drums`,
                `wrong_resolution`, `wrong_meter`, `wrong_length`, `off_grid` and `out_of_range`.
        """
        if error := self.check(excerpt):
            raise error
        return self.write_events(write_notes(excerpt.notes, self.length_steps))

    def write_events(self, hits: Bool[np.ndarray, "step 9"]) -> Int16[np.ndarray, "step stream"]:
        """Writes hits, of any length, as events."""
        return hits.astype(np.int16) if self.is_binary else join_hits(hits)[:, None]

    def to_notes(self, events: Int[np.ndarray, "step stream"]) -> NoteSequence:
        """Reads events as an excerpt; any tensor within the vocabulary is one."""
        hits = events.astype(bool) if self.is_binary else split_hits(events[:, 0])
        return NoteSequence(
            notes=tuple(read_hits(hits)),
            length_steps=len(events),
            meter=self.meter,
            steps_per_quarter=self.steps_per_quarter,
        )

    def is_onset(
        self, events: Int[np.ndarray, "batch step stream"]
    ) -> Bool[np.ndarray, "batch step stream"]:
        """Where anything is hit."""
        return events > 0

    def transpose(
        self, events: Int16[np.ndarray, "batch step stream"], semitones: Int[np.ndarray, " batch"]
    ) -> Int16[np.ndarray, "batch step stream"]:
        """Changes nothing: drums have no pitch."""
        return events


def write_hits(
    starts: Int[np.ndarray, " note"], pitches: Int[np.ndarray, " note"], length_steps: int
) -> Bool[np.ndarray, "step 9"]:
    """Writes which classes are hit at each step, for music of any length.

    Pitches that have no class (see `CLASS_OF_PITCH`) are left out.

    Args:
        starts: The step of each hit, below `length_steps`, in any order.
        pitches: MIDI numbers.
        length_steps: The length of the music.
    """
    # A tenth column takes the hits that have no class: -1 is its index.
    hits = np.zeros((length_steps, len(DRUM_CLASSES) + 1), np.bool_)
    hits[starts, CLASS_OF_PITCH[pitches]] = True
    return hits[:, :-1]


def write_notes(notes: tuple[Note, ...], length_steps: int) -> Bool[np.ndarray, "step 9"]:
    """Writes drum notes as `write_hits` does."""
    columns = [(note.start_step, note.pitch) for note in notes]
    starts, pitches = np.array(columns, np.int32).reshape(-1, 2).T
    return write_hits(starts, pitches, length_steps)


def read_hits(hits: Bool[np.ndarray, "step 9"]) -> list[Note]:
    """Reads the notes of hits, sorted: each lasts a step."""
    steps, classes = (column.tolist() for column in np.nonzero(hits))
    return sorted(
        Note(step, DRUM_CLASSES[index].pitch, step + 1, is_drum=True)
        for step, index in zip(steps, classes, strict=True)
    )


def join_hits(
    hits: Int[np.ndarray, "*any 9"] | Bool[np.ndarray, "*any 9"],
) -> Int16[np.ndarray, "*any"]:
    """One number a step, with a bit for each class."""
    events: Int16[np.ndarray, "*any"] = hits @ _BITS
    return events


def split_hits(events: Int[np.ndarray, "*any"]) -> Bool[np.ndarray, "*any 9"]:
    """The bits of each number: what `join_hits` joined."""
    hits: Bool[np.ndarray, "*any 9"] = (events[..., None] & _BITS) > 0
    return hits


def find_other_drums(notes: tuple[Note, ...]) -> str | None:
    """Says where there is a drum that has no class."""
    for note in notes:
        if note.is_drum and CLASS_OF_PITCH[note.pitch] < 0:
            return f"the drum {note.pitch} at step {note.start_step}"
    return None


def _find_pitched(_: Representation, excerpt: NoteSequence) -> str | None:
    for note in excerpt.notes:
        if not note.is_drum:
            return f"pitch {note.pitch} at step {note.start_step}, which is no drum"
    return None


ONLY_DRUMS = Check(
    cause="no_drums",
    find=_find_pitched,
    expected="drums alone",
    action="Leave the pitched tracks out, or use another model.",
)
"""All notes are drums."""

KNOWN_DRUMS = Check(
    cause="out_of_range",
    find=lambda _, excerpt: find_other_drums(excerpt.notes),
    expected="General MIDI drums (27 to 87, and 22 and 26)",
    action="Map it to one of them, or leave it out.",
)
"""All drums have a class."""

_CHECKS = (ONLY_DRUMS, *grid.SAME_GRID, grid.ON_STEPS, KNOWN_DRUMS)
