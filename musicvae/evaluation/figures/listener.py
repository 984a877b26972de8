"""The figures of the measures that a listener hears first, and their table of four sets."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rich.table import Table

from musicvae.evaluation.figure import Figure
from musicvae.evaluation.figure_keys import LISTENER, listener_key
from musicvae.evaluation.figures.captions import name_line, prefix
from musicvae.evaluation.listener.measures import MEASURES
from musicvae.evaluation.listener.sets import SETS
from musicvae.evaluation.prior_samples import HELD_OUT

Measured = Mapping[str, Mapping[str, Mapping[str, float | None]]]
"""Values by the names of line, measure and set, as in `Evaluation.listener`."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A measure of a line in a table.

    Attributes:
        name: The caption.
        about: The definition.
        cells: The figure of each set, as text.
    """

    name: str
    about: str
    cells: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class SideBySide:
    """The measures of several sets in a table: a column a set.

    Attributes:
        columns: The names of the sets.
        rows: The measures.
    """

    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    def to_table(self, title: str) -> Table:
        """Lays the table out for a terminal."""
        table = Table("measure", title=title)
        for name in self.columns:
            table.add_column(name.replace(" ", "\n"), justify="right")
        for row in self.rows:
            table.add_row(row.name, *row.cells)
        return table


def side_by_side(measured: Measured) -> SideBySide:
    """Puts the four sets side by side."""
    rows = tuple(
        Row(
            name=f"{prefix(name_line(line, measured))}{MEASURES[name].caption}",
            about=MEASURES[name].about,
            cells=tuple(
                "none" if (value := by_set[each]) is None else f"{value:{MEASURES[name].form}}"
                for each in SETS
            ),
        )
        for line, by_measure in measured.items()
        for name, by_set in by_measure.items()
    )
    return SideBySide(columns=SETS, rows=rows)


def listener_figures(measured: Measured) -> Iterator[Figure]:
    """Lists the figures of each set; real music stands beside each figure of a model's music."""
    for line, by_measure in measured.items():
        named = name_line(line, measured)
        for name, by_set in by_measure.items():
            measure = MEASURES[name]
            for each, value in by_set.items():
                is_real = each == HELD_OUT
                yield Figure(
                    section=LISTENER,
                    key=listener_key(name, each, named),
                    name=f"{prefix(named)}{measure.caption}, {each}",
                    value=value,
                    form=measure.form,
                    beside=None if is_real else by_set[HELD_OUT],
                    beside_name="" if is_real else HELD_OUT,
                    is_key=False,
                )
