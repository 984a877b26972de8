import re
from dataclasses import replace

import pytest

from musicvae.report.curves import Curve, Curves, draw_curves

CURVES = Curves(
    title="Distance <1>",
    about="How far.",
    x_name="way",
    x=(0.0, 0.5, 1.0),
    curves=(
        Curve(name="model", values=(0.0, 0.4, 0.5)),
        Curve(name="mixture", values=(0.0, 0.2, 0.5)),
    ),
)


def points(svg, number):
    found = re.findall(r'class="steps steps-\d" points="([^"]+)"', svg)[number]
    return [tuple(map(float, each.split(","))) for each in found.split()]


def test_every_value_has_a_point():
    svg = str(draw_curves(CURVES, "a"))
    model, mixture = (points(svg, number) for number in (0, 1))
    assert [x for x, _ in model] == [x for x, _ in mixture] == sorted(x for x, _ in model)
    assert model[0] == mixture[0]
    assert model[1][1] < mixture[1][1]  # higher up
    assert model[2] == mixture[2]


def test_the_picture_says_what_it_shows():
    svg = str(draw_curves(CURVES, "the-id"))
    assert 'aria-labelledby="the-id"' in svg
    title = re.search(r'<title id="the-id">(.*?)</title>', svg)[1]
    assert title == (
        "Distance &lt;1&gt;, by way. model: from 0.000 to 0.500; mixture: from 0.000 to 0.500."
    )


def test_figures_stand_beside_the_picture():
    assert CURVES.rows == (
        ("0", ("0.000", "0.000")), ("0.5", ("0.400", "0.200")), ("1", ("0.500", "0.500")),
    )  # fmt: skip


@pytest.mark.parametrize(
    "values", [(1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (0.97, 1.2, 1.0), (-1.0, 0, 3)]
)
def test_any_values_have_a_picture(values):
    curves = replace(CURVES, curves=(Curve(name="a", values=tuple(map(float, values))),))
    svg = str(draw_curves(curves, "a"))
    assert all(0 <= x <= 360 and 0 <= y <= 220 for x, y in points(svg, 0))


def test_a_line_without_all_places_is_our_mistake():
    with pytest.raises(AssertionError):
        replace(CURVES, x=(0.0, 1.0))
