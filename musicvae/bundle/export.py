"""From a run to a bundle: rounded weights, a fitted prior and vectors, figures, a model card."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from musicvae import bundle
from musicvae.bundle.attribute_vectors import fit_vectors
from musicvae.bundle.format import Bundle, check_folder
from musicvae.bundle.model_card import write_card
from musicvae.bundle.modules import modules_of, weights_of
from musicvae.bundle.prior_fit import fit_prior
from musicvae.bundle.run_facts import facts_of, manifest_of
from musicvae.bundle.touch import with_section
from musicvae.data.manifest import Manifest, Source
from musicvae.data.progressions import find_progressions
from musicvae.data.shards import Events
from musicvae.errors import TrainingError
from musicvae.evaluation.decoding import encode
from musicvae.evaluation.evaluate import DEFAULT_SIZES, Evaluation, Sizes, evaluate
from musicvae.evaluation.record import to_facts
from musicvae.evaluation.subject import Data, Subject, choose, load_data
from musicvae.evaluation.watch import Watch, unwatched
from musicvae.experiment.build import build_model, build_prior
from musicvae.experiment.experiment import Experiment
from musicvae.model.event_prior import EventPrior
from musicvae.model.vae import MusicVAE
from musicvae.representation import Representation, describe_config
from musicvae.training import Run
from musicvae.training.record import MODEL, PRIOR, UsedSet

MOST_FITTED = 20_000
"""The number of excerpts to fit attribute vectors: enough for means of quarters that are exact to a
hundredth of the latent's spread."""


def export(
    run: Run,
    out: Path,
    *,
    prior: Run | None = None,
    licence: str | None = None,
    seed: int = 0,
    sizes: Sizes = DEFAULT_SIZES,
    watch: Watch = unwatched,
) -> Evaluation:
    """Writes the bundle of a run's best weights.

    Args:
        run: A run of a model.
        out: The bundle's folder.
        prior: A run of its prior over events; None to fit a prior to the model's latents.
        licence: The licence of the weights, for the card and for `ModelInfo`.
        seed: Chooses the excerpts and the draws.
        sizes: The sizes of the evaluation.
        watch: Shows the progress.

    Returns:
        The evaluation on the test split, or without a test split on the validation split.

    Raises:
        DataError: If a run's data set is missing, or has changed.
        BundleError: If `out` holds something else.
        TrainingError: If a run did not train the part that is needed.
    """
    _check_part(run, MODEL, "run")
    check_folder(out)  # before minutes of measuring, not after
    if run.further_sets and prior is None:
        raise TrainingError(
            f"a run in {', '.join(map(str, run.experiment.all_grids))} without a prior",
            expected="a run of its prior: latents alone don't tell the meter and the grid",
            action="Train it on the same data with `musicvae train --prior`.",
            field="prior",
        )
    data = _load_sets(run)
    weights = {name: tensor.half() for name, tensor in run.weights.items()}
    model = build_model(run.experiment)
    model.load_state_dict({name: tensor.float() for name, tensor in weights.items()})
    model.eval()
    training = data[0].training
    assert training, "a run has learnt from a training split"
    events = training.events
    facts: dict[str, Any] = {
        **facts_of(run),
        "further_sets": [_set_facts(each) for each in data[1:]],
        "sources": [asdict(each) for each in _join_sources(data)],
        "licence": licence,
    }
    drawn_by = (
        fit_prior(model, run.experiment, events, seed=seed, watch=watch)
        if prior is None
        else _with_progressions(load_prior(prior, run.experiment), run.experiment, data, seed)
    )
    loaded = Bundle(
        name=run.experiment.name,
        version="",
        experiment=run.experiment if prior is None else _with_prior(run.experiment, prior),
        weights=weights_of(model),
        prior_weights=weights_of(drawn_by),
        draws_events=prior is not None,
        attribute_vectors=_fit_vectors(
            model, run.experiment.representation, events, seed=seed, watch=watch
        ),
        card="",
        facts=facts if prior is None else {**facts, "prior": facts_of(prior)},
    )
    return _write_measured(loaded, data, out, seed=seed, sizes=sizes, watch=watch)


def renew(
    old: Bundle,
    prior: Run,
    out: Path,
    *,
    licence: str | None = None,
    seed: int = 0,
    sizes: Sizes = DEFAULT_SIZES,
    watch: Watch = unwatched,
) -> Evaluation:
    """Writes a bundle again with a new prior over events, measured on the prior's data set.

    Args:
        old: The bundle, whose weights and attribute vectors stay.
        prior: A run of its prior.
        out: The new bundle's folder.
        licence: The licence of the weights; None to leave it as it is.
        seed: Chooses the excerpts and the draws.
        sizes: The sizes of the evaluation.
        watch: Shows the progress.

    Raises:
        DataError: If the prior's data set is missing, or has changed.
        BundleError: If `out` holds something else.
        TrainingError: If the run trained no prior, or the prior of other music.
    """
    check_folder(out)
    data = _load_sets(prior)
    renewed = replace(
        old,
        experiment=_with_prior(old.experiment, prior),
        prior_weights=weights_of(
            _with_progressions(load_prior(prior, old.experiment), old.experiment, data, seed)
        ),
        draws_events=True,
        facts={
            **old.facts,
            "prior": facts_of(prior),
            "licence": licence or old.facts.get("licence"),
        },
    )
    return _write_measured(renewed, data, out, seed=seed, sizes=sizes, watch=watch)


