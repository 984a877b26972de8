"""Where in the latent space music of many bars is: bar after bar, each new or one from before.

Music repeats itself. A flow over the latents of whole excerpts does not find that in as many
excerpts as there are. So this prior takes the bars in order, and each is one of the bars before it
once more, or a new one, drawn from a flow that has heard them all.

Source: See et al. 2017, Get To The Point, section 2.2, for a mixture of copying and making;
`flow_prior` for the flow; Kingma and Dhariwal 2018, Glow, section 6, for draws of less spread than
the density has. That the copies are bars is our own.
"""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.functional import one_hot, pad

from musicvae.model.latent.flow_prior import FlowPrior

HIDDEN_SIZE = 128

LATER_SPREAD = 0.9
"""Of the noise of new bars after the first. A density that is fitted to music is a little wide, and
what is somewhat unlikely of a bar is of 16 bars together: tunes of too wide a range. On validation
data 0.95 and 0.9 gave ranges and likenesses of bars nearer to the data's, and 0.85 too few keys.
The first bar keeps its spread: key and register begin there."""


class BarPrior(nn.Module):
    """A distribution over the latents of excerpts of several bars.

    Conventions: a bar has `bars` choices. Choice i is a copy of the bar i + 1 before it, the last
    choice is a new bar.

    Args:
        share_size: Size of a bar's share of the latent.
        bars: Number of bars, 2 or more.

    Attributes:
        latent_size: Size of a latent.
        noise_size: Size of the noise of a latent: for each bar its choice, then for each its share.
    """

    def __init__(self, share_size: int, bars: int) -> None:
        super().__init__()
        self.bars = bars
        self.latent_size = bars * share_size
        self.noise_size = bars + self.latent_size
        self.memory = nn.LSTM(share_size + bars, HIDDEN_SIZE, batch_first=True)
        self.new = FlowPrior(share_size, context_size=HIDDEN_SIZE)
        self.choice = nn.Linear(HIDDEN_SIZE, bars)
        # A bar after a copy is likely to be copied from as far away; how likely, is fitted.
        self.going_on = nn.Parameter(torch.full((bars - 1,), 3.0))
        self.kept = nn.Parameter(torch.ones(share_size))
        self.log_spread = nn.Parameter(torch.full((share_size,), -1.0))

    @torch.no_grad()
    def start_from(
        self, mean: Float[Tensor, "batch latent"], stddev: Float[Tensor, "batch latent"]
    ) -> None:
        """Takes copies to be what two draws from one of these posteriors are to each other.

        The best guess of a number, from another draw, keeps as much of that as means something:
        the share of the posteriors' means in its variance. A fit that begins elsewhere may never
        find a copy: numbers that mean nothing make it unlikely, and a model has many of them.
        """
        mean, stddev = (each.unflatten(1, (self.bars, -1)).flatten(0, 1) for each in (mean, stddev))
        meant, chance = mean.var(0, correction=0), stddev.square().mean(0)
        self.kept.copy_(meant / (meant + chance))
        self.log_spread.copy_((chance * (1 + self.kept)).log() / 2)

    def forward(self, noise: Float[Tensor, "batch noise"]) -> Float[Tensor, "batch latent"]:
        """The latents that noise stands for.

        A copy is drawn as it was, without the spread that it has in the density: that is how far
        two posteriors of the same bar are from each other, and would make it another bar. New bars
        have less spread than in the density, too: `LATER_SPREAD`.
        """
        choices, shares = noise.split([self.bars, self.latent_size], dim=1)
        # The normal numbers of the choices as numbers from 0 to 1
        chances = torch.special.ndtr(choices)
        drawn = shares.unflatten(1, (self.bars, -1))
        drawn = torch.cat([drawn[:, :1], LATER_SPREAD * drawn[:, 1:]], dim=1)
        last = torch.zeros_like(drawn[:, 0])
        before = last[:, None].expand(-1, self.bars - 1, -1)
        likeness = last.new_zeros(len(noise), self.bars - 1)
        state, made = None, []
        for bar in range(self.bars):
            context, state = self.memory(self._heard(last[:, None], bar), state)
            weights = self._log_weights(context, likeness[:, None], bar)[:, 0].exp()
            choice = (weights.cumsum(1) < chances[:, bar, None]).sum(1).clamp(max=self.bars - 1)
            sources = torch.cat([before, self.new(drawn[:, bar], context[:, 0])[:, None]], dim=1)
            last = sources[torch.arange(len(noise)), choice]
            made.append(last)
            likeness = self._likeness(last[:, None], before[:, None], bar)[:, 0]
            before = torch.cat([last[:, None], before[:, :-1]], dim=1)
        return torch.cat(made, dim=1)

    def log_prob(self, z: Float[Tensor, "batch latent"]) -> Float[Tensor, " batch"]:
        """The density of latents, in nats."""
        shares = z.unflatten(1, (self.bars, -1))
        contexts, _ = self.memory(self._heard(pad(shares[:, :-1], (0, 0, 1, 0)), 0))
        # (batch, bar, choice, share): the bars before each, the nearest first
        before = pad(shares[:, :-1], (0, 0, self.bars - 1, 0)).unfold(1, self.bars - 1, 1)
        before = before.transpose(2, 3).flip(2)
        likeness = pad(self._likeness(shares, before, 0)[:, :-1], (0, 0, 1, 0))
        copies = self._gaps(shares, before).square().sum(-1)
        copied = -0.5 * (copies + shares.shape[-1] * math.log(2 * math.pi)) - self.log_spread.sum()
        new = self.new.log_prob(shares.flatten(0, 1), contexts.flatten(0, 1))
        each = torch.cat([copied, new.unflatten(0, (-1, self.bars))[..., None]], dim=-1)
        return (self._log_weights(contexts, likeness, 0) + each).logsumexp(-1).sum(1)

    def _heard(
        self, last: Float[Tensor, "batch bar share"], first_bar: int
    ) -> Float[Tensor, "batch bar _"]:
        """What the memory hears at each bar: the one before it, and its place."""
        batch, count, _ = last.shape
        places = one_hot(torch.arange(first_bar, first_bar + count), self.bars).to(last)
        return torch.cat([last, places.expand(batch, -1, -1)], dim=-1)

    def _is_there(self, first_bar: int, count: int) -> Bool[Tensor, "bar copy"]:
        """Whether there is a bar so far before each."""
        return torch.arange(self.bars - 1) < torch.arange(first_bar, first_bar + count)[:, None]

    def _gaps(
        self,
        shares: Float[Tensor, "batch bar share"],
        before: Float[Tensor, "batch bar copy share"],
    ) -> Float[Tensor, "batch bar copy share"]:
        """How far each bar is from what copies of those before it would be, in their spreads."""
        return (shares[:, :, None] - self.kept * before) / self.log_spread.exp()

    def _likeness(
        self,
        shares: Float[Tensor, "batch bar share"],
        before: Float[Tensor, "batch bar copy share"],
        first_bar: int,
    ) -> Float[Tensor, "batch bar copy"]:
        """How much each bar is one of those before it, 0 to 1."""
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
        """How likely each choice is, given how much the bar before was a copy from as far away."""
        logits = self.choice(contexts) + pad(self.going_on * likeness, (0, 1))
        is_there = pad(self._is_there(first_bar, contexts.shape[1]), (0, 1), value=True)
        weights: Tensor = logits.masked_fill(~is_there, -math.inf).log_softmax(-1)
        return weights
