"""The bar decoder: from a plan to the steps of one bar, each step hearing the one before.

Source: Roberts et al. 2018, section 3.2: the plan sets the initial state and is concatenated at
every step, and no state passes from bar to bar. Neither does the last event here (in Magenta's
code it does): given the plans the bars are independent, and are decoded as rows of one batch.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from musicvae.model.event_embedding import EventEmbedding


class BarDecoder(nn.Module):
    """An LSTM over the steps of one bar; a row of its batch is one bar.

    Args:
        embedding: Of the events it hears.
        vocabulary_sizes: Number of events of each stream.
        plan_size: Size of one plan.
        hidden_size: Size of the LSTM's state.
        layers: Number of layers.
    """

    def __init__(
        self,
        *,
        embedding: EventEmbedding,
        vocabulary_sizes: tuple[int, ...],
        plan_size: int,
        hidden_size: int,
        layers: int,
    ) -> None:
        super().__init__()
        self.embedding = embedding
        self.layers = layers
        self.initial = nn.Linear(plan_size, 2 * layers * hidden_size)
        self.lstm = nn.LSTM(embedding.size + plan_size, hidden_size, layers, batch_first=True)
        self.output = nn.Linear(hidden_size, sum(vocabulary_sizes))

    def forward(
        self,
        plan: Float[Tensor, "batch hidden"],
        history: Int[Tensor, "batch step stream"],
    ) -> Float[Tensor, "batch step event"]:
        """Logits of every step, when `history[:, t]` is what step t hears of step t - 1."""
        plans = plan[:, None].expand(-1, history.shape[1], -1)
        inputs = torch.cat([self.embedding(history), plans], dim=-1)
        outputs, _ = self.lstm(inputs, self._start(plan))
        logits: Tensor = self.output(outputs)
        return logits

    def unroll(
        self,
        plan: Float[Tensor, "batch hidden"],
        length_steps: int,
        choose: Callable[[int, Float[Tensor, "batch event"]], Int[Tensor, "batch stream"]],
    ) -> Float[Tensor, "batch step event"]:
        """Logits of every step, where each step hears what `choose(step, logits)` made of the last.

        This one loop serves sampling and scheduled sampling. It takes the LSTM's steps one by one:
        `nn.LSTM` packs its weights anew at every call, which costs more than the step.
        """
        hidden, cell = (list(state.unbind()) for state in self._start(plan))
        heard = self.embedding.unknown.expand(len(plan), 1, -1)
        every: list[Tensor] = []
        for step in range(length_steps):
            inputs = torch.cat([self.embedding(heard, first_step=step)[:, 0], plan], dim=-1)
            for layer, weights in enumerate(self.lstm.all_weights):
                state = (hidden[layer], cell[layer])
                hidden[layer], cell[layer] = torch.lstm_cell(inputs, state, *weights)
                inputs = hidden[layer]
            logits = self.output(inputs)
            heard = choose(step, logits)[:, None]
            every.append(logits)
        return torch.stack(every, dim=1)

    def _start(self, plan: Tensor) -> tuple[Tensor, Tensor]:
        # (batch, 2 * layer * hidden) -> hidden and cell state, each (layer, batch, hidden)
        states = torch.tanh(self.initial(plan)).unflatten(1, (2, self.layers, -1))
        hidden, cell = states.permute(1, 2, 0, 3)
        return hidden.contiguous(), cell.contiguous()
