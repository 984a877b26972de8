"""Cuts a piece into excerpts of its harmony.

The chords are the source's own; if it writes none, they are inferred from the notes. The name of
the part says which. Each slot of the representation gets the chord with most of its steps, and of
two equally long chords the earlier; so a chord shorter than a slot may be lost. Before the first
written chord there is no chord.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Int16, Int32, Int64, UInt64

from musicvae.data_pipeline.grid.grid import GridPiece
from musicvae.data_pipeline.readers.piece import CHORDS_INFERRED, CHORDS_WRITTEN, ChordLine
from musicvae.data_pipeline.rejections import Rejection
from musicvae.identity import compare_by_identity
from musicvae.music.chords import QUALITIES
from musicvae.representation.chords import BASS_EVENTS, NO_CHORD, Chords, write_chords

from .candidates import Candidates
from .excerpts import CutPiece, CutSettings, Excerpts, Labels, digest
from .inference import infer_piece_chords
from .labels import Stretch, label
from .rules import Rules
from .windows import find_windows, reject_bars

_ROUNDING = 1e-6


def cut_chords(piece: GridPiece, settings: CutSettings) -> CutPiece:
    """Cuts the chords of a piece."""
    representation = settings.representation
    assert isinstance(representation, Chords), representation
    written = piece.piece.chords
    origin = CHORDS_INFERRED if written is None else CHORDS_WRITTEN
    line = infer_piece_chords(piece) if written is None else written
    if line is None or not (line.roots >= 0).any():
        found = "neither chord symbols nor notes with a harmony"
        return CutPiece(rejections=(Rejection("piece", "no_chords", found),))
    harmony = cut_harmony(piece, line, settings)
    if not len(harmony.events):
        return CutPiece(rejections=harmony.rejections)
    excerpts = Excerpts(
        part=f"chords {origin}",
        program=0,
        start_bars=harmony.start_bars,
        events=harmony.events,
        shapes=_digest_shapes(harmony.events),
        labels=_label(piece, harmony.first_steps, representation.length_steps),
    )
    return CutPiece(excerpts=(excerpts,), rejections=harmony.rejections)


@compare_by_identity
class Harmony(NamedTuple):
    """The chords of the windows of a piece that the rules keep.

    Attributes:
        first_steps: The first step of each window.
        start_bars: The bar of the piece at which each window starts.
        events: The chords of each window.
        rejections: The rejections of bars and windows.
    """

    first_steps: Int64[np.ndarray, " batch"]
    start_bars: Int32[np.ndarray, " batch"]
    events: Int16[np.ndarray, "batch step 2"]
    rejections: tuple[Rejection, ...]


def cut_harmony(piece: GridPiece, line: ChordLine, settings: CutSettings) -> Harmony:
    """Cuts the chords of a line, without labels."""
    representation = settings.representation
    assert isinstance(representation, Chords), representation
    windows = find_windows([piece], representation.bars, settings.hop_bars)
    length, row_steps = representation.length_steps, representation.steps_per_row
    slots = windows.first_steps[:, None] + np.arange(0, length, row_steps)
    events = _choose(write_steps(piece, line), slots, row_steps)
    candidates = Candidates(windows.first_steps, length)
    _judge(candidates, events, settings.rules)
    is_kept = candidates.is_kept
    return Harmony(
        first_steps=windows.first_steps[is_kept],
        start_bars=windows.start_bars[is_kept],
        events=events[is_kept],
        rejections=(*reject_bars(piece, representation.bars), *candidates.rejections[0]),
    )


def write_steps(piece: GridPiece, line: ChordLine) -> Int16[np.ndarray, "step 2"]:
    """The events of the chord at each step of a piece."""
    lines = piece.piece.bar_lines
    bars = np.clip(lines.searchsorted(line.onsets + _ROUNDING, side="right") - 1, 0, len(lines) - 2)
    within = np.floor((line.onsets - lines[bars]) * piece.steps_per_quarter + (0.5 + _ROUNDING))
    starts = np.maximum(piece.bar_steps[bars] + within.astype(np.int64), 0)
    is_in = starts < piece.length_steps
    return write_chords(
        starts[is_in],
        line.roots[is_in],
        line.qualities[is_in],
        line.basses[is_in],
        piece.length_steps,
    )


def _choose(
    steps: Int16[np.ndarray, "step 2"], slots: Int64[np.ndarray, "batch slot"], row_steps: int
) -> Int16[np.ndarray, "batch slot 2"]:
    """The events of the longest chord of each slot; the earlier of equally long chords."""
    firsts, which = np.unique(slots, return_inverse=True)
    whole = steps[firsts[:, None] + np.arange(row_steps)]
    codes = whole[..., 0] * BASS_EVENTS + whole[..., 1]
    counts = (codes[:, :, None] == codes[:, None, :]).sum(axis=2)
    chosen: Int16[np.ndarray, "slot 2"] = whole[np.arange(len(firsts)), counts.argmax(axis=1)]
    return chosen[which.reshape(slots.shape)]


def _judge(candidates: Candidates, events: Int16[np.ndarray, "batch slot 2"], rules: Rules) -> None:
    chords = np.sort(events[..., 0], axis=1)
    is_new = chords > NO_CHORD
    is_new[:, 1:] &= chords[:, 1:] != chords[:, :-1]
    counts = is_new.sum(axis=1)
    candidates.reject("no_chords", counts == 0, lambda _: "no chord")
    candidates.reject("few_chords", counts < rules.fewest_chords, lambda _: "one chord alone")


def _digest_shapes(events: Int16[np.ndarray, "batch slot 2"]) -> UInt64[np.ndarray, " batch"]:
    """A digest that is the same for a harmony in every key."""
    chords, basses = events[..., 0].astype(np.int32), events[..., 1].astype(np.int32)
    is_chord, is_slash = chords > NO_CHORD, basses > 0
    roots, qualities = np.divmod(chords - 1, len(QUALITIES))
    rows = np.arange(len(events))
    first_roots = roots[rows, is_chord.argmax(axis=1)][:, None]
    relative = (roots - first_roots) % 12 * len(QUALITIES) + qualities + 1
    moved = np.stack(
        [
            np.where(is_chord, relative, NO_CHORD),
            np.where(is_slash, (basses - 1 - first_roots) % 12 + 1, 0),
        ],
        axis=2,
    )
    return digest(moved.reshape(len(moved), moved.shape[1] * 2))


def _label(piece: GridPiece, first_steps: Int64[np.ndarray, " batch"], length_steps: int) -> Labels:
    """Labels of the notes that the chords go with, all pitched parts together."""
    parts = [part for part in piece.parts if not part.is_drum]
    nothing = [np.zeros(0, np.int32)]
    starts = np.concatenate([part.starts for part in parts] or nothing)
    pitches = np.concatenate([part.pitches for part in parts] or nothing)
    order = np.lexsort((pitches, starts))
    return label(
        [Stretch(piece, first_steps)],
        starts[order],
        pitches[order],
        is_drum=False,
        length_steps=length_steps,
    )
