"""The notes of many excerpts as columns, and the measures that count them.

Conventions: rows are in order of excerpt, onset and pitch. Steps are steps of the grid. A measure
gives any number of values for an excerpt; the values of all excerpts are pooled.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from jaxtyping import Bool, Float, Int

from musicvae.data.shards import Events
from musicvae.evaluation.lines import Line, lines_of
from musicvae.music.instruments import CLASS_OF_PITCH
from musicvae.representation import Representation

BINS = 20
"""The bins of measures with a value or two an excerpt, such as the number of notes. A few thousand
excerpts fill so many; the rarest values lie outside."""


@dataclass(frozen=True, kw_only=True, eq=False)
class NoteTable:
    """The notes of a line.

    Attributes:
        line: The line.
        excerpts: The number of excerpts, excerpts without notes included.
        bars: The number of bars of an excerpt.
        steps_per_bar: The length of a bar.
        excerpt: The excerpt of each note.
        start: The step of its onset.
        end: The first step at which the note is silent again.
        pitch: The MIDI number.
        velocity: The velocity, 1 to 127.
        offset: The distance of the onset from its step, in steps.
    """

    line: Line
    excerpts: int
    bars: int
    steps_per_bar: int
    excerpt: Int[np.ndarray, " note"]
    start: Int[np.ndarray, " note"]
    end: Int[np.ndarray, " note"]
    pitch: Int[np.ndarray, " note"]
    velocity: Int[np.ndarray, " note"]
    offset: Float[np.ndarray, " note"]

    @property
    def counts(self) -> Int[np.ndarray, " batch"]:
        """The notes of each excerpt."""
        return np.bincount(self.excerpt, minlength=self.excerpts)

    @property
    def ranges(self) -> Int[np.ndarray, " _"]:
        """The semitones from the lowest to the highest pitch of each excerpt with notes."""
        lowest = np.full(self.excerpts, 128)
        highest = np.full(self.excerpts, -1)
        np.minimum.at(lowest, self.excerpt, self.pitch)
        np.maximum.at(highest, self.excerpt, self.pitch)
        ranges: Int[np.ndarray, " _"] = (highest - lowest)[self.counts > 0]
        return ranges

    @property
    def is_new(self) -> Bool[np.ndarray, " note"]:
        """Whether a note starts later than the note before it, or in another excerpt."""
        changes = (np.diff(self.excerpt) > 0) | (np.diff(self.start) > 0)
        return np.concatenate([np.ones(min(1, len(self.start)), np.bool_), changes])

    def steps_between(self) -> Int[np.ndarray, " _"]:
        """Counts the steps from each onset to the next of the same excerpt."""
        excerpt, start = self.excerpt[self.is_new], self.start[self.is_new]
        between: Int[np.ndarray, " _"] = np.diff(start)[np.diff(excerpt) == 0]
        return between

    def intervals(self) -> Int[np.ndarray, " _"]:
        """Counts the semitones from each note to the next of the same excerpt, up or down."""
        intervals: Int[np.ndarray, " _"] = np.abs(np.diff(self.pitch))[np.diff(self.excerpt) == 0]
        return intervals

    def hits_per_bar(self) -> Int[np.ndarray, " _"]:
        """Counts the notes of each bar."""
        bar = self.excerpt * self.bars + self.start // self.steps_per_bar
        return np.bincount(bar, minlength=self.excerpts * self.bars)


@dataclass(frozen=True, kw_only=True)
class NoteMeasure:
    """A measure of notes.

    Attributes:
        about: The caption of its histogram, a sentence.
        values: Takes the values of the measure.
        width: The width of the bins; None for a measure with a value or two an excerpt, whose bins
            are as wide as the spread of the data asks.
    """

    about: str
    values: Callable[[NoteTable], Int[np.ndarray, " _"] | Float[np.ndarray, " _"]]
    width: float | None = 1.0

    def bin_width(self, data: Int[np.ndarray, " _"] | Float[np.ndarray, " _"]) -> float:
        """Finds the width of the bins for the values of the data."""
        if self.width is not None:
            return self.width
        low, high = np.quantile(data, [0.01, 0.99]) if data.size else (0, 0)
        return float(max(1, math.ceil((high - low) / BINS)))


_RHYTHM = {
    "inter_onset": NoteMeasure(
        about="Onsets by the steps to the next.", values=NoteTable.steps_between
    ),
    "onset_position": NoteMeasure(
        about="Onsets by their step in the bar, from 0.",
        values=lambda notes: notes.start[notes.is_new] % notes.steps_per_bar,
    ),
}

OF_PITCHES: dict[str, NoteMeasure] = {
    "notes": NoteMeasure(
        about="Excerpts by their number of notes.", values=lambda notes: notes.counts, width=None
    ),
    "pitch": NoteMeasure(about="Notes by pitch; C4 is middle C.", values=lambda notes: notes.pitch),
    "pitch_class": NoteMeasure(
        about="Notes by pitch class.", values=lambda notes: notes.pitch % 12
    ),
    "pitch_range": NoteMeasure(
        about="Excerpts by the semitones from their lowest to their highest note.",
        values=lambda notes: notes.ranges,
        width=None,
    ),
    "interval": NoteMeasure(
        about="Notes by the semitones to the next, up or down.", values=NoteTable.intervals
    ),
    "duration": NoteMeasure(
        about="Notes by their length in steps.", values=lambda notes: notes.end - notes.start
    ),
    **_RHYTHM,
}
"""The measures of a line with pitches."""

OF_DRUMS: dict[str, NoteMeasure] = {
    "drum": NoteMeasure(
        about="Hits by class of drum.", values=lambda notes: CLASS_OF_PITCH[notes.pitch].astype(int)
    ),
    "hits": NoteMeasure(
        about="Bars by their number of hits.", values=NoteTable.hits_per_bar, width=None
    ),
    **_RHYTHM,
}
"""The measures of drums."""

OF_PLAYED_DRUMS: dict[str, NoteMeasure] = {
    **OF_DRUMS,
    "velocity": NoteMeasure(
        about="Hits by velocity, 1 to 127.", values=lambda notes: notes.velocity, width=4.0
    ),
    "offset": NoteMeasure(
        about="Hits by how far they stand from their step, in steps; below 0 early.",
        values=lambda notes: notes.offset,
        width=0.05,
    ),
}
"""The measures of drums with loudness and timing."""


def measures_of(representation: Representation, line: Line) -> dict[str, NoteMeasure]:
    """Finds the measures of a line, by their names."""
    if line.is_pitched:
        return OF_PITCHES
    has_numbers = any(stream.is_number for stream in representation.streams)
    return OF_PLAYED_DRUMS if has_numbers else OF_DRUMS


_Row: TypeAlias = tuple[int, int, int, int, int, float]


def note_tables(representation: Representation, events: Events) -> dict[str, NoteTable]:
    """Tables the notes of each line, by the line's name."""
    lines = lines_of(representation)
    rows: dict[str, list[_Row]] = {line.name: [] for line in lines}
    for excerpt, each in enumerate(events[:]):
        for note in representation.to_notes(each).notes:
            rows[representation.kind.line_of(note)].append(
                (
                    excerpt,
                    note.start_step,
                    note.end_step,
                    note.pitch,
                    note.velocity,
                    note.offset,
                )
            )
    return {line.name: _table(representation, line, len(events), rows[line.name]) for line in lines}


def _table(
    representation: Representation, line: Line, excerpts: int, rows: list[_Row]
) -> NoteTable:
    columns = np.array(rows, np.float64).reshape(-1, 6).T
    excerpt, start, end, pitch, velocity = columns[:5].astype(np.int64)
    return NoteTable(
        line=line,
        excerpts=excerpts,
        bars=representation.bars,
        steps_per_bar=representation.steps_per_bar,
        excerpt=excerpt,
        start=start,
        end=end,
        pitch=pitch,
        velocity=velocity,
        offset=columns[5],
    )
