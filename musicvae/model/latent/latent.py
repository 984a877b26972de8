"""What a latent is: a part of the model. Each kind of latent is a file beside this one.

A kind has a `Latent`, a `Posterior` and a `Prior`, and a line in `kinds.LATENTS`.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TypeVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

Rows = TypeVar("Rows", bound="Posterior")


class Posterior(ABC):
    """q(z | music): for each row of a batch, where in the latent space the music is.

    The law: `at(noise)` for standard Gaussian noise of `noise_size` numbers is a draw, through
    which gradients flow; `log_prob` is the density of the draws; `divergence` is the KL from the
    latent's `log_prob`, the density that training pulls posteriors to. Rows are independent.

    Attributes:
        mean: The best single guess.
        stddev: The standard deviation of each number of the draws.
        noise_size: Size of the noise of a draw.
    """

    mean: Float[Tensor, "batch latent"]
    stddev: Float[Tensor, "batch latent"]

    @property
    @abstractmethod
    def noise_size(self) -> int: ...

    @abstractmethod
    def at(self, noise: Float[Tensor, "*draw batch noise"]) -> Float[Tensor, "*draw batch latent"]:
        """The latents that noise stands for, one or several for each row."""

    @abstractmethod
    def log_prob(self, z: Float[Tensor, "*draw batch latent"]) -> Float[Tensor, "*draw batch"]:
        """The density of latents, in nats."""

    @abstractmethod
    def divergence(self) -> Float[Tensor, "batch latent"]:
        """The KL of each number of the latent, in nats."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def __getitem__(self: Rows, rows: slice | Int[Tensor, " _"]) -> Rows: ...

    @abstractmethod
    def to(self: Rows, device: torch.device | str) -> Rows: ...

    @classmethod
    @abstractmethod
    def join(cls: type[Rows], parts: Sequence[Rows]) -> Rows:
        """The rows of all parts, in order."""


class Prior(nn.Module, ABC):
    """Where new latents are drawn from; fitted to the posteriors of a trained model.

    The law: `prior(noise)` for standard Gaussian noise of `noise_size` numbers is a draw. A row's
    draw depends on that row's noise alone.

    Attributes:
        noise_size: Size of the noise of a draw.
        fit_batch_size: Number of draws in a step of the fit.
    """

    noise_size: int
    fit_batch_size: int

    @abstractmethod
    def forward(self, noise: Float[Tensor, "batch noise"]) -> Float[Tensor, "batch latent"]:
        """The latents that noise stands for."""

    @abstractmethod
    def log_prob(self, z: Float[Tensor, "batch latent"]) -> Float[Tensor, " batch"]:
        """The density of latents that the fit raises, in nats; draws may have less spread."""

    @abstractmethod
    def start_from(self, posteriors: Posterior) -> None:
        """Sets the prior to a good begin of its fit."""


class Latent(nn.Module, ABC):
    """A kind of latent.

    Attributes:
        size: Number of values of a latent z.
        is_by_bar: Whether z has a share for each bar. Then the encoder summarises each bar, and
            the decoder plans each bar by its share; else both take the excerpt as a whole.
        parameter_size: Number of parameters of a posterior for each summary of the encoder.
    """

    size: int
    is_by_bar: bool
    parameter_size: int

    @abstractmethod
    def posterior(self, parameters: Float[Tensor, "batch *bar _"]) -> Posterior:
        """The posterior of each excerpt, by what the model read off the encoder's summaries."""

    @abstractmethod
    def log_prob(self, z: Float[Tensor, "*draw batch latent"]) -> Float[Tensor, "*draw batch"]:
        """The density that training pulls posteriors to, in nats."""

    @abstractmethod
    def shares(self, z: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch bar share"]:
        """The share of each bar; of a latent of the whole excerpt one share, all of it."""

    @abstractmethod
    def make_prior(self) -> Prior:
        """A prior that is not fitted yet."""


def draw(
    posterior: Posterior, generator: torch.Generator | None = None
) -> Float[Tensor, "batch latent"]:
    """Draws one latent from each row of a posterior; gradients flow through.

    Source: Kingma and Welling 2014, Auto-Encoding Variational Bayes, section 2.4.
    """
    like = posterior.mean
    device = like.device if generator is None else generator.device
    shape = (len(posterior), posterior.noise_size)
    noise = torch.randn(shape, generator=generator, device=device, dtype=like.dtype)
    return posterior.at(noise.to(like.device))
