"""From a run to a bundle: rounded weights, a fitted prior and vectors, figures, a model card."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from torch import Tensor

from musicvae import bundle
from musicvae.bundle.attribute_vectors import fit_vectors
from musicvae.bundle.format import check_folder
from musicvae.bundle.model_card import write_card
from musicvae.bundle.prior_fit import fit_prior
from musicvae.data.manifest import Manifest, load_manifest
from musicvae.data.shards import Events
from musicvae.errors import DataError
from musicvae.evaluation.decoding import encode
from musicvae.evaluation.evaluate import DEFAULT_SIZES, Evaluation, Sizes, evaluate
from musicvae.evaluation.record import to_facts
from musicvae.evaluation.subject import Subject, choose, load_data
from musicvae.evaluation.watch import Watch, unwatched
from musicvae.experiment.experiment import build_model
from musicvae.model import MusicVAE
from musicvae.representation import Representation
from musicvae.training import Run

MOST_FITTED = 20_000
"""The number of excerpts to fit attribute vectors: enough for means of quarters that are exact to a
hundredth of the latent's spread."""


def export(
    run: Run,
    out: Path,
    *,
    seed: int = 0,
    sizes: Sizes = DEFAULT_SIZES,
    watch: Watch = unwatched,
) -> Evaluation:
    """Writes the bundle of a run's best weights.

    Args:
        run: A run read back.
        out: The bundle's folder.
        seed: Chooses the excerpts and the draws.
        sizes: The sizes of the evaluation.
        watch: Shows the progress.

    Returns:
        The evaluation on the test split, or without a test split on the validation split.

    Raises:
        DataError: If the run's data set is missing, or has changed.
        BundleError: If `out` holds something else.
    """
    check_folder(out)  # before minutes of measuring, not after
    manifest = load_manifest(run.data)
    if manifest.content_hash != run.content_hash:
        raise DataError(
            f"a data set {run.data} that has changed since the run",
            expected=f"the one with content hash {run.content_hash[:12]}…",
            action="Prepare it again as it was.",
            field="data",
        )
    weights = {name: tensor.half() for name, tensor in run.weights.items()}
    model = build_model(run.experiment)
    model.load_state_dict({name: tensor.float() for name, tensor in weights.items()})
    model.eval()
    data = load_data(run.data, _held_out_split(manifest))
    data.check(run.experiment.representation)
    assert data.training, "a run has learnt from a training split"
    vectors = _fit_vectors(
        model, run.experiment.representation, data.training.events, seed=seed, watch=watch
    )
    prior = fit_prior(model, run.experiment, data.training.events, seed=seed, watch=watch)
    subject = Subject(
        name=run.experiment.name,
        version=None,
        experiment=run.experiment,
        model=model,
        prior=prior,
        attribute_vectors=vectors,
        steps=run.step,
        examples_seen=run.examples_seen,
    )
    evaluation = evaluate(subject, data, seed=seed, sizes=sizes, watch=watch)
    facts: dict[str, Any] = {
        "seed": run.seed,
        "steps": run.step,
        "examples_seen": run.examples_seen,
        "start": None if run.start is None else asdict(run.start),
        "weights": subject.weights,
        "content_hash": manifest.content_hash,
        "sources": [asdict(source) for source in manifest.sources],
        "evaluation": to_facts(evaluation),
    }
    bundle.save(
        out,
        name=run.experiment.name,
        experiment=run.experiment,
        weights=weights,
        prior=prior,
        attribute_vectors=vectors,
        card=write_card(run.experiment, facts, evaluation),
        facts=facts,
    )
    return evaluation


def _held_out_split(manifest: Manifest) -> str:
    test = manifest.splits.get("test")
    return "test" if test is not None and test.excerpts else "validation"


def _fit_vectors(
    model: MusicVAE,
    representation: Representation,
    events: Events,
    *,
    seed: int,
    watch: Watch,
) -> dict[str, Float[Tensor, " latent"]]:
    chosen = events[choose(len(events), MOST_FITTED, seed)]
    means = encode(model, chosen, title="fitting attribute vectors", watch=watch).mean
    measures = [representation.kind.measure(representation.to_notes(each)) for each in chosen]
    names = [attribute.name for attribute in representation.kind.attributes]
    return fit_vectors(means, {name: np.array([each[name] for each in measures]) for name in names})
