"""The interface of all representations, and the law that they obey."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Int, Int16

from musicvae.errors import RepresentationError, SettingError
from musicvae.music.chords import Chord
from musicvae.music.meters import RESOLUTIONS
from musicvae.music.notes import STEPS_PER_QUARTER, Meter, Note, NoteSequence, TimeGrid
from musicvae.representation.kind import Kind
from musicvae.representation.streams import Stream, generated_streams


@dataclass(frozen=True, kw_only=True)
class Check:
    """One condition that every excerpt of a representation meets.

    Attributes:
        cause: The name of the fault.
        find: Describes the fault in an excerpt, or returns None.
        expected: The expected music; `{grid}` stands for the representation.
        action: The user's remedy.
    """

    cause: str
    find: Callable[["Representation", NoteSequence], str | None]
    expected: str
    action: str


@dataclass(frozen=True, kw_only=True)
class Representation(ABC):
    """A two-way map between excerpts of whole bars and tensors of events.

    The law: `to_notes(to_tensor(x)) == x` for every excerpt `x` that `check` passes, except for
    properties that the representation names as lost; `to_notes` maps every tensor within
    `vocabulary_sizes` to an excerpt that `check` passes, and `to_tensor` writes equal excerpts
    equally. `transpose` by an interval and back changes nothing; an excerpt that would leave the
    range does not move.

    A bar has `steps_per_bar` steps in an excerpt and `rows_per_bar` rows in a tensor. The two
    differ only where an event is longer than a step, as in chords.

    Attributes:
        bars: The length of an excerpt.
        meter: The meter of all excerpts.
        steps_per_quarter: The resolution of the grid, 4 or 12.
        kind: The kind of music.
        checks: The conditions that every excerpt meets.

    Raises:
        SettingError: If `bars` is below 1, `steps_per_quarter` is neither 4 nor 12, or the meter's
            bar is no whole number of steps.
    """

    bars: int = 2
    meter: Meter = Meter()
    steps_per_quarter: int = STEPS_PER_QUARTER

    kind: ClassVar[Kind]
    checks: ClassVar[tuple[Check, ...]]

    def __post_init__(self) -> None:
        if self.bars < 1:
            raise SettingError(
                f"bars={self.bars}",
                expected="1 or more",
                action="Give the number of bars of one excerpt, such as 2.",
                field="bars",
            )
        if self.steps_per_quarter not in RESOLUTIONS:
            raise SettingError(
                f"steps_per_quarter={self.steps_per_quarter}",
                expected=" or ".join(map(str, RESOLUTIONS)),
                action="Choose 4, or 12 to hold triplets.",
                field="steps_per_quarter",
            )
        if self.meter.steps_per_bar(self.steps_per_quarter) is None:
            notes = self.steps_per_quarter * 4
            raise SettingError(
                f"meter {self.meter}",
                expected=f"a meter whose bar is a whole number of {notes}th notes",
                action="Choose a meter such as 4/4, 3/4 or 6/8.",
                field="meter",
            )

    @property
    @abstractmethod
    def streams(self) -> tuple[Stream, ...]:
        """The columns of a tensor."""

    @property
    def name(self) -> str:
        return self.kind.name

    @property
    def vocabulary_sizes(self) -> tuple[int, ...]:
        """The number of events of each stream."""
        return tuple(stream.size for stream in self.streams)

    @property
    def steps_per_bar(self) -> int:
        steps = self.meter.steps_per_bar(self.steps_per_quarter)
        assert steps is not None
        return steps

    @property
    def length_steps(self) -> int:
        return self.bars * self.steps_per_bar

    @property
    def rows_per_bar(self) -> int:
        return self.steps_per_bar

    @property
    def steps_per_row(self) -> int:
        return self.steps_per_bar // self.rows_per_bar

    @property
    def grid(self) -> TimeGrid:
        return TimeGrid(self.meter, self.steps_per_quarter)

    def on_grid(self, grid: TimeGrid) -> "Representation":
        """The same representation of music on another grid.

        Raises:
            SettingError: If the meter's bar is no whole number of steps.
        """
        return replace(self, meter=grid.meter, steps_per_quarter=grid.steps_per_quarter)

    def config(self) -> dict[str, object]:
        """The settings as plain values, which `representation_from_config` reads back."""
        return {"name": self.name, **asdict(self)}

    def check(self, excerpt: NoteSequence) -> RepresentationError | None:
        """The first reason why an excerpt can't be held, or None if it can."""
        for check in self.checks:
            if found := check.find(self, excerpt):
                return RepresentationError(
                    found,
                    cause=check.cause,
                    expected=check.expected.format(grid=self),
                    action=check.action,
                )
        return None

    def to_tensor(self, excerpt: NoteSequence) -> Int16[np.ndarray, "step stream"]:
        """Writes an excerpt as events.

        Raises:
            RepresentationError: If a check fails, with the check's `cause`.
        """
        if error := self.check(excerpt):
            raise error
        return self._write(excerpt)

    def to_notes(self, events: Int[np.ndarray, "step stream"]) -> NoteSequence:
        """Reads events as an excerpt; any tensor within the vocabulary is an excerpt."""
        return NoteSequence(
            notes=tuple(self._read_notes(events)),
            length_steps=len(events) * self.steps_per_row,
            meter=self.meter,
            steps_per_quarter=self.steps_per_quarter,
            chords=tuple(self._read_chords(events)),
        )

    @abstractmethod
    def is_onset(
        self, events: Int[np.ndarray, "batch step stream"]
    ) -> Bool[np.ndarray, "batch step stream"]:
        """The events at which a note, a hit or a chord starts; none in condition streams."""

    def allowed_events(
        self, in_scale: Bool[np.ndarray, " pitch"], in_range: Bool[np.ndarray, " pitch"]
    ) -> tuple[Bool[np.ndarray, " _event"], ...]:
        """The events of each generated stream that keep to some pitches; without pitches, all.

        Args:
            in_scale: For each MIDI number whether a note may have it.
            in_range: For each MIDI number whether a note of the melody may have it.
        """
        del in_scale, in_range
        return tuple(np.ones(each.size, np.bool_) for each in generated_streams(self.streams))

    def transpose(
        self, events: Int16[np.ndarray, "batch step stream"], semitones: Int[np.ndarray, " batch"]
    ) -> Int16[np.ndarray, "batch step stream"]:
        """Moves each excerpt by its interval; music without pitches stays as it is."""
        del semitones
        return events

    @abstractmethod
    def _write(self, excerpt: NoteSequence) -> Int16[np.ndarray, "step stream"]:
        """Writes an excerpt that passed all checks."""

    def _read_notes(self, events: Int[np.ndarray, "step stream"]) -> Iterable[Note]:
        """Reads the notes, in order."""
        del events
        return ()

    def _read_chords(self, events: Int[np.ndarray, "step stream"]) -> Iterable[Chord]:
        """Reads the chords, in order."""
        del events
        return ()
