"""A melody over its chords: the representation of lead sheets, whose chords are a condition.

Conventions: a tensor is `(step, 3)`: the melody as in `melody`, 90 events; then the chord that
holds at each step, and its bass, as in `chords`, 205 and 13. A model makes the melody; the chords
are given to it.

Every tensor within the vocabulary is a legal excerpt. A legal excerpt is a legal melody with any
chords or none. For those `to_notes(to_tensor(x)) == x`, up to what `melody` says a tensor does not
hold of the notes and `chords` of the harmony.

Source: our own; Magenta's melodies can be told a triad at each step (`TriadChordOneHotEncoding`),
here sevenths and basses too.
"""

from dataclasses import asdict, dataclass, replace

import numpy as np
from jaxtyping import Bool, Int, Int16

from musicvae.errors import RepresentationError
from musicvae.music.notes import STEPS_PER_QUARTER, Meter, NoteSequence
from musicvae.representation import chords, grid, melody
from musicvae.representation.chords import Chords
from musicvae.representation.melody import Melody
from musicvae.representation.streams import Stream


@dataclass(frozen=True, kw_only=True)
class LeadSheet:
    """The representation of lead sheets of `bars` bars in one `meter`.

    Raises:
        SettingError: If there are no such excerpts; see `grid.check_settings`.
    """

    bars: int = 4
    meter: Meter = Meter()
    steps_per_quarter: int = STEPS_PER_QUARTER

    def __post_init__(self) -> None:
        grid.check_settings(self.bars, self.meter, self.steps_per_quarter)

    @property
    def name(self) -> str:
        return "lead_sheet"

    @property
    def streams(self) -> tuple[Stream, ...]:
        return (
            Stream(name="melody", size=melody.EVENTS),
            Stream(name="chord", size=chords.EVENTS, is_given=True),
            Stream(name="chord bass", size=chords.BASS_EVENTS, is_given=True),
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

    @property
    def line(self) -> Melody:
        """The representation of the first column alone."""
        return Melody(bars=self.bars, meter=self.meter, steps_per_quarter=self.steps_per_quarter)

    @property
    def harmony(self) -> Chords:
        """The representation of the other two."""
        return Chords(
            bars=self.bars,
            meter=self.meter,
            resolution="step",
            steps_per_quarter=self.steps_per_quarter,
        )

    def config(self) -> dict[str, object]:
        """What `representation_from_config` needs to make this again, as plain values."""
        return {"name": self.name, **asdict(self)}

    def check(self, excerpt: NoteSequence) -> RepresentationError | None:
        """The reason why an excerpt can't be held, or None if it can."""
        return self.line.check(excerpt)  # any chords on the grid of steps can be held

    def to_tensor(self, excerpt: NoteSequence) -> Int16[np.ndarray, "step stream"]:
        """Writes an excerpt as events.

        Raises:
            RepresentationError: If the melody can't be held; its `cause` is one of `drums`,
                `wrong_resolution`, `wrong_meter`, `wrong_length`, `off_grid`, `polyphonic` and
                `out_of_range`.
        """
        parts = [self.line.to_tensor(excerpt), self.harmony.to_tensor(excerpt)]
        return np.concatenate(parts, axis=1)

    def to_notes(self, events: Int[np.ndarray, "step stream"]) -> NoteSequence:
        """Reads events as an excerpt; any tensor within the vocabulary is one."""
        harmony = self.harmony.to_notes(events[:, 1:])
        return replace(self.line.to_notes(events[:, :1]), chords=harmony.chords)

    def is_onset(
        self, events: Int[np.ndarray, "batch step stream"]
    ) -> Bool[np.ndarray, "batch step stream"]:
        """Where a note of the melody starts; nothing starts in the columns that are given."""
        is_start = events >= melody.FIRST_PITCH_EVENT
        is_start[..., 1:] = False
        return is_start

    def transpose(
        self, events: Int16[np.ndarray, "batch step stream"], semitones: Int[np.ndarray, " batch"]
    ) -> Int16[np.ndarray, "batch step stream"]:
        """Moves melody and chords of each excerpt by its interval, or neither.

        An excerpt whose melody would leave the range stays as it is.
        """
        lines, harmonies = events[..., :1], events[..., 1:]
        moved = melody.transpose_lines(lines, semitones)
        has_notes = (lines >= melody.FIRST_PITCH_EVENT).any(axis=(1, 2))
        stays = has_notes & (moved == lines).all(axis=(1, 2))
        followed = self.harmony.transpose(harmonies, np.where(stays, 0, semitones))
        return np.concatenate([moved, followed], axis=-1)
