"""What the library knows of one kind of music beside its tensors: one record a representation.

A `Kind` stands beside its representation, in the same file. Whatever differs between
representations is a field here, never a table or a branch on a name elsewhere.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from musicvae.music.attributes import Attribute
from musicvae.music.notes import Note, NoteSequence

# Not by `jaxtyping`: a checker can't look into the arguments of a function that is a value.
_Batch: TypeAlias = np.ndarray
"""Events of several excerpts, int16, `(batch, step, stream)`."""


@dataclass(frozen=True, kw_only=True)
class Reduction:
    """How any music is reduced to what a representation can hold.

    Attributes:
        reduce: Reduces music; music that the representation can hold stays as it is.
        keeps: What stays, in a few words.
    """

    reduce: Callable[[NoteSequence], NoteSequence]
    keeps: str


@dataclass(frozen=True, kw_only=True)
class Performance:
    """How played drums lose their playing, for models that learn to give it back.

    Attributes:
        hits_alone: Keeps the hits of events, all equally loud and on their steps.
        taps: Keeps the rhythm of events alone, as if tapped on a table.
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
        content: What its music is and what it leaves out, for the model card.
        usual_bars: The lengths at which `musicvae inspect` cuts excerpts of it.
        attributes: The attributes that say something of its music.
        measured_line: The line whose notes alone the attributes are taken of; None for all notes.
        line_of: The name of the line that plays a note of its music.
        reduction: How other music is reduced to it, where that can be done.
        recombine: Makes new examples for training from parts of those of a batch, where that makes
            sense.
        performance: How its drums lose their playing; None where it holds no loudness and timing.
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

    @property
    def words(self) -> str:
        """The name in plain words."""
        return self.name.replace("_", " ")

    def measure(self, excerpt: NoteSequence) -> dict[str, float]:
        """Measures an excerpt: the value of each of the attributes, by name."""
        if self.measured_line is not None:
            notes = [note for note in excerpt.notes if self.line_of(note) == self.measured_line]
            excerpt = replace(excerpt, notes=tuple(notes))
        return {attribute.name: attribute.measure(excerpt) for attribute in self.attributes}