def _with_prior(experiment: Experiment, prior: Run) -> Experiment:
    """The experiment of a model with the settings of its prior's run."""
    own = prior.experiment
    return replace(experiment, prior=own.prior, prior_training=own.prior_training)


def load_prior(run: Run, experiment: Experiment) -> EventPrior:
    """The prior of a run, rounded to half precision as a bundle keeps it.

    Raises:
        TrainingError: If the run trained no prior, or the prior of other music.
    """
    _check_part(run, PRIOR, "prior")
    found, expected = (_describe(each) for each in (run.experiment, experiment))
    if found != expected:
        raise TrainingError(
            f"a prior of {found}",
            expected=f"{expected}, the model's",
            action="Train the prior of the model's preset on the model's data.",
            field="prior",
        )
    prior = build_prior(run.experiment)
    prior.load_state_dict({name: tensor.half().float() for name, tensor in run.weights.items()})
    return prior.eval().requires_grad_(requires_grad=False)


def _with_progressions(
    prior: EventPrior, experiment: Experiment, data: Sequence[Data], seed: int
) -> EventPrior:
    """Gives a prior of music over chords progressions of its training music."""
    training = data[0].training
    assert training, "a prior has learnt from a training split"
    found = find_progressions(training, experiment.representation, seed=seed)
    if found is not None:
        prior.keep_progressions(torch.from_numpy(found))
    return prior


def _describe(experiment: Experiment) -> str:
    described = describe_config(experiment.representation.config())
    return " and ".join([described, *map(str, experiment.grids)])


def _write_measured(
    loaded: Bundle, data: Sequence[Data], out: Path, *, seed: int, sizes: Sizes, watch: Watch
) -> Evaluation:
    """Measures a model on each of its grids, and writes its bundle."""
    modules = modules_of(loaded)
    subject = Subject(
        name=loaded.name,
        version=None,
        experiment=loaded.experiment,
        model=modules.model,
        prior=modules.prior,
        attribute_vectors=loaded.attribute_vectors,
        steps=loaded.facts["steps"],
        examples_seen=loaded.facts["examples_seen"],
    )
    evaluation, *others = (
        evaluate(subject.on_grid(each.grid), each, seed=seed, sizes=sizes, watch=watch)
        for each in data
    )
    further = {str(each.grid): measured for each, measured in zip(data[1:], others, strict=True)}
    facts = {
        **loaded.facts,
        "weights": subject.weights,
        "evaluation": to_facts(evaluation),
        "meters": {grid: to_facts(each) for grid, each in further.items()},
    }
    card = with_section(write_card(loaded.experiment, facts, evaluation, further), facts)
    bundle.save(out, replace(loaded, facts=facts, card=card))
    return evaluation


def _check_part(run: Run, part: str, field: str) -> None:
    if run.part != part:
        raise TrainingError(
            f"a run of a {run.part}",
            expected=f"a run of a {part}",
            action="Give the run of the model as `run`, and the run of its prior as `prior`.",
            field=field,
        )


def _load_sets(run: Run) -> list[Data]:
    """Opens the data sets of a run, one for each of its grids."""
    return [_load_set(each) for each in run.sets]


def _load_set(used: UsedSet) -> Data:
    return load_data(used.data, _held_out_split(manifest_of(used)))


def _set_facts(data: Data) -> dict[str, Any]:
    train = data.manifest.splits["train"]
    return {
        "meter": str(data.grid),
        "content_hash": data.manifest.content_hash,
        "pieces": train.pieces,
        "excerpts": train.excerpts,
    }


def _join_sources(data: Sequence[Data]) -> list[Source]:
    """The sources of all sets, with their pieces and excerpts added up."""
    joined: dict[str, Source] = {}
    for source in (source for each in data for source in each.manifest.sources):
        before = joined.get(source.name)
        joined[source.name] = (
            source
            if before is None
            else replace(
                before,
                pieces_used=before.pieces_used + source.pieces_used,
                excerpts=dict(Counter(before.excerpts) + Counter(source.excerpts)),
            )
        )
    return list(joined.values())


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
) -> dict[str, Float[np.ndarray, " latent"]]:
    chosen = events[choose(len(events), MOST_FITTED, seed)]
    title = "fitting attribute vectors"
    means = encode(model, representation, chosen, title=title, watch=watch).mean
    measures = [representation.kind.measure(representation.to_notes(each)) for each in chosen]
    names = [attribute.name for attribute in representation.kind.attributes]
    return fit_vectors(
        means.numpy(), {name: np.array([each[name] for each in measures]) for name in names}
    )
