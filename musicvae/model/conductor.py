"""The conductor: from the bars' shares of a latent to one plan a bar.

Source: Roberts et al. 2018, section 3.2. The paper's conductor starts from the latent and reads
nothing but its own state. Here the conductor reads at each bar that bar's own share of the latent,
and the share goes straight into the plan, too: the state need not carry the latent over all bars,
and a bar learnt at one place holds at any place. All plans exist before any bar is decoded.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Conductor(nn.Module):
    """An LSTM over the bars that starts from the mean share and plans each bar.

    Args:
        share_size: Size of a bar's share of the latent.
        hidden_size: Size of the LSTM's state.
        layers: Number of layers.
        plan_size: Size of one bar's plan.
    """

    def __init__(self, *, share_size: int, hidden_size: int, layers: int, plan_size: int) -> None:
        super().__init__()
        self.layers = layers
        self.initial = nn.Linear(share_size, 2 * layers * hidden_size)
        self.share = nn.Linear(share_size, plan_size)
        self.lstm = nn.LSTM(plan_size, hidden_size, layers, batch_first=True)
        self.plan = nn.Linear(hidden_size, plan_size)

    def forward(
        self, shares: Float[Tensor, "batch bar share"]
    ) -> Float[Tensor, "batch bar hidden"]:
        start = torch.tanh(self.initial(shares.mean(1)))
        # (batch, 2 * layer * hidden) -> hidden and cell state, each (layer, batch, hidden)
        states = start.unflatten(1, (2, self.layers, -1)).permute(1, 2, 0, 3)
        inputs = self.share(shares)
        outputs, _ = self.lstm(inputs, (states[0].contiguous(), states[1].contiguous()))
        plans: Tensor = inputs + self.plan(outputs)
        return plans
