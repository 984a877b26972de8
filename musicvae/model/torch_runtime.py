"""The networks of torch as runtimes over arrays: the reference, and the way to GPUs."""

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from musicvae.model.decoder import Decoder
from musicvae.music.notes import TimeGrid
from musicvae.runtime.decoding import State, Stepped
from musicvae.runtime.graph import AnyArray


def to_array(tensor: Tensor) -> AnyArray:
    """The values of a tensor on whatever device, in single precision under autocast, too."""
    array: AnyArray = (tensor.float() if tensor.is_floating_point() else tensor).cpu().numpy()
    return array


class TorchDecoder:
    """A decoder of torch; see `DecoderRuntime`.

    Args:
        decoder: The decoder, on whatever device.
    """

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder

    @property
    def shared_by(self) -> object:
        """Itself alone, since its state is of tensors."""
        return object()

    @torch.no_grad()
    def plan(
        self, shares: Float[np.ndarray, "batch bar share"]
    ) -> Float[np.ndarray, "batch bar hidden"]:
        return to_array(self._decoder.plan(self._to_tensor(shares)))

    @torch.no_grad()
    def start(
        self,
        plans: Float[np.ndarray, "batch hidden"],
        condition: Int[np.ndarray, "batch step _condition"],
    ) -> State:
        return self._decoder.start(self._to_tensor(plans), self._to_tensor(condition))

    @torch.no_grad()
    def step(
        self, state: State, previous: AnyArray, number: int, grid: TimeGrid | None
    ) -> Stepped[AnyArray]:
        stepped = self._decoder.step(state, self._to_tensor(previous), number, grid)
        return Stepped(to_array(stepped.parameters), stepped.state)

    def _to_tensor(self, values: AnyArray) -> Tensor:
        return torch.tensor(values, device=self._decoder.heads.unknown.device)
