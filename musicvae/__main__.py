"""The command `musicvae`: one subcommand for each thing a user does.

Each subcommand imports what it needs inside itself, so that `--help` answers at once: this is the
one file where that is done, and the one that may import the applications.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from musicvae.errors import MusicVAEError, SettingError

if TYPE_CHECKING:
    from rich.console import Console

    from musicvae.bundle import Bundle
    from musicvae.clips import Clip
    from musicvae.requests import Excerpt, Musician

MISUSE = 2
INTERRUPTED = 130
DEFAULT_BUNDLE = "melody-2bar"

Command = TypeVar("Command", bound=Callable[..., None])


def _options(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Joins options that several commands share."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


FOLDER = click.Path(path_type=Path, file_okay=False)
SEED = click.IntRange(0, 2**63 - 1)
MIDI_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)

model_options = _options(
    click.option(
        "--model",
        metavar="NAME|DIR",
        help=f"A bundle by name or folder (default: {DEFAULT_BUNDLE}), or a model of the server.",
    ),
    click.option("--server", metavar="HOST:PORT", help="Ask this server instead of this process."),
)
music_options = _options(
    model_options,
    click.option("--seed", type=SEED, help="Makes the result repeatable (default: any)."),
    click.option("--temperature", type=float, help="0: likeliest events; 1: as the model draws."),
    click.option("--qpm", type=float, help="Tempo in quarter notes a minute."),
    click.option("--out", type=FOLDER, default="music", show_default=True, help="For MIDI files."),
    click.option("--plot", is_flag=True, help="Draw all results as one picture, too."),
)
input_options = _options(
    click.option(
        "--start-bar", type=click.IntRange(1), help="First bar to use of longer music, from 1."
    ),
    click.option("--top-line", is_flag=True, help="Reduce to its top line what is no melody."),
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="musicvae")
def cli() -> None:
    """A latent space of music: train it, sample it, morph it, serve it."""


@cli.command()
@model_options
def models(model: str | None, server: str | None) -> None:
    """List the models and what each can do."""
    from rich.table import Table

    from musicvae import bundle

    table = Table("model", "version", "music", "latent", "attributes")
    with _musician([model] if model else bundle.embedded() or [None], server) as musician:
        for each in [musician.model(model)] if server and model else musician.models():
            table.add_row(
                each.name,
                each.version,
                f"{each.bars} bars of {each.representation} in {each.meter}",
                str(each.latent_size),
                "\n".join(attribute.name for attribute in each.attributes),
            )
    _console().print(table)


@cli.command()
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option("--out", type=FOLDER, required=True, help="The data set's folder.")
@click.option("--representation", type=click.Choice(["melody"]), default="melody",
              show_default=True)  # fmt: skip
@click.option("--bars", type=int, default=2, show_default=True, help="Length of an excerpt.")
@click.option(
    "--meter", default="4/4", show_default=True, help="Music in other meters is left out."
)
@click.option("--split", default="train=0.8,validation=0.1,test=0.1", show_default=True)
@click.option("--top-line", is_flag=True, help="Reduce polyphonic music to its top line.")
@click.option("--workers", type=int, default=os.cpu_count(), show_default="one a core")
def prepare(
    inputs: tuple[str, ...],
    out: Path,
    representation: str,
    bars: int,
    meter: str,
    split: str,
    top_line: bool,  # noqa: FBT001  # click's way to hand over a flag; so below
    workers: int,
) -> None:
    """Turn music into training data.

    An INPUT is a MIDI file, a score (.abc, .mxl, .musicxml), a folder of them, or a collection that
    comes with music21, such as music21:oneills1850.
    """
    from musicvae.data_pipeline import PrepareSettings, parse_shares, tables
    from musicvae.data_pipeline import prepare as run
    from musicvae.representation import representation_from_config

    config = {"name": representation, "bars": bars, "meter": _meter(meter)}
    settings = PrepareSettings(
        inputs=inputs,
        out=out,
        representation=representation_from_config(config),
        shares=parse_shares(split),
        workers=workers,
        reduces_to_top_line=top_line,
    )
    manifest = run(settings, console=_console())
    for table in tables(manifest):
        _console().print(table)
    _console().print(f"{out}: content hash {manifest.content_hash[:12]}")


@cli.command()
@click.argument("preset")
@click.option("--data", type=FOLDER, required=True, help="A folder made by `musicvae prepare`.")
@click.option("--out", type=FOLDER, required=True, help="The run's folder.")
@click.option("--seed", type=SEED, default=0, show_default=True)
@click.option("--resume", is_flag=True, help="Go on exactly where the run in --out stopped.")
@click.option("--set", "settings", multiple=True, metavar="NAME.FIELD=VALUE",
              help="Change a setting, such as objective.beta_max=0.1.")  # fmt: skip
@click.option("--overlay", type=click.File("rb"), help="A YAML file of settings to change.")
@click.option("--accelerator", default="auto", show_default=True,
              type=click.Choice(["auto", "cpu", "cuda", "mps"]))  # fmt: skip
@click.option("--devices", type=int, default=1, show_default=True, help="Processes of DDP.")
def train(preset: str, settings: tuple[str, ...], overlay: Any, **options: Any) -> None:
    """Train a preset: melody-2bar, melody-2bar-tiny, melody-16bar.

    The settings and their values are in OUT/run.json once the run has begun. Curves, pictures and a
    collapse alarm: tensorboard --logdir OUT.
    """
    from musicvae import experiment, presets
    from musicvae.training import RunSettings
    from musicvae.training import train as run

    chosen = experiment.overlay(
        presets.get_preset(preset),
        yaml_bytes=overlay.read() if overlay else None,
        settings=settings,
    )
    if not run(chosen, RunSettings(**options), _console()):
        sys.exit(INTERRUPTED)


@cli.command()
@click.argument("model", metavar="BUNDLE", default=DEFAULT_BUNDLE)
@click.option("--data", type=FOLDER, required=True, help="A folder made by `musicvae prepare`.")
@click.option("--split", default="test", show_default=True)
@click.option("--seed", type=SEED, default=0, show_default=True)
@click.option(
    "--json",
    "json_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write all figures here.",
)
def evaluate(model: str, data: Path, split: str, seed: int, json_file: Path | None) -> None:
    """Measure a bundle on held-out music."""
    import json
    from dataclasses import asdict

    from musicvae import bundle, shards
    from musicvae.clip_files import write
    from musicvae.evaluation.evaluate import evaluate as run
    from musicvae.evaluation.evaluate import to_table

    loaded = bundle.load(model)
    manifest, examples = shards.load_manifest(data), shards.load(data, split)
    with _console().status(f"measuring {loaded.name} on {len(examples):,} examples"):
        measured = run(
            loaded.model, loaded.representation, manifest, examples, split=split, seed=seed
        )
    _console().print(to_table(measured))
    if json_file is not None:
        record = {"model": loaded.name, "version": loaded.version, **asdict(measured)}
        write(json_file, json.dumps(record, indent=2).encode() + b"\n")


@cli.command()
@click.argument("run", type=FOLDER)
@click.option("--out", type=FOLDER, required=True, help="The bundle's folder.")
@click.option("--checkpoint", type=click.Choice(["best", "last"]), default="best",
              show_default=True)  # fmt: skip
def export(run: Path, out: Path, checkpoint: str) -> None:
    """Make a bundle of a run: weights, attribute vectors, model card."""
    from musicvae.evaluation.evaluate import to_table
    from musicvae.export import export as write
    from musicvae.training import load_run

    loaded = load_run(run, checkpoint=checkpoint)
    with _console().status("fitting attribute vectors and measuring"):
        measured = write(loaded, out)
    _console().print(to_table(measured))
    _console().print(f"wrote {out}; try `musicvae sample --model {out}`")


@cli.command()
@click.option(
    "-n", "count", type=click.IntRange(1), default=4, show_default=True, help="Number of clips."
)
@music_options
def sample(count: int, **options: Any) -> None:
    """Draw new music from the prior."""
    from musicvae.requests import SampleRequest

    request = SampleRequest(count=count, **_drawing(options))
    with _musician([options["model"]], options["server"]) as musician:
        _keep("sample", ((f"draw {c.index + 1}", c) for c in musician.sample(request)), options)


@cli.command()
@click.argument("inputs", nargs=-1, required=True, type=MIDI_FILE, metavar="A.mid B.mid ...")
@click.option("-n", "count", type=click.IntRange(2), default=7, show_default=True,
              help="Clips from one input to the next, both included.")  # fmt: skip
@music_options
@input_options
def interpolate(inputs: tuple[Path, ...], count: int, **options: Any) -> None:
    """Morph from one MIDI file to the next."""
    from musicvae.requests import InterpolateRequest

    if len(inputs) < 2:
        raise SettingError(
            f"{inputs[0]} alone", expected="two MIDI files or more",
            action="Give where to start and where to end.", field="inputs",
        )  # fmt: skip
    points = [_read(path, options) for path in inputs]
    request = InterpolateRequest(points=points, count=count, **_drawing(options))
    last = (len(inputs) - 1) * (count - 1)
    names = {f"points[{index}].excerpt": path for index, path in enumerate(inputs)}
    with _naming(names), _musician([options["model"]], options["server"]) as musician:
        clips = musician.interpolate(request)
        _keep("interpolate", ((f"step {c.index} of {last}", c) for c in clips), options)


@cli.command()
@click.argument("input_file", type=MIDI_FILE, metavar="INPUT.mid")
@click.option("--add", multiple=True, required=True, metavar="ATTRIBUTE=AMOUNT",
              help="1 goes from what is low in the data to what is high.")  # fmt: skip
@music_options
@input_options
def transform(input_file: Path, add: tuple[str, ...], **options: Any) -> None:
    """Move a MIDI file along attributes: --add note_density=1."""
    from musicvae.requests import TransformRequest

    request = TransformRequest(
        point=_read(input_file, options),
        amounts=_amounts(add),
        **_drawing(options),
    )
    names = {"point.excerpt": input_file}
    with _naming(names), _musician([options["model"]], options["server"]) as musician:
        made = musician.transform(request)
    _keep("transform", [("before", made.before), (", ".join(add), made.after)], options)
    for name, before in made.before.attributes.items():
        _console().print(f"{name:>24} {before:8.3f} -> {made.after.attributes[name]:.3f}")


@cli.command()
@click.argument("inputs", nargs=-1, required=True, type=MIDI_FILE, metavar="INPUT.mid ...")
@music_options
@input_options
def reconstruct(inputs: tuple[Path, ...], **options: Any) -> None:
    """Encode MIDI files and decode them again."""
    from musicvae.requests import DecodeRequest, EncodeRequest

    name = options["model"] if options["server"] and options["model"] else ""
    requests = [EncodeRequest(model=name, excerpt=_read(path, options)) for path in inputs]
    latents = []
    with _musician([options["model"]], options["server"]) as musician:
        for path, request in zip(inputs, requests, strict=True):
            with _naming({"excerpt": path}):
                latents.append(musician.encode(request).latent)
        clips = musician.decode(DecodeRequest(latents=latents, **_drawing(options)))
        _keep("reconstruct", ((inputs[clip.index].name, clip) for clip in clips), options)


@cli.command()
@click.option(
    "--bundle",
    "bundles",
    multiple=True,
    metavar="NAME|DIR",
    help=f"What to serve; the first is the default (default: {DEFAULT_BUNDLE}).",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="0.0.0.0 is every interface.")
@click.option("--port", type=click.IntRange(0, 65535), default=50051, show_default=True,
              help="0: any that is free.")  # fmt: skip
def serve(bundles: tuple[str, ...], host: str, port: int) -> None:
    """Answer requests over gRPC, until stopped."""
    from musicvae import bundle
    from musicvae.server import Settings
    from musicvae.server import serve as run

    loaded = [bundle.load(each) for each in bundles or [DEFAULT_BUNDLE]]
    run(Settings(host=host, port=port), loaded, say=click.echo)


@contextmanager
def _musician(models: Sequence[str | None], server: str | None) -> Iterator[Musician]:
    """Who answers: a server, or an engine with these bundles in this process."""
    if server is not None:
        from musicvae.client import Client

        with closing(Client(server)) as client:
            yield client
    else:
        from musicvae import bundle
        from musicvae.server.engine import Engine

        loaded: list[Bundle] = [bundle.load(each or DEFAULT_BUNDLE) for each in models]
        yield Engine(loaded)


def _drawing(options: dict[str, Any]) -> dict[str, Any]:
    """The request fields that were given; the others have each request's own default."""
    given = {name: options[name] for name in ("seed", "temperature", "qpm")}
    if options["server"]:
        given["model"] = options["model"]
    return {name: value for name, value in given.items() if value is not None}


