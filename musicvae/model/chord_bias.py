"""The direct effect of a chord on the events of its step: the part that a prior learns easily.

Conventions: see `musicvae.runtime.chord_features`; an unknown chord has no effect.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from musicvae.runtime.chord_features import BASSES, CHORDS


class ChordBias(nn.Module):
    """Adds to the parameters of events a sum over the tones, the root and the bass of the chord.

    Args:
        sizes: The number of parameters of each generated stream.
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        super().__init__()
        self._sizes = list(sizes)
        self.weight = nn.Parameter(torch.zeros(sum(sizes), 36))
        self.register_buffer("chords", torch.tensor(CHORDS), persistent=False)
        self.register_buffer("basses", torch.tensor(BASSES), persistent=False)
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
