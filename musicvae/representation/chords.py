"""The harmony of an excerpt: a chord a bar, a half bar or a step.

Conventions: a row of a tensor is a slot, as long as the resolution says; a tensor is `(row, 2)`.
The first stream holds the chord: 0 for none, else 1 + root * 17 + the index of its quality in
`musicvae.music.chords.QUALITIES`. The second holds the bass: 0 for the root, else 1 + its pitch
class.

Every tensor within the vocabulary is a legal excerpt: a bass without a chord is ignored, and a bass
on the root counts as 0. A legal excerpt has chords that start with a slot, and the right meter,
resolution and length. For legal excerpts `to_notes(to_tensor(x)) == x`, but a tensor does not hold
notes, tempo, key, repetitions of a chord, and a no-chord at the start.

Source: the vocabulary is our own: sevenths and the bass belong to a harmony. Magenta's 49 classes
hold only the triad.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Int, Int16

from musicvae.errors import SettingError
from musicvae.music.chords import QUALITIES, Chord, quality_index
from musicvae.music.notes import NoteSequence
from musicvae.representation.checks import SAME_GRID
from musicvae.representation.kind import Kind
from musicvae.representation.melody import FIRST_PITCH_EVENT
from musicvae.representation.representation import Check, Representation
from musicvae.representation.streams import Stream

NO_CHORD = 0
EVENTS = 1 + 12 * len(QUALITIES)
"""The number of events of the first stream: 205."""
BASS_EVENTS = 1 + 12

SLOTS = ("bar", "half_bar", "step")
"""The lengths that a row can have."""

_QUALITIES = tuple(QUALITIES)


def _find_chord_off_grid(grid: Representation, excerpt: NoteSequence) -> str | None:
    for chord in excerpt.chords:
        if chord.start_step % grid.steps_per_row:
            return f"a chord at step {chord.start_step}"
    return None


_CHECKS = (
    *SAME_GRID,
    Check(
        cause="off_grid",
        find=_find_chord_off_grid,
        expected="chords at the start of a {grid.resolution}",
        action="Choose a finer resolution, or move the chords.",
    ),
)

CHORDS = Kind(name="chords", content="chords, no notes", usual_bars=(8,))


@dataclass(frozen=True, kw_only=True)
class Chords(Representation):
    """Chords and their basses in two streams.

    Attributes:
        resolution: The length of a row: a name of `SLOTS`.

    Raises:
        SettingError: If there is no such resolution, or half a bar is no whole number of steps.
    """

    resolution: str = "half_bar"

    kind = CHORDS
    streams = (Stream(name="chord", size=EVENTS), Stream(name="chord bass", size=BASS_EVENTS))
    checks = _CHECKS

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.resolution not in SLOTS:
            raise SettingError(
                f"resolution={self.resolution}",
                expected=f"one of {', '.join(SLOTS)}",
                action="Say how often the chord may change.",
                field="resolution",
            )
        if self.resolution == "half_bar" and self.steps_per_bar % 2:
            raise SettingError(
                f"half a bar of {self.meter}, {self.steps_per_bar / 2:g} steps",
                expected="a whole number of steps",
                action="Choose the resolution bar or step, or 12 steps a quarter note.",
                field="resolution",
            )

    @property
    def rows_per_bar(self) -> int:
        """The slots of a bar."""
        return {"bar": 1, "half_bar": 2, "step": self.steps_per_bar}[self.resolution]

    def is_onset(
        self, events: Int[np.ndarray, "batch step stream"]
    ) -> Bool[np.ndarray, "batch step stream"]:
        """The rows in which a new chord starts; the same in both streams."""
        events = _canonical(events)
        before = np.concatenate([np.zeros_like(events[:, :1]), events[:, :-1]], axis=1)
        is_new = (events != before).any(axis=-1, keepdims=True) & (events[..., :1] > NO_CHORD)
        return np.broadcast_to(is_new, events.shape)

    def transpose(
        self, events: Int16[np.ndarray, "batch step stream"], semitones: Int[np.ndarray, " batch"]
    ) -> Int16[np.ndarray, "batch step stream"]:
        """Moves the chords of each excerpt by its interval; chords have no range to leave."""
        by = semitones[:, None, None].astype(np.int16)
        chords, basses = events[..., :1], events[..., 1:]
        chords = np.where(chords > 0, (chords - 1 + by * len(QUALITIES)) % (EVENTS - 1) + 1, 0)
        basses = np.where(basses > 0, (basses - 1 + by) % 12 + 1, 0)
        return np.concatenate([chords, basses], axis=-1).astype(np.int16)

    def _write(self, excerpt: NoteSequence) -> Int16[np.ndarray, "step stream"]:
        columns = [
            (
                chord.start_step // self.steps_per_row,
                -1 if chord.root is None else chord.root,
                quality_index(chord.quality),
                -1 if chord.bass is None else chord.bass,
            )
            for chord in excerpt.chords
        ]
        starts, roots, qualities, basses = np.array(columns, np.int32).reshape(-1, 4).T
        return write_chords(starts, roots, qualities, basses, self.bars * self.rows_per_bar)

    def _read_chords(self, events: Int[np.ndarray, "step stream"]) -> Iterator[Chord]:
        last = Chord(0)
        for row, (event, bass) in enumerate(_canonical(events).tolist()):
            root, quality = divmod(event - 1, len(QUALITIES))
            chord = (
                Chord(last.start_step)
                if event == NO_CHORD
                else Chord(last.start_step, root, _QUALITIES[quality], bass - 1 if bass else None)
            )
            if chord != last:
                last = Chord(row * self.steps_per_row, chord.root, chord.quality, chord.bass)
                yield last


CONDITIONS = tuple(replace(stream, is_condition=True) for stream in Chords.streams)
"""The streams of music over chords that hold its chords."""


def chords_of_steps(representation: Representation) -> Chords:
    """The representation of the chords of music that has a chord for each step."""
    return Chords(
        bars=representation.bars,
        meter=representation.meter,
        resolution="step",
        steps_per_quarter=representation.steps_per_quarter,
    )


def transpose_with(
    chords: Chords,
    lines: Int16[np.ndarray, "batch step line"],
    moved: Int16[np.ndarray, "batch step line"],
    harmonies: Int16[np.ndarray, "batch step stream"],
    semitones: Int[np.ndarray, " batch"],
) -> Int16[np.ndarray, "batch step stream"]:
    """Moves the chords of excerpts whose lines have moved; of lines that stay, the chords stay.

    Args:
        chords: The representation of the chords.
        lines: The melodies and basses.
        moved: The same after their transposition.
        harmonies: The chords.
        semitones: The interval of each excerpt.
    """
    has_notes = (lines >= FIRST_PITCH_EVENT).any(axis=(1, 2))
    stays = has_notes & (moved == lines).all(axis=(1, 2))
    return chords.transpose(harmonies, np.where(stays, 0, semitones))


def write_events(
    roots: Int[np.ndarray, " chord"],
    qualities: Int[np.ndarray, " chord"],
    basses: Int[np.ndarray, " chord"],
) -> Int16[np.ndarray, "chord 2"]:
    """Writes chords as events, a row a chord.

    Args:
        roots: Pitch classes; -1 where there is no chord.
        qualities: Indices into `QUALITIES`; ignored where there is no chord.
        basses: Pitch classes; the root, or -1, where the chord is no slash chord.
    """
    is_chord = roots >= 0
    is_slash = is_chord & (basses >= 0) & (basses != roots)
    chords = np.where(is_chord, 1 + roots * len(QUALITIES) + qualities, NO_CHORD)
    return np.stack([chords, np.where(is_slash, 1 + basses, 0)], axis=1).astype(np.int16)


def write_chords(
    starts: Int[np.ndarray, " chord"],
    roots: Int[np.ndarray, " chord"],
    qualities: Int[np.ndarray, " chord"],
    basses: Int[np.ndarray, " chord"],
    rows: int,
) -> Int16[np.ndarray, "step 2"]:
    """Writes the chords of music of any length as events, each until the next one starts.

    Args:
        starts: The row in which each chord starts, ascending, below `rows`; of several chords in
            one row the last counts.
        roots: Pitch classes, as in `write_events`.
        qualities: Indices into `QUALITIES`.
        basses: Pitch classes.
        rows: The length of the music in slots.
    """
    events = np.concatenate([[[NO_CHORD, 0]], write_events(roots, qualities, basses)])
    which = np.searchsorted(starts, np.arange(rows), side="right")
    return events[which].astype(np.int16)


def _canonical(events: Int[np.ndarray, "*any 2"]) -> Int[np.ndarray, "*any 2"]:
    """Writes equal chords equally: a bass that is the root, or has no chord, becomes 0."""
    chords, basses = events[..., 0], events[..., 1]
    roots = (chords - 1) // len(QUALITIES)
    is_slash = (chords > NO_CHORD) & (basses != roots + 1)
    return np.stack([chords, np.where(is_slash, basses, 0)], axis=-1)
