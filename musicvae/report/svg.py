"""Matplotlib's figures as SVG that a page can hold.

Conventions: a page's style sheet gives shapes and letters their colours, in light and in dark, and
the page's policy forbids styles inside elements. So a figure keeps only shapes, texts and the
classes that `mark` gives. A unit of the SVG is a point: 72 are an inch of the figure.
"""

import io
import re
from collections.abc import Callable, Iterator
from xml.etree import ElementTree as ET

from markupsafe import Markup
from matplotlib import rc_context
from matplotlib.artist import Artist
from matplotlib.figure import Figure

_MARK = "class:"
_SVG = "{http://www.w3.org/2000/svg}"


def mark(artist: Artist, classes: str, title: str = "") -> None:
    """Gives a part of a figure its classes for the style sheet, and a title for a tooltip."""
    artist.set_gid(f"{_MARK}{classes}:{title}")


def draw_svg(size: tuple[float, float], title: str, draw: Callable[[Figure], None]) -> Markup:
    """Draws a figure as an `svg` element; equal figures give equal text.

    Args:
        size: Width and height of the figure.
        title: The text that a screen reader says instead of the picture.
        draw: Draws into the empty figure: lines without clipping, and texts that are horizontal
            and of one line.
    """
    width, height = size
    file = io.StringIO()
    with rc_context(
        {
            "font.size": 11,
            "svg.fonttype": "none",
            "svg.hashsalt": "musicvae",
            "text.parse_math": False,
        }
    ):
        figure = Figure(figsize=(width / 72, height / 72), frameon=False)
        draw(figure)
        figure.savefig(file, format="svg", metadata={"Date": None})
    root = ET.fromstring(file.getvalue())  # noqa: S314  # our own text
    start = Markup('<svg viewBox="0 0 {:g} {:g}" role="img"><title>{}</title>')
    return Markup("").join([start.format(width, height, title), *_convert(root), Markup("</svg>")])


def _convert(element: ET.Element) -> Iterator[Markup]:
    """Keeps paths, texts and marked groups of an element, without matplotlib's styles."""
    kind = element.tag.removeprefix(_SVG)
    style = dict(re.findall(r"([\w-]+): ([^;]+)", element.get("style", "")))
    if kind == "path":
        path = re.sub(r"\s+", " ", _round(element.attrib["d"])).strip()
        paleness = Markup(' opacity="{}"').format(style["opacity"]) if "opacity" in style else ""
        yield Markup('<path d="{}"{}/>').format(path, paleness)
    elif kind == "text":
        yield Markup('<text x="{}" y="{}" text-anchor="{}">{}</text>').format(
            _round(element.attrib["x"]),
            _round(element.attrib["y"]),
            style.get("text-anchor", "start"),
            element.text,
        )
    elif kind in {"svg", "g"}:
        identity = element.get("id", "")
        children = Markup("").join(part for child in element for part in _convert(child))
        if identity.startswith(_MARK):
            classes, title = identity.removeprefix(_MARK).split(":", 1)
            tooltip = Markup("<title>{}</title>").format(title) if title else ""
            children = Markup('<g class="{}">{}{}</g>').format(classes, tooltip, children)
        yield children


def _round(text: str) -> str:
    """Rounds each number in a text to a tenth of a point."""
    return re.sub(r"-?\d+\.\d+", lambda number: f"{float(number[0]):.1f}", text)
