"""The charts of a page: bars, curves, and matrices of changes, each with its figures as text.

Conventions: the style sheet draws the first series, `steps-0`, and the next three differently; a
fifth series looks like the first.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from musicvae.report.svg import draw_svg, mark

_WIDTH = 360.0
_CHARACTER = 6.5
"""The width of a character of a label, the space around it included."""

_CELL_WIDTH, _CELL_HEIGHT = 66.0, 26.0
_FEWEST_COLUMNS = 5
"""The picture of a smaller matrix is as wide, so that its letters are no larger."""

_FULL_CHANGE = 100.0
"""The change, in per cent, from which on a cell has the full colour."""


@dataclass(frozen=True, kw_only=True)
class Series:
    """A name, with a value for each bin or each x of a chart."""

    name: str
    values: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Chart(ABC):
    """A picture with its figures.

    Attributes:
        title: The quantity that the chart shows.
        about: The meaning of the figures, with their unit; one sentence.
    """

    title: str
    about: str

    margins: ClassVar[tuple[float, float, float, float]]
    """The space left of, right of, over and under the axes."""

    @property
    @abstractmethod
    def columns(self) -> tuple[str, ...]:
        """The heads of the columns of the table of figures."""

    @property
    @abstractmethod
    def rows(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The figures as text: the name of each row with its cells."""

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the picture."""
        return _WIDTH, 220.0

    @abstractmethod
    def describe(self) -> str:
        """Says in a sentence what the picture shows."""

    @abstractmethod
    def draw(self, axes: Axes) -> None:
        """Draws into axes that have neither frame nor ticks."""

    def to_svg(self) -> Markup:
        """Draws the picture, with its description for screen readers."""
        return draw_svg(self.size, self.describe(), self._draw_axes)

    def _draw_axes(self, figure: Figure) -> None:
        (width, height), (left, right, top, bottom) = self.size, self.margins
        place = (left, bottom, width - left - right, height - top - bottom)
        axes = figure.add_axes(np.divide(place, (width, height) * 2).tolist(), frameon=False)
        axes.tick_params(left=False, bottom=False)
        self.draw(axes)


@dataclass(frozen=True, kw_only=True)
class Bars(Chart):
    """A histogram: the share of each series that falls in each bin, in per cent.

    Attributes:
        bins: The names of the bins, for the table of figures.
        marks: Texts under the x axis, where a whole number is the left edge of a bin. Where it is
            None, bins have their names under their middles, as many as there is room for.
        series: The counts of each bin; at least one series.
    """

    margins = (40.0, 8.0, 14.0, 24.0)

    bins: tuple[str, ...]
    marks: Mapping[float, str] | None = None
    series: tuple[Series, ...]

    def __post_init__(self) -> None:
        assert self.series and all(len(each.values) == len(self.bins) for each in self.series)

    @property
    def shares(self) -> dict[str, tuple[float, ...]]:
        """The counts of each series as shares of their sum, in per cent."""
        return {
            each.name: tuple(100 * count / (sum(each.values) or 1.0) for count in each.values)
            for each in self.series
        }

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(each.name for each in self.series)

    @property
    def rows(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The shares of each bin that is not empty."""
        return tuple(
            (name, tuple(f"{share:.1f} %" for share in shares))
            for name, *shares in zip(self.bins, *self.shares.values(), strict=True)
            if any(shares)
        )

    @property
    def size(self) -> tuple[float, float]:
        return _WIDTH, 190.0

    def describe(self) -> str:
        peaks = [
            f"{name}: most often {self.bins[shares.index(max(shares))]}, {max(shares):.0f} %"
            for name, shares in self.shares.items()
            if any(shares)
        ]
        return f"{self.title}. {'; '.join(peaks) or 'Nothing to count'}."

    def draw(self, axes: Axes) -> None:
        axes.set_xlim(0, len(self.bins))
        _draw_rules(axes, [0.0, *(share for each in self.shares.values() for share in each)], 3)
        axes.yaxis.set_major_formatter("{x:g} %")
        for number, (name, shares) in enumerate(self.shares.items()):
            if number == 0:
                mark(axes.stairs(shares, fill=True, clip_on=False), "bars")
            mark(axes.stairs(shares, clip_on=False), f"steps steps-{number % 4}", name)
        marks = self._name_bins() if self.marks is None else self.marks
        axes.set_xticks(list(marks), list(marks.values()))

    def _name_bins(self) -> dict[float, str]:
        longest = max(map(len, self.bins))
        every = math.ceil(len(self.bins) * (longest + 1) * _CHARACTER / _WIDTH)
        return {i + 0.5: name for i, name in enumerate(self.bins) if i % every == 0}


