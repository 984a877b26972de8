"""Keys and chords of pieces on the grid, inferred from the notes that are no drums."""

from collections.abc import Sequence

import numpy as np

from musicvae.data_pipeline.grid.grid import GridPiece
from musicvae.data_pipeline.readers.piece import ChordLine
from musicvae.music.harmony import FIRST_NOISE, infer_chords
from musicvae.music.keys import EstimatedKey, estimate_keys


def infer_piece_keys(pieces: Sequence[GridPiece]) -> list[EstimatedKey | None]:
    """The key of each piece of one grid; None for a piece with only drums."""
    parts = [
        (number, part)
        for number, piece in enumerate(pieces)
        for part in piece.parts
        if not part.is_drum
    ]
    if not parts:
        return [None] * len(pieces)
    return estimate_keys(
        np.repeat([number for number, _ in parts], [len(part.starts) for _, part in parts]),
        np.concatenate([part.starts for _, part in parts]),
        np.concatenate([part.ends for _, part in parts]),
        np.concatenate([part.pitches for _, part in parts]),
        count=len(pieces),
        steps_per_quarter=pieces[0].steps_per_quarter,
    )


def infer_piece_chords(piece: GridPiece) -> ChordLine | None:
    """The chords of a piece; None if only drums and noises play."""
    parts = [part for part in piece.parts if not part.is_drum and part.program < FIRST_NOISE]
    if not parts:
        return None
    chords = infer_chords(
        np.concatenate([part.starts for part in parts]),
        np.concatenate([part.ends for part in parts]),
        np.concatenate([part.pitches for part in parts]),
        bar_steps=piece.bar_steps,
        meter=piece.meter,
        steps_per_quarter=piece.steps_per_quarter,
    )
    return ChordLine(
        onsets=piece.quarters(chords.steps),
        roots=chords.roots,
        qualities=chords.qualities,
        basses=chords.basses,
    )
