"""The commands that make music: from the prior, between clips, along attributes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from musicvae.commands.music_options import (
    chords_option,
    constraint_options,
    input_options,
    model_options,
    music_options,
    steps_per_quarter_option,
)
from musicvae.commands.terminal import (
    DEFAULT_BUNDLE,
    GROOVE_BUNDLE,
    MIDI_FILE,
    console,
    embedded_bundles,
    say,
)
from musicvae.errors import MusicVAEError, SettingError, Violation

if TYPE_CHECKING:
    from musicvae.generation.inputs import Excerpt
    from musicvae.generation.musician import Musician
    from musicvae.generation.replies import Clip, Encoding, ModelInfo

_MOST_FILES = 10_000
"""The limit of files in one folder: many programs are slow with more."""


@click.command()
@model_options
def models(model: str | None, server: str | None) -> None:
    """List the models: what each can do, how well, and its training data.

    With --model, the model's card follows, with all its figures.
    """
    # The models of the package are listed only without a server, which has its own models.
    is_local = model is None and server is None
    with _musician(embedded_bundles() if is_local else [model], server) as musician:
        one = [musician.model(model if server else "")] if model else None
        for each in one or musician.models():
            click.secho(each.name, bold=True)
            for line in _description(each):
                click.echo(f"    {line}")
            if one:
                click.echo(f"\n{each.card}")


@click.command()
@click.option(
    "-n", "count", type=click.IntRange(1), default=4, show_default=True, help="Number of clips."
)
@music_options
@chords_option
@constraint_options
@click.option(
    "--style",
    metavar="STYLE",
    help="Draw in this style, such as rock; `musicvae models` lists a model's styles "
    "(default: drawn, too).",
)
@click.option("--meter", metavar="3/4", help="Draw in this meter; `musicvae models` lists a "
              "model's meters (default: its first).")  # fmt: skip
@steps_per_quarter_option(
    "Draw on this grid, with 12 in triplets and swing; `musicvae models` lists a model's grids "
    "(default: its first)."
)
def sample(
    count: int,
    style: str | None,
    meter: str | None,
    steps_per_quarter: int | None,
    **options: Any,
) -> None:
    """Draw new music from the prior."""
    from musicvae.generation.requests import SampleRequest

    _refuse_many_files(count, options)
    request = SampleRequest(
        count=count,
        style=style,
        meter=meter,
        steps_per_quarter=steps_per_quarter,
        **_drawing(options),
    )
    with _musician([options["model"]], options["server"]) as musician:
        clips = musician.sample(request)
        _keep("sample", ((_title(clip), clip) for clip in clips), options)


@click.command()
@click.argument("inputs", nargs=-1, required=True, type=MIDI_FILE, metavar="A.mid B.mid ...")
@click.option("-n", "count", type=click.IntRange(2), default=7, show_default=True,
              help="Clips from one input to the next, both included.")  # fmt: skip
@music_options
@chords_option
@constraint_options
@input_options
def interpolate(inputs: tuple[Path, ...], count: int, **options: Any) -> None:
    """Morph from one MIDI file to the next."""
    from musicvae.generation.requests import InterpolateRequest

    if len(inputs) < 2:
        raise SettingError(
            f"{inputs[0]} alone", expected="two MIDI files or more",
            action="Give a file to start at and a file to end at.", field="inputs",
        )  # fmt: skip
    last = (len(inputs) - 1) * (count - 1)
    _refuse_many_files(last + 1, options)
    points = [_read(path, options) for path in inputs]
    request = InterpolateRequest(points=points, count=count, **_drawing(options))
    names = {f"points[{index}].excerpt": path for index, path in enumerate(inputs)}
    with _naming(names), _musician([options["model"]], options["server"]) as musician:
        clips = musician.interpolate(request)
        titled = ((f"step {c.index} of {last}", c) for c in clips)
        _keep("interpolate", titled, options)


@click.command()
@click.argument("input_file", type=MIDI_FILE, metavar="INPUT.mid")
@click.option("--add", "amounts", multiple=True, required=True, metavar="ATTRIBUTE=AMOUNT",
              help="1 moves from low to high values of the data, -1 back.")  # fmt: skip
@music_options
@chords_option
@constraint_options
@input_options
def transform(input_file: Path, amounts: tuple[str, ...], **options: Any) -> None:
    """Move a MIDI file along attributes: --add note_density=1."""
    from musicvae.generation.requests import TransformRequest

    request = TransformRequest(
        point=_read(input_file, options),
        amounts=_amounts(amounts),
        **_drawing(options),
    )
    names = {"point.excerpt": input_file}
    with _naming(names), _musician([options["model"]], options["server"]) as musician:
        done = musician.transform(request)
    titled = [("before", done.before), (", ".join(amounts), done.after)]
    _keep("transform", titled, options, labels=("before", "after"))
    for name, before in done.before.attributes.items():
        console().print(f"{name:>24} {before:8.3f} -> {done.after.attributes[name]:.3f}")


@click.command()
@click.argument("inputs", nargs=-1, required=True, type=MIDI_FILE, metavar="INPUT.mid ...")
@music_options
@chords_option
@constraint_options
@input_options
def reconstruct(inputs: tuple[Path, ...], **options: Any) -> None:
    """Encode MIDI files and decode them again."""
    from musicvae.generation.requests import EncodeRequest

    _refuse_many_files(len(inputs), options)
    asked = {k: value for k, value in _drawing(options).items() if k in ("model", "chords")}
    requests = [EncodeRequest(excerpt=_read(path, options), **asked) for path in inputs]
    encodings = []
    with _musician([options["model"]], options["server"]) as musician:
        for path, request in zip(inputs, requests, strict=True):
            with _naming({"excerpt": path}):
                encodings.append((path.name, musician.encode(request)))
        _keep("reconstruct", _decode(musician, encodings, options), options)


@click.command()
@click.argument("input_file", type=MIDI_FILE, metavar="INPUT.mid")
@click.option("--task", type=click.Choice(["humanise", "tap-to-drums", "transfer"]),
              default="humanise", show_default=True,
              help="Play its hits; make drums from its rhythm; give ONTO its groove.")  # fmt: skip
@click.option(
    "--onto",
    type=MIDI_FILE,
    metavar="ONTO.mid",
    help="The drums that get the groove in a transfer.",
)
@music_options
@input_options
def groove(input_file: Path, task: str, onto: Path | None, **options: Any) -> None:
    """Give drums the timing and loudness of a human player."""
    from musicvae.generation.requests import GrooveRequest

    request = GrooveRequest(
        task=task,
        point=_read(input_file, options),
        onto=None if onto is None else _read(onto, options),
        **_drawing(options),
    )
    names = {"point.excerpt": input_file, **({} if onto is None else {"onto": onto})}
    bundle = GROOVE_BUNDLE if options["model"] is None else options["model"]
    with _naming(names), _musician([bundle], options["server"]) as musician:
        done = musician.groove(request)
    titled = [("before", done.before), (task, done.after)]
    _keep("groove", titled, options, labels=("before", "after"))


def _title(clip: Clip) -> str:
    """Names a draw, with the style and the key that it was drawn in."""
    from musicvae.report.names import key_name

    key = None if clip.notes.key is None else key_name(clip.notes.key)
    drawn = ", ".join(each for each in (clip.style, key) if each)
    return f"draw {clip.index + 1}" + (f" ({drawn})" if drawn else "")


def _description(model: ModelInfo) -> Iterator[str]:
    """Describes a model, line by line."""
    kind = model.representation.replace("_", " ")
    over = ", over chords" if model.takes_chords else ""
    over = ", over given chords" if model.needs_chords else over
    grids = " or ".join(map(str, model.grids or (model.meter,)))
    yield f"{model.bars} bars of {kind} in {grids}{over}"
    if any(each.steps_per_quarter != 4 for each in model.grids):
        yield "by 12: steps a quarter note, for triplets and swing; else 4"
    size = f"{model.size_bytes / 1e6:.1f} MB"
    yield f"version {model.version}, {size}, {model.latent_size} values a latent"
    figures = ", ".join(f"{figure.name} {figure.value:.3f}" for figure in model.figures)
    yield f"on held-out music: {figures}" if figures else "not measured"
    names = ", ".join(attribute.name for attribute in model.attributes)
    yield f"attributes: {names}" if names else "no attributes"
    if model.styles:
        yield f"styles: {', '.join(model.styles)}"
    for licence, sources in groupby(
        sorted(model.sources, key=lambda source: source.licence), lambda source: source.licence
    ):
        names = ", ".join(source.name for source in sources)
        yield f"trained on {names} ({licence or 'licence not stated'})"
    yield f"licence of the weights: {model.licence or 'not stated'}"


def _decode(
    musician: Musician, encodings: Sequence[tuple[str, Encoding]], options: dict[str, Any]
) -> Iterator[tuple[str, Clip]]:
    """Decodes encodings, each with its own chords, sounds, grid and tempo."""
    from musicvae.generation.requests import HIGHEST_QPM, LOWEST_QPM, DecodeRequest

    for (chords, sounds, grid, qpm), group in groupby(
        encodings,
        lambda each: (each[1].chords, each[1].sounds, each[1].notes.grid, each[1].notes.qpm),
    ):
        names, alike = zip(*group, strict=True)
        latents = [encoding.latent for encoding in alike]
        tempo = min(max(qpm, LOWEST_QPM), HIGHEST_QPM)
        own = {
            "chords": chords,
            "sounds": sounds,
            "meter": str(grid.meter),
            "steps_per_quarter": grid.steps_per_quarter,
        }
        request = DecodeRequest(latents=latents, **{"qpm": tempo, **_drawing(options), **own})
        for clip in musician.decode(request):
            yield names[clip.index], clip


@contextmanager
def _musician(models: Sequence[str | None], server: str | None) -> Iterator[Musician]:
    """The client of a server, or an engine with these bundles in this process."""
    if server is not None:
        os.environ.setdefault("GRPC_VERBOSITY", "ERROR")  # gRPC prints each connection that failed
        from musicvae.rpc.client import Client

        with closing(Client(server)) as client:
            yield client
    else:
        from musicvae.generation.engine import Engine

        yield Engine([DEFAULT_BUNDLE if each is None else each for each in models])


def _drawing(options: dict[str, Any]) -> dict[str, Any]:
    """The request fields that the options give; the rest keep the request's defaults."""
    names = ("seed", "temperature", "qpm", "chords", "key", "scale", "range")
    given = {name: options.get(name) for name in names}
    if options["server"]:
        given["model"] = options["model"]
    return {name: value for name, value in given.items() if value is not None}