@dataclass(frozen=True, kw_only=True)
class Curves(Chart):
    """Lines over the same values of x.

    Attributes:
        x_name: The quantity along the x axis.
        x: Its values.
        series: At least one, each with a value for every x.
    """

    margins = (46.0, 10.0, 14.0, 40.0)

    x_name: str
    x: tuple[float, ...]
    series: tuple[Series, ...]

    def __post_init__(self) -> None:
        assert self.series and all(len(each.values) == len(self.x) for each in self.series)

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(each.name for each in self.series)

    @property
    def rows(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The values at each x."""
        columns = (each.values for each in self.series)
        return tuple(
            (f"{x:g}", tuple(f"{value:.3f}" for value in values))
            for x, *values in zip(self.x, *columns, strict=True)
        )

    def describe(self) -> str:
        ends = (
            f"{each.name}: from {each.values[0]:.3f} to {each.values[-1]:.3f}"
            for each in self.series
        )
        return f"{self.title}, by {self.x_name}. {'; '.join(ends)}."

    def draw(self, axes: Axes) -> None:
        first, last = self.x[0], self.x[-1]
        axes.set_xlim(first, last if last > first else first + 1)
        axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
        axes.set_xlabel(self.x_name)
        values = [value for each in self.series for value in each.values]
        is_far_from_0 = min(values) >= 0.5 * max(values)
        _draw_rules(axes, values if is_far_from_0 else [0.0, *values], 5)
        for number, each in enumerate(self.series):
            (line,) = axes.plot(self.x, each.values, clip_on=False)
            mark(line, f"steps steps-{number % 4}", each.name)


@dataclass(frozen=True, kw_only=True)
class Matrix(Chart):
    """Changes in per cent: a colour for more, another for less, paler for a small change.

    Attributes:
        names: The names of the rows, and of the columns too.
        cells: Row by row; None where there is no figure.
    """

    margins = (104.0, 0.0, 34.0, 0.0)

    names: tuple[str, ...]
    cells: tuple[tuple[float | None, ...], ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return self.names

    @property
    def rows(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The changes that each row shows."""
        return tuple(
            (name, tuple("none" if cell is None else f"{round(cell):+d}" for cell in row))
            for name, row in zip(self.names, self.cells, strict=True)
        )

    @property
    def size(self) -> tuple[float, float]:
        left, _, top, _ = self.margins
        columns = max(_FEWEST_COLUMNS, len(self.names))
        return left + _CELL_WIDTH * columns, top + _CELL_HEIGHT * len(self.names)

    def describe(self) -> str:
        return self.title

    def draw(self, axes: Axes) -> None:
        axes.set_xlim(0, max(_FEWEST_COLUMNS, len(self.names)))
        axes.set_ylim(len(self.names), 0)
        axes.set_xticks([])
        axes.set_yticks([row + 0.5 for row in range(len(self.names))], self.names)
        for column, name in enumerate(self.names):
            for line, word in enumerate(name.split(" ", 1)):
                axes.text(column + 0.5, line / 2 - 0.85, word, ha="center", va="center")
        for row, (numbers, (_, texts)) in enumerate(zip(self.cells, self.rows, strict=True)):
            for column, (number, text) in enumerate(zip(numbers, texts, strict=True)):
                share = min(1.0, abs(number or 0.0) / _FULL_CHANGE)
                cell = Rectangle((column + 0.01, row + 0.03), 0.98, 0.94, alpha=0.7 * share)
                mark(axes.add_patch(cell), "less" if (number or 0.0) < 0 else "more")
                mark(axes.text(column + 0.5, row + 0.5, text, ha="center", va="center"), "cell")


def _draw_rules(axes: Axes, values: Sequence[float], steps: int) -> None:
    """Draws horizontal rules at round numbers; the first and the last enclose all values."""
    low, high = min(values), max(values)
    ticks = MaxNLocator(steps, steps=[1, 2, 5, 10]).tick_values(
        low, high if high > low else low + 1
    )
    axes.set_ylim(ticks[0], ticks[-1])
    axes.set_yticks(ticks)
    for number, tick in enumerate(ticks):
        mark(axes.axhline(tick, clip_on=False, zorder=0), "rule" if number else "axis")
