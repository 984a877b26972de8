"""Bar charts as SVG: shares of one or more series over the same bins.

Conventions: a bin has the width 1, the first from 0 to 1; the y axis is the share of a series that
falls in the bin, in per cent. Colours stand in the page's style sheet, by the number of the series.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

WIDTH, HEIGHT = 360, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 40, 8, 14, 24
_CHARACTER = 6.5
"""The width of one of the labels' characters, the space around them included."""


@dataclass(frozen=True, kw_only=True)
class Series:
    """One line of a chart: its name and how much falls in each bin."""

    name: str
    counts: tuple[float, ...]

    @property
    def shares(self) -> tuple[float, ...]:
        """The counts as shares of their sum, in per cent."""
        total = sum(self.counts) or 1.0
        return tuple(100 * count / total for count in self.counts)


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A histogram.

    Attributes:
        title: What was measured.
        about: What is counted, and in what unit; one sentence.
        bins: What each bin is called, in the table of figures.
        marks: What stands under the x axis, by its place: a whole number is the left edge of a bin.
            Where it is None, the bins' names stand under their middles, as many as there is room.
        series: At least one, each with a count for every bin.
    """

    title: str
    about: str
    bins: tuple[str, ...]
    marks: Mapping[float, str] | None = None
    series: tuple[Series, ...]

    def __post_init__(self) -> None:
        assert self.series and all(len(each.counts) == len(self.bins) for each in self.series)

    @property
    def rows(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The figures as text: each bin that is not empty, with the share of every series."""
        columns = zip(*(each.shares for each in self.series), strict=True)
        return tuple(
            (name, tuple(f"{share:.1f} %" for share in shares))
            for name, shares in zip(self.bins, columns, strict=True)
            if any(shares)
        )


def to_svg(chart: Chart, identity: str) -> Markup:
    """Draws a chart; the first series as filled bars, all of them as outlines over each other.

    Args:
        chart: What to draw.
        identity: A name for the element that is unique on the page.
    """
    top = _top([share for each in chart.series for share in each.shares])
    parts = [
        Markup('<svg viewBox="0 0 {} {}" role="img" aria-labelledby="{}">').format(
            WIDTH, HEIGHT, identity
        ),
        Markup('<title id="{}">{}</title>').format(identity, _describe(chart)),
    ]
    for tick in (0.0, top / 2, top):
        y = _y(tick, top)
        kind = "rule" if tick else "axis"
        parts.append(
            Markup('<line class="{}" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>').format(
                kind, _LEFT, WIDTH - _RIGHT, y, y
            )
        )
        parts.append(
            Markup('<text x="{}" y="{:.1f}" text-anchor="end">{:g} %</text>').format(
                _LEFT - 5, y + 4, tick
            )
        )
    parts.append(Markup('<path class="bars" d="{}"/>').format(_bars(chart.series[0].shares, top)))
    for number, each in enumerate(chart.series):
        parts.append(
            Markup('<path class="steps steps-{}" d="{}"><title>{}</title></path>').format(
                number % 4, _outline(each.shares, top), each.name
            )
        )
    for place, mark in _marks(chart).items():
        # A long one at the end would leave the picture.
        x = min(_x(place, len(chart.bins)), WIDTH - _CHARACTER * len(mark) / 2)
        parts.append(
            Markup('<text x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(
                x, HEIGHT - 7, mark
            )
        )
    return Markup("").join([*parts, Markup("</svg>")])


def share_bar(share: float) -> Markup:
    """A bar as long as a share, 0 to 1, of the room it has; for the eye only."""
    return Markup(
        '<svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect width="{:.2f}" height="10" rx="1"/></svg>'
    ).format(max(0.6, 100 * share))


def _describe(chart: Chart) -> str:
    peaks = []
    for each in chart.series:
        share = max(each.shares)
        if share:
            most = chart.bins[each.shares.index(share)]
            peaks.append(f"{each.name}: most often {most}, {share:.0f} %")
    return f"{chart.title}. {'; '.join(peaks) or 'Nothing to count'}."


def _marks(chart: Chart) -> Mapping[float, str]:
    if chart.marks is not None:
        return chart.marks
    longest = max(map(len, chart.bins))
    every = math.ceil(len(chart.bins) * (longest + 1) * _CHARACTER / (WIDTH - _LEFT))
    return {i + 0.5: name for i, name in enumerate(chart.bins) if i % every == 0}


def _top(shares: Sequence[float]) -> float:
    """The end of the y axis: a round number at or above the largest share."""
    largest = max(shares, default=0.0)
    return next((float(end) for end in (2, 4, 10, 20, 30, 40, 60, 80) if largest <= end), 100.0)


def _x(position: float, bins: int) -> float:
    return _LEFT + (WIDTH - _LEFT - _RIGHT) * position / bins


def _y(share: float, top: float) -> float:
    return HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * share / top


def _bars(shares: Sequence[float], top: float) -> str:
    gap = 0.08 if len(shares) < 40 else 0.0
    bottom = _y(0.0, top)
    return "".join(
        f"M{_x(i + gap, len(shares)):.1f} {bottom:.1f}V{_y(share, top):.1f}"
        f"H{_x(i + 1 - gap, len(shares)):.1f}V{bottom:.1f}Z"
        for i, share in enumerate(shares)
        if share
    )


def _outline(shares: Sequence[float], top: float) -> str:
    edges = "".join(
        f"V{_y(share, top):.1f}H{_x(i + 1.0, len(shares)):.1f}" for i, share in enumerate(shares)
    )
    return f"M{_x(0.0, 1):.1f} {_y(0.0, top):.1f}{edges}V{_y(0.0, top):.1f}"
