"""A prior over events in ONNX Runtime: what it heard to the parameters of the next events.

Conventions: as in `musicvae.model.event_prior`, whose weights the network holds. The columns of a
row are those that its `embedding` reads.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float, Int

from musicvae.music.notes import TimeGrid
from musicvae.representation.streams import Stream
from musicvae.runtime.chord_features import describe_chords
from musicvae.runtime.decoding import State, Stepped
from musicvae.runtime.event_table import EventTable
from musicvae.runtime.graph import AnyArray, Graph, Network
from musicvae.runtime.layers import add_layers, add_states
from musicvae.runtime.listening import copied_columns
from musicvae.runtime.lstm import Weights, read_cells, under

_TINY = np.finfo(np.float32).tiny


class OnnxPrior:
    """The same as one row of `EventPrior`.

    Args:
        weights: The weights of an `EventPrior`.
        columns: See `prior_columns`.
        sizes: The number of parameters of each generated stream.
        lags: Number of lags.
        steps_per_bar: Length of a bar on each grid, the default first.
    """

    def __init__(
        self,
        weights: Weights,
        columns: Sequence[Stream],
        *,
        sizes: Sequence[int],
        lags: int,
        steps_per_bar: Mapping[TimeGrid, int],
    ) -> None:
        layers = sum(name.endswith("weight_hh_l0") for name in weights)
        cells = [
            cell
            for layer in range(layers)
            for cell in read_cells(under(weights, f"lstms.{layer}."))
        ]
        self._table = EventTable(under(weights, "embedding."), columns, steps_per_bar)
        self._size = cells[0].of_hidden.shape[1]
        has_bias = "chord_bias.weight" in weights
        self._bias = _bias(weights, sizes) if has_bias else None
        graph = Graph()
        self._table.add_inputs(graph)
        before = add_states(graph, layers, self._size)
        after = add_layers(graph, self._table, cells, before)
        output = after[-1].hidden
        parameters = graph.linear(output, weights["output.weight"], weights["output.bias"])
        if has_bias:
            bias = graph.input("bias", "batch", sum(sizes))
            parameters = graph.add("Add", parameters, bias)
        if lags:
            choices = graph.linear(output, weights["choice.weight"], weights["choice.bias"])
            copied = copied_columns(len(columns), generated=len(sizes), lags=lags)
            parameters = _mix(graph, parameters, choices, len(columns), sizes, copied)
        self._names = [name for state in before for name in state]
        self._step = graph.compile(parameters, *(name for state in after for name in state))
        self._copies = lags > 0

    def start(self, rows: int) -> State:
        """The state before step 0."""
        return tuple(np.zeros((rows, self._size), np.float32) for _ in self._names)

    def bias(
        self, chords: Int[np.ndarray, "batch stream 2"]
    ) -> Float[np.ndarray, "batch parameter"]:
        """See `ChordBias`: the chord and the bass at the step of each stream."""
        assert self._bias is not None
        (bias,) = self._bias(features=describe_chords(chords))
        return bias

    def step(
        self,
        state: State,
        columns: Int[np.ndarray, "batch _column"],
        bias: Float[np.ndarray, "batch parameter"] | None,
        number: int,
        grid: TimeGrid | None,
    ) -> Stepped[AnyArray]:
        """The parameters of row `number`, and the state after it."""
        inputs = self._table.find(columns, number, grid)
        if bias is not None:
            inputs["bias"] = bias
        if self._copies:
            inputs["columns"] = columns
        parameters, *after = self._step(**inputs, **dict(zip(self._names, state, strict=True)))
        if self._copies:
            # Not in the graph: there the last events of a batch get another logarithm.
            parameters = np.log(np.maximum(parameters, _TINY))
        return Stepped(parameters, tuple(after))


def _bias(weights: Weights, sizes: Sequence[int]) -> Network:
    """The effect of the chord of each stream's step on its parameters."""
    graph = Graph()
    features = graph.input("features", "batch", len(sizes), 36)
    streams = graph.add_many(
        "Split", features, graph.ints(*[1] * len(sizes)), count=len(sizes), axis=1
    )
    blocks = np.split(weights["chord_bias.weight"], np.cumsum(sizes)[:-1])
    parts = [
        graph.linear(graph.add("Squeeze", stream, graph.ints(1)), weight)
        for stream, weight in zip(streams, blocks, strict=True)
    ]
    return graph.compile(parts[0] if len(parts) == 1 else graph.add("Concat", *parts, axis=1))


def _mix(
    graph: Graph,
    parameters: str,
    choices: str,
    columns: int,
    sizes: Sequence[int],
    copied: Sequence[Sequence[int]],
) -> str:
    """Mixes the probabilities of new events with copies."""
    heard = graph.input("columns", "batch", columns, dtype=np.int64)
    logits = _split(graph, parameters, sizes)
    chances = _split(graph, choices, [1 + len(copied[0])] * len(sizes))
    blocks = []
    for size, logit, chance, places in zip(sizes, logits, chances, copied, strict=True):
        events = graph.add("Gather", heard, graph.ints(*places), axis=1)
        last = graph.constant(np.array(size - 1))
        is_missing = graph.add("Greater", events, last)
        penalty = graph.add(
            "Where",
            is_missing,
            graph.constant(np.array(-np.inf, np.float32)),
            graph.constant(np.array(0, np.float32)),
        )
        padded = graph.add("Pad", penalty, graph.ints(0, 1, 0, 0))
        weights = graph.add("Softmax", graph.add("Add", chance, padded), axis=-1)
        new_weight, copy_weights = graph.add_many(
            "Split", weights, graph.ints(1, len(places)), count=2, axis=1
        )
        new = graph.add("Mul", graph.add("Softmax", logit, axis=-1), new_weight)
        indices = graph.add("Min", events, last)
        mixed = graph.add("ScatterElements", new, indices, copy_weights, axis=1, reduction="add")
        blocks.append(mixed)
    return blocks[0] if len(blocks) == 1 else graph.add("Concat", *blocks, axis=1)


def _split(graph: Graph, values: str, sizes: Sequence[int]) -> list[str]:
    if len(sizes) == 1:
        return [values]
    return graph.add_many("Split", values, graph.ints(*sizes), count=len(sizes), axis=1)
