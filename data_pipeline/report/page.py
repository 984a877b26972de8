"""Builds the page from the facts of a manifest and a sample of the shards."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from musicvae.data.manifest import Manifest, RejectionCount, load_manifest
from musicvae.data_pipeline.prepare.data_set import REPORT_NAME
from musicvae.data_pipeline.rejections import REPAIRED
from musicvae.report import document
from musicvae.report.names import key_name
from musicvae.report.page_rolls import SHORT_BARS, Roll, to_roll
from musicvae.representation import Representation, representation_from_config

from .advice import find_advice
from .histograms import draw_histograms, draw_meters
from .sample import SampledExcerpt, draw_sample, pick

EXCERPTS = 20
SEED = 20180313

_STAGES = {
    "piece": "Whole pieces",
    "part": "Parts of pieces",
    "bar": "Bars",
    "note": "Notes",
    "excerpt": "Excerpts",
}


@dataclass(frozen=True, kw_only=True)
class Card:
    """One excerpt on the page.

    Attributes:
        name: The name that a screen reader says.
        facts: The labels of the excerpt, in one line.
        excerpt: The sampled excerpt.
        roll: The picture and the music of the excerpt.
    """

    name: str
    facts: str
    excerpt: SampledExcerpt
    roll: Roll


def write_report(directory: Path, out: Path | None = None) -> Path:
    """Writes the page of a prepared data set, whole or not at all.

    Equal data sets in folders of one name give equal pages.

    Args:
        directory: The data set's folder.
        out: The file to write, or to replace; `report.html` in the folder where it is None.

    Returns:
        The file that was written.

    Raises:
        DataError: If the data set is not there or damaged, or the file can't be written.
    """
    manifest = load_manifest(directory)
    representation = representation_from_config(manifest.representation)
    sample = draw_sample(directory, manifest, representation, SEED)
    path = directory / REPORT_NAME if out is None else out
    document.write(path, _render(directory.resolve().name, manifest, representation, sample))
    return path


def _render(
    name: str,
    manifest: Manifest,
    representation: Representation,
    sample: Mapping[str, tuple[SampledExcerpt, ...]],
) -> str:
    filled = {split: excerpts for split, excerpts in sample.items() if excerpts}
    cards = [_card(excerpt) for excerpt in pick(sample, manifest.splits, EXCERPTS)]
    return document.render(
        __package__,
        "page.html",
        [card.roll for card in cards],
        title=name,
        directory=name,
        manifest=manifest,
        lead=_describe(representation),
        excerpts=sum(split.excerpts for split in manifest.splits.values()),
        pieces_used=sum(source.pieces_used for source in manifest.sources),
        cards=cards,
        is_long=representation.bars > SHORT_BARS,
        seed=SEED,
        sampled=_describe_sample(manifest, sample),
        charts=[*filter(None, [draw_meters(manifest.meters)]), *draw_histograms(filled)],
        series=list(filled),
        stages=list(_stages(manifest)),
        repairs=[each for each in manifest.rejections if each.stage == REPAIRED],
        settings=list(_settings(manifest)),
        find_advice=find_advice,
    )


def _card(excerpt: SampledExcerpt) -> Card:
    start = excerpt.start_bar + 1
    per_bar = excerpt.music.meter.steps_per_bar(excerpt.music.steps_per_quarter)
    assert per_bar is not None
    bars = excerpt.music.length_steps // per_bar
    name = f"{excerpt.piece}, bars {start} to {start + bars - 1}"
    facts = [
        excerpt.source,
        *([excerpt.part] if excerpt.part else []),
        *([excerpt.style] if excerpt.style else []),
        f"bars {start} to {start + bars - 1}" if bars > 1 else f"bar {start}",
        f"♩ = {excerpt.qpm:.0f}",
        *([_describe_key(excerpt)] if excerpt.key else []),
        excerpt.split,
    ]
    return Card(
        name=name,
        facts=" · ".join(facts),
        excerpt=excerpt,
        roll=to_roll(excerpt.music, qpm=excerpt.qpm, first_bar=start, name=name),
    )


def _describe_key(excerpt: SampledExcerpt) -> str:
    assert excerpt.key is not None
    confidence = excerpt.key_confidence
    sure = "" if confidence is None else f" ({100 * confidence:.0f} % sure)"
    return f"{key_name(excerpt.key)}{sure}"


def _describe(representation: Representation) -> str:
    config = representation.config()
    rest = [
        f"{name.replace('_', ' ')}: {str(value).replace('_', ' ')}"
        for name, value in config.items()
        if name not in {"name", "bars", "meter"}
    ]
    bars = "1 bar" if representation.bars == 1 else f"{representation.bars} bars"
    kind = representation.kind.words.capitalize()
    return "; ".join([f"{kind}, {bars} of {representation.meter}", *rest])


def _describe_sample(manifest: Manifest, sample: Mapping[str, tuple[SampledExcerpt, ...]]) -> str:
    counts = [
        f"{len(sample[name]):,} of {split.excerpts:,} excerpts of {name}"
        for name, split in manifest.splits.items()
        if split.excerpts
    ]
    return ", ".join(counts) or "no excerpts"


def _stages(manifest: Manifest) -> Iterator[tuple[str, list[RejectionCount]]]:
    """The rejections by stage, in the manifest's order: the most frequent first."""
    for stage, rejections in groupby(manifest.rejections, key=lambda each: each.stage):
        if stage != REPAIRED:
            yield _STAGES.get(stage, stage), list(rejections)


def _settings(manifest: Manifest) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """The settings as groups of names and values."""
    groups: dict[str, list[tuple[str, str]]] = {"general": []}
    for name, value in manifest.settings.items():
        if isinstance(value, dict):
            groups[name] = [(str(key), _say(each)) for key, each in value.items()]
        else:
            groups["general"].append((name, _say(value)))
    return ((name, rows) for name, rows in groups.items() if rows)


def _say(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
