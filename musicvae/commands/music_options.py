"""The options that the commands that make music share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import click

from musicvae.commands.terminal import DEFAULT_BUNDLE, FOLDER, GROOVE_BUNDLE, SEED

Command = TypeVar("Command", bound=Callable[..., None])


def _options(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Joins options that several commands share."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


model_options = _options(
    click.option(
        "--model",
        metavar="NAME|DIR",
        help=f"A bundle by name or folder (default: {DEFAULT_BUNDLE}; for groove {GROOVE_BUNDLE}), "
        "or the name of a model of the server.",
    ),
    click.option("--server", metavar="HOST:PORT", help="Let this server do the work."),
)
music_options = _options(
    model_options,
    click.option("--seed", type=SEED, help="Makes the result repeatable (default: a random seed)."),
    click.option(
        "--temperature",
        type=float,
        help="0: the likeliest events; 1: the model's own probabilities. For `sample`, 0 is calm, "
        "0.5 (the default) is like the training music, and more is more daring.",
    ),
    click.option("--qpm", type=float, help="Tempo in quarter notes a minute."),
    click.option(
        "--out", type=FOLDER, default="music", show_default=True, help="Folder for MIDI files."
    ),
    click.option("--plot", is_flag=True, help="Draw all results as one picture."),
)
_STEPS_PER_QUARTER = click.Choice(["4", "12"])


def _to_number(_: click.Context, __: click.Parameter, text: str | None) -> int | None:
    return None if text is None else int(text)


def steps_per_quarter_option(text: str) -> Callable[[Command], Command]:
    """The option of a grid, with a help text that says which music is on it."""
    return click.option(
        "--steps-per-quarter", type=_STEPS_PER_QUARTER, callback=_to_number, help=text
    )


input_options = _options(
    click.option(
        "--start-bar",
        type=click.IntRange(1, 2**32 - 1),
        help="First bar to use, as `musicvae inspect` counts bars: from 1, a pickup is bar 1.",
    ),
    click.option(
        "--meter",
        metavar="4/4",
        help="Read the files in this meter from the first bar used on, whatever they say.",
    ),
    steps_per_quarter_option(
        "Read the files on this grid; 12 holds triplets and swing (default: 4)."
    ),
    click.option("--reduce", is_flag=True, help="Leave out notes that the model can't hold."),
)


def _hint_at_bars(_: click.Context, __: click.Parameter, chords: str | None) -> str | None:
    from musicvae.music.progressions import hint_at_bars

    if chords is not None and (hint := hint_at_bars(chords)):
        click.echo(f"--chords: {hint}", err=True)
    return chords


chords_option = click.option(
    "--chords",
    metavar="'C | Am | F G7/B'",
    callback=_hint_at_bars,
    help="Chords for a model that plays over chords; | divides bars.",
)


constraint_options = _options(
    click.option("--key", metavar="KEY", help="All notes keep to this key: G, Em, F# minor."),
    click.option("--scale", metavar="SCALE",
                 help='All notes keep to this scale: "G dorian", or pitch classes: "C D E G A".'),
    click.option("--range", "range", metavar="LOW-HIGH",
                 help="The melody keeps to these pitches: C3-C5."),
)  # fmt: skip
