"""Keys and captions that several sections of figures share."""

from collections.abc import Collection

from musicvae.evaluation.bootstrap import Estimate
from musicvae.evaluation.figure import Figure


def name_line(line: str, lines: Collection[str]) -> str:
    """Gives a line's name where there are several lines, else an empty text."""
    return line if len(lines) > 1 else ""


def prefix(line: str) -> str:
    """Begins a caption with the line, where there are several lines."""
    return f"{line}: " if line else ""


def join_key(*names: str) -> str:
    """Joins names to a key; empty names are left out."""
    return "/".join(name for name in names if name)


def to_figure(
    section: str, key: str, name: str, estimate: Estimate, *, form: str = ".3f", is_key: bool = True
) -> Figure:
    """Makes a figure of an estimate."""
    return Figure(
        section=section,
        key=key,
        name=name,
        value=estimate.value,
        interval=estimate.interval,
        form=form,
        is_key=is_key,
    )
