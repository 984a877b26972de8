"""From a decoder's parameters of a step to events: the same as `EventHeads.draw`, over arrays.

Conventions: the parameters of several streams stand side by side, as in
`musicvae.model.event_heads`. The noise of an event is one number for each event of its stream, or
one in all for a stream of numbers.

Sources: Maddison et al. 2014, A* Sampling, section 2, for Gumbel noise; Holtzman et al. 2020, The
Curious Case of Neural Text Degeneration, section 3.1, for the nucleus.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from musicvae.representation.streams import Stream

LEAST_LOG_SCALE = -7.0
_LOGISTIC_EDGE = 1e-6
_NOISE_BITS = 24
"""As many bits as a single-precision fraction has."""


class Group(NamedTuple):
    """Neighbouring streams of one kind and size, which are computed together.

    Attributes:
        columns: Their columns in the events.
        is_number: Whether their events are numbers.
        size: Number of events of each stream.
        gates: The column that says where each stream counts; None where all always count.
    """

    columns: slice
    is_number: bool
    size: int
    gates: list[int] | None


def group_streams(streams: Sequence[Stream]) -> list[Group]:
    """Groups streams."""
    groups: list[Group] = []
    for (is_number, size, has_gate), members in groupby(
        enumerate(streams),
        key=lambda each: (each[1].is_number, each[1].size, each[1].gate is not None),
    ):
        columns, alike = zip(*members, strict=True)
        gates = [stream.gate for stream in alike if stream.gate is not None]
        groups.append(
            Group(
                columns=slice(columns[0], columns[-1] + 1),
                is_number=is_number,
                size=size,
                gates=gates if has_gate else None,
            )
        )
    return groups


def uniform_noise(seeds: Sequence[int], *shape: int) -> Float[np.ndarray, "batch ..."]:
    """Uniform random numbers, from 0 to below 1, by the seed of each row alone.

    They are the numbers of torch's generator on a CPU, which reads the lower 32 bits of a seed.
    """
    generator = np.random.RandomState(0)
    drawn = np.empty((len(seeds), *shape), np.uint32)
    for number, seed in enumerate(seeds):
        generator.seed(seed & 0xFFFFFFFF)
        drawn[number] = generator.randint(0, 1 << 32, shape, dtype=np.uint32)
    drawn &= (1 << _NOISE_BITS) - 1
    return drawn.astype(np.float32) * np.float32(2**-_NOISE_BITS)


class EventDraws:
    """Draws the events of several streams.

    Args:
        streams: The generated streams.

    Attributes:
        noise_size: Number of uniform random numbers for a draw of one step.
        unknown: An event of each stream that means unknown, one above its last.
    """

    def __init__(self, streams: Sequence[Stream]) -> None:
        self._streams = tuple(streams)
        self._groups = group_streams(streams)
        counts = [(each, each.columns.stop - each.columns.start) for each in self._groups]
        parameters = [count * (2 if each.is_number else each.size) for each, count in counts]
        noise = [count * (1 if each.is_number else each.size) for each, count in counts]
        self.noise_size = sum(noise)
        self._parameters, self._noise = _slices(parameters), _slices(noise)
        self.unknown = np.array([stream.size for stream in streams])

    def prepare(
        self, uniform: Float[np.ndarray, "batch step _"]
    ) -> Float[np.ndarray, "batch step _"]:
        """Makes noise of uniform numbers: what is added to logits, or to middles in scales."""
        blocks = []
        for each, block in zip(self._groups, _split(uniform, self._noise), strict=True):
            if each.is_number:
                inside = np.clip(block, _LOGISTIC_EDGE, 1 - _LOGISTIC_EDGE)
                blocks.append(np.log(inside / (1 - inside)))
            else:
                # A uniform number stays below 1, so the inner logarithm is never 0.
                inside = np.maximum(block, np.finfo(np.float32).tiny)
                blocks.append(-np.log(-np.log(inside)))
        return np.concatenate(blocks, axis=-1)

    def likeliest(
        self, parameters: Float[np.ndarray, "batch _"]
    ) -> Int[np.ndarray, "batch stream"]:
        """The likeliest event of each stream; of a number the middle of its distribution."""
        columns = [
            _to_event(block[..., 0], each.size) if each.is_number else block.argmax(-1)
            for each, block in self._blocks(parameters)
        ]
        return columns[0] if len(columns) == 1 else np.concatenate(columns, axis=-1)

    def draw(
        self,
        parameters: Float[np.ndarray, "batch _"],
        noise: Float[np.ndarray, "batch _"],
        *,
        temperature: float,
        top_p: float,
    ) -> Int[np.ndarray, "batch stream"]:
        """Draws an event of each stream.

        Args:
            parameters: The parameters of one step.
            noise: The prepared noise of the step.
            temperature: Divides the logits, and multiplies the scales; above 0.
            top_p: Classes are drawn among the likeliest classes that together have this
                probability.
        """
        columns = []
        blocks = _split(noise, self._noise)
        for (each, block), own in zip(self._blocks(parameters), blocks, strict=True):
            if each.is_number:
                scales = np.exp(np.maximum(block[..., 1], LEAST_LOG_SCALE)) * np.float32(
                    temperature
                )
                columns.append(_to_event(block[..., 0] + scales * own, each.size))
            else:
                logits = block / np.float32(temperature)
                columns.append(_draw_classes(logits, own.reshape(block.shape), top_p))
        return columns[0] if len(columns) == 1 else np.concatenate(columns, axis=-1)

    def mask(
        self, allowed: Sequence[Bool[np.ndarray, "batch _event"]]
    ) -> Float[np.ndarray, "batch parameter"]:
        """Makes numbers that, added to parameters, let only allowed events be drawn.

        Args:
            allowed: For each stream the allowed events of each excerpt; of numbers all are.
        """
        blocks = [
            np.zeros((len(events), 2), np.float32)
            if stream.is_number
            else np.where(events, np.float32(0), np.float32(-np.inf))
            for stream, events in zip(self._streams, allowed, strict=True)
        ]
        return np.concatenate(blocks, axis=-1)

    def log_sums(
        self, parameters: Float[np.ndarray, "batch _"]
    ) -> Float[np.ndarray, "batch stream"]:
        """The logarithm of the sum over the events of each stream; 0 for numbers."""
        columns = [
            np.zeros(block.shape[:-1], block.dtype) if each.is_number else _log_sum(block)
            for each, block in self._blocks(parameters)
        ]
        return np.concatenate(columns, axis=-1)

    def _blocks(
        self, parameters: Float[np.ndarray, "batch _"]
    ) -> list[tuple[Group, Float[np.ndarray, "batch stream _"]]]:
        """Splits parameters by group, with an axis for the streams of each."""
        blocks = _split(parameters, self._parameters)
        return [
            (each, block.reshape(len(block), each.columns.stop - each.columns.start, -1))
            for each, block in zip(self._groups, blocks, strict=True)
        ]


def _slices(sizes: Sequence[int]) -> list[slice]:
    """The slices that stand side by side."""
    return [slice(sum(sizes[:number]), sum(sizes[: number + 1])) for number in range(len(sizes))]


def _split(values: np.ndarray, slices: Sequence[slice]) -> list[np.ndarray]:
    """Splits the last axis; `np.split` takes longer than the slices."""
    return [values[..., each] for each in slices]


def _draw_classes(
    logits: Float[np.ndarray, "batch stream event"],
    noise: Float[np.ndarray, "batch stream event"],
    top_p: float,
) -> Int[np.ndarray, "batch stream"]:
    noisy = logits + noise
    chosen: Int[np.ndarray, "batch stream"] = noisy.argmax(-1)
    if top_p == 1:
        return chosen
    shares = np.exp(logits - np.maximum.reduce(logits, -1, keepdims=True))
    rows = shares.reshape(-1, shares.shape[-1])
    own = rows[np.arange(len(rows)), chosen.reshape(-1)].reshape(*chosen.shape, 1)
    likelier = np.add.reduce(shares * (shares > own), -1)
    # Most draws are in the nucleus anyway, and sorting takes long.
    if (likelier >= top_p * np.add.reduce(shares, -1)).any():
        chosen = np.where(_nucleus(shares, top_p), noisy, -np.inf).argmax(-1)
    return chosen


def _nucleus(
    shares: Float[np.ndarray, "batch stream event"], top_p: float
) -> Bool[np.ndarray, "batch stream event"]:
    """The likeliest events, which together reach `top_p` of the sum.

    Of equally likely events all or none belong to them.
    """
    ordered = -np.sort(-shares, axis=-1)
    is_inside = ordered.cumsum(-1) - ordered < top_p * ordered.sum(-1, keepdims=True)
    least = np.where(is_inside, ordered, np.inf).min(-1, keepdims=True)
    nucleus: Bool[np.ndarray, "batch stream event"] = shares >= least
    return nucleus


def _to_event(position: np.ndarray, size: int) -> np.ndarray:
    """The number of the scale that is nearest to a position of -1 to 1."""
    return np.rint((position.clip(-1, 1) + 1) / 2 * (size - 1)).astype(np.int64)


def _log_sum(logits: np.ndarray) -> np.ndarray:
    most = logits.max(-1)
    sums: np.ndarray = most + np.log(np.exp(logits - most[..., None]).sum(-1))
    return sums
