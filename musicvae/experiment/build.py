"""The untrained torch modules of an experiment."""

from musicvae.experiment.experiment import Experiment, rows_per_bar
from musicvae.model.event_prior import EventPrior
from musicvae.model.vae import MusicVAE


def build_model(experiment: Experiment) -> MusicVAE:
    """An untrained model of the experiment's widths for its representation."""
    representation = experiment.representation
    return MusicVAE(
        experiment.model,
        streams=representation.streams,
        bars=representation.bars,
        steps_per_bar=rows_per_bar(experiment),
    )


def build_prior(experiment: Experiment) -> EventPrior:
    """An untrained prior over the events of the experiment's representation."""
    representation = experiment.representation
    return EventPrior(
        experiment.prior,
        streams=representation.streams,
        bars=representation.bars,
        steps_per_bar=rows_per_bar(experiment),
    )
