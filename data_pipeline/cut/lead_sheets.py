"""Cuts a piece into lead sheets: its melodies, as `melodies` cuts them, over the written chords.

Chords are a condition, so they must be known, not guessed: only written chords count. An excerpt
that begins before the first chord, or has no chord, is rejected. A written N.C. (no chord) counts
as known.
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Int16, Int32, UInt64

from musicvae.data_pipeline.grid.grid import GridPiece
from musicvae.data_pipeline.readers.piece import ChordLine
from musicvae.data_pipeline.rejections import Rejection, merge_rejections
from musicvae.music.chords import QUALITIES
from musicvae.music.instruments import LOWEST_PITCH
from musicvae.representation import LeadSheet
from musicvae.representation.chords import NO_CHORD
from musicvae.representation.melody import EVENTS, FIRST_PITCH_EVENT

from .chord_excerpts import Harmony, cut_harmony
from .excerpts import CutPiece, CutSettings, Excerpts, Labels, digest
from .melodies import cut_melodies
from .windows import find_windows


def cut_lead_sheets(piece: GridPiece, settings: CutSettings) -> CutPiece:
    """Cuts the melodies of a piece with their chords; `settings.melody` chooses the parts."""
    representation = settings.representation
    assert isinstance(representation, LeadSheet), representation
    written = piece.piece.chords
    if written is None:
        return CutPiece(rejections=(Rejection("piece", "no_chords", "no chord symbols"),))
    (melodies,) = cut_melodies([piece], replace(settings, representation=representation.line))
    # Excerpts with few chords stay: the melody is learnt, not the harmony.
    rules = replace(settings.rules, fewest_chords=1)
    harmony = cut_harmony(
        piece, written, replace(settings, representation=representation.harmony, rules=rules)
    )
    known_bars = _find_known_bars(piece, written, settings)
    sheets: list[Excerpts] = []
    rejections = list(melodies.rejections)
    for melody in melodies.excerpts:
        is_known = np.isin(melody.start_bars, known_bars)
        has_chords = np.isin(melody.start_bars, harmony.start_bars)
        if count := int(np.count_nonzero(~is_known)):
            found = "it begins before the first chord"
            rejections.append(Rejection("excerpt", "no_chords", found, count))
        if count := int(np.count_nonzero(is_known & ~has_chords)):
            rejections.append(Rejection("excerpt", "no_chords", "no chord", count))
        if (is_kept := is_known & has_chords).any():
            sheets.append(_join(melody, is_kept, harmony))
    return CutPiece(excerpts=tuple(sheets), rejections=merge_rejections(rejections))


def _find_known_bars(
    piece: GridPiece, written: ChordLine, settings: CutSettings
) -> Int32[np.ndarray, " batch"]:
    """The first bars of the excerpts whose chords are known."""
    windows = find_windows([piece], settings.representation.bars, settings.hop_bars)
    # A chord nearer to the bar line than to the next step starts with the bar.
    half_step = 0.5 / piece.steps_per_quarter
    is_known = piece.quarters(windows.first_steps) + half_step > written.onsets[0]
    known: Int32[np.ndarray, " batch"] = windows.start_bars[is_known]
    return known


def _join(melody: Excerpts, is_kept: Bool[np.ndarray, " batch"], harmony: Harmony) -> Excerpts:
    """The excerpts of a melody that are kept, with the chords of the same bars."""
    start_bars = melody.start_bars[is_kept]
    chords = harmony.events[np.searchsorted(harmony.start_bars, start_bars)]
    events = np.concatenate([melody.events[is_kept], chords], axis=2)
    return melody._replace(
        start_bars=start_bars,
        events=events,
        shapes=_digest_shapes(events),
        labels=Labels(*(column[is_kept] for column in melody.labels)),
        velocities=None,
    )


def _digest_shapes(events: Int16[np.ndarray, "batch step 3"]) -> UInt64[np.ndarray, " batch"]:
    """A digest that is equal for a lead sheet in every key: it counts from the lowest note."""
    line, chords, basses = np.moveaxis(events.astype(np.int32), 2, 0)
    is_pitch, is_chord, is_slash = line >= FIRST_PITCH_EVENT, chords > NO_CHORD, basses > 0
    lowest = np.where(is_pitch, line, EVENTS).min(axis=1, keepdims=True)
    tonic = lowest - FIRST_PITCH_EVENT + LOWEST_PITCH
    roots, qualities = np.divmod(chords - 1, len(QUALITIES))
    relative = np.stack(
        [
            np.where(is_pitch, line - lowest + FIRST_PITCH_EVENT, line),
            np.where(is_chord, 1 + (roots - tonic) % 12 * len(QUALITIES) + qualities, NO_CHORD),
            np.where(is_slash, 1 + (basses - 1 - tonic) % 12, 0),
        ],
        axis=2,
    )
    return digest(relative.reshape(len(relative), relative.shape[1] * relative.shape[2]))
