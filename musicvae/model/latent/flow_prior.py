"""A prior as a flow: a map from standard noise to the latents where music is.

Training pulls the posteriors of all music towards a standard Gaussian, but only so far: together
they leave holes, and a draw from a hole decodes to music that wanders. A flow fitted to the
posteriors afterwards draws from where they are, and costs no accuracy of reconstruction.

Source: Dinh et al. 2017, Density estimation using Real NVP, sections 3.2 to 3.5, for the flow; Dai
and Wipf 2019, Diagnosing and Enhancing VAE Models, section 4, for a second stage after the first.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from musicvae.model.latent.latent import Posterior, Prior
from musicvae.runtime.shapes import COUPLINGS, coupling_width


class FlowPrior(Prior):
    """A flow of couplings: each shifts and scales one half of the numbers as the other half says.

    Before it is fitted, it draws from a standard Gaussian, the numbers only in another order.

    Args:
        latent_size: Size of the latent.
        context_size: Size of a context that the density may depend on.
    """

    fit_batch_size = 256

    def __init__(self, latent_size: int, *, context_size: int = 0) -> None:
        super().__init__()
        self.latent_size = self.noise_size = latent_size
        # A latent of one number has no halves.
        count = COUPLINGS if latent_size > 1 else 0
        self.couplings = nn.ModuleList(
            _Coupling(latent_size, context_size, is_dealt=number % 2 == 1)
            for number in range(count)
        )

    def forward(
        self,
        noise: Float[Tensor, "batch latent"],
        context: Float[Tensor, "batch context"] | None = None,
    ) -> Float[Tensor, "batch latent"]:
        z = noise
        for coupling in reversed(self.couplings):
            assert isinstance(coupling, _Coupling)
            z = coupling.from_noise(z, context)
        return z

    def log_prob(
        self,
        z: Float[Tensor, "batch latent"],
        context: Float[Tensor, "batch context"] | None = None,
    ) -> Float[Tensor, " batch"]:
        log_scale = z.new_zeros(len(z))
        for coupling in self.couplings:
            assert isinstance(coupling, _Coupling)
            z, more = coupling.to_noise(z, context)
            log_scale = log_scale + more
        return log_scale - 0.5 * (z.square().sum(1) + self.latent_size * math.log(2 * math.pi))

    def start_from(self, posteriors: Posterior) -> None:
        """Leaves the standard Gaussian as it is: training pulled the posteriors towards it."""


class _Coupling(nn.Module):
    """One layer of a flow, both ways.

    Args:
        latent_size: Size of the latent.
        context_size: Size of the context beside the half that is kept.
        is_dealt: Whether the next layer's halves are dealt anew; else the halves change places.
    """

    order: Tensor

    def __init__(self, latent_size: int, context_size: int, *, is_dealt: bool) -> None:
        super().__init__()
        self.kept, self.moved = latent_size - latent_size // 2, latent_size // 2
        hidden_size = coupling_width(latent_size, context_size)
        last = nn.Linear(hidden_size, 2 * self.moved)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.layers = nn.Sequential(
            nn.Linear(self.kept + context_size, hidden_size),
            nn.SiLU(),
            nn.Linear(hidden_size, hidden_size),
            nn.SiLU(),
            last,
        )
        numbers = torch.arange(latent_size)
        order = torch.cat([numbers[::2], numbers[1::2]]) if is_dealt else numbers
        self.register_buffer("order", order, persistent=False)

    def to_noise(
        self,
        z: Float[Tensor, "batch latent"],
        context: Float[Tensor, "batch context"] | None = None,
    ) -> tuple[Float[Tensor, "batch latent"], Float[Tensor, " batch"]]:
        """A step from latents to noise, and the logarithm of how much the step spreads them."""
        kept, moved = z.split([self.kept, self.moved], dim=1)
        log_scale, offset = self._plan(kept, context)
        turned = torch.cat([moved * log_scale.exp() + offset, kept], dim=1)
        return turned[:, self.order], log_scale.sum(1)

    def from_noise(
        self,
        noise: Float[Tensor, "batch latent"],
        context: Float[Tensor, "batch context"] | None = None,
    ) -> Float[Tensor, "batch latent"]:
        """The step back."""
        turned = noise[:, self.order.argsort()]
        moved, kept = turned.split([self.moved, self.kept], dim=1)
        log_scale, offset = self._plan(kept, context)
        return torch.cat([kept, (moved - offset) * (-log_scale).exp()], dim=1)

    def _plan(
        self, kept: Float[Tensor, "batch _kept"], context: Float[Tensor, "batch context"] | None
    ) -> tuple[Float[Tensor, "batch _moved"], Float[Tensor, "batch _moved"]]:
        inputs = kept if context is None else torch.cat([kept, context], dim=1)
        log_scale, offset = self.layers(inputs).chunk(2, dim=1)
        return log_scale.tanh(), offset
