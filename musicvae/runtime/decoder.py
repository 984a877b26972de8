"""A decoder in ONNX Runtime: shares of a latent to plans, and plans to events, step by step."""

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int

from musicvae.music.notes import TimeGrid
from musicvae.representation.streams import Stream
from musicvae.runtime.decoding import SharedStep, State, Stepped
from musicvae.runtime.event_table import EventTable
from musicvae.runtime.graph import AnyArray, Graph, Network
from musicvae.runtime.layers import add_layers, add_states
from musicvae.runtime.lstm import CellState, Weights, add_sequence, read_cells, under


@runtime_checkable  # jaxtyping's checker tests for it
class DecoderRuntime(SharedStep, Protocol):
    """A decoder over arrays, in whatever runtime. A row is one bar, or one excerpt."""

    def plan(
        self, shares: Float[np.ndarray, "batch bar share"]
    ) -> Float[np.ndarray, "batch bar hidden"]:
        """The plan of each part of an excerpt."""

    def start(
        self,
        plans: Float[np.ndarray, "batch hidden"],
        condition: Int[np.ndarray, "batch step _condition"],
    ) -> State:
        """The state before step 0.

        Args:
            plans: The plan of each row.
            condition: The events of the condition streams; without any, of no columns.
        """


class OnnxDecoder:
    """The same as `musicvae.model.decoder.Decoder`.

    Args:
        weights: The weights of a `Decoder`.
        streams: The columns of an event tensor.
        bars: Number of bars of an excerpt.
        steps_per_bar: Length of a bar on each grid, the default first.
    """

    def __init__(
        self,
        weights: Weights,
        streams: Sequence[Stream],
        *,
        bars: int,
        steps_per_bar: Mapping[TimeGrid, int],
    ) -> None:
        count = 1 + max(int(name.split(".")[1]) for name in weights if name[0] == "b")
        players = [under(weights, f"bar_decoders.{number}.") for number in range(count)]
        tables = [EventTable(under(each, "embedding."), streams, steps_per_bar) for each in players]
        self._find = tables[0].find
        self._plans = count
        self._conductor = None
        if "conductor.share.weight" in weights:
            self._conductor = _conductor(under(weights, "conductor."), bars)
        self._start = _start(players)
        self._step, self._names = _step(players, tables)

    @property
    def shared_by(self) -> object:
        """See `SharedStep`."""
        return self

    def plan(
        self, shares: Float[np.ndarray, "batch bar share"]
    ) -> Float[np.ndarray, "batch bar hidden"]:
        """See `DecoderRuntime`."""
        if self._conductor is None:
            return shares
        (plans,) = self._conductor(shares=shares)
        return plans

    def start(
        self,
        plans: Float[np.ndarray, "batch hidden"],
        condition: Int[np.ndarray, "batch step _condition"],
    ) -> State:
        """See `DecoderRuntime`."""
        return (condition, *self._start(plans=plans))

    def step(
        self, state: State, previous: AnyArray, number: int, grid: TimeGrid | None = None
    ) -> Stepped[AnyArray]:
        """See `Step`."""
        condition, *rest = state
        events = previous
        if condition.shape[2]:
            events = np.concatenate([previous, condition[:, number]], axis=1)
        found = self._find(events, number, grid)
        parameters, *after = self._step(**found, **dict(zip(self._names, rest, strict=True)))
        return Stepped(parameters, (condition, *rest[: self._plans], *after))


def _conductor(weights: Weights, bars: int) -> Network:
    graph = Graph()
    shares = graph.input("shares", "batch", bars, weights["share.weight"].shape[1])
    # Not ReduceMean, which sums a single row in another order.
    ones = graph.constant(np.full((1, bars), 1 / bars, np.float32))
    mean = graph.add("Squeeze", graph.add("MatMul", ones, shares), graph.ints(1))
    lstm = under(weights, "lstm.")
    layers, size = len(read_cells(lstm)), lstm["weight_hh_l0"].shape[1]
    started = graph.add(
        "Tanh", graph.linear(mean, weights["initial.weight"], weights["initial.bias"])
    )
    # (batch, 2 * layer * hidden) -> (2, layer, batch, hidden)
    parted = graph.add("Reshape", started, graph.ints(-1, 2, layers, size))
    turned = graph.add("Transpose", parted, perm=[1, 2, 0, 3])
    halves = graph.add_many("Split", turned, graph.ints(1, 1), count=2, axis=0)
    hidden, cell = (graph.add("Squeeze", each, graph.ints(0)) for each in halves)
    inputs = graph.linear(shares, weights["share.weight"], weights["share.bias"])
    by_bar = graph.add("Transpose", inputs, perm=[1, 0, 2])
    outputs, _ = add_sequence(graph, by_bar, lstm, start=CellState(hidden, cell))
    back = graph.add("Transpose", outputs, perm=[1, 0, 2])
    plans = graph.linear(back, weights["plan.weight"], weights["plan.bias"])
    return graph.compile(graph.add("Add", inputs, plans))


def _start(bars: Sequence[Weights]) -> Network:
    """For each bar decoder the product of the plan, then the state of each layer."""
    graph = Graph()
    plans = graph.input("plans", "batch", bars[0]["initial.weight"].shape[1])
    products, states = [], []
    for weights in bars:
        cells = read_cells(under(weights, "lstm."))
        events = weights["embedding.events.weight"].shape[1]
        width = events + weights["embedding.positions.weight"].shape[1]
        products.append(graph.linear(plans, cells[0].of_input[:, width:], cells[0].bias))
        initial = graph.linear(plans, weights["initial.weight"], weights["initial.bias"])
        sizes = [cells[0].of_hidden.shape[1]] * (2 * len(cells))
        parts = graph.add_many(
            "Split", graph.add("Tanh", initial), graph.ints(*sizes), count=len(sizes), axis=1
        )
        for layer in range(len(cells)):
            states += [parts[layer], parts[len(cells) + layer]]
    return graph.compile(*products, *states)


def _step(bars: Sequence[Weights], tables: Sequence[EventTable]) -> tuple[Network, list[str]]:
    graph = Graph()
    tables[0].add_inputs(graph)
    plans = [f"plan{number}" for number in range(len(bars))]
    blocks: list[str] = []
    befores: list[CellState] = []
    afters: list[CellState] = []
    for number, (weights, table) in enumerate(zip(bars, tables, strict=True)):
        cells = read_cells(under(weights, "lstm."))
        size = cells[0].of_hidden.shape[1]
        before = add_states(graph, len(cells), size, f"decoder{number}_")
        graph.input(plans[number], "batch", 4 * size)
        after = add_layers(graph, table, cells, before, plans[number])
        blocks.append(
            graph.linear(after[-1].hidden, weights["output.weight"], weights["output.bias"])
        )
        befores += before
        afters += after
    parameters = blocks[0] if len(blocks) == 1 else graph.add("Concat", *blocks, axis=1)
    states = [name for state in afters for name in state]
    names = [*plans, *(name for state in befores for name in state)]
    return graph.compile(parameters, *states), names
