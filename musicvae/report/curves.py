"""Plots of lines as SVG: one value of one or more series at each of some places."""

from dataclasses import dataclass

from markupsafe import Markup

from musicvae.report.axes import HEIGHT, WIDTH, Axes, widen


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One line: its name and its values."""

    name: str
    values: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Curves:
    """Several lines over the same places.

    Attributes:
        title: What was measured.
        about: What it means, in a sentence.
        x_name: What the places are.
        x: The places.
        curves: At least one, each with a value for every place.
        form: How a value is written in the table of figures.
    """

    title: str
    about: str
    x_name: str
    x: tuple[float, ...]
    curves: tuple[Curve, ...]
    form: str = ".3f"

    def __post_init__(self) -> None:
        assert self.curves and all(len(each.values) == len(self.x) for each in self.curves)

    @property
    def rows(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The figures as text: each place with the value of every series."""
        columns = zip(*(each.values for each in self.curves), strict=True)
        return tuple(
            (f"{x:g}", tuple(f"{value:{self.form}}" for value in values))
            for x, values in zip(self.x, columns, strict=True)
        )


def draw_curves(curves: Curves, identity: str) -> Markup:
    """Draws the lines.

    Args:
        curves: What to draw.
        identity: A name for the element that is unique on the page.
    """
    values = [value for each in curves.curves for value in each.values]
    bottom, top = widen(
        min(0.0, *values) if min(values) < 0.5 * max(values) else min(values), max(values)
    )
    axes = Axes(left=curves.x[0], right=curves.x[-1], bottom=bottom, top=top, x_name=curves.x_name)
    parts = [
        Markup('<svg viewBox="0 0 {} {}" role="img" aria-labelledby="{}">').format(
            WIDTH, HEIGHT, identity
        ),
        Markup('<title id="{}">{}</title>').format(identity, _describe(curves)),
        *axes.draw(),
    ]
    for number, each in enumerate(curves.curves):
        points = " ".join(
            f"{axes.x(x):.1f},{axes.y(value):.1f}"
            for x, value in zip(curves.x, each.values, strict=True)
        )
        parts.append(
            Markup(
                '<polyline class="steps steps-{}" points="{}"><title>{}</title></polyline>'
            ).format(number % 4, points, each.name)
        )
    return Markup("").join([*parts, Markup("</svg>")])


def _describe(curves: Curves) -> str:
    ends = (
        f"{each.name}: from {each.values[0]:{curves.form}} to {each.values[-1]:{curves.form}}"
        for each in curves.curves
    )
    return f"{curves.title}, by {curves.x_name}. {'; '.join(ends)}."
