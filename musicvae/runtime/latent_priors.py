"""Priors over latents as arrays: standard Gaussian noise to latents.

Conventions: as in `musicvae.model.latent.flow_prior` and `bar_prior`, whose weights these priors
hold. Callers draw row by row: the products round a row by its place in a batch.
"""

import math
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32

from musicvae.runtime.graph import AnyArray
from musicvae.runtime.lstm import Weights, under

LATER_SPREAD = 0.9
"""Scales the noise of new bars after the first. A density that is fitted to music is a little too
wide, and over 16 bars the small excesses add up: tunes get too wide a range. On validation data
0.95 and 0.9 gave ranges and likenesses of bars nearer to the data's, and 0.85 too few keys. The
first bar keeps its spread: key and register begin there."""


@runtime_checkable  # jaxtyping's checker tests for it
class LatentPrior(Protocol):
    """A prior over latents.

    Attributes:
        noise_size: Size of the noise of a draw.
    """

    noise_size: int

    def __call__(self, noise: Float32[np.ndarray, "1 noise"]) -> Float32[np.ndarray, "1 latent"]:
        """The latent that noise stands for."""


class FlowDraws:
    """Draws as `FlowPrior` does.

    Args:
        weights: The weights of a `FlowPrior`.
        latent_size: Size of the latent.
    """

    def __init__(self, weights: Weights, latent_size: int) -> None:
        self.noise_size = latent_size
        count = len({name.split(".")[1] for name in weights})
        self._couplings = [under(weights, f"couplings.{number}.") for number in range(count)]
        numbers = np.arange(latent_size)
        self._dealt_back = np.concatenate([numbers[::2], numbers[1::2]]).argsort()

    def __call__(
        self,
        noise: Float32[np.ndarray, "1 noise"],
        context: Float32[np.ndarray, "1 context"] | None = None,
    ) -> Float32[np.ndarray, "1 latent"]:
        """See `LatentPrior`; a context may change the density."""
        z = noise
        for number in reversed(range(len(self._couplings))):
            turned = z[:, self._dealt_back] if number % 2 else z
            moved, kept = np.split(turned, [self.noise_size // 2], axis=1)
            read = kept if context is None else np.concatenate([kept, context], axis=1)
            layers = self._couplings[number]
            hidden = _silu(_linear(read, layers, "layers.0."))
            hidden = _silu(_linear(hidden, layers, "layers.2."))
            log_scale, offset = np.split(_linear(hidden, layers, "layers.4."), 2, axis=1)
            z = np.concatenate([kept, (moved - offset) * np.exp(-np.tanh(log_scale))], axis=1)
        return z


class BarDraws:
    """Draws as `BarPrior` does.

    Args:
        weights: The weights of a `BarPrior`.
        share_size: Size of a bar's share of the latent.
        bars: Number of bars, 2 or more.
    """

    def __init__(self, weights: Weights, share_size: int, bars: int) -> None:
        self._weights, self._bars = weights, bars
        self._new = FlowDraws(under(weights, "new."), share_size)
        self.noise_size = bars + bars * share_size

    def __call__(self, noise: Float32[np.ndarray, "1 noise"]) -> Float32[np.ndarray, "1 latent"]:
        """See `LatentPrior`."""
        bars = self._bars
        # Gaussian to uniform numbers, from 0 to 1
        chances = [math.erfc(-each / math.sqrt(2)) / 2 for each in noise[0, :bars].tolist()]
        drawn = noise[0, bars:].reshape(bars, -1)
        drawn = np.concatenate([drawn[:1], np.float32(LATER_SPREAD) * drawn[1:]])
        last = np.zeros_like(drawn[:1])
        before = np.zeros_like(drawn[:-1])  # the bars before, the nearest first
        likeness = np.zeros(bars - 1, np.float32)
        state = np.zeros((2, 1, self._weights["memory.weight_hh_l0"].shape[1]), np.float32)
        shares = []
        for bar in range(bars):
            number = np.eye(1, bars, bar, dtype=np.float32)
            state = self._remember(np.concatenate([last, number], axis=1), state)
            choices = self._choose(state[0], likeness, bar)
            choice = min(int((choices.cumsum() < chances[bar]).sum()), bars - 1)
            last = (
                before[choice : choice + 1]
                if choice < bars - 1
                else self._new(drawn[bar : bar + 1], state[0])
            )
            shares.append(last)
            likeness = self._likeness(last, before, bar)
            before = np.concatenate([last, before[:-1]])
        return np.concatenate(shares, axis=1)

    def _remember(self, inputs: AnyArray, state: AnyArray) -> AnyArray:
        """A step of the memory: hidden and cell state."""
        weights = self._weights
        gates = inputs @ weights["memory.weight_ih_l0"].T + weights["memory.bias_ih_l0"]
        gates += state[0] @ weights["memory.weight_hh_l0"].T + weights["memory.bias_hh_l0"]
        enter, forget, new, leave = np.split(gates, 4, axis=1)
        cell = _sigmoid(forget) * state[1] + _sigmoid(enter) * np.tanh(new)
        return np.stack([_sigmoid(leave) * np.tanh(cell), cell])

    def _choose(self, context: AnyArray, likeness: AnyArray, bar: int) -> AnyArray:
        """The probability of a copy of each bar before, and of a new bar."""
        logits = _linear(context, self._weights, "choice.")[0]
        logits[:-1] += self._weights["going_on"] * likeness
        logits[bar:-1] = -np.inf  # not there yet
        weights = np.exp(logits - logits.max())
        shares: AnyArray = weights / weights.sum()
        return shares

    def _likeness(self, last: AnyArray, before: AnyArray, bar: int) -> AnyArray:
        """How alike a bar is to each bar before it, 0 to 1."""
        gaps = (last - self._weights["kept"] * before) / np.exp(self._weights["log_spread"])
        likeness: AnyArray = np.exp(np.float32(-0.5) * np.square(gaps).mean(1))
        likeness[bar:] = 0  # not there yet
        return likeness


def _linear(values: AnyArray, weights: Weights, name: str) -> AnyArray:
    product: AnyArray = values @ weights[f"{name}weight"].T + weights[f"{name}bias"]
    return product


def _sigmoid(values: AnyArray) -> AnyArray:
    opened: AnyArray = 1 / (1 + np.exp(-values))
    return opened


def _silu(values: AnyArray) -> AnyArray:
    return values * _sigmoid(values)
