"""Pieces on the grid, written note by note, and the same music as a `NoteSequence`."""

import numpy as np

from musicvae.data_pipeline.grid.grid import put_on_grid
from musicvae.data_pipeline.readers.piece import MeterChange, Part, ReadPiece
from musicvae.music.notes import Meter, Note, NoteSequence

COMMON = Meter()


def make_part(*notes, steps_per_quarter=4, name="", program=0, is_drum=False):
    """A part of notes `(start_step, pitch, end_step[, offset])`."""
    rows = np.array([(*note, 0.0)[:4] for note in notes], float)
    onsets = (rows[:, 0] + rows[:, 3]) / steps_per_quarter
    ends = rows[:, 2] / steps_per_quarter
    order = np.lexsort((ends, rows[:, 1], onsets))
    return Part(
        name=name,
        program=program,
        is_drum=is_drum,
        onsets=onsets[order],
        ends=ends[order],
        pitches=rows[order, 1].astype(np.int16),
        velocities=np.full(len(rows), 80, np.int16),
    )


def make_piece(*parts, bar_lines=None, meter=COMMON, steps_per_quarter=4, **marks):
    """A piece of these parts; `bar_lines` are steps, by default as many as the notes need."""
    bar = meter.steps_per_bar(steps_per_quarter)
    if bar_lines is None:
        last = max(part.ends.max() for part in parts) * steps_per_quarter
        bar_lines = range(0, int(last) + bar, bar)
    piece = ReadPiece(
        parts=parts,
        bar_lines=np.array(bar_lines, float) / steps_per_quarter,
        meters=(MeterChange(0, meter),),
        **marks,
    )
    return put_on_grid([piece], meter, steps_per_quarter)[0]


def sequence_of(piece, *parts):
    """The notes of some parts of a piece, together."""
    notes = [
        Note(
            int(part.starts[index]),
            int(part.pitches[index]),
            int(part.ends[index]),
            is_drum=part.is_drum,
            offset=float(part.offsets[index]),
        )
        for part in parts
        for index in range(len(part.starts))
    ]
    return NoteSequence(
        notes=tuple(sorted(notes)),
        length_steps=piece.length_steps,
        meter=piece.meter,
        steps_per_quarter=piece.steps_per_quarter,
    )


def bar_of(piece, span, index):
    """The number of a bar of a span among the bar lines of its piece, from 0."""
    return piece.bar_steps.tolist().index(span.start_step + index * piece.steps_per_bar)
