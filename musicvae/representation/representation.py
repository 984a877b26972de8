"""What every representation is."""

from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Int, Int16

from musicvae.errors import RepresentationError
from musicvae.music.notes import Meter, NoteSequence
from musicvae.representation.streams import Stream


@runtime_checkable  # jaxtyping's checker tests for it
class Representation(Protocol):
    """A two-way map between excerpts of whole bars and tensors of events.

    The law: `to_notes(to_tensor(x)) == x` for every excerpt `x` that `check` passes and that holds
    nothing the representation says it drops; and `to_notes` maps every tensor within
    `vocabulary_sizes` to an excerpt that `check` passes. `to_tensor` of that excerpt is the one
    way to write it. `transpose` by an interval and back changes nothing, unless the excerpt would
    have left the range: then it stays as it is.

    `vocabulary_sizes` are the sizes of the `streams`.

    Time has two counts: an excerpt has `steps_per_bar` steps in a bar, its tensor `rows_per_bar`
    rows. They are the same but where an event lasts longer than a step, as chords do.
    """

    @property
    def name(self) -> str: ...
    @property
    def bars(self) -> int: ...
    @property
    def meter(self) -> Meter: ...
    @property
    def steps_per_quarter(self) -> int: ...
    @property
    def streams(self) -> tuple[Stream, ...]: ...
    @property
    def vocabulary_sizes(self) -> tuple[int, ...]: ...
    @property
    def steps_per_bar(self) -> int: ...
    @property
    def length_steps(self) -> int: ...
    @property
    def rows_per_bar(self) -> int: ...
    def config(self) -> dict[str, object]: ...
    def check(self, excerpt: NoteSequence) -> RepresentationError | None: ...
    def to_tensor(self, excerpt: NoteSequence) -> Int16[np.ndarray, "step stream"]: ...
    def to_notes(self, events: Int[np.ndarray, "step stream"]) -> NoteSequence: ...
    def is_onset(
        self, events: Int[np.ndarray, "batch step stream"]
    ) -> Bool[np.ndarray, "batch step stream"]: ...
    def transpose(
        self, events: Int16[np.ndarray, "batch step stream"], semitones: Int[np.ndarray, " batch"]
    ) -> Int16[np.ndarray, "batch step stream"]: ...
