"""Batches of lines with their velocities, to train touch."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Int, Int8, Int16
from torch.nn.utils.rnn import pad_sequence

from musicvae.data.mix import RunData
from musicvae.data.shards import ExampleSet
from musicvae.errors import DataError
from musicvae.experiment.experiment import TrainingConfig
from musicvae.model.touch import Lines
from musicvae.music.line_features import describe_line
from musicvae.representation import Representation
from musicvae.representation.melody import read_line

LEAST_SPREAD = 1.0


class PlayedLines:
    """The excerpts of a split whose source has dynamics.

    The level and the spread of a part are measured on all its excerpts in the split.

    Args:
        examples: The split of a set of melodies.
        representation: Their representation.

    Raises:
        DataError: If no excerpt has dynamics.
    """

    def __init__(self, examples: ExampleSet, representation: Representation) -> None:
        self._representation = representation
        velocities = examples.velocities
        self._rows = np.flatnonzero(velocities.any(axis=1))
        if not len(self._rows):
            raise DataError(
                "no excerpt with dynamics",
                expected="melodies from MIDI files that people played",
                action="Prepare such music with this version of musicvae.",
                field="data",
            )
        self._events, self._velocities = examples.events, velocities
        parts = examples.columns(["piece", "part"], self._rows).to_pylist()
        rows_of: dict[tuple[str, str], list[int]] = {}
        for row, part in zip(self._rows.tolist(), parts, strict=True):
            rows_of.setdefault((part["piece"], part["part"]), []).append(row)
        self._levels, self._spreads = np.zeros((2, len(velocities)), np.float32)
        for rows in rows_of.values():
            own = velocities[rows]
            self._levels[rows] = own[own > 0].mean()
            self._spreads[rows] = max(own[own > 0].std(), LEAST_SPREAD)

    def __len__(self) -> int:
        return len(self._rows)

    def find_spread(self) -> float:
        """The median of the spreads."""
        return float(np.median(self._spreads[self._rows]))

    def lines(self, chosen: Int[np.ndarray, " batch"]) -> Lines:
        """Some of the excerpts, by their numbers."""
        rows = self._rows[chosen]
        own = [
            self._describe(events[:, 0], velocities)
            for events, velocities in zip(self._events[rows], self._velocities[rows], strict=True)
        ]
        features, velocities = map(list, zip(*own, strict=True))
        return Lines(
            features=pad_sequence(features, batch_first=True),
            velocities=pad_sequence(velocities, batch_first=True, padding_value=1),
            counts=torch.tensor([len(each) for each in velocities]),
            level=torch.from_numpy(self._levels[rows, None]),
            spread=torch.from_numpy(self._spreads[rows, None]),
        )

    def _describe(
        self, events: Int16[np.ndarray, " step"], velocities: Int8[np.ndarray, " step"]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        notes = [(note.start_step, note.end_step, note.pitch) for note in read_line(events)]
        starts, ends, pitches = np.array(notes).T
        features = describe_line(
            starts,
            ends,
            pitches,
            steps_per_bar=self._representation.steps_per_bar,
            steps_per_quarter=self._representation.steps_per_quarter,
        )
        return torch.from_numpy(features), torch.from_numpy(velocities[starts].astype(np.int64))


class LineBatches:
    """The batches of a set of lines, by number.

    Args:
        played: The excerpts.
        batch_size: Excerpts a batch.
        seed: Chooses the excerpts.
        rank: The number of this process, which has batches of its own.
    """

    def __init__(self, played: PlayedLines, *, batch_size: int, seed: int, rank: int) -> None:
        self._played, self._batch_size = played, batch_size
        self._seed, self._rank = seed, rank

    def batch(self, number: int) -> Lines:
        """Draws a batch; its lines depend on the seed and its number alone."""
        random = np.random.default_rng([self._seed, 4, number, self._rank])
        return self._played.lines(random.integers(0, len(self._played), self._batch_size))


def touch_data(
    training: TrainingConfig,
    played: Sequence[PlayedLines],
    held_out: Sequence[PlayedLines],
    *,
    seed: int,
) -> RunData:
    """The batches of a run that trains touch on some sets.

    Args:
        training: How touch is trained.
        played: The training split of each set.
        held_out: The validation split of each set; a fixed choice of its excerpts is used.
        seed: The run's seed.
    """

    def open_sets(rank: int, _: int) -> list[LineBatches]:
        size = training.batch_size
        return [LineBatches(each, batch_size=size, seed=seed, rank=rank) for each in played]

    orders = [np.random.default_rng(seed).permutation(len(each)) for each in held_out]
    return RunData(
        open_sets,
        [len(each) for each in played],
        [
            each.lines(order[: training.validation_examples])
            for each, order in zip(held_out, orders, strict=True)
        ],
        seed=seed,
    )
