"""The model card in Markdown: a model, its data, its figures and its limits."""

from collections.abc import Iterator, Mapping, Sequence
from textwrap import fill
from types import MappingProxyType
from typing import Any

from musicvae.evaluation.evaluate import Evaluation
from musicvae.evaluation.figure import HOW
from musicvae.evaluation.figure_keys import LISTENER
from musicvae.evaluation.figures import side_by_side, to_figures
from musicvae.evaluation.lines import lines_of
from musicvae.experiment.experiment import Experiment, to_dict
from musicvae.music.notes import STEPS_PER_QUARTER, TimeGrid
from musicvae.representation import Representation
from musicvae.runtime.latent_priors import LATER_SPREAD
from musicvae.temperature import SAMPLE_TEMPERATURE


def write_card(
    experiment: Experiment,
    facts: Mapping[str, Any],
    evaluation: Evaluation,
    further: Mapping[str, Evaluation] = MappingProxyType({}),
) -> str:
    """Writes the card.

    Args:
        experiment: The settings of the training.
        facts: The facts of the run, as the bundle keeps them.
        evaluation: The measures of the model: the only source of the card's figures.
        further: The same on each further grid.
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
{_grids(experiment)}, {facts["weights"] / 1e6:.1f} million weights in half precision, trained by
`musicvae train {experiment.name}` with the settings below and seed {facts["seed"]}:
{facts["steps"]:,} optimiser steps,
{facts["examples_seen"]:,} examples seen{_start(facts["start"])}.
{_prior(experiment, facts)}

## Data

| source | licence as stated | pieces used | training excerpts |
| --- | --- | --- | --- |
{sources}

The data are split by piece: pieces with equal titles, or with nearly the same notes in any key, are
in the same split. No excerpt of the test and validation splits occurs in training, transposed or
not.
{_transposition(experiment)} Content hash `{facts["content_hash"]}`.{_sets(facts)}

The licence of the weights is {facts.get("licence") or "not stated"}.

## Figures

On the {evaluation.split} split, {evaluation.examples:,} excerpts of {evaluation.pieces:,} pieces, \
of the data set `{evaluation.content_hash[:12]}…`, with the weights as shipped. The weights were
chosen on the validation split{_other(evaluation)}. Commands that make music draw at temperature
{SAMPLE_TEMPERATURE:g} by default. Compare with the accuracies of Roberts et al. 2018 with care:
their data are other and far larger, and their "sampling" draws events, as at temperature 1 here.
`musicvae evaluate` writes a report that explains each figure and has more of them.

| measure | figure |
| --- | --- |
{figures}

## {LISTENER}

{fill(HOW[LISTENER], 100)}

{_side_by_side(evaluation)}
{_further(further)}
## Limits

- The model makes {representation.kind.content}.
- Its grid has {_steps(experiment)}, its meter is {_meters(experiment)}, and it reads and \
makes {representation.bars} bars at once.
{_limits(representation)}- The figures under "Copies of the training split" say how much \
of its draws stands in its training data.

## Settings

| setting | value |
| --- | --- |
{settings}
"""


def _grids(experiment: Experiment) -> str:
    return " or ".join(map(str, experiment.all_grids))


def _meters(experiment: Experiment) -> str:
    return " or ".join(dict.fromkeys(str(grid.meter) for grid in experiment.all_grids))


def _sets(facts: Mapping[str, Any]) -> str:
    """Says what the sets on further grids hold."""
    return "".join(
        f"\nIn {each['meter']}: {each['excerpts']:,} training excerpts of {each['pieces']:,} "
        f"pieces, content hash `{each['content_hash'][:12]}…`."
        for each in facts.get("further_sets", ())
    )


def _further(further: Mapping[str, Evaluation]) -> str:
    """The accuracy and the listener's measures on each further grid."""
    sections = [""]
    for grid, evaluation in further.items():
        accuracy = evaluation.reconstruction.sampled
        sections.append(f"""## In {grid}

Sampled accuracy {accuracy.all_steps:.3f}, onsets {accuracy.onsets:.3f}, \
on {evaluation.examples:,} excerpts of {evaluation.pieces:,} pieces of the {evaluation.split} split.

{_side_by_side(evaluation)}
""")
    return "\n".join(sections)