@contextmanager
def _naming(inputs: Mapping[str, Path]) -> Iterator[None]:
    """Replaces the field of an error by the name of the file that filled the field."""
    try:
        yield
    except MusicVAEError as error:
        if any(each.field.startswith(tuple(inputs)) for each in error.violations):
            error.args = ("; ".join(_named(each, inputs) for each in error.violations),)
        raise


def _named(violation: Violation, inputs: Mapping[str, Path]) -> str:
    """The error's message, with the name of the file in place of its field."""
    field, said = violation.field, violation.description
    for prefix, path in inputs.items():
        if field == prefix or field.startswith(f"{prefix}."):
            inner = field[len(prefix) + 1 :]
            named = f"{path}, `{inner}`" if inner else str(path)
            said = named + said[len(field) :] if said.startswith(f"{field}=") else said
            return f"{named}: {said}"
    return f"{field}: {said}"


def _read(path: Path, options: dict[str, Any]) -> Excerpt:
    from musicvae.generation.inputs import Excerpt

    names = ("start_bar", "meter", "steps_per_quarter", "reduce")
    given = {name: options[name] for name in names}
    return Excerpt(path, **given)


def _keep(
    command: str,
    clips: Iterable[tuple[str, Clip]],
    options: dict[str, Any],
    labels: Sequence[str] = (),
) -> None:
    from musicvae.generation.clip_files import keep

    seen: list[Clip] = []

    def noted() -> Iterator[tuple[str, Clip]]:
        for title, clip in clips:
            seen.append(clip)
            yield title, clip

    out, plot = options["out"], options["plot"]
    for kept in keep(out, command, noted(), draws_picture=plot, labels=labels):
        say(f"{kept.path}  {kept.content}")
    _warn(seen, options.get("chords"))


