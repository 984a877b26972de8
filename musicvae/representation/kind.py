"""The kinds of music: one record for each representation, with all that its tensors do not say.

A `Kind` stands in the file of its representation. Every difference between representations is a
field here, never a table or a branch on a name elsewhere.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from musicvae.music.attributes import Attribute
from musicvae.music.notes import Note, NoteSequence

# Not typed by `jaxtyping`, which can't check the arguments of a function that is a value.
_Batch: TypeAlias = np.ndarray
"""Events of several excerpts, int16, `(batch, step, stream)`."""


@dataclass(frozen=True, kw_only=True)
class Reduction:
    """Reduces any music so that a representation can hold it.

    Attributes:
        reduce: Reduces music; music that the representation can hold stays as it is.
        keeps: The music that stays, in a few words.
    """

    reduce: Callable[[NoteSequence], NoteSequence]
    keeps: str


@dataclass(frozen=True, kw_only=True)
class Performance:
    """Removes loudness and timing from played drums, for models that learn to add them.

    Attributes:
        hits_alone: Keeps only the hits of events, all equally loud and on their steps.
        taps: Keeps only the rhythm of events, as if tapped on a table.
        tap: Turns the notes of any music into taps.

    Source: Gillick et al. 2019, Learning to Groove with Inverse Sequence Transformations,
    section 5: humanising and Tap2Drum.
    """

    hits_alone: Callable[[_Batch], _Batch]
    taps: Callable[[_Batch], _Batch]
    tap: Callable[[NoteSequence], NoteSequence]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of music.

    Attributes:
        name: The representation's name in presets, manifests, bundles and requests.
        content: A description of the music and its limits, for the model card.
        usual_bars: The lengths of the excerpts that `musicvae inspect` cuts.
        attributes: The attributes that make sense for the music.
        measured_line: The line whose notes the attributes measure; None for all notes.
        line_of: Names the line that plays a note.
        reduction: Reduces other music to this kind; None if that can't be done.
        recombine: Makes new training examples from parts of a batch's examples; None if parts do
            not fit together.
        performance: Removes loudness and timing; None if the music holds neither.
        has_styles: Whether a prior hears the style of the music.
    """

    name: str
    content: str
    usual_bars: tuple[int, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    measured_line: str | None = None
    line_of: Callable[[Note], str] = lambda _: "melody"
    reduction: Reduction | None = None
    recombine: Callable[[_Batch, np.random.Generator], _Batch] | None = None
    performance: Performance | None = None
    has_styles: bool = False

    @property
    def words(self) -> str:
        """The name in plain words."""
        return self.name.replace("_", " ")

    def measure(self, excerpt: NoteSequence) -> dict[str, float]:
        """Measures an excerpt: the value of each attribute, by name."""
        if self.measured_line is not None:
            notes = [note for note in excerpt.notes if self.line_of(note) == self.measured_line]
            excerpt = replace(excerpt, notes=tuple(notes))
        return {attribute.name: attribute.measure(excerpt) for attribute in self.attributes}
