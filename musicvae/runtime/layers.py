"""One step through the layers of an LSTM, folded.

The table of inputs may be multiplied by the first layer's matrix beforehand; the other layers
multiply their input and their hidden state by one joint matrix.
"""

from collections.abc import Sequence

import numpy as np

from musicvae.runtime.event_table import EventTable
from musicvae.runtime.graph import Graph
from musicvae.runtime.lstm import Cell, CellState, add_step

MOST_FOLDED = 2
"""A sum of more rows of the folded table, each as wide as all gates, takes longer than the product
that it saves."""


def add_layers(
    graph: Graph,
    table: EventTable,
    cells: Sequence[Cell],
    before: Sequence[CellState],
    plan: str | None = None,
) -> list[CellState]:
    """Adds the layers of one step.

    Args:
        graph: The graph.
        table: The inputs.
        cells: The layers.
        before: The state of each layer before the step.
        plan: The product of the plans, which stays the same at every step, and the first bias;
            None without plans.

    Returns:
        The state of each layer after the step.
    """
    first, *others = cells
    of_events = first.of_input[:, : table.rows.shape[1]]
    size = first.of_hidden.shape[1]
    if table.columns <= MOST_FOLDED:
        product = graph.linear(before[0].hidden, first.of_hidden)
        gates = graph.add("Add", product, table.add(graph, of_events))
    else:
        joined = graph.add("Concat", table.add(graph), before[0].hidden, axis=1)
        gates = graph.linear(joined, np.concatenate([of_events, first.of_hidden], axis=1))
    bias = graph.constant(first.bias) if plan is None else plan
    after = [add_step(graph, graph.add("Add", gates, bias), before[0].cell, size)]
    for cell, state in zip(others, before[1:], strict=True):
        joined = graph.add("Concat", after[-1].hidden, state.hidden, axis=1)
        joint = np.concatenate([cell.of_input, cell.of_hidden], axis=1)
        after.append(add_step(graph, graph.linear(joined, joint, cell.bias), state.cell, size))
    return after


def add_states(graph: Graph, layers: int, size: int, name: str = "") -> list[CellState]:
    """Adds inputs for the states of all layers."""
    return [
        CellState(
            graph.input(f"{name}hidden{layer}", "batch", size),
            graph.input(f"{name}cell{layer}", "batch", size),
        )
        for layer in range(layers)
    ]
