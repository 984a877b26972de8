"""The conductor: from one latent to one plan a bar.

Source: Roberts et al. 2018, section 3.2. The paper's conductor starts from the latent and hears
nothing but its own state; ours hears at each bar that bar's own share of the latent, which goes
straight into the plan, too: a latent need not be remembered over all the bars, and what was learnt
of one bar holds for all. All plans are had before any bar is decoded.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Conductor(nn.Module):
    """An LSTM over the bars that starts from the latent and plans each bar.

    Args:
        share_size: Size of a bar's share of the latent.
        hidden_size: Size of the LSTM's state.
        layers: Number of layers.
        plan_size: Size of one bar's plan.
        bars: Number of bars to plan.
    """

    def __init__(
        self, *, share_size: int, hidden_size: int, layers: int, plan_size: int, bars: int
    ) -> None:
        super().__init__()
        self.bars = bars
        self.layers = layers
        self.initial = nn.Linear(share_size, 2 * layers * hidden_size)
        self.share = nn.Linear(share_size, plan_size)
        self.lstm = nn.LSTM(plan_size, hidden_size, layers, batch_first=True)
        self.plan = nn.Linear(hidden_size, plan_size)

    def forward(self, z: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch bar hidden"]:
        # (batch, bar * share) -> (batch, bar, share)
        parts = z.unflatten(1, (self.bars, -1))
        start = torch.tanh(self.initial(parts.mean(1)))
        # (batch, 2 * layer * hidden) -> hidden and cell state, each (layer, batch, hidden)
        states = start.unflatten(1, (2, self.layers, -1)).permute(1, 2, 0, 3)
        shares = self.share(parts)
        outputs, _ = self.lstm(shares, (states[0].contiguous(), states[1].contiguous()))
        plans: Tensor = shares + self.plan(outputs)
        return plans
