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


_QUOTED = re.compile(r"`([a-z_.]+)()`")
_VALUE = re.compile(r"(?:^|(?<=[.;:,] ))([a-z_.]+)(=)")
_AMOUNT = re.compile(r'amounts\["([^"]*)"\]')


def in_options(text: str, command: click.Command) -> str:
    """An error's message with the options of a command in place of the library's names.

    The parameters of the command have the names of the fields and settings that they fill; a name
    with a dot, or another name with a value, is a setting of an experiment.

    >>> option = click.Option(["-n", "count"])
    >>> in_options("count=0; expected 1 to 9. Lower `count`.", click.Command("", params=[option]))
    '-n 0; expected 1 to 9. Lower -n.'
    """
    options = {each.name: _spell(each) for each in command.params}

    def spell(found: re.Match[str]) -> str:
        name, value = found[1], found[2] or ""
        if name in options:
            return options[name] + value.replace("=", " ")
        is_setting = ("." in name or value) and "settings" in options
        return f"{options['settings']} {name}{value}" if is_setting else found[0]

    text = _AMOUNT.sub(r"--add \1", text)
    return _VALUE.sub(spell, _QUOTED.sub(spell, text))


def _spell(parameter: click.Parameter) -> str:
    """An option as a user types it, or an argument as the help shows it."""
    if isinstance(parameter, click.Option):
        return max(parameter.opts, key=len)
    return (parameter.metavar or str(parameter.name).upper()).strip("[].")


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
