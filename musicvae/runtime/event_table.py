"""A step's events and its position in the bar as rows of one table: the input of the first LSTM.

Conventions: as in `musicvae.model.event_embedding`, whose weights the table holds. The vectors of
events stand left, those of positions right, so that the input of a step is a sum of rows.
"""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np
from jaxtyping import Float, Int

from musicvae.music.notes import TimeGrid
from musicvae.representation.streams import Stream
from musicvae.runtime.graph import Graph
from musicvae.runtime.lstm import Weights

Value = TypeVar("Value")


def by_grid(values: Mapping[TimeGrid, Value]) -> dict[TimeGrid | None, Value]:
    """Adds the first value under None, the default grid."""
    first = next(iter(values.values()))
    return dict([(None, first), *values.items()])


class EventTable:
    """The vectors of events and positions, and where in the table they are.

    Args:
        weights: The weights of an `EventEmbedding`.
        streams: What the columns of the events hold.
        steps_per_bar: Length of a bar on each grid, the default first.

    Attributes:
        rows: The table.
        lines: A vector for each stream of numbers, scaled by the number's position.
    """

    rows: Float[np.ndarray, "row hidden"]
    lines: Float[np.ndarray, "number hidden"]

    def __init__(
        self, weights: Weights, streams: Sequence[Stream], steps_per_bar: Mapping[TimeGrid, int]
    ) -> None:
        events, positions = weights["events.weight"], weights["positions.weight"]
        self.rows = np.zeros((len(events) + len(positions), events.shape[1] + positions.shape[1]))
        self.rows = self.rows.astype(np.float32)
        self.rows[: len(events), : events.shape[1]] = events
        self.rows[len(events) :, events.shape[1] :] = positions
        lengths = list(steps_per_bar.values())
        firsts = [len(events) + sum(lengths[:number]) for number in range(len(lengths))]
        bars = zip(lengths, firsts, strict=True)
        self._bars = by_grid(dict(zip(steps_per_bar, bars, strict=True)))
        self._classes = [i for i, stream in enumerate(streams) if not stream.is_number]
        self._numbers = [i for i, stream in enumerate(streams) if stream.is_number]
        lines = weights["lines.weight"].T if self._numbers else np.zeros((0, events.shape[1]))
        self.lines = np.pad(lines, ((0, 0), (0, positions.shape[1]))).astype(np.float32)
        sizes = np.array([stream.size for stream in streams])
        tables = sizes[self._classes] + 1
        self._first_rows = np.append(np.cumsum(tables) - tables, 0)
        gates = np.array([i if each.gate is None else each.gate for i, each in enumerate(streams)])
        self._gates = gates[self._numbers]
        self._unknown, self._unknown_gate = sizes[self._numbers], sizes[self._gates]

    @property
    def columns(self) -> int:
        """The number of rows of a step."""
        return len(self._first_rows)

    def find(
        self,
        events: Int[np.ndarray, "batch stream"],
        number: int | Int[np.ndarray, " batch"],
        grid: TimeGrid | None,
    ) -> dict[str, np.ndarray]:
        """Finds the rows of a step's events and of its position: the inputs of `add`.

        Args:
            events: The events.
            number: The step of all rows, or of each, counted from a bar line.
            grid: The grid; None for the default.
        """
        length, first = self._bars[grid]
        classes = events[:, self._classes] if self._numbers else events
        rows = np.empty((len(events), self.columns), np.int64)
        rows[:, :-1] = classes
        rows[:, -1] = first + number % length
        rows += self._first_rows
        return {"rows": rows} if not self._numbers else {"rows": rows, **self._find_numbers(events)}

    def add(self, graph: Graph, weight: Float[np.ndarray, "gate hidden"] | None = None) -> str:
        """Adds the sum of the rows of a step, times a matrix if there is one."""
        table, lines = self.rows, self.lines
        if weight is not None:
            table, lines = table @ weight.T, lines @ weight.T
        found = graph.add("Gather", graph.constant(table), "rows")
        # Not ReduceSum, which sums a single row in another order.
        ones = graph.constant(np.ones((1, self.columns), np.float32))
        total = graph.add("Squeeze", graph.add("MatMul", ones, found), graph.ints(1))
        if not self._numbers:
            return total
        return graph.add("Add", total, graph.add("MatMul", "numbers", graph.constant(lines)))

    def add_inputs(self, graph: Graph) -> None:
        """Adds the inputs of a step, which `find` gives."""
        graph.input("rows", "batch", self.columns, dtype=np.int64)
        if self._numbers:
            graph.input("numbers", "batch", len(self._numbers))

    def _find_numbers(self, events: Int[np.ndarray, "batch stream"]) -> dict[str, np.ndarray]:
        """The position of each number on its scale, -1 to 1; 0 where it does not count."""
        numbers, gates = events[:, self._numbers], events[:, self._gates]
        counts = (numbers < self._unknown) & (gates > 0) & (gates < self._unknown_gate)
        positions = np.where(counts, 2 * numbers / (self._unknown - 1) - 1, 0)
        return {"numbers": positions.astype(np.float32)}
