"""Touch in ONNX Runtime: the velocities of many lines at once, note after note.

Conventions: as in `musicvae.model.touch`, whose weights the networks hold. Lines are filled up to
the longest; what stands behind the end of a line has no meaning.
"""

import numpy as np
from jaxtyping import Float, Int

from musicvae.music.notes import VELOCITIES
from musicvae.runtime.graph import Graph
from musicvae.runtime.lstm import Weights, add_sequence, add_step, read_cells, under

USUAL_SCALE = 0.55
"""The scale of a logistic distribution, in standard deviations."""

_EDGE = 1e-6


class OnnxTouch:
    """Plays lines as a `Touch` does.

    Args:
        weights: The weights of a `Touch`.
    """

    def __init__(self, weights: Weights) -> None:
        self._spread = float(weights["spread"])
        (cell,) = read_cells(under(weights, "player."))
        head, bias = weights["head.weight"], weights["head.bias"]
        self._size = cell.of_hidden.shape[1]
        read = head.shape[1] - self._size

        graph = Graph()
        features = weights["reader.weight_ih_l0"].shape[1]
        lines = graph.input("features", "note", "batch", features)
        lengths = graph.input("lengths", "batch", dtype=np.int32)
        states, _ = add_sequence(graph, lines, under(weights, "reader."), lengths=lengths)
        self._reader = graph.compile(
            graph.linear(states, cell.of_input[:, :read], cell.bias),
            graph.linear(states, head[:, :read], bias),
        )

        graph = Graph()
        gates = graph.input("gates", "batch", 4 * self._size)
        heads = graph.input("heads", "batch", 2)
        before = graph.input("before", "batch", 1)
        hidden = graph.input("hidden", "batch", self._size)
        joined = graph.add("Concat", before, hidden, axis=1)
        joint = np.concatenate([cell.of_input[:, read:], cell.of_hidden], axis=1)
        gates = graph.add("Add", graph.linear(joined, joint), gates)
        after = add_step(graph, gates, graph.input("cell", "batch", self._size), self._size)
        own = graph.linear(after.hidden, head[:, read:])
        self._player = graph.compile(graph.add("Add", own, heads), *after)

    def play(
        self,
        features: Float[np.ndarray, "batch note _"],
        counts: Int[np.ndarray, " batch"],
        uniform: Float[np.ndarray, "batch note"],
        *,
        levels: Int[np.ndarray, " batch"],
        temperature: float,
    ) -> Int[np.ndarray, "batch note"]:
        """Draws the velocities of lines.

        Args:
            features: The features of each note, see `musicvae.music.line_features`.
            counts: The number of notes of each line, 1 or more.
            uniform: A number between 0 and 1 for each note.
            levels: The mean velocity to play around.
            temperature: Multiplies the width of each distribution; 0 takes its middle.
        """
        by_note = np.ascontiguousarray(features.transpose(1, 0, 2))
        gates, heads = self._reader(features=by_note, lengths=counts.astype(np.int32))
        inside = np.clip(uniform, _EDGE, 1 - _EDGE)
        noise = temperature * USUAL_SCALE * np.log(inside / (1 - inside))
        hidden, cell = np.zeros((2, len(counts), self._size), np.float32)
        before = np.zeros((len(counts), 1), np.float32)
        velocities = np.empty(uniform.shape, np.int64)
        for note in range(uniform.shape[1]):
            parameters, hidden, cell = self._player(
                gates=gates[note], heads=heads[note], before=before, hidden=hidden, cell=cell
            )
            middles, scales = parameters[:, 0], np.exp(parameters[:, 1])
            played = levels + self._spread * (middles + scales * noise[:, note])
            played = np.rint(played).clip(VELOCITIES[0], VELOCITIES[-1])
            velocities[:, note] = played
            before = ((played - levels) / self._spread)[:, None].astype(np.float32)
        return velocities
