"""Models small enough to look into."""

import pytest
import torch

from musicvae.model.vae import MusicVAE
from musicvae.music.notes import TimeGrid
from musicvae.representation.streams import Stream
from musicvae.runtime.model_config import ModelConfig

CONFIG = {
    "latent_size": 5,
    "event_size": 6,
    "position_size": 3,
    "encoder_size": 7,
    "decoder_size": 8,
    "conductor_size": 9,
    "plan_size": 4,
}


def classes(sizes):
    return tuple(Stream(name=str(size), size=size) for size in sizes)


@pytest.fixture(scope="session")
def make_model():
    def make(
        *,
        latent="gaussian",
        bars=2,
        steps_per_bar=16,
        vocabulary_sizes=(5,),
        streams=None,
        further_grids=(),
        scale=4.0,
        seed=0,
        **widths,
    ):
        """An untrained model; `scale` makes its weights, and so its differences, larger."""
        config = ModelConfig(latent=latent, **{**CONFIG, **widths})
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = MusicVAE(
                config,
                streams=streams or classes(vocabulary_sizes),
                bars=bars,
                steps_per_bar={TimeGrid(): steps_per_bar} | dict(further_grids),
            )
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.mul_(scale)
        return model

    return make


@pytest.fixture(scope="session")
def make_events():
    def make(batch, steps, vocabulary_sizes, seed=0):
        generator = torch.Generator().manual_seed(seed)
        return torch.stack(
            [torch.randint(size, (batch, steps), generator=generator) for size in vocabulary_sizes],
            dim=-1,
        )

    return make


@pytest.fixture(scope="session")
def make_z():
    def make(batch, seed=0, size=CONFIG["latent_size"]):
        return torch.randn(batch, size, generator=torch.Generator().manual_seed(seed))

    return make