def _warn(clips: Sequence[Clip], chords: str | None) -> None:
    """Says what a constraint or chords did to clips that a listener would not expect."""
    asked = [name for name in ("key", "scale", "range") if any(name in c.asked for c in clips)]
    if asked and (silent := sum(not _has_melody(clip) for clip in clips)):
        click.echo(
            f"{', '.join(f'--{name}' for name in asked)}: {silent} of {len(clips)} clips have no "
            "melody, since the model would play other notes. Allow more notes, or a range nearer "
            "to C4-A5.",
            err=True,
        )
    strange = sum(not clip.notes.chords for clip in clips)
    if strange and chords:
        click.echo(
            f"--chords: {strange} of {len(clips)} clips do not follow the chords, and have no "
            "chord markers: a latent of other music keeps its own pitches. `musicvae sample` draws "
            "music over chords.",
            err=True,
        )


def _has_melody(clip: Clip) -> bool:
    from musicvae.music.instruments import BASS_PROGRAMS

    return any(not note.is_drum and note.program not in BASS_PROGRAMS for note in clip.notes.notes)


def _refuse_many_files(count: int, options: dict[str, Any]) -> None:
    if count > _MOST_FILES:
        raise SettingError(
            f"{count:,} files in {options['out']}",
            expected=f"at most {_MOST_FILES:,} files a run",
            action="Run the command several times, each with its own --seed and --out.",
            field="out",
        )


def _amounts(texts: Sequence[str]) -> dict[str, float]:
    amounts = dict(map(_amount, texts))
    if len(amounts) < len(texts):
        raise SettingError(
            f"--add {' --add '.join(texts)}",
            expected="each attribute once",
            action="Add up the amounts of one attribute.",
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
