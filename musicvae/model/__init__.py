"""The variational autoencoder: events to a latent, a latent to events. It knows tensors only."""

from musicvae.model.conditions import Batch, Conditions
from musicvae.model.event_distribution import EventDistribution, Teacher
from musicvae.model.event_prior import EventPrior
from musicvae.model.latent.latent import Latent, Posterior, Prior
from musicvae.model.prior_config import PriorConfig
from musicvae.model.vae import ModelConfig, MusicVAE

__all__ = [
    "Batch",
    "Conditions",
    "EventDistribution",
    "EventPrior",
    "Latent",
    "ModelConfig",
    "MusicVAE",
    "Posterior",
    "Prior",
    "PriorConfig",
    "Teacher",
]