@contextmanager
def _naming(inputs: Mapping[str, Path]) -> Iterator[None]:
    """Says the name of a file where an error has the field of a request that it was read into."""
    try:
        yield
    except MusicVAEError as error:
        if any(each.field.startswith(tuple(inputs)) for each in error.violations):
            text = "; ".join(f"{each.field}: {each.description}" for each in error.violations)
            for field, path in inputs.items():
                text = text.replace(f"{field}.", f"{path}, ").replace(field, str(path))
            error.args = (text,)
        raise


def _read(path: Path, options: dict[str, Any]) -> Excerpt:
    from musicvae.clip_files import read_excerpt

    return read_excerpt(path, start_bar=options["start_bar"], reduce=options["top_line"])


def _keep(command: str, clips: Iterable[tuple[str, Clip]], options: dict[str, Any]) -> None:
    from musicvae.clip_files import keep

    for kept in keep(options["out"], command, clips, draws_picture=options["plot"]):
        _console().print(f"{kept.path}  {kept.content}", highlight=False)


def _meter(text: str) -> dict[str, int]:
    numerator, slash, denominator = text.partition("/")
    beats = {str(count) for count in range(1, 256)}
    if not (slash and numerator in beats and denominator in {"1", "2", "4", "8", "16"}):
        raise SettingError(
            f"--meter {text}", expected="such as 4/4, 3/4 or 6/8", action="Write it so.",
            field="meter",
        )  # fmt: skip
    return {"numerator": int(numerator), "denominator": int(denominator)}


