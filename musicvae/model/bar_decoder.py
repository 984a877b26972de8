"""The bar decoder: from a plan to the steps of one bar, each step reading the step before.

Source: Roberts et al. 2018, section 3.2: the plan sets the initial state and is concatenated at
every step, and no state passes from bar to bar. Magenta's code passes the last event of a bar on to
the next; here no event is passed on: given the plans, the bars are independent, and are decoded as
rows of one batch.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from musicvae.model.event_embedding import EventEmbedding
from musicvae.music.notes import TimeGrid
from musicvae.runtime.decoding import State, Stepped


class BarDecoder(nn.Module):
    """An LSTM over the steps of one bar; a row of its batch is one bar.

    Args:
        embedding: Embeds the events of the step before, and the conditions of the step itself.
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
        plans: Float[Tensor, "batch hidden"],
        inputs: Int[Tensor, "batch step stream"],
        grid: TimeGrid | None = None,
    ) -> Float[Tensor, "batch step _"]:
        """The parameters of every step, when step t reads `inputs[:, t]`."""
        repeated = plans[:, None].expand(-1, inputs.shape[1], -1)
        state = self.start(plans)
        outputs, _ = self.lstm(
            torch.cat([self.embedding(inputs, grid), repeated], dim=-1),
            (torch.stack(state[::2]), torch.stack(state[1::2])),
        )
        parameters: Tensor = self.output(outputs)
        return parameters

    def start(self, plans: Float[Tensor, "batch hidden"]) -> State:
        """The state before the first step: hidden and cell state of each layer in turn."""
        # (batch, 2 * layer * hidden) -> (batch, hidden or cell, layer, hidden)
        states = torch.tanh(self.initial(plans)).unflatten(1, (2, self.layers, -1))
        return tuple(states[:, kind, layer] for layer in range(self.layers) for kind in (0, 1))

    def step(
        self,
        state: State,
        plans: Float[Tensor, "batch hidden"],
        inputs: Int[Tensor, "batch stream"],
        number: int,
        grid: TimeGrid | None = None,
    ) -> Stepped[Tensor]:
        """Takes step `number` of the bar, the first being 0.

        The LSTM's step is written out: `nn.LSTM` packs its weights anew at every call, which costs
        more than the step.
        """
        embedded = self.embedding(inputs[:, None], grid, first_step=number)[:, 0]
        output = torch.cat([embedded, plans], dim=-1)
        after: list[Tensor] = []
        for layer, weights in enumerate(self.lstm.all_weights):
            hidden, cell = state[2 * layer : 2 * layer + 2]
            output, cell = torch.lstm_cell(output, (hidden, cell), *weights)
            after += [output, cell]
        return Stepped(self.output(output), tuple(after))
