"""Scores of decoded music against the true music: shares of steps, F1 of hits, errors of numbers.

Conventions: an accuracy is the share of steps at which a line (`musicvae.evaluation.lines`) plays
the true event; several lines together count the steps of all lines. Most steps are holds, so the
share over the onsets alone stands beside it. Drums also have the recall of each class of drums, the
share of its true hits that are played, and the F1 of their single hits: the harmonic mean of the
share of true hits that are played and the share of played hits that are true.
Numbers (velocities and offsets) have mean absolute errors, taken where both the true music and the
decoded music have a hit.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Generic, TypeVar

import numpy as np
from jaxtyping import Float, Int, Int16, Shaped

from musicvae.evaluation.bootstrap import Estimate, Interval, ratios
from musicvae.evaluation.lines import lines_of
from musicvae.music.instruments import DRUM_CLASSES
from musicvae.representation import Representation
from musicvae.representation.groove import OFFSETS_PER_STEP
from musicvae.representation.hits import split_hits

NUMBER_UNITS = {"velocity": 1.0, "offset": 1 / OFFSETS_PER_STEP}
"""The unit of a stream of numbers, by the last word of its name: velocities are MIDI's, offsets are
counted in steps."""

_HITS = np.array([event.bit_count() for event in range(512)])
"""The number of drums that an event of nine bits hits."""

Measure = TypeVar("Measure")


@dataclass(frozen=True)
class Decodings(Generic[Measure]):
    """A measure of each of five decodings of the same excerpts.

    Attributes:
        teacher_forced: Decodes a draw of the posterior; each step reads the true event before it
            and takes the likeliest event.
        sampled: Decodes the posterior's mean; each step reads the decoded events before it and
            takes the likeliest event.
        sampled_from_draw: Decodes a draw of the posterior, otherwise as `sampled`.
        sampled_at_temperature_1: Decodes the same draw, and draws each event at temperature 1.
        shuffled: Decodes the mean of another excerpt, otherwise as `sampled`. If it scores as well,
            the model ignores the latent.
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
    """Shares of right steps, 0 to 1, with their intervals (see `bootstrap`).

    Attributes:
        all_steps: The share among all steps.
        onsets: The share among the steps at which the true music has an onset.
        all_steps_interval: The interval of `all_steps`.
        onsets_interval: The interval of `onsets`.
    """

    all_steps: float
    onsets: float
    all_steps_interval: Interval | None = None
    onsets_interval: Interval | None = None


@dataclass(frozen=True, kw_only=True)
class Scores:
    """The scores of one decoding.

    Attributes:
        together: The accuracy of all lines together.
        lines: The accuracy of each line, by its name.
        hits: The F1 of each line of drums, by its name.
        recalls: The recall of each class of drums, by the names of line and class. Classes that the
            true music never hits are left out.
        numbers: The mean absolute error of each kind of number, in its unit (`NUMBER_UNITS`).
    """

    together: Accuracy
    lines: dict[str, Accuracy]
    hits: dict[str, Estimate]
    recalls: dict[str, dict[str, Estimate]]
    numbers: dict[str, Estimate]


def judge(
    representation: Representation,
    truth: Int16[np.ndarray, "batch step stream"],
    guess: Int[np.ndarray, "batch step _"],
) -> Float[np.ndarray, "batch 2 _"]:
    """Counts each excerpt's share of two sums for every score; a score is their quotient.

    The last axis holds, in this order: the accuracies over all steps and over onsets, first of all
    lines together, then of each line; the F1 of each line of drums; the recall of each class of
    each line of drums; the error of each kind of number.
    """
    accuracies, f1s, recalls, errors = [], [], [], []
    for line in lines_of(representation):
        played, wanted = line.symbols(guess), line.symbols(truth)
        is_right, is_onset = played == wanted, line.is_onset(representation, truth)
        accuracies.append([[is_right, np.ones_like(is_right)], [is_right & is_onset, is_onset]])
        if not line.is_pitched:
            right, true = split_hits(played & wanted), split_hits(wanted)
            f1s.append([2 * _HITS[played & wanted], _HITS[played] + _HITS[wanted]])
            recalls += [[right[..., drum], true[..., drum]] for drum in range(len(DRUM_CLASSES))]
    for kind, columns in _number_kinds(representation).items():
        gates = np.array([representation.streams[column].gate for column in columns])
        is_hit = (truth[..., gates] > 0) & (guess[..., gates] > 0)
        error = np.abs(guess[..., columns] - truth[..., columns].astype(np.int64))
        errors.append([(NUMBER_UNITS[kind] * error * is_hit).sum(-1), is_hit.sum(-1)])
    # (line, score, sum, batch, step) -> (line, score, sum, batch)
    by_line = np.array(accuracies).sum(-1)
    sums = [*by_line.sum(0), *by_line.reshape(-1, *by_line.shape[2:])]
    sums += [np.array(other).sum(-1) for other in (*f1s, *recalls, *errors)]
    return np.stack(sums).transpose(2, 1, 0).astype(np.float64)


def score(
    representation: Representation,
    sums: Float[np.ndarray, "batch 2 5 _"],
    *,
    pieces: Shaped[np.ndarray, " batch"] | None,
    seed: int,
) -> Decodings[Scores]:
    """Turns the sums of `judge` into the scores of each decoding.

    Args:
        representation: The representation of the music.
        sums: The sums of each excerpt; the third axis has the order of `Decodings`.
        pieces: The piece of each excerpt, or None for scores without intervals.
        seed: The seed of the intervals.
    """
    parts, wholes = sums.reshape(len(sums), 2, -1).transpose(1, 0, 2)
    found = ratios(parts, wholes, pieces=pieces, seed=seed)
    estimates = iter(zip(found, wholes.sum(axis=0) > 0, strict=True))
    lines = lines_of(representation)
    drum_lines = [line for line in lines if not line.is_pitched]

    def take() -> Estimate:
        return next(estimates)[0]

    def recalls() -> dict[str, Estimate]:
        each = [(drum.name, *next(estimates)) for drum in DRUM_CLASSES]
        return {name: recall for name, recall, is_hit in each if is_hit}

    def accuracy() -> Accuracy:
        all_steps, onsets = take(), take()
        return Accuracy(
            all_steps=all_steps.value,
            onsets=onsets.value,
            all_steps_interval=all_steps.interval,
            onsets_interval=onsets.interval,
        )

    return Decodings(
        *(
            Scores(
                together=accuracy(),
                lines={line.name: accuracy() for line in lines},
                hits={line.name: take() for line in drum_lines},
                recalls={line.name: recalls() for line in drum_lines},
                numbers={kind: take() for kind in _number_kinds(representation)},
            )
            for _ in fields(Decodings)
        )
    )


def _number_kinds(representation: Representation) -> dict[str, tuple[int, ...]]:
    """Groups the streams of numbers by kind: the last word of their names."""
    kinds: dict[str, tuple[int, ...]] = {}
    for column, stream in enumerate(representation.streams):
        if stream.is_number and not stream.is_condition:
            kind = stream.name.split()[-1]
            kinds[kind] = (*kinds.get(kind, ()), column)
    return kinds
