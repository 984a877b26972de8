"""The bar decoder: from a plan to the steps of one bar, each step hearing the one before.

Source: Roberts et al. 2018, section 3.2: the plan sets the initial state and is concatenated at
every step, and no state passes from bar to bar. Neither does the last event here (in Magenta's
code it does): given the plans the bars are independent, and are decoded as rows of one batch.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from musicvae.identity import compare_by_identity
from musicvae.model.event_embedding import EventEmbedding


@compare_by_identity
class State(NamedTuple):
    """What an LSTM remembers: of every layer its hidden and its cell state, (batch, hidden)."""

    hidden: list[Tensor]
    cell: list[Tensor]


class BarDecoder(nn.Module):
    """An LSTM over the steps of one bar; a row of its batch is one bar.

    Args:
        embedding: Of what it hears: the events of the step before, and what is given at this one.
        parameters: Number of parameters of the events of one step.
        plan_size: Size of one plan.
        hidden_size: Size of the LSTM's state.
        layers: Number of layers.
    """

    def __init__(
        self,
        *,
        embedding: EventEmbedding,
        parameters: int,
        plan_size: int,
        hidden_size: int,
        layers: int,
    ) -> None:
        super().__init__()
        self.embedding = embedding
        self.layers = layers
        self.initial = nn.Linear(plan_size, 2 * layers * hidden_size)
        self.lstm = nn.LSTM(embedding.size + plan_size, hidden_size, layers, batch_first=True)
        self.output = nn.Linear(hidden_size, parameters)

    def forward(
        self,
        plan: Float[Tensor, "batch hidden"],
        heard: Int[Tensor, "batch step stream"],
    ) -> Float[Tensor, "batch step _"]:
        """The parameters of every step, when `heard[:, t]` is what step t hears."""
        plans = plan[:, None].expand(-1, heard.shape[1], -1)
        inputs = torch.cat([self.embedding(heard), plans], dim=-1)
        start = self.start(plan)
        states = (torch.stack(start.hidden), torch.stack(start.cell))
        outputs, _ = self.lstm(inputs, states)
        parameters: Tensor = self.output(outputs)
        return parameters

    def start(self, plan: Float[Tensor, "batch hidden"]) -> State:
        """What it remembers before the first step."""
        # (batch, 2 * layer * hidden) -> hidden and cell state of each layer
        states = torch.tanh(self.initial(plan)).unflatten(1, (2, self.layers, -1))
        hidden, cell = states.unbind(1)
        return State(list(hidden.unbind(1)), list(cell.unbind(1)))

    def step(
        self,
        plan: Float[Tensor, "batch hidden"],
        state: State,
        heard: Int[Tensor, "batch stream"],
        number: int,
    ) -> Float[Tensor, "batch _"]:
        """The parameters of step `number`; `state` moves on.

        It takes the LSTM's step by hand: `nn.LSTM` packs its weights anew at every call, which
        costs more than the step.
        """
        embedded = self.embedding(heard[:, None], first_step=number)[:, 0]
        inputs = torch.cat([embedded, plan], dim=-1)
        for layer, weights in enumerate(self.lstm.all_weights):
            before = (state.hidden[layer], state.cell[layer])
            inputs, state.cell[layer] = torch.lstm_cell(inputs, before, *weights)
            state.hidden[layer] = inputs
        parameters: Tensor = self.output(inputs)
        return parameters
