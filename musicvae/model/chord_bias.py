"""The direct effect of a chord on the events of its step: the part that a prior learns easily.

Conventions: a chord and its bass are events as in `musicvae.representation.chords`, or one above
the last where they are unknown; an unknown chord has no effect.
"""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

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


class ChordBias(nn.Module):
    """Adds to the parameters of events a sum over the tones, the root and the bass of the chord.

    Args:
        sizes: The number of parameters of each generated stream.
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        super().__init__()
        self._sizes = list(sizes)
        self.weight = nn.Parameter(torch.zeros(sum(sizes), 36))
        known = np.concatenate([_TONES, _ROOTS], axis=1)
        chords = np.pad(known, ((EVENTS - len(known), 1), (0, 0)))
        basses = np.pad(np.eye(12), ((BASS_EVENTS - 12, 1), (0, 0)))
        self.register_buffer("chords", torch.tensor(chords, dtype=torch.float32), persistent=False)
        self.register_buffer("basses", torch.tensor(basses, dtype=torch.float32), persistent=False)
        self.chords: Float[Tensor, "event 24"]
        self.basses: Float[Tensor, "event 12"]

    def forward(self, told: Int[Tensor, "batch row _column"]) -> Float[Tensor, "batch row _"]:
        """The effect on every row.

        Args:
            told: For each generated stream the chord and the bass of its step.
        """
        by_stream = told.unflatten(-1, (-1, 2))
        chords, basses = self.chords[by_stream[..., 0]], self.basses[by_stream[..., 1]]
        is_root = basses.sum(-1, keepdim=True) == 0  # no slash: the root is the bass
        basses = torch.where(is_root, chords[..., 12:], basses)
        features = torch.cat([chords, basses], dim=-1)
        parts = zip(features.unbind(-2), self.weight.split(self._sizes), strict=True)
        return torch.cat([nn.functional.linear(each, weight) for each, weight in parts], dim=-1)
