"""All measures of a model on one set of held-out excerpts, and their table."""

from dataclasses import dataclass

from rich.table import Table

from musicvae.clips import SAMPLE_TEMPERATURE
from musicvae.errors import DataError
from musicvae.evaluation.prior_samples import PriorSamples, compare_prior_samples
from musicvae.evaluation.reconstruction import Reconstruction, reconstruct
from musicvae.manifest import Manifest
from musicvae.model import MusicVAE
from musicvae.representation import Representation
from musicvae.shards import ExampleSet

TEMPERATURES = (1.0, SAMPLE_TEMPERATURE)
"""As the model itself has it, and as it is played to users."""


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """A model measured on held-out excerpts.

    Attributes:
        split: The split of the data set.
        content_hash: The data set's.
        pieces: Number of pieces the excerpts come from.
        seed: Of the draws.
        reconstruction: Does it give back what it was given?
        prior_samples: Do its own inventions sound like the excerpts? For each of `TEMPERATURES`.
    """

    split: str
    content_hash: str
    pieces: int
    seed: int
    reconstruction: Reconstruction
    prior_samples: tuple[PriorSamples, ...]


def check_representation(representation: Representation, manifest: Manifest) -> None:
    """Makes sure that a model and a data set speak of the same tensors.

    Raises:
        DataError: If they do not.
    """
    if dict(manifest.representation) != representation.config():
        raise DataError(
            f"data in the representation {dict(manifest.representation)}",
            expected=f"{representation.config()}, the model's",
            action="Prepare data with the model's representation.",
            field="data",
        )


def evaluate(
    model: MusicVAE,
    representation: Representation,
    manifest: Manifest,
    examples: ExampleSet,
    *,
    split: str,
    seed: int,
) -> Evaluation:
    """Measures a model on a split.

    Raises:
        DataError: If the split is of another representation.
    """
    check_representation(representation, manifest)
    return Evaluation(
        split=split,
        content_hash=manifest.content_hash,
        pieces=len(set(examples.pieces.tolist())),
        seed=seed,
        reconstruction=reconstruct(model, representation, examples.events, seed=seed),
        prior_samples=tuple(
            compare_prior_samples(
                model, representation, examples.events, seed=seed, temperature=temperature
            )
            for temperature in TEMPERATURES
        ),
    )


def to_table(evaluation: Evaluation) -> Table:
    """The figures as a table for a terminal."""
    table = Table("measure", "all steps", "onsets only", title=f"{evaluation.split} split")
    for name, value in to_rows(evaluation):
        table.add_row(name, *value)
    return table


def to_rows(evaluation: Evaluation) -> list[tuple[str, tuple[str, ...]]]:
    """The figures as rows of a name and one or two cells, for a terminal or a model card."""
    measured = evaluation.reconstruction
    accuracies = {
        "accuracy, teacher-forced": measured.teacher_forced,
        "accuracy, sampled (mean of the posterior, greedy)": measured.sampled,
        "accuracy, sampled (draw of the posterior, greedy)": measured.sampled_from_draw,
        "accuracy, sampled (draw of the posterior, temperature 1)": (
            measured.sampled_at_temperature_1
        ),
    }
    return [
        ("examples", (f"{measured.examples:,} of {evaluation.pieces:,} pieces",)),
        *((name, (f"{a.all_steps:.4f}", f"{a.onsets:.4f}")) for name, a in accuracies.items()),
        ("ELBO, nats an excerpt", (f"{measured.elbo_nats:.2f}",)),
        ("ELBO, bits a step", (f"{measured.bits_per_step:.3f}",)),
        ("KL, nats an excerpt", (f"{measured.divergence_nats:.2f}",)),
        ("active units", (f"{measured.active_units} of {measured.latent_size}",)),
        *(row for draws in evaluation.prior_samples for row in _rows_of_draws(draws)),
    ]


def _rows_of_draws(draws: PriorSamples) -> list[tuple[str, tuple[str, ...]]]:
    at = f"… at {draws.temperature:g}"
    return [
        (f"draws from the prior at temperature {draws.temperature:g}", (f"{draws.draws:,}",)),
        (f"{at}: empty (in the data)", (f"{draws.empty:.2%} ({draws.empty_in_data:.2%})",)),
        (
            f"{at}: of a single pitch (in the data)",
            (f"{draws.single_pitch:.2%} ({draws.single_pitch_in_data:.2%})",),
        ),
        *(
            (
                f"{at}: {name.replace('_', ' ')}, mean (in the data), overlap",
                (f"{_mean(c.draws_mean)} ({_mean(c.data_mean)})", f"{c.overlap:.3f}"),
            )
            for name, c in draws.measures.items()
        ),
    ]


def _mean(value: float | None) -> str:
    return "none" if value is None else f"{value:.2f}"