def _start(start: Mapping[str, Any] | None) -> str:
    if start is None:
        return ""
    return (
        f", begun with {start['share_taken']:.0%} of its weights from {start['name']}, which had "
        f"seen {start['examples_seen']:,}{_seen_sources(start.get('sources', ()))}"
    )


def _seen_sources(sources: Sequence[Mapping[str, str | None]]) -> str:
    """Names the sources of earlier runs, which the table of the data leaves out."""
    names = [f"{each['name']} ({each['licence'] or 'licence not stated'})" for each in sources]
    return f" of {', '.join(names)}" if names else ""


def _prior(experiment: Experiment, facts: Mapping[str, Any]) -> str:
    """Says where new music is drawn from."""
    if prior := facts.get("prior"):
        has_chords = any(each.is_condition for each in experiment.representation.streams)
        told = "the chords and the key" if has_chords else "the key"
        kept = "Draws of a key that is asked for keep to it exactly."
        if styles := experiment.prior.styles:
            told = "the style"
            kept = f"The styles that it knows are {', '.join(styles)}."
        return (
            "New music is drawn event by event from a prior, a small language model that hears "
            f"{told} (`musicvae train {experiment.name} --prior`, seed {prior['seed']}, "
            f"{prior['steps']:,} steps, {prior['examples_seen']:,} examples seen"
            f"{_start(prior.get('start'))}, content hash "
            f"`{prior['content_hash']}`); its latent is the mean of its posterior. {kept}"
        )
    fitted = "fitted to the latents of the training excerpts"
    if experiment.model.is_by_bar and experiment.representation.bars > 1:
        return (
            f"New music is drawn bar after bar ({experiment.model.latent_size} numbers of the "
            f"latent each), from a flow (after the first bar with {LATER_SPREAD:g} of its spread) "
            f"or from the bars before it, {fitted}."
        )
    return f"New music is drawn from a flow, {fitted}."


def _transposition(experiment: Experiment) -> str:
    has_pitches = any(line.is_pitched for line in lines_of(experiment.representation))
    if not has_pitches or not experiment.training.most_semitones:
        return "Training excerpts were not transposed."
    return (
        "Training excerpts were transposed by up to "
        f"{experiment.training.most_semitones} semitones."
    )


def _limits(representation: Representation) -> str:
    """Says the limits of draws and of attribute vectors, as far as they concern the music."""
    limits: list[str] = []
    attributes = {attribute.name for attribute in representation.kind.attributes}
    if "average_interval" in attributes:
        limits.append(
            "- Overlaps compare one measure at a time: they don't show how often draws leave their "
            f'key, or leap. "{LISTENER}" above does.'
        )
    if attributes:
        limits.append(
            '- Not every attribute vector works: "Attributes" above has the change along each. A '
            "vector may change other attributes, too."
        )
    return "".join(f"{limit}\n" for limit in limits)


def _other(evaluation: Evaluation) -> str:
    if evaluation.split == "validation":
        return ", too, so the figures are somewhat too good"
    return ", which has other pieces"


def _steps(experiment: Experiment) -> str:
    """The resolution of each grid: of the first, then of the grids that differ from it."""
    first, *further = experiment.all_grids
    others = [each for each in further if each.steps_per_quarter != first.steps_per_quarter]
    return " and ".join([_step(first), *(f"in {each} {_step(each)}" for each in others)])


def _step(grid: TimeGrid) -> str:
    if grid.steps_per_quarter == STEPS_PER_QUARTER:
        return "16th notes and no triplets"
    return f"{grid.steps_per_quarter} steps to a quarter note (triplets and swing, no 32nd notes)"


def _cell(text: str) -> str:
    """Escapes a text for a table, whose columns end at `|`."""
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


def _side_by_side(evaluation: Evaluation) -> str:
    table = side_by_side(evaluation.listener)
    rows = [
        ("measure", *table.columns),
        ("---",) * (len(table.columns) + 1),
        *((row.name, *row.cells) for row in table.rows),
    ]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def _flat(values: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        where = f"{path}.{name}" if path else name
        if isinstance(value, dict):
            yield from _flat(value, where)
        else:
            yield where, value
