"""The commands for data: from music files to a data set for training."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from musicvae.commands.terminal import FOLDER, console, say
from musicvae.errors import MusicVAEError, SettingError


class RepresentationName(click.ParamType[str]):
    """The name of a representation; the names are looked up late, so that `--help` is quick."""

    name = "representation"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """Lists the names."""
        del param, ctx
        from musicvae.representation import REPRESENTATIONS

        return "|".join(REPRESENTATIONS)


@click.command()
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option("--out", type=FOLDER, required=True, help="The data set's folder.")
@click.option("--representation", type=RepresentationName(), default="melody",
              show_default=True)  # fmt: skip
@click.option("--bars", type=int,
              help="Bars in an excerpt (default: 2, 4 or 16).")  # fmt: skip
@click.option(
    "--meter",
    default="4/4",
    show_default=True,
    help="The meter. In 4/4, two bars of 2/4 or four of 1/4 are read as one; bars in other meters "
    "are rejected.",
)
@click.option("--steps-per-quarter", type=click.Choice(["4", "12"]), default="4", show_default=True,
              help="Time grid; 12 can hold triplets.")  # fmt: skip
@click.option("--hop", "hop_bars", type=int, default=1, show_default=True,
              help="Bars from the start of an excerpt to the start of the next.")  # fmt: skip
@click.option("--melody", default="every", show_default=True,
              metavar="every|likeliest|top-line|track:NAME|program:FROM-TO",
              help="The parts that count as melodies.")  # fmt: skip
@click.option("--drums", default="channel:10", show_default=True,
              metavar="channel:NUMBER|track:NAME|NUMBER",
              help="Parts that are General MIDI drums beside those on channel 10: a channel, the "
                   "parts of a name, or the part of a number.")  # fmt: skip
@click.option("--resolution", type=click.Choice(["bar", "half_bar", "step"]),
              help="How often chords may change (default: half_bar).")  # fmt: skip
@click.option("--chords", is_flag=True,
              help="Give trios their chords, inferred from the notes where none are written; a "
                   "model of trios over chords needs them.")  # fmt: skip
@click.option("--rule", "rules", multiple=True, metavar="NAME=VALUE",
              help="Change a rule that the manifest shows, such as fewest_notes=5.")  # fmt: skip
@click.option("--split", "shares", default="train=0.8,validation=0.1,test=0.1", show_default=True,
              metavar="NAME=SHARE,...|DATA",
              help="Shares of the splits, or a data set of the same music, whose split is kept; a "
                   "corpus with a split of its own keeps it.")  # fmt: skip
@click.option("--workers", type=click.IntRange(1, 4096), default=os.cpu_count(),
              show_default="one a core", help="Worker processes.")  # fmt: skip
@click.option("--timeout", "timeout_s", type=click.FloatRange(min=0, min_open=True), default=60.0,
              show_default=True, help="Most seconds for one piece.")  # fmt: skip
@click.option("--engine", type=click.Choice(["local", "ray"]), default="local", show_default=True)
@click.option(
    "--address", help="Address of a Ray cluster, with --engine ray (default: this machine)."
)
def prepare(inputs: tuple[str, ...], out: Path, shares: str, **options: Any) -> None:
    """Turn music into training data.

    An INPUT is a file (MIDI, MusicXML, ABC, kern, h2pattern), a folder, a pattern such as
    'midi/**/*.mid', an archive (.tar, .tar.gz, .zip), a corpus that `musicvae fetch` got, or one
    that comes with music21, such as music21:oneills1850. If a run is interrupted, run the same
    command again: it goes on where it stopped. A finished data set is never replaced.
    """
    from musicvae.data.manifest import MANIFEST_NAME, load_manifest
    from musicvae.data_pipeline.choose.counts import tables
    from musicvae.data_pipeline.choose.split import parse_shares
    from musicvae.data_pipeline.cut.excerpts import CutSettings
    from musicvae.data_pipeline.prepare import PrepareSettings
    from musicvae.data_pipeline.prepare import prepare as run
    from musicvae.work import Limits

    split_of = Path(shares) if (Path(shares) / MANIFEST_NAME).exists() else None
    earlier: Any = load_manifest(split_of).settings if split_of else {}
    settings = PrepareSettings(
        inputs=inputs,
        out=out,
        cut=CutSettings(
            representation=_representation(options),
            hop_bars=options["hop_bars"],
            melody=options["melody"],
            drums=options["drums"],
            rules=_rules(options["rules"]),
        ),
        shares=earlier["shares"] if split_of else parse_shares(shares),
        split_of=split_of,
        workers=options["workers"],
        limits=Limits(timeout_s=options["timeout_s"]),
        engine=options["engine"],
        address=options["address"],
    )
    manifest = run(settings, console=console())
    for table in tables(manifest):
        console().print(table)
    say(f"{out}: content hash {manifest.content_hash[:12]}")


@click.command()
def corpora() -> None:
    """List the corpora known by name, their licences, and how to get them."""
    from musicvae.data_pipeline.sources.corpora import CORPORA
    from musicvae.data_pipeline.sources.fetch import fetched_path

    for corpus in CORPORA.values():
        get = "get it from its homepage, and give its folder to `musicvae prepare`"
        if path := fetched_path(corpus.name):
            get = f"fetched: {path}"
        elif corpus.download is not None:
            get = f"musicvae fetch {corpus.name} ({corpus.download.size / 1e6:,.0f} MB)"
        click.secho(corpus.name, bold=True)
        for line in (corpus.about, f"licence: {corpus.licence}", corpus.homepage, get):
            click.echo(f"  {line}")


@click.command()
@click.argument("name")
@click.option("--folder", type=FOLDER, help="Folder for the file (default: the user's cache).")
def fetch(name: str, folder: Path | None) -> None:
    """Download a public corpus.

    If it breaks off, run the same command again: it goes on where it stopped.
    """
    from musicvae.data_pipeline.sources.fetch import fetch as get

    path = get(name, folder, console=console())
    given = name if folder is None else path
    say(f"{path}; try `musicvae prepare {given} --out data`")


@click.command()
@click.argument("source", metavar="INPUT")
@click.option("--piece", default="1", metavar="NUMBER|ID", show_default=True,
              help="The piece, if the input holds several.")  # fmt: skip
@click.option("--drums", default="channel:10", show_default=True,
              metavar="channel:NUMBER|track:NAME|NUMBER",
              help="Parts that are General MIDI drums beside those on channel 10: a channel, the "
                   "parts of a name, or the part of a number.")  # fmt: skip
@click.option("--plot", type=click.Path(path_type=Path, dir_okay=False), metavar="PICTURE.png",
              help="Draw its piano roll.")  # fmt: skip
def inspect(source: str, piece: str, drums: str, plot: Path | None) -> None:
    """Show a piece of music: its parts, bars and chords, and the excerpts that `prepare` finds."""
    from musicvae.data_pipeline.inspect.inspection import find_piece
    from musicvae.data_pipeline.inspect.inspection import inspect as look_into

    if plot is not None and plot.exists():
        raise SettingError(
            f"a file {plot} that is there already",
            expected="the name of a new file",
            action="Give another `plot`, or remove the file.",
            field="plot",
        )
    try:
        inspection = look_into(find_piece(source, piece), drums)
    except MusicVAEError as error:
        error.args = (f"{source}: {error}",)
        raise
    # Imported after the checks of the input: matplotlib takes a second.
    from musicvae.data_pipeline.inspect.tables import plot as draw
    from musicvae.data_pipeline.inspect.tables import to_tables

    for table in to_tables(inspection):
        console().print(table)
    if plot is not None:
        draw(inspection, plot)
        say(f"{plot}")


@click.command()
@click.argument("data", type=FOLDER)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="PAGE.html",
              help="The page (default: report.html in the data set's folder).")  # fmt: skip
def report(data: Path, out: Path | None) -> None:
    """Write a page about a data set: counts, rejections, histograms, excerpts with sound."""
    from musicvae.data_pipeline.report import write_report

    say(f"{write_report(data, out)}")


def _representation(options: dict[str, Any]) -> Any:
    """The representation by the options."""
    from musicvae.music.meters import parse_meter
    from musicvae.representation import representation_from_config

    meter = asdict(parse_meter(options["meter"]))
    config: dict[str, Any] = {"name": options["representation"], "meter": meter}
    if options["bars"] is not None:
        config["bars"] = options["bars"]
    if options["resolution"] is not None:
        config["resolution"] = options["resolution"]
    if options["chords"]:
        config["chords"] = True
    config["steps_per_quarter"] = int(options["steps_per_quarter"])
    return representation_from_config(config)


def _rules(texts: Sequence[str]) -> Any:
    """The rules, with the values of the options."""
    from dataclasses import asdict

    from musicvae.data_pipeline.cut.rules import Rules

    defaults: dict[str, int | float] = asdict(Rules())
    values: dict[str, Any] = {}
    for text in texts:
        name, _, value = text.partition("=")
        if name not in defaults:
            raise SettingError(
                f"--rule {text}",
                expected=f"one of {', '.join(defaults)}",
                action="Name a rule from the list.",
                field="rule",
            )
        is_whole = isinstance(defaults[name], int)
        try:
            values[name] = int(value) if is_whole else float(value)
        except ValueError as error:
            raise SettingError(
                f"--rule {text}",
                expected=f"a {'whole number' if is_whole else 'number'} for {name}",
                action=f"Write it like --rule {name}={defaults[name]}.",
                field="rule",
            ) from error
    try:
        return Rules(**values)
    except SettingError as error:
        error.args = (f"--rule {error}",)
        raise
