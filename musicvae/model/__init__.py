"""The variational autoencoder: events to a latent, a latent to events. It knows tensors only."""

from musicvae.model.event_distribution import EventDistribution, Teacher
from musicvae.model.prior import Prior
from musicvae.model.vae import ModelConfig, MusicVAE

__all__ = ["EventDistribution", "ModelConfig", "MusicVAE", "Prior", "Teacher"]
