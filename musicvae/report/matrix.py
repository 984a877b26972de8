"""A matrix of changes as SVG: a coloured cell for each, with its number."""

from dataclasses import dataclass

from markupsafe import Markup

_LABELS, _CELL_WIDTH, _CELL_HEIGHT, _HEAD = 104.0, 66.0, 26.0, 34.0
_COLUMNS = 5
"""The picture is at least so wide, so that the letters of a small matrix are as large."""

_FULL = 100.0
"""The change that has the full colour, in per cent."""


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """Changes in per cent.

    Attributes:
        title: What was done.
        about: What rows and columns are, in a sentence.
        names: Of rows and columns alike.
        cells: Row by row; None where there is nothing to say.
    """

    title: str
    about: str
    names: tuple[str, ...]
    cells: tuple[tuple[float | None, ...], ...]

    @property
    def rows(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The figures as text: each row with its cells."""
        return tuple(
            (name, tuple(_text(cell) for cell in row))
            for name, row in zip(self.names, self.cells, strict=True)
        )


def draw_matrix(matrix: Matrix, identity: str) -> Markup:
    """Draws the cells: one colour for more, another for less, paler for a small change.

    Args:
        matrix: What to draw.
        identity: A name for the element that is unique on the page.
    """
    width = _LABELS + _CELL_WIDTH * max(_COLUMNS, len(matrix.names))
    height = _HEAD + _CELL_HEIGHT * len(matrix.names)
    parts = [
        Markup('<svg viewBox="0 0 {:.0f} {:.0f}" role="img" aria-labelledby="{}">').format(
            width, height, identity
        ),
        Markup('<title id="{}">{}</title>').format(identity, matrix.title),
    ]
    for column, name in enumerate(matrix.names):
        x = _LABELS + _CELL_WIDTH * (column + 0.5)
        for line, word in enumerate(name.split(" ", 1)):
            parts.append(_label(x, 12.0 + 13 * line, word, "middle"))
    for row, (name, cells) in enumerate(zip(matrix.names, matrix.cells, strict=True)):
        y = _HEAD + _CELL_HEIGHT * row
        parts.append(_label(_LABELS - 6, y + 17, name, "end"))
        for column, cell in enumerate(cells):
            x = _LABELS + _CELL_WIDTH * column
            share = 0.0 if cell is None else min(1.0, abs(cell) / _FULL)
            kind = "less" if cell is not None and cell < 0 else "more"
            parts.append(
                Markup(
                    '<rect class="{}" x="{:.0f}" y="{:.0f}" width="{:.0f}" height="{:.0f}" '
                    'fill-opacity="{:.2f}"/>'
                ).format(kind, x + 1, y + 1, _CELL_WIDTH - 2, _CELL_HEIGHT - 2, 0.7 * share)
            )
            parts.append(
                Markup(
                    '<text class="cell" x="{:.0f}" y="{:.0f}" text-anchor="middle">{}</text>'
                ).format(x + _CELL_WIDTH / 2, y + 17, _text(cell))
            )
    return Markup("").join([*parts, Markup("</svg>")])


def _label(x: float, y: float, text: str, anchor: str) -> Markup:
    return Markup('<text x="{:.0f}" y="{:.0f}" text-anchor="{}">{}</text>').format(
        x, y, anchor, text
    )


def _text(cell: float | None) -> str:
    return "none" if cell is None else f"{round(cell):+d}"
