"""LSTMs as parts of graphs: a step written out, and whole sequences by ONNX's own operator.

Conventions: weights have torch's names and its order of gates (input, forget, cell, output). The
rows of the weights are put into another order here, so that the three gates with a sigmoid stand
side by side.

Source: Hochreiter and Schmidhuber 1997, Long Short-Term Memory; the gates as in torch's `nn.LSTM`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from musicvae.runtime.graph import Graph

Weights = Mapping[str, Float[np.ndarray, "..."]]


@dataclass(frozen=True, eq=False)
class Cell:
    """The weights of one layer: of its input, of its hidden state, and the sum of both biases."""

    of_input: Float[np.ndarray, "gate input"]
    of_hidden: Float[np.ndarray, "gate hidden"]
    bias: Float[np.ndarray, " gate"]


class CellState(NamedTuple):
    """The names of a layer's hidden and cell state."""

    hidden: str
    cell: str


def under(weights: Weights, prefix: str) -> Weights:
    """The weights of a part of a model, by their names within the part."""
    return {
        name.removeprefix(prefix): values
        for name, values in weights.items()
        if name.startswith(prefix)
    }


def read_cells(weights: Weights) -> list[Cell]:
    """Reads the layers of an `nn.LSTM`."""
    layers = sum(name.startswith("weight_hh_l") for name in weights)
    return [_read(weights, f"_l{layer}", "ifog") for layer in range(layers)]


def add_step(graph: Graph, gates: str, cell: str, size: int) -> CellState:
    """Adds the end of a step: the state after it.

    Args:
        graph: The graph.
        gates: The sums of the four gates, the cell's last.
        cell: The cell state before the step.
        size: The size of the state.
    """
    three, new = graph.add_many("Split", gates, graph.ints(3 * size, size), count=2, axis=1)
    open_gates = graph.add("Sigmoid", three)
    keys = graph.ints(size, size, size)
    enter, forget, leave = graph.add_many("Split", open_gates, keys, count=3, axis=1)
    entered = graph.add("Mul", enter, graph.add("Tanh", new))
    after = graph.add("Add", graph.add("Mul", forget, cell), entered)
    return CellState(graph.add("Mul", leave, graph.add("Tanh", after)), after)


def add_sequence(
    graph: Graph,
    inputs: str,
    weights: Weights,
    *,
    start: CellState | None = None,
    lengths: str = "",
) -> list[str]:
    """Adds an `nn.LSTM` over sequences, in both directions if it has weights for both.

    Args:
        graph: The graph.
        inputs: (step, batch, input).
        weights: The weights by torch's names.
        start: The state before step 0, each (layer, batch, hidden); None for zeros.
        lengths: The length of each sequence, int32; all of them if empty.

    Returns:
        The outputs of the last layer (step, batch, direction * hidden), and its last hidden states
        (direction, batch, hidden).
    """
    ways = ["", "_reverse"] if "weight_hh_l0_reverse" in weights else [""]
    layers = sum(name.startswith("weight_hh_l") for name in weights) // len(ways)
    size = weights["weight_hh_l0"].shape[1]
    states = ["", ""]
    last = ""
    for layer in range(layers):
        cells = [_read(weights, f"_l{layer}{way}", "iofg") for way in ways]
        of_input = np.stack([cell.of_input for cell in cells])
        of_hidden = np.stack([cell.of_hidden for cell in cells])
        bias = np.stack([cell.bias for cell in cells])
        if start is not None:
            rows = [graph.ints(layer), graph.ints(layer + 1), graph.ints(0)]
            states = [graph.add("Slice", each, *rows) for each in start]
        outputs, last = graph.add_many(
            "LSTM",
            inputs,
            graph.constant(of_input),
            graph.constant(of_hidden),
            graph.constant(np.concatenate([bias, np.zeros_like(bias)], axis=1)),
            lengths,
            *states,
            count=2,
            hidden_size=size,
            direction="bidirectional" if len(ways) > 1 else "forward",
        )
        # (step, direction, batch, hidden) -> (step, batch, direction * hidden)
        swapped = graph.add("Transpose", outputs, perm=[0, 2, 1, 3])
        inputs = graph.add("Reshape", swapped, graph.ints(0, 0, -1))
    return [inputs, last]


def _read(weights: Weights, suffix: str, order: str) -> Cell:
    def ordered(values: np.ndarray) -> np.ndarray:
        parts = dict(zip("ifgo", np.split(values, 4), strict=True))
        return np.concatenate([parts[gate] for gate in order])

    return Cell(
        ordered(weights[f"weight_ih{suffix}"]),
        ordered(weights[f"weight_hh{suffix}"]),
        ordered(weights[f"bias_ih{suffix}"] + weights[f"bias_hh{suffix}"]),
    )
