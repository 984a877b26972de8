"""All figures of an evaluation, section by section."""

from musicvae.evaluation.evaluate import Evaluation
from musicvae.evaluation.figure import Figure
from musicvae.evaluation.figures.captions import name_line
from musicvae.evaluation.figures.latent_space import (
    attribute_figures,
    interpolation_figures,
    likelihood_figures,
)
from musicvae.evaluation.figures.listener import listener_figures
from musicvae.evaluation.figures.reconstruction import common_figures, reconstruction_figures
from musicvae.evaluation.figures.samples import novelty_figures, sample_figures, structure_figures


def to_figures(evaluation: Evaluation) -> tuple[Figure, ...]:
    """Lists all figures in the order of `musicvae.evaluation.figure.HOW`; no two share a key."""
    return (
        *reconstruction_figures(evaluation.reconstruction),
        *common_figures(evaluation.common),
        *listener_figures(evaluation.listener),
        *likelihood_figures(evaluation),
        *interpolation_figures(evaluation.interpolation),
        *attribute_figures(evaluation.attributes),
        *(figure for each in evaluation.prior_samples.at for figure in sample_figures(each)),
        *(
            figure
            for line, by_set in evaluation.structure.items()
            for figure in structure_figures(name_line(line, evaluation.structure), by_set)
        ),
        *(
            figure
            for line, by_set in evaluation.novelty.items()
            for figure in novelty_figures(name_line(line, evaluation.novelty), by_set)
        ),
    )
