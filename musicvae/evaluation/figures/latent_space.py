"""The figures of the latent space: likelihood, interpolation and attribute vectors."""

from collections.abc import Iterator

from musicvae.evaluation.attribute_transfer import AttributeTransfer
from musicvae.evaluation.evaluate import Evaluation
from musicvae.evaluation.figure import Figure
from musicvae.evaluation.figure_keys import ATTRIBUTES, INTERPOLATION, LIKELIHOOD
from musicvae.evaluation.figures.captions import to_figure
from musicvae.evaluation.interpolation import Interpolation
from musicvae.music.attributes import get_attribute

MOST_PERCENT = 300
"""A larger change is given in the attribute's unit: the mean before was near zero, and a share of
it says nothing."""


def likelihood_figures(evaluation: Evaluation) -> Iterator[Figure]:
    """Lists the figures."""
    bounds, measured = evaluation.likelihood, evaluation.reconstruction
    for key, name, nats, bits in (
        ("elbo", "ELBO", bounds.elbo_nats, bounds.elbo_bits_per_step),
        (
            "closer_bound",
            f"closer bound, {bounds.draws} draws",
            bounds.bound_nats,
            bounds.bound_bits_per_step,
        ),
    ):
        yield to_figure(LIKELIHOOD, f"likelihood/{key}/bits", f"{name}, bits a step", bits)
        yield to_figure(
            LIKELIHOOD,
            f"likelihood/{key}/nats",
            f"{name}, nats an excerpt",
            nats,
            form=".2f",
            is_key=False,
        )
    yield Figure(
        section=LIKELIHOOD,
        key="likelihood/kl",
        name="KL from the standard Gaussian, nats an excerpt",
        value=measured.divergence_nats,
        form=".2f",
    )
    yield Figure(
        section=LIKELIHOOD,
        key="likelihood/active_dimensions",
        name="active dimensions of the latent",
        value=float(measured.active_units),
        form=".0f",
        beside=float(measured.latent_size),
        beside_name="of",
    )


def interpolation_figures(measured: Interpolation) -> Iterator[Figure]:
    """Lists the figures."""
    middle = len(measured.fractions) // 2
    if measured.cost is not None and measured.mixture_cost is not None:
        yield Figure(
            section=INTERPOLATION,
            key="interpolation/highest_cost",
            name="highest cost on the way",
            value=max(measured.cost),
            beside=max(measured.mixture_cost),
            beside_name="mixture",
        )
    yield Figure(
        section=INTERPOLATION,
        key="interpolation/distance_half_way",
        name="distance half way",
        value=measured.distance[middle],
        beside=measured.mixture_distance[middle],
        beside_name="mixture",
    )


def attribute_figures(measured: AttributeTransfer) -> Iterator[Figure]:
    """Lists the figures."""
    for i, name in enumerate(measured.attributes):
        added, subtracted = measured.added[i][i], measured.subtracted[i][i]
        unit, form = "%", "+.0f"
        if max(abs(added or 0), abs(subtracted or 0)) > MOST_PERCENT:
            unit, form = get_attribute(name).unit, "+.3f"
            added, subtracted = (
                None if change is None else change / 100 * measured.before[i]
                for change in (added, subtracted)
            )
        yield Figure(
            section=ATTRIBUTES,
            key=f"attributes/{name}",
            name=f"{name.replace('_', ' ')} along its own vector, {unit}",
            value=added,
            form=form,
            beside=subtracted,
            beside_name="subtracted",
        )
