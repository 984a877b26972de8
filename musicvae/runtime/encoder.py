"""An encoder in ONNX Runtime: events to the parameters of a posterior."""

from collections.abc import Hashable, Mapping, Sequence

import numpy as np
from jaxtyping import Bool, Float, Int

from musicvae.music.notes import TimeGrid
from musicvae.representation.streams import Stream
from musicvae.runtime.batcher import finish
from musicvae.runtime.event_table import EventTable
from musicvae.runtime.graph import AnyArray, Graph
from musicvae.runtime.lstm import Weights, add_sequence, under

_STEP_EVENTS = 1_024
"""Events of all rows that are encoded at once: others wait meanwhile, some 5 ms."""


class OnnxEncoder:
    """The same as the encoder and the posterior's layer of a `MusicVAE`.

    Args:
        weights: The weights of a `MusicVAE`.
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
        encoder = under(weights, "encoder.")
        self._is_by_bar = "code.weight" in encoder
        self._bars = bars if self._is_by_bar else 1
        self._table = EventTable(under(encoder, "embedding."), streams, steps_per_bar)
        lstm = under(encoder, "bar.lstm." if self._is_by_bar else "excerpt.lstm.")
        graph = Graph()
        self._table.add_inputs(graph)
        graph.input("sizes", 3, dtype=np.int64)
        graph.input("shares", "part", "step")
        # (step * batch, hidden) -> (step, batch, hidden)
        inputs = graph.add("Reshape", self._table.add(graph), "sizes")
        states, last = add_sequence(graph, inputs, lstm)
        by_row = graph.add("Transpose", states, perm=[1, 0, 2])
        means = graph.add("Flatten", graph.add("MatMul", "shares", by_row), axis=1)
        lasts = graph.add("Transpose", last, perm=[1, 0, 2])
        summary = graph.add("Concat", graph.add("Flatten", lasts, axis=1), means, axis=1)
        if self._is_by_bar:
            codes = graph.linear(summary, encoder["code.weight"], encoder["code.bias"])
            # (batch * bar, code) -> (batch, bar, code)
            codes = graph.add(
                "Reshape", codes, graph.ints(-1, bars, encoder["code.weight"].shape[0])
            )
            in_order = graph.add("Transpose", codes, perm=[1, 0, 2])
            context, _ = add_sequence(graph, in_order, under(encoder, "excerpt."))
            context = graph.add("Transpose", context, perm=[1, 0, 2])
            summary = graph.add("Concat", codes, context, axis=2)
        self._network = graph.compile(
            graph.linear(summary, weights["posterior.weight"], weights["posterior.bias"])
        )
        inner = encoder["code.weight"] if self._is_by_bar else weights["posterior.weight"]
        self._parts = inner.shape[1] // (2 * lstm["weight_hh_l0"].shape[1]) - 1

    def __call__(
        self, events: Int[np.ndarray, "batch step stream"], grid: TimeGrid | None
    ) -> Float[np.ndarray, "batch *bar parameter"]:
        """The parameters of the posterior of each excerpt."""
        return finish(_EncodeLoop(self, events, grid))

    def run(
        self, events: Int[np.ndarray, "batch step stream"], grid: TimeGrid | None
    ) -> Float[np.ndarray, "batch *bar parameter"]:
        """The same, for excerpts of one or several tasks."""
        rows = events.reshape(len(events) * self._bars, -1, events.shape[2])
        steps = rows.shape[1]
        # (batch, step, stream) -> (step * batch, stream)
        by_step = rows.transpose(1, 0, 2).reshape(-1, rows.shape[2])
        inputs = self._table.find(by_step, np.repeat(np.arange(steps), len(rows)), grid)
        sizes = np.array([steps, len(rows), self._table.rows.shape[1]])
        (parameters,) = self._network(**inputs, sizes=sizes, shares=_shares(self._parts, steps))
        return parameters


class _EncodeLoop:
    """Excerpts to encode, a few a step; see `Loop`."""

    def __init__(self, encoder: OnnxEncoder, events: AnyArray, grid: TimeGrid | None) -> None:
        self._encoder, self._grid = encoder, grid
        self._results: list[AnyArray] = []
        self.events = events
        self.key: Hashable = (encoder, grid, events.shape[1:])
        self._chunk = max(_STEP_EVENTS // events.shape[1], 1)
        self._done = 0
        self._count()

    def join(self, others: Sequence["_EncodeLoop"]) -> "_EncodeLoop":
        events = np.concatenate([each.events for each in (self, *others)])
        return _EncodeLoop(self._encoder, events, self._grid)

    def step(self) -> None:
        excerpts = self.events[self._done : self._done + self._chunk]
        self._results.append(self._encoder.run(excerpts, self._grid))
        self._done += len(excerpts)
        self._count()

    def keep(self, rows: Bool[np.ndarray, " row"]) -> None:
        done = rows[: self._done]
        if self._results:
            self._results = [np.concatenate(self._results)[done]]
        self.events, self._done = self.events[rows], int(done.sum())
        self._count()

    def split(self, sizes: Sequence[int]) -> list[AnyArray]:
        return np.split(np.concatenate(self._results), np.cumsum(sizes)[:-1])

    def _count(self) -> None:
        self.rows = len(self.events)
        self.left = -(-(self.rows - self._done) // self._chunk)


def _shares(parts: int, steps: int) -> Float[np.ndarray, "part step"]:
    """The weight of each step in the mean of each part; neighbouring parts may share a step."""
    shares = np.zeros((parts, steps), np.float32)
    for part in range(parts):
        first, last = part * steps // parts, -(-(part + 1) * steps // parts)
        shares[part, first:last] = 1 / (last - first)
    return shares
