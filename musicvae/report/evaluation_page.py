"""An evaluation as files: `report.json` with all values, and the page `report.html`."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from musicvae.evaluation.evaluate import Evaluation
from musicvae.evaluation.examples import Example, Examples
from musicvae.evaluation.figure import HOW, Figure
from musicvae.evaluation.figure_keys import LISTENER
from musicvae.evaluation.figures import SideBySide, side_by_side, to_figures
from musicvae.evaluation.record import to_record
from musicvae.evaluation.subject import Data, Subject, titles
from musicvae.report import document
from musicvae.report.evaluation_charts import Group, draw_section
from musicvae.report.page_rolls import SHORT_BARS, Roll, to_roll

JSON_NAME, PAGE_NAME = "report.json", "report.html"

_RECONSTRUCTIONS = (
    "Held-out excerpts, each before its reconstruction: the likeliest events from the posterior's "
    "mean."
)
_DRAWS = "Draws from the prior, at the default temperature."
_INTERPOLATION = (
    "The way from a held-out excerpt to another; the first clip and the last are the excerpts."
)

Rows = list[tuple[str, list[tuple[str, tuple[str, ...]]]]]
"""Sections with their figures: each a name and a cell for every model."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Reported:
    """A model with its evaluation and its clips."""

    subject: Subject
    evaluation: Evaluation
    examples: Examples


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of the page.

    Attributes:
        title: The heading.
        identity: The target of links.
        about: How the figures are measured.
        sets: The measures of several sets of excerpts side by side, by the names of the models.
        charts: The charts.
        rows: The figures.
    """

    title: str
    identity: str
    about: str
    sets: dict[str, SideBySide]
    charts: tuple[Group, ...]
    rows: Rows


@dataclass(frozen=True, kw_only=True)
class Card:
    """A clip on the page.

    Attributes:
        index: The number of the clip on the page, from 0.
        name: The name that a screen reader says.
        example: The clip.
        roll: The clip's picture and its notes for the player.
    """

    index: int
    name: str
    example: Example
    roll: Roll


@dataclass(frozen=True, kw_only=True)
class CardGroup:
    """Clips under one heading; `are_pairs` puts two clips side by side."""

    title: str
    about: str
    are_pairs: bool
    cards: tuple[Card, ...]


def write_report(reported: Sequence[Reported], data: Data, out: Path) -> tuple[Path, Path]:
    """Writes both files into a folder, each whole or not at all.

    Args:
        reported: The models, all measured on the same data.
        data: The data of the evaluations.
        out: The folder, which is made where it is missing.

    Returns:
        The paths of the files.

    Raises:
        DataError: If a file can't be written.
    """
    record = to_record(
        [each.subject for each in reported], data, [each.evaluation for each in reported]
    )
    text = json.dumps(record, indent=1, allow_nan=False) + "\n"
    paths = (out / JSON_NAME, out / PAGE_NAME)
    for path, content in zip(paths, (text, _render(reported, data)), strict=True):
        document.write(path, content)
    return paths


def _render(reported: Sequence[Reported], data: Data) -> str:
    names = titles([each.subject for each in reported])
    evaluations = dict(zip(names, (each.evaluation for each in reported), strict=True))
    figures = {name: to_figures(each) for name, each in evaluations.items()}
    representation = reported[0].subject.representation
    groups = _number(_music(names, reported), len(names))
    return document.render(
        __package__,
        PAGE_NAME,
        [card.roll for group in groups for card in group.cards],
        title=" and ".join(names),
        lead=f"Measured on the {data.split} split: {len(data.held_out):,} excerpts of "
        f"{representation.bars} bars of {representation.kind.words} in "
        f"{representation.grid}, from {data.pieces:,} pieces.{_left_out(data)}",
        names=names,
        facts=list(_facts(names, reported)),
        key_rows=_rows({name: [f for f in each if f.is_key] for name, each in figures.items()}),
        sections=[
            Section(
                title=section,
                identity=section.lower().replace(" ", "-"),
                about=about,
                sets=_sets(section, evaluations),
                charts=draw_section(section, evaluations),
                rows=_rows(
                    {n: [f for f in each if f.section == section] for n, each in figures.items()}
                ),
            )
            for section, about in HOW.items()
            if any(f.section == section for each in figures.values() for f in each)
        ],
        groups=groups,
        is_long=representation.bars > SHORT_BARS,
        seed=reported[0].evaluation.seed,
        content_hash=data.manifest.content_hash,
    )


def _sets(section: str, evaluations: Mapping[str, Evaluation]) -> dict[str, SideBySide]:
    if section != LISTENER:
        return {}
    return {name: side_by_side(each.listener) for name, each in evaluations.items()}


def _left_out(data: Data) -> str:
    if not data.left_out:
        return ""
    return f" The set has no training split; left out: {', '.join(data.left_out)}."


def _facts(names: Sequence[str], reported: Sequence[Reported]) -> Iterator[tuple[str, str]]:
    for name, each in zip(names, reported, strict=True):
        yield f"{name}: weights", f"{each.subject.weights / 1e6:.1f} M"
        if each.subject.examples_seen is not None:
            yield f"{name}: examples seen", f"{each.subject.examples_seen:,}"


def _rows(named: Mapping[str, Iterable[Figure]]) -> Rows:
    """Puts figures of several models side by side, in the order of `HOW`."""
    columns = [{f.key: f for f in figures} for figures in named.values()]
    rows = {key: figure for column in columns for key, figure in column.items()}
    return [
        (
            section,
            [
                (row.name, tuple(c[row.key].text if row.key in c else "" for c in columns))
                for row in rows.values()
                if row.section == section
            ],
        )
        for section in HOW
        if any(row.section == section for row in rows.values())
    ]


def _music(
    names: Sequence[str], reported: Sequence[Reported]
) -> Iterator[tuple[str, str, list[Example]]]:
    """Groups the clips: each group has a title, an explanation and its clips."""
    inputs = reported[0].examples.inputs
    played = [each.examples.reconstructions for each in reported]
    each_by_all = [clip for group in zip(inputs, *played, strict=True) for clip in group]
    yield ("Reconstructions", _RECONSTRUCTIONS, each_by_all)
    for name, each in zip(names, reported, strict=True):
        yield (f"Draws of {name}", _DRAWS, list(each.examples.samples))
        yield (f"An interpolation by {name}", _INTERPOLATION, list(each.examples.interpolation))


def _number(groups: Iterable[tuple[str, str, list[Example]]], models: int) -> list[CardGroup]:
    """Makes cards of clips, numbered over the whole page."""
    numbered: list[CardGroup] = []
    index = 0
    for title, about, examples in groups:
        cards = []
        for example in examples:
            name = f"{title}: {example.title}, {example.facts}"
            roll = to_roll(example.notes, qpm=example.qpm, name=name)
            cards.append(Card(index=index, name=name, example=example, roll=roll))
            index += 1
        are_pairs = about == _RECONSTRUCTIONS and models == 1
        numbered.append(
            CardGroup(title=title, about=about, are_pairs=are_pairs, cards=tuple(cards))
        )
    return numbered
