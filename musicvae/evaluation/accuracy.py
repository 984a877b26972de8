"""How right what a model plays is: shares of steps, F1 of hits, errors of numbers.

Conventions: an accuracy is the share of steps at which a line (`musicvae.evaluation.lines`) does
the right thing; of several lines together, of the steps of all. Most steps are holds, so that the
share over onsets alone is given beside it. Drums have the F1 of their single hits, too: the
harmonic mean of how many of the true ones are played and how many of the played ones are true.
Numbers (velocities and offsets) have mean absolute errors instead, where there was a hit and is
one.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Generic, TypeVar

import numpy as np
from jaxtyping import Float, Int, Int16, Shaped

from musicvae.evaluation.bootstrap import Estimate, Interval, ratios
from musicvae.evaluation.lines import lines_of
from musicvae.representation import Representation
from musicvae.representation.groove import OFFSETS_PER_STEP

NUMBER_UNITS = {"velocity": 1.0, "offset": 1 / OFFSETS_PER_STEP}
"""What one event of a stream of numbers is worth, by the last word of its name: a MIDI velocity is
1, an offset is counted in steps."""

_HITS = np.array([event.bit_count() for event in range(512)])
"""How many drums an event of nine bits hits."""

Measure = TypeVar("Measure")


@dataclass(frozen=True)
class Ways(Generic[Measure]):
    """One measure, taken in five ways.

    Attributes:
        teacher_forced: A draw of the posterior is decoded; each step is told the true event before
            it, and takes the likeliest.
        sampled: The posterior's mean is decoded, each step hearing only its own past.
        sampled_from_draw: The same from a draw of the posterior.
        sampled_at_temperature_1: The same draw, and every event drawn as the model has it, too.
        shuffled: As `sampled`, but from the mean of another excerpt: where that is as good, the
            latent is not used.
    """

    teacher_forced: Measure
    sampled: Measure
    sampled_from_draw: Measure
    sampled_at_temperature_1: Measure
    shuffled: Measure

    def __iter__(self) -> Iterator[Measure]:
        return (getattr(self, field.name) for field in fields(self))


@dataclass(frozen=True, kw_only=True)
class Accuracy:
    """Shares of steps that are right, 0 to 1, with their intervals (see `bootstrap`).

    Attributes:
        all_steps: Of all steps.
        onsets: Of those at which the excerpt has an onset.
        all_steps_interval: Of the first.
        onsets_interval: Of the second.
    """

    all_steps: float
    onsets: float
    all_steps_interval: Interval | None = None
    onsets_interval: Interval | None = None


@dataclass(frozen=True, kw_only=True)
class Scores:
    """How right something is.

    Attributes:
        together: The accuracy of all lines together.
        lines: The accuracy of each, by its name.
        hits: The F1 of a line of drums, by its name.
        numbers: The mean absolute error of each kind of number, in its unit (`NUMBER_UNITS`).
    """

    together: Accuracy
    lines: dict[str, Accuracy]
    hits: dict[str, Estimate]
    numbers: dict[str, Estimate]


def judge(
    representation: Representation,
    truth: Int16[np.ndarray, "batch step stream"],
    guess: Int[np.ndarray, "batch step _"],
) -> Float[np.ndarray, "batch 2 _"]:
    """What each excerpt adds to the two sums that every one of its scores is the quotient of.

    The last axis has, in this order, the accuracies over all steps and over onsets, of all lines
    together and then of each; the F1 of drums; the error of each kind of number.
    """
    accuracies, others = [], []
    for line in lines_of(representation):
        played, wanted = line.symbols(guess), line.symbols(truth)
        is_right, is_onset = played == wanted, line.is_onset(representation, truth)
        accuracies.append([[is_right, np.ones_like(is_right)], [is_right & is_onset, is_onset]])
        if not line.is_pitched:
            others.append([2 * _HITS[played & wanted], _HITS[played] + _HITS[wanted]])
    for kind, columns in _number_kinds(representation).items():
        gates = np.array([representation.streams[column].gate for column in columns])
        is_hit = (truth[..., gates] > 0) & (guess[..., gates] > 0)
        error = np.abs(guess[..., columns] - truth[..., columns].astype(np.int64))
        others.append([(NUMBER_UNITS[kind] * error * is_hit).sum(-1), is_hit.sum(-1)])
    # (line, score, sum, batch, step) -> (line, score, sum, batch)
    by_line = np.array(accuracies).sum(-1)
    sums = [*by_line.sum(0), *by_line.reshape(-1, *by_line.shape[2:])]
    sums += [np.array(other).sum(-1) for other in others]
    return np.stack(sums).transpose(2, 1, 0).astype(np.float64)


def score(
    representation: Representation,
    sums: Float[np.ndarray, "batch 2 5 _"],
    *,
    pieces: Shaped[np.ndarray, " batch"] | None,
    seed: int,
) -> Ways[Scores]:
    """The scores of each way from what `judge` gave for it.

    Args:
        representation: Of the music.
        sums: Of every excerpt, the third axis in the order of `Ways`.
        pieces: The piece of each excerpt, or None for scores without intervals.
        seed: Of the intervals.
    """
    parts, wholes = sums.reshape(len(sums), 2, -1).transpose(1, 0, 2)
    estimates = iter(ratios(parts, wholes, pieces=pieces, seed=seed))
    lines = lines_of(representation)

    def accuracy() -> Accuracy:
        all_steps, onsets = next(estimates), next(estimates)
        return Accuracy(
            all_steps=all_steps.value,
            onsets=onsets.value,
            all_steps_interval=all_steps.interval,
            onsets_interval=onsets.interval,
        )

    return Ways(
        *(
            Scores(
                together=accuracy(),
                lines={line.name: accuracy() for line in lines},
                hits={line.name: next(estimates) for line in lines if not line.is_pitched},
                numbers={kind: next(estimates) for kind in _number_kinds(representation)},
            )
            for _ in fields(Ways)
        )
    )


def _number_kinds(representation: Representation) -> dict[str, tuple[int, ...]]:
    """The streams of numbers by their kind, the last word of their names."""
    kinds: dict[str, tuple[int, ...]] = {}
    for column, stream in enumerate(representation.streams):
        if stream.is_number and not stream.is_condition:
            kind = stream.name.split()[-1]
            kinds[kind] = (*kinds.get(kind, ()), column)
    return kinds
