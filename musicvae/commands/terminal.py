"""The terminal, exit codes, kinds of arguments, and the words of the command line."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console

MISUSE = 2
FAULT = 70
INTERRUPTED = 130
DEFAULT_BUNDLE = "melody-2bar"
GROOVE_BUNDLE = "groove-2bar"

FOLDER = click.Path(path_type=Path, file_okay=False)
SEED = click.IntRange(0, 2**63 - 1)
MIDI_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


_OPTIONS = {
    "amounts": "--add",
    "chords": "--chords",
    "count": "-n",
    "host": "--host",
    "model": "--model",
    "onto": "--onto",
    "port": "--port",
    "qpm": "--qpm",
    "reduce": "--reduce",
    "seed": "--seed",
    "start_bar": "--start-bar",
    "task": "--task",
    "temperature": "--temperature",
}
"""The option for each field of a request or setting of the server."""

_NAMES = "|".join(_OPTIONS)
_QUOTED = re.compile(rf"`({_NAMES})`")
_VALUE = re.compile(rf"(^|[.;:] )({_NAMES})=")
_AMOUNT = re.compile(r'amounts\["([^"]*)"\]')


def in_options(text: str) -> str:
    """An error's message with the options of the command line in place of fields.

    >>> in_options("count=0; expected 1 to 9. Use `start_bar` to choose a bar.")
    '-n 0; expected 1 to 9. Use --start-bar to choose a bar.'
    """
    text = _AMOUNT.sub(r"--add \1", text)
    text = _VALUE.sub(lambda found: f"{found[1]}{_OPTIONS[found[2]]} ", text)
    return _QUOTED.sub(lambda found: _OPTIONS[found[1]], text)


def console() -> Console:
    """The terminal, or a pipe, which wraps no lines."""
    from rich.console import Console

    return Console(soft_wrap=not sys.stdout.isatty())


def say(text: str) -> None:
    """Prints a line unchanged: names of files may look like rich's markup."""
    console().print(text, highlight=False, markup=False)


def embedded_bundles() -> list[str]:
    """The names of the bundles that ship with the package, the default first.

    The default is listed even if no bundle ships: loading it then reports the missing bundle.
    """
    from musicvae import bundle

    names = {DEFAULT_BUNDLE, *bundle.embedded()}
    return sorted(names, key=lambda name: (name != DEFAULT_BUNDLE, name))
