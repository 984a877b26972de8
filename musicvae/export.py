"""From a run to a bundle: rounded weights, fitted attribute vectors, figures, a model card."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from musicvae import bundle, shards
from musicvae.attribute_vectors import fit_vectors
from musicvae.attributes import ATTRIBUTES, measure
from musicvae.clips import SAMPLE_TEMPERATURE
from musicvae.errors import DataError
from musicvae.evaluation.evaluate import Evaluation, evaluate, to_rows
from musicvae.experiment import build_model, to_dict
from musicvae.manifest import load_manifest
from musicvae.model import MusicVAE
from musicvae.representation import Representation
from musicvae.shards import Events
from musicvae.training import Run

MOST_FITTED = 20_000
"""Excerpts that the attribute vectors are fitted on: a mean over quarters of these is exact to a
hundredth of the latent's spread."""

BATCH = 512


def export(run: Run, out: Path, *, seed: int = 0) -> Evaluation:
    """Writes the bundle of a run's best weights.

    Args:
        run: A run read back.
        out: The bundle's folder.
        seed: Of the choice of excerpts and the draws.

    Returns:
        The measures on the test split, or on the validation split where there is no test split.

    Raises:
        DataError: If the run's data set is no longer there, or has changed.
        BundleError: If `out` holds something else.
    """
    bundle.check_folder(out)  # before minutes of measuring, not after
    manifest = load_manifest(run.data)
    if manifest.content_hash != run.content_hash:
        raise DataError(
            f"a data set {run.data} that has changed since the run",
            expected=f"the one with content hash {run.content_hash[:12]}…",
            action="Prepare it again as it was.",
            field="data",
        )
    representation: Representation = run.experiment.representation
    weights = {name: tensor.half() for name, tensor in run.weights.items()}
    model = build_model(run.experiment)
    model.load_state_dict({name: tensor.float() for name, tensor in weights.items()})
    model.eval()

    examples = shards.load(run.data, "train")
    vectors = _fit(model, representation, examples.events, seed=seed)
    test = manifest.splits.get("test")
    split = "test" if test is not None and test.excerpts else "validation"
    evaluation = evaluate(
        model, representation, manifest, shards.load(run.data, split), split=split, seed=seed
    )
    facts: dict[str, Any] = {
        "seed": run.seed,
        "steps": run.step,
        "examples_seen": run.examples_seen,
        "weights": sum(tensor.numel() for tensor in weights.values()),
        "content_hash": manifest.content_hash,
        "sources": [asdict(source) for source in manifest.sources],
        "evaluation": asdict(evaluation),
    }
    bundle.save(
        out,
        name=run.experiment.name,
        experiment=run.experiment,
        weights=weights,
        attribute_vectors=vectors,
        card=_card(run, facts, evaluation),
        facts=facts,
    )
    return evaluation


def _fit(
    model: MusicVAE,
    representation: Representation,
    events: Events,
    *,
    seed: int,
) -> dict[str, Float[Tensor, " latent"]]:
    chosen = events[np.random.default_rng(seed).permutation(len(events))[:MOST_FITTED]]
    with torch.no_grad():
        means = torch.cat(
            [
                model.encode(torch.from_numpy(chosen[i : i + BATCH].astype(np.int64))).mean
                for i in range(0, len(chosen), BATCH)
            ]
        )
    measures = [measure(representation.to_notes(each)) for each in chosen]
    values = {name: np.array([each[name] for each in measures]) for name in ATTRIBUTES}
    return fit_vectors(means, values)


def _card(run: Run, facts: Mapping[str, Any], evaluation: Evaluation) -> str:
    """The model card: what it is, what it saw, what it can do, and what it can't."""
    experiment = run.experiment
    representation: Representation = experiment.representation
    sources = "\n".join(
        f"| {s['name']} | {s['licence'] or 'not stated'} | {s['pieces_used']:,} "
        f"| {s['excerpts'].get('train', 0):,} |"
        for s in facts["sources"]
    )
    figures = "\n".join(f"| {name} | {' | '.join(cells)} |" for name, cells in _padded(evaluation))
    settings = "\n".join(f"| `{name}` | {value} |" for name, value in _flat(to_dict(experiment)))
    return f"""# {experiment.name}

A variational autoencoder of {representation.bars} bars of {representation.name} in
{representation.meter}, {facts["weights"] / 1e6:.1f} million weights in half precision, trained by
`musicvae train {experiment.name}` with seed {run.seed}: {run.step:,} optimiser steps,
{run.examples_seen:,} examples seen.

## Data

| source | licence as stated | pieces used | training excerpts |
| --- | --- | --- | --- |
{sources}

Split by piece, tunes of one title together; an excerpt that also occurs on the other side,
transposed or not, was left out of training. A variant of a tune under another title may stand on
both sides. Training excerpts were transposed by up to
{experiment.training.most_semitones} semitones. Content hash `{facts["content_hash"]}`.

## Figures

On the {evaluation.split} split, with the weights as shipped. The weights were chosen on the
validation split, which has other pieces. Music-making commands draw at temperature
{SAMPLE_TEMPERATURE:g} unless told otherwise. The accuracies of Roberts et al. 2018 are not
comparable without care: theirs is other, far larger data, and "sampling" there draws events.

| measure | all steps, or value | onsets only, or overlap |
| --- | --- | --- |
{figures}

## Limits

It knows the music named above, one note at a time, on a grid of 16th notes without triplets, in
{representation.meter}, {representation.bars} bars at once; loudness is not modelled. It may repeat
phrases of its training data: whether it does has not been measured.

## Settings

| setting | value |
| --- | --- |
{settings}
"""


def _padded(evaluation: Evaluation) -> list[tuple[str, tuple[str, ...]]]:
    return [(name, (*cells, "")[:2]) for name, cells in to_rows(evaluation)]


def _flat(values: Mapping[str, Any], path: str = "") -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for name, value in values.items():
        where = f"{path}.{name}" if path else name
        rows += _flat(value, where) if isinstance(value, dict) else [(where, value)]
    return rows
