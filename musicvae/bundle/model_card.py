"""The model card: what a model is, what it saw, what it can do and what it can't, in Markdown."""

from collections.abc import Iterator, Mapping
from typing import Any

from musicvae.evaluation.evaluate import Evaluation
from musicvae.evaluation.figures import to_figures
from musicvae.evaluation.lines import lines_of
from musicvae.experiment.experiment import Experiment, to_dict
from musicvae.model.decoding_loop import SAMPLE_TEMPERATURE
from musicvae.model.latent.bar_prior import LATER_SPREAD
from musicvae.representation import Representation


def write_card(experiment: Experiment, facts: Mapping[str, Any], evaluation: Evaluation) -> str:
    """Writes the card.

    Args:
        experiment: What was trained.
        facts: What its run saw, as the bundle keeps it.
        evaluation: What was measured: the only source of the card's figures.
    """
    representation: Representation = experiment.representation
    sources = "\n".join(
        f"| {_cell(s['name'])} | {_cell(s['licence'] or 'not stated')} | {s['pieces_used']:,} "
        f"| {s['excerpts'].get('train', 0):,} |"
        for s in facts["sources"]
    )
    figures = "\n".join(_figures(evaluation))
    settings = "\n".join(f"| `{name}` | {value} |" for name, value in _flat(to_dict(experiment)))
    return f"""# {experiment.name}

A variational autoencoder of {representation.bars} bars of {representation.kind.words} in
{representation.meter}, {facts["weights"] / 1e6:.1f} million weights in half precision, trained by
`musicvae train {experiment.name}` with the settings below and seed {facts["seed"]}:
{facts["steps"]:,} optimiser steps,
{facts["examples_seen"]:,} examples seen{_start(facts["start"])}.
New music is drawn {_prior(experiment)}, fitted to where these weights find the training
excerpts, not from the standard Gaussian that they were trained with.

## Data

| source | licence as stated | pieces used | training excerpts |
| --- | --- | --- | --- |
{sources}

Split by piece: pieces of one title, or alike by their notes in any key, stand on one side. An
excerpt that also occurs on the other side, transposed or not, was left out of training.
{_transposition(experiment)} Content hash `{facts["content_hash"]}`.

## Figures

On the {evaluation.split} split, {evaluation.examples:,} excerpts of {evaluation.pieces:,} pieces, \
with the weights as shipped. The weights were
chosen on the validation split{_other(evaluation)}. Music-making commands draw at temperature
{SAMPLE_TEMPERATURE:g} unless told otherwise. The accuracies of Roberts et al. 2018 are not
comparable without care: theirs is other, far larger data, and "sampling" there draws events, as at
temperature 1 here. `musicvae evaluate` says how each is measured, and more.

| measure | figure |
| --- | --- |
{figures}

## Limits

It knows the music named above: {representation.kind.content}. Its grid has
{_grid(representation)}, its meter is {representation.meter}, and it hears and plays \
{representation.bars} bars at once. What it has in common with its
training data stands above.

## Settings

| setting | value |
| --- | --- |
{settings}
"""


def _start(start: Mapping[str, Any] | None) -> str:
    if start is None:
        return ""
    return (
        f", begun with {start['share_taken']:.0%} of its weights from {start['name']}, which had "
        f"seen {start['examples_seen']:,}"
    )


def _prior(experiment: Experiment) -> str:
    if experiment.model.latent == "bars" and experiment.representation.bars > 1:
        return (
            f"bar after bar ({experiment.model.latent_size} numbers of the latent each), from a "
            f"flow (after the first bar with {LATER_SPREAD:g} of its spread) or from the bars "
            "before it"
        )
    return "from a flow"


def _transposition(experiment: Experiment) -> str:
    has_pitches = any(line.is_pitched for line in lines_of(experiment.representation))
    if not has_pitches or not experiment.training.most_semitones:
        return "Training excerpts were not transposed."
    return (
        "Training excerpts were transposed by up to "
        f"{experiment.training.most_semitones} semitones."
    )


def _other(evaluation: Evaluation) -> str:
    if evaluation.split == "validation":
        return " too, so that the figures are somewhat too good"
    return ", which has other pieces"


def _grid(representation: Representation) -> str:
    if representation.steps_per_quarter == 4:
        return "16th notes and no triplets"
    return f"{representation.steps_per_quarter} steps to a quarter note"


def _cell(text: str) -> str:
    """A text as it stands in a table, whose columns `|` would end."""
    return text.replace("|", r"\|")


def _figures(evaluation: Evaluation) -> Iterator[str]:
    section = ""
    for figure in to_figures(evaluation):
        if not figure.is_key:
            continue
        if figure.section != section:
            section = figure.section
            yield f"| **{section}** | |"
        yield f"| {_cell(figure.name)} | {figure.text} |"


def _flat(values: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        where = f"{path}.{name}" if path else name
        if isinstance(value, dict):
            yield from _flat(value, where)
        else:
            yield where, value
