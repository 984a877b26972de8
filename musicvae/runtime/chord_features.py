"""The tones, the root and the bass of chords, as far as a prior's chord bias reads them.

Conventions: a chord and its bass are events as in `musicvae.representation.chords`, or one above
the last where they are unknown; an unknown chord has no tones.
"""

import numpy as np
from jaxtyping import Float, Int

from musicvae.music.chords import QUALITIES
from musicvae.representation.chords import BASS_EVENTS, EVENTS

_TONES = np.stack(
    [
        np.roll(np.isin(np.arange(12), tones), root)
        for root in range(12)
        for tones in QUALITIES.values()
    ]
)
_ROOTS = np.eye(12).repeat(len(QUALITIES), axis=0)
_KNOWN = np.concatenate([_TONES, _ROOTS], axis=1)

CHORDS = np.pad(_KNOWN, ((EVENTS - len(_KNOWN), 1), (0, 0))).astype(np.float32)
"""For each event of a chord its tones, 0 or 1 for each pitch class, then its root likewise."""

BASSES = np.pad(np.eye(12), ((BASS_EVENTS - 12, 1), (0, 0))).astype(np.float32)
"""For each event of a bass its pitch class; nothing where the bass is the root."""


def describe_chords(
    told: Int[np.ndarray, "batch stream 2"],
) -> Float[np.ndarray, "batch stream 36"]:
    """The tones, the root and the bass of chords, each by pitch class."""
    chords, basses = CHORDS[told[..., 0]], BASSES[told[..., 1]]
    is_root = ~basses.any(-1, keepdims=True)  # no slash: the root is the bass
    return np.concatenate([chords, np.where(is_root, chords[..., 12:], basses)], axis=-1)
