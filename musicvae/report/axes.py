"""The frame of a plot of lines: from numbers to places, and round numbers beside them.

Conventions: places are in units of an SVG of `WIDTH` by `HEIGHT`, which a page stretches.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

WIDTH, HEIGHT = 360, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 10, 14, 40
_TICKS = 5


@dataclass(frozen=True, kw_only=True)
class Axes:
    """The ranges that a plot shows.

    Attributes:
        left: The x at the left edge.
        right: The x at the right edge.
        bottom: The y at the lower edge.
        top: The y at the upper edge.
        x_name: What x is.
    """

    left: float
    right: float
    bottom: float
    top: float
    x_name: str

    def x(self, value: float) -> float:
        share = (value - self.left) / ((self.right - self.left) or 1)
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * share

    def y(self, value: float) -> float:
        share = (value - self.bottom) / ((self.top - self.bottom) or 1)
        return HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * share

    def draw(self) -> Iterator[Markup]:
        """The rules with their numbers, and the name of x."""
        for tick in round_numbers(self.bottom, self.top):
            y = self.y(tick)
            kind = "axis" if tick == self.bottom else "rule"
            yield Markup('<line class="{}" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>').format(
                kind, _LEFT, WIDTH - _RIGHT, y, y
            )
            yield Markup('<text x="{}" y="{:.1f}" text-anchor="end">{:g}</text>').format(
                _LEFT - 5, y + 4, tick
            )
        for tick in round_numbers(self.left, self.right):
            yield Markup('<text x="{:.1f}" y="{}" text-anchor="middle">{:g}</text>').format(
                self.x(tick), HEIGHT - _BOTTOM + 15, tick
            )
        yield Markup('<text x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(
            (_LEFT + WIDTH - _RIGHT) / 2, HEIGHT - 6, self.x_name
        )


def round_numbers(low: float, high: float) -> list[float]:
    """Some round numbers from `low` to `high`, both included where they are round.

    >>> round_numbers(0.0, 1.0), round_numbers(1.0, 15.0)
    ([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], [5.0, 10.0, 15.0])
    """
    step = _round_step(low, high)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(number * step, 10) for number in range(first, last + 1)]


def widen(low: float, high: float) -> tuple[float, float]:
    """The nearest round numbers that have a range between them."""
    step = _round_step(low, high)
    return math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step


def _round_step(low: float, high: float) -> float:
    rough = (high - low or 1.0) / _TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * (1 - 1e-9))
