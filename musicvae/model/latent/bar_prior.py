"""A prior bar after bar: each bar is new, or a copy of a bar before it.

Music repeats itself. A flow over the latents of whole excerpts learns no repetition from as many
excerpts as there are. So this prior takes the bars in order; each is a copy of one of the bars
before it, or a new bar, drawn from a flow that depends on all of them.

Source: See et al. 2017, Get To The Point, section 2.2, for a mixture of copying and generating;
`flow_prior` for the flow; Kingma and Dhariwal 2018, Glow, section 6, for draws of less spread than
the density has. Copies of bars are our own.
"""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.functional import one_hot, pad

from musicvae.model.latent.flow_prior import FlowPrior
from musicvae.model.latent.latent import Posterior, Prior
from musicvae.runtime.latent_priors import LATER_SPREAD
from musicvae.runtime.shapes import MEMORY_SIZE

MOST_BARS_IN_A_FIT_STEP = 1_024


class BarPrior(Prior):
    """A distribution over the latents of excerpts of several bars.

    Conventions: a bar has `bars` choices. Choice i is a copy of the bar i + 1 before it, the last
    choice is a new bar. The noise of a latent is a number for the choice of each bar, then the
    numbers of each bar's share.

    Args:
        share_size: Size of a bar's share of the latent.
        bars: Number of bars, 2 or more.
    """

    def __init__(self, share_size: int, bars: int) -> None:
        super().__init__()
        self.bars = bars
        self.latent_size = bars * share_size
        self.noise_size = bars + self.latent_size
        self.fit_batch_size = max(1, min(FlowPrior.fit_batch_size, MOST_BARS_IN_A_FIT_STEP // bars))
        self.memory = nn.LSTM(share_size + bars, MEMORY_SIZE, batch_first=True)
        self.new = FlowPrior(share_size, context_size=MEMORY_SIZE)
        self.choice = nn.Linear(MEMORY_SIZE, bars)
        # A bar after a copy is likely a copy from as far away; the fit finds how likely.
        self.going_on = nn.Parameter(torch.full((bars - 1,), 3.0))
        self.kept = nn.Parameter(torch.ones(share_size))
        self.log_spread = nn.Parameter(torch.full((share_size,), -1.0))

    @torch.no_grad()
    def start_from(self, posteriors: Posterior) -> None:
        """Makes a copy as like its bar as two draws from one of these posteriors are.

        Given one draw, the best guess of the other keeps of each number the share of its variance
        that comes from the posteriors' means. From another start a fit may never find a copy: a
        model has many numbers that carry no information, and they make copies unlikely.
        """
        mean, stddev = (
            each.unflatten(1, (self.bars, -1)).flatten(0, 1)
            for each in (posteriors.mean, posteriors.stddev)
        )
        meant, chance = mean.var(0, correction=0), stddev.square().mean(0)
        self.kept.copy_(meant / (meant + chance))
        self.log_spread.copy_((chance * (1 + self.kept)).log() / 2)

    def forward(self, noise: Float[Tensor, "batch noise"]) -> Float[Tensor, "batch latent"]:
        """Draws bar after bar.

        A copy is exact, without the spread that the density gives it: with that spread, the
        distance between two posteriors of one bar, it would be another bar.
        """
        choices, shares = noise.split([self.bars, self.latent_size], dim=1)
        # Gaussian to uniform numbers, from 0 to 1
        chances = torch.special.ndtr(choices)
        drawn = shares.unflatten(1, (self.bars, -1))
        drawn = torch.cat([drawn[:, :1], LATER_SPREAD * drawn[:, 1:]], dim=1)
        last = torch.zeros_like(drawn[:, 0])
        before = last[:, None].expand(-1, self.bars - 1, -1)
        likeness = last.new_zeros(len(noise), self.bars - 1)
        state, drawn_shares = None, []
        for bar in range(self.bars):
            context, state = self.memory(self._inputs(last[:, None], bar), state)
            weights = self._log_weights(context, likeness[:, None], bar)[:, 0].exp()
            choice = (weights.cumsum(1) < chances[:, bar, None]).sum(1).clamp(max=self.bars - 1)
            sources = torch.cat([before, self.new(drawn[:, bar], context[:, 0])[:, None]], dim=1)
            last = sources[torch.arange(len(noise)), choice]
            drawn_shares.append(last)
            likeness = self._likeness(last[:, None], before[:, None], bar)[:, 0]
            before = torch.cat([last[:, None], before[:, :-1]], dim=1)
        return torch.cat(drawn_shares, dim=1)

    def log_prob(self, z: Float[Tensor, "batch latent"]) -> Float[Tensor, " batch"]:
        shares = z.unflatten(1, (self.bars, -1))
        contexts, _ = self.memory(self._inputs(pad(shares[:, :-1], (0, 0, 1, 0)), 0))
        # (batch, bar, copy, share): the bars before each bar, the nearest first
        before = pad(shares[:, :-1], (0, 0, self.bars - 1, 0)).unfold(1, self.bars - 1, 1)
        before = before.transpose(2, 3).flip(2)
        likeness = pad(self._likeness(shares, before, 0)[:, :-1], (0, 0, 1, 0))
        copies = self._gaps(shares, before).square().sum(-1)
        copied = -0.5 * (copies + shares.shape[-1] * math.log(2 * math.pi)) - self.log_spread.sum()
        new = self.new.log_prob(shares.flatten(0, 1), contexts.flatten(0, 1))
        each = torch.cat([copied, new.unflatten(0, (-1, self.bars))[..., None]], dim=-1)
        return (self._log_weights(contexts, likeness, 0) + each).logsumexp(-1).sum(1)

    def _inputs(
        self, last: Float[Tensor, "batch bar share"], first_bar: int
    ) -> Float[Tensor, "batch bar _"]:
        """The memory's input at each bar: the share of the bar before, and the bar's number."""
        batch, count, _ = last.shape
        numbers = one_hot(torch.arange(first_bar, first_bar + count), self.bars).to(last)
        return torch.cat([last, numbers.expand(batch, -1, -1)], dim=-1)

    def _is_there(self, first_bar: int, count: int) -> Bool[Tensor, "bar copy"]:
        """Whether copy i of each bar exists: the bar i + 1 before it."""
        return torch.arange(self.bars - 1) < torch.arange(first_bar, first_bar + count)[:, None]

    def _gaps(
        self,
        shares: Float[Tensor, "batch bar share"],
        before: Float[Tensor, "batch bar copy share"],
    ) -> Float[Tensor, "batch bar copy share"]:
        """The distance of each bar from copies of the bars before it, in the copies' spreads."""
        return (shares[:, :, None] - self.kept * before) / self.log_spread.exp()

    def _likeness(
        self,
        shares: Float[Tensor, "batch bar share"],
        before: Float[Tensor, "batch bar copy share"],
        first_bar: int,
    ) -> Float[Tensor, "batch bar copy"]:
        """How alike each bar is to each bar before it, 0 to 1."""
        gaps = self._gaps(shares, before)
        is_there = self._is_there(first_bar, shares.shape[1]).to(gaps)
        likeness: Tensor = (-0.5 * gaps.square().mean(-1)).exp() * is_there
        return likeness

    def _log_weights(
        self,
        contexts: Float[Tensor, "batch bar hidden"],
        likeness: Float[Tensor, "batch bar copy"],
        first_bar: int,
    ) -> Float[Tensor, "batch bar choice"]:
        """The log probability of each choice, given how alike the bar before was to its copies."""
        logits = self.choice(contexts) + pad(self.going_on * likeness, (0, 1))
        is_there = pad(self._is_there(first_bar, contexts.shape[1]), (0, 1), value=True)
        weights: Tensor = logits.masked_fill(~is_there, -math.inf).log_softmax(-1)
        return weights
