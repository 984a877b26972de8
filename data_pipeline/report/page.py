"""Puts the page together: the facts of a manifest, and what a sample of the shards shows.

The page is one file that asks no network for anything: its style, its script, its pictures and its
music stand in it, and its policy (CSP) forbids whatever else a browser might fetch or run.
"""

import base64
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from musicvae.errors import DataError
from musicvae.manifest import Manifest, Rejection, load_manifest
from musicvae.plots import key_name
from musicvae.representation import Representation, representation_from_config

from .advice import find_advice
from .charts import share_bar, to_svg
from .histograms import draw_histograms, draw_meters
from .rolls import SHORT_BARS, Roll, to_roll
from .sample import SampledExcerpt, draw_sample, pick

FILE_NAME = "report.html"
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
    """One excerpt as it stands on the page.

    Attributes:
        name: What it is called for those who do not see the page.
        facts: What is known of it, in one line.
        excerpt: What was sampled.
        roll: Its picture and its music.
    """

    name: str
    facts: str
    excerpt: SampledExcerpt
    roll: Roll


def write_report(directory: Path, out: Path | None = None) -> Path:
    """Writes the page of a prepared data set, whole or not at all.

    Equal data sets in folders of one name give equal pages.

    Args:
        directory: What `prepare` wrote.
        out: The file to write, or to replace; `report.html` in the folder where it is None.

    Returns:
        The file that was written.

    Raises:
        DataError: If the data set is not there or damaged, or the file can't be written.
    """
    manifest = load_manifest(directory)
    representation = representation_from_config(manifest.representation)
    sample = draw_sample(directory, manifest, representation, SEED)
    path = directory / FILE_NAME if out is None else out
    _write(path, _render(directory.resolve().name, manifest, representation, sample))
    return path


def _render(
    name: str,
    manifest: Manifest,
    representation: Representation,
    sample: Mapping[str, tuple[SampledExcerpt, ...]],
) -> str:
    environment = Environment(
        loader=PackageLoader(__package__, "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style, script = (_source(environment, asset) for asset in ("page.css", "player.js"))
    filled = {split: excerpts for split, excerpts in sample.items() if excerpts}
    cards = [_card(excerpt) for excerpt in pick(sample, manifest.splits, EXCERPTS)]
    return environment.get_template("page.html").render(
        title=name,
        directory=name,
        version=version("musicvae"),
        manifest=manifest,
        representation=_describe(representation),
        excerpts=sum(split.excerpts for split in manifest.splits.values()),
        pieces_used=sum(source.pieces_used for source in manifest.sources),
        cards=cards,
        is_long=representation.bars > SHORT_BARS,
        seed=SEED,
        sampled=_describe_sample(manifest, sample),
        charts=[*filter(None, [draw_meters(manifest.meters)]), *draw_histograms(filled)],
        series=list(filled),
        stages=list(_stages(manifest)),
        settings=list(_settings(manifest)),
        music=_script_json([card.roll.playing for card in cards]),
        style=Markup(style),  # noqa: S704  # our own file; so too the script
        script=Markup(script),  # noqa: S704
        style_hash=_policy_hash(style),
        script_hash=_policy_hash(script),
        number=lambda value: f"{value:,}",
        to_svg=to_svg,
        share_bar=share_bar,
        find_advice=find_advice,
    )


def _source(environment: Environment, asset: str) -> str:
    assert environment.loader is not None
    return environment.loader.get_source(environment, asset)[0]


def _policy_hash(text: str) -> str:
    """What the page's policy knows an inline style or script by."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _script_json(value: object) -> Markup:
    """A value as JSON that no text in it can end the script element of."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704  # no `<` is left in it


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
    # A key that the source writes needs no confidence.
    is_sure = excerpt.key_confidence is None or excerpt.key_confidence >= 1
    sure = "" if is_sure else f" ({100 * (excerpt.key_confidence or 0):.0f} % sure)"
    return f"{key_name(excerpt.key)}{sure}"


def _describe(representation: Representation) -> str:
    config = representation.config()
    rest = [
        f"{name.replace('_', ' ')}: {str(value).replace('_', ' ')}"
        for name, value in config.items()
        if name not in {"name", "bars", "meter"}
    ]
    bars = "1 bar" if representation.bars == 1 else f"{representation.bars} bars"
    kind = representation.name.replace("_", " ").capitalize()
    return "; ".join([f"{kind}, {bars} of {representation.meter}", *rest])


def _describe_sample(manifest: Manifest, sample: Mapping[str, tuple[SampledExcerpt, ...]]) -> str:
    counts = [
        f"{len(sample[name]):,} of {split.excerpts:,} excerpts of {name}"
        for name, split in manifest.splits.items()
        if split.excerpts
    ]
    return ", ".join(counts) or "no excerpts"


def _stages(manifest: Manifest) -> Iterator[tuple[str, list[Rejection]]]:
    """The rejections by stage, in the manifest's order: the most frequent first."""
    for stage, rejections in groupby(manifest.rejections, key=lambda each: each.stage):
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


def _write(path: Path, text: str) -> None:
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(path)
    except OSError as error:
        raise DataError(
            f"{path} can't be written ({error.strerror})",
            expected="a file in a folder that can be written to",
            action="Give another file for the page.",
            field="out",
        ) from error
    finally:
        with suppress(OSError):  # what could not be made is not there
            unfinished.unlink()
