"""The variational autoencoder: events to a latent, a latent to events. It knows tensors only."""

from musicvae.model.event_distribution import EventDistribution, Teacher
from musicvae.model.latent.bar_prior import BarPrior
from musicvae.model.latent.flow_prior import FlowPrior
from musicvae.model.vae import ModelConfig, MusicVAE, Prior

__all__ = [
    "BarPrior",
    "EventDistribution",
    "FlowPrior",
    "ModelConfig",
    "MusicVAE",
    "Prior",
    "Teacher",
]
