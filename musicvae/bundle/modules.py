"""The torch modules of a bundle, to measure it and to train on, and their weights as arrays."""

from dataclasses import dataclass

import torch
from torch import nn

from musicvae.bundle.format import Bundle
from musicvae.experiment.build import build_model, build_prior
from musicvae.model.event_prior import EventPrior
from musicvae.model.latent.latent import Prior
from musicvae.model.touch import Touch
from musicvae.model.vae import MusicVAE
from musicvae.runtime.graph import AnyArray
from musicvae.runtime.lstm import Weights


@dataclass(frozen=True, kw_only=True, eq=False)
class Modules:
    """The modules of a bundle, in evaluation mode and single precision.

    Attributes:
        model: The model.
        prior: Draws new music: over latents, or over events.
        touch: Plays melodies with accents; None plays all notes equally loud.
    """

    model: MusicVAE
    prior: Prior | EventPrior
    touch: Touch | None


def modules_of(bundle: Bundle) -> Modules:
    """Builds the modules of a bundle."""
    model = build_model(bundle.experiment)
    prior = build_prior(bundle.experiment) if bundle.draws_events else model.latent.make_prior()
    if isinstance(prior, EventPrior) and "progressions" in bundle.prior_weights:
        prior.keep_progressions(torch.tensor(bundle.prior_weights["progressions"]))
    touch = Touch() if bundle.touch_weights else None
    _fill(model, bundle.weights)
    _fill(prior, bundle.prior_weights)
    if touch is not None:
        _fill(touch, bundle.touch_weights)
    return Modules(model=model, prior=prior, touch=touch)


def weights_of(module: nn.Module) -> dict[str, AnyArray]:
    """The weights of a module as arrays, on the CPU."""
    return {name: tensor.cpu().numpy() for name, tensor in module.state_dict().items()}


def _fill(module: nn.Module, weights: Weights) -> None:
    module.load_state_dict({name: torch.tensor(each).float() for name, each in weights.items()})
    module.eval().requires_grad_(requires_grad=False)