def _amounts(texts: Sequence[str]) -> dict[str, float]:
    amounts = dict(map(_amount, texts))
    if len(amounts) < len(texts):
        raise SettingError(
            f"--add {' --add '.join(texts)}",
            expected="each attribute once",
            action="Sum up what is to be added to one attribute.",
            field="add",
        )
    return amounts


def _amount(text: str) -> tuple[str, float]:
    name, _, amount = text.partition("=")
    try:
        return name, float(amount)
    except ValueError as error:
        raise SettingError(
            f"--add {text}",
            expected="ATTRIBUTE=AMOUNT",
            action="Write it like --add note_density=1; `musicvae models` lists the attributes.",
            field="add",
        ) from error


def _console() -> Console:
    from rich.console import Console

    return Console(soft_wrap=not sys.stdout.isatty())


def main() -> None:
    """Runs the command: what the caller can mend is said in one line, with exit code 2."""
    try:
        sys.exit(cli(prog_name="musicvae", standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        _complain("interrupted")
        sys.exit(INTERRUPTED)
    except MusicVAEError as error:
        _complain(str(error))
        sys.exit(MISUSE)
    except OSError as error:
        _complain(f"{error.filename or 'writing failed'}: {error.strerror or error}")
        sys.exit(MISUSE)


def _complain(text: str) -> None:
    click.secho(f"musicvae: {text}", err=True, fg="red")


if __name__ == "__main__":
    main()
