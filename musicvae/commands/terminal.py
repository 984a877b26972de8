"""What the commands share: the terminal, exit codes, and the kinds of their arguments."""

from __future__ import annotations

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


def console() -> Console:
    """The terminal, or a pipe: then nothing is wrapped."""
    from rich.console import Console

    return Console(soft_wrap=not sys.stdout.isatty())


def say(text: str) -> None:
    """Prints a line as it is: names of files may look like rich's markup."""
    console().print(text, highlight=False, markup=False)


def embedded_bundles() -> list[str]:
    """The names of the bundles that ship with the package, the default first.

    Where none ships it is the default all the same: who loads it hears what is missing.
    """
    from musicvae import bundle

    names = {DEFAULT_BUNDLE, *bundle.embedded()}
    return sorted(names, key=lambda name: (name != DEFAULT_BUNDLE, name))
