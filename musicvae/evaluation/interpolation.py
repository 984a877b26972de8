"""Interpolation: the way between two excerpts in the latent space, against a mixture of the two.

Conventions: fractions go from 0 at an excerpt A to 1 at an excerpt B. A distance is the share of
steps whose symbols differ (normalised Hamming distance), averaged over the lines. A cost is the
cost of `musicvae.evaluation.language_model`, summed over the lines and divided by the cost
expected there: the value on the straight line between the costs of A and B. Music as usual as the
data has the cost 1.

The mixture takes each step from B with the fraction as probability, else from A. Decoding uses the
conditions of the nearer end.

Source: Roberts et al. 2018, section 5.2 and its figure of interpolations, on 1,024 pairs. The paper
does not name the smoothing of its language model; `musicvae.evaluation.language_model` names ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int, Int16, Shaped

from musicvae.evaluation.decoding import encode, play
from musicvae.evaluation.language_model import LanguageModel
from musicvae.evaluation.lines import Line, lines_of
from musicvae.evaluation.watch import Watch, unwatched
from musicvae.model.vae import MusicVAE
from musicvae.representation import Representation
from musicvae.runtime.moves import path

PAIRS = 1_024
"""The number in the paper."""

POINTS = 11
"""The number of points on the way: one each tenth, both ends included."""


@dataclass(frozen=True, kw_only=True)
class Interpolation:
    """Distances and costs on the way from A to B, the mean over many pairs at each point.

    Attributes:
        pairs: The number of pairs.
        fractions: The fraction of the way at each point.
        distance: The distance of the decoded points from A.
        mixture_distance: The distance of the mixtures from A.
        cost: The relative cost of the decoded points. All costs are None where there is no training
            split for the language model.
        mixture_cost: The relative cost of the mixtures.
        data_cost_nats: The cost of the excerpts A and B, nats a step.
    """

    pairs: int
    fractions: tuple[float, ...]
    distance: tuple[float, ...]
    mixture_distance: tuple[float, ...]
    cost: tuple[float, ...] | None
    mixture_cost: tuple[float, ...] | None
    data_cost_nats: float | None


def interpolate(
    model: MusicVAE,
    representation: Representation,
    events: Int16[np.ndarray, "batch step stream"],
    pieces: Shaped[np.ndarray, " batch"],
    training: Int16[np.ndarray, "_ step stream"] | None,
    *,
    seed: int,
    pairs: int = PAIRS,
    points: int = POINTS,
    watch: Watch = unwatched,
) -> Interpolation:
    """Walks from one held-out excerpt to another, by the posteriors' means and the great circle.

    Args:
        model: The measured model.
        representation: The representation of its music.
        events: Held-out excerpts.
        pieces: The piece of each excerpt; the two excerpts of a pair come from different pieces
            where there are several.
        training: The excerpts that the language model counts; None measures no costs.
        seed: The seed of the choice of pairs and of the mixtures.
        pairs: The number of pairs.
        points: The points of a walk, both ends included.
        watch: Shows the progress.
    """
    random = np.random.default_rng(seed)
    a, b = choose_pairs(pieces, pairs, random)
    means = encode(model, representation, events, title="encoding", watch=watch).mean
    fractions = np.linspace(0, 1, points)
    walks = torch.stack(
        [
            torch.from_numpy(path(means[[i, j]].numpy(), points))
            for i, j in zip(a.tolist(), b.tolist(), strict=True)
        ]
    )
    # point -> pair: the excerpt whose conditions hold
    nearer = np.stack([np.where(f < 0.5, a, b) for f in fractions])
    played = play(
        model,
        representation,
        walks.transpose(0, 1).flatten(0, 1),
        events[nearer.ravel()],
        title="interpolating",
        watch=watch,
    ).reshape(points, len(a), *events.shape[1:])
    is_b = random.random((points, len(a), events.shape[1], 1)) < fractions[:, None, None, None]
    mixed = np.where(is_b, events[b], events[a])
    lines = lines_of(representation)

    def distances(music: Int16[np.ndarray, "_ batch step stream"]) -> tuple[float, ...]:
        return tuple(_distance(lines, each, events[a]) for each in music)

    cost = mixture_cost = data_cost_nats = None
    if training is not None:
        costs = _Costs(lines, training)
        ends = np.stack([costs.of(events[a]).mean(), costs.of(events[b]).mean()])
        usual = (1 - fractions) * ends[0] + fractions * ends[1]
        cost, mixture_cost = (
            tuple((np.array([costs.of(each).mean() for each in music]) / usual).tolist())
            for music in (played, mixed)
        )
        data_cost_nats = float(ends.mean())
    return Interpolation(
        pairs=len(a),
        fractions=tuple(fractions.tolist()),
        distance=distances(played),
        mixture_distance=distances(mixed),
        cost=cost,
        mixture_cost=mixture_cost,
        data_cost_nats=data_cost_nats,
    )


def choose_pairs(
    pieces: Shaped[np.ndarray, " batch"], pairs: int, random: np.random.Generator
) -> tuple[Int[np.ndarray, " _pairs"], Int[np.ndarray, " _pairs"]]:
    """Draws pairs of rows, of different pieces where there are several."""
    first = random.integers(len(pieces), size=pairs)
    second = random.integers(len(pieces), size=pairs)
    if len(set(pieces.tolist())) > 1:
        while (alike := pieces[first] == pieces[second]).any():
            second[alike] = random.integers(len(pieces), size=int(alike.sum()))
    return first, second


def _distance(
    lines: Sequence[Line],
    music: Int16[np.ndarray, "batch step stream"],
    other: Int16[np.ndarray, "batch step stream"],
) -> float:
    """Measures the share of steps that differ, averaged over the lines."""
    return float(np.mean([(line.symbols(music) != line.symbols(other)).mean() for line in lines]))


class _Costs:
    """A language model for each line.

    Args:
        lines: The lines of a representation.
        training: The excerpts that the models count.
    """

    def __init__(
        self, lines: Sequence[Line], training: Int16[np.ndarray, "batch step stream"]
    ) -> None:
        self._models = [(line, LanguageModel(line.symbols(training), line.size)) for line in lines]

    def of(self, music: Int16[np.ndarray, "batch step stream"]) -> Float[np.ndarray, " batch"]:
        """Measures the cost of each excerpt, nats a step, summed over the lines."""
        costs = np.zeros(len(music))
        for line, model in self._models:
            costs += model.cost(line.symbols(music))
        return costs
