import re
from dataclasses import replace

import pytest

from musicvae.report.charts import Bars, Curves, Matrix, Series

BARS = Bars(
    title="Pitch <b>",
    about="Notes.",
    bins=("a", "b", "c"),
    series=(
        Series(name="train", values=(1.0, 3.0, 0.0)),
        Series(name="test", values=(0.0, 0.0, 0.0)),
    ),
)
CURVES = Curves(
    title="Distance <1>",
    about="How far.",
    x_name="way",
    x=(0.0, 0.5, 1.0),
    series=(
        Series(name="model", values=(0.0, 0.4, 0.5)),
        Series(name="mixture", values=(0.0, 0.2, 0.5)),
    ),
)
MATRIX = Matrix(
    title="Vector added",
    about="In %.",
    names=("note density", "c <diatonic>"),
    cells=((50.4, -200.0), (-0.3, None)),
)


def points(svg, series):
    path = re.search(rf'steps-{series}"><title>[^<]*</title><path d="([^"]*)"', svg)[1]
    return [(float(x), float(y)) for x, y in re.findall(r"[ML] (\S+) (\S+)", path)]


def test_bars_show_shares_of_each_series():
    svg = BARS.to_svg()
    assert BARS.rows == (("a", ("25.0 %", "0.0 %")), ("b", ("75.0 %", "0.0 %")))
    assert "<title>Pitch &lt;b&gt;. train: most often b, 75 %.</title>" in svg
    assert svg.count('class="bars"') == 1 and svg.count('class="steps ') == 2
    heights = {y for _, y in points(svg, 0)}
    zero, low, high = sorted(heights, reverse=True)
    assert zero - high == pytest.approx(3 * (zero - low), abs=0.2)


def test_long_names_of_bins_leave_each_other_room():
    bins = tuple(f"between {i} and {i + 1}" for i in range(20))
    chart = replace(BARS, bins=bins, series=(Series(name="a", values=(1.0,) * 20),))
    assert 1 < chart.to_svg().count(">between") < 5


def test_curves_have_a_point_for_each_value():
    svg = CURVES.to_svg()
    model, mixture = points(svg, 0), points(svg, 1)
    assert [x for x, _ in model] == [x for x, _ in mixture] == sorted(x for x, _ in model)
    assert model[0] == mixture[0] and model[2] == mixture[2]
    assert model[1][1] < mixture[1][1]  # higher up
    assert CURVES.rows[1] == ("0.5", ("0.400", "0.200"))
    assert "by way. model: from 0.000 to 0.500; mixture: from 0.000 to 0.500.</title>" in svg


@pytest.mark.parametrize(
    "values", [(1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (0.97, 1.2, 1.0), (-1.0, 0.0, 3.0), (5.0,)]
)
def test_any_values_have_a_picture(values):
    curves = replace(CURVES, x=CURVES.x[: len(values)], series=(Series(name="a", values=values),))
    assert all(0 <= x <= 360 and 0 <= y <= 220 for x, y in points(curves.to_svg(), 0))


@pytest.mark.parametrize("values", [(1.0, 1.0), (0.0, 0.0), (0.001, 0.0013), (5.0, 104.0)])
def test_rules_stand_at_round_numbers_around_all_values(values):
    curves = replace(CURVES, x=CURVES.x[:2], series=(Series(name="a", values=values),))
    numbers = re.findall(r'text-anchor="end">([^<]*)<', curves.to_svg())
    found = [float(number.replace("\N{MINUS SIGN}", "-")) for number in numbers]
    assert found[0] <= min(values) <= max(values) <= found[-1]
    assert all(len(number.strip("-0.")) <= 3 for number in numbers)


def test_a_series_without_all_values_is_our_mistake():
    with pytest.raises(AssertionError):
        replace(CURVES, x=(0.0, 1.0))


def test_cells_are_coloured_by_their_change():
    svg = MATRIX.to_svg()
    cells = re.findall(r'<g class="(more|less)"><path d="[^"]*" opacity="([\d.]+)"', svg)
    assert [kind for kind, _ in cells] == ["more", "less", "less", "more"]
    shades = [float(shade) for _, shade in cells]
    assert shades[1] > shades[0] > shades[2] >= shades[3] == 0
    assert re.findall(r'class="cell"><text.*?>(.*?)<', svg) == ["+50", "-200", "+0", "none"]
    assert MATRIX.rows == (("note density", ("+50", "-200")), ("c <diatonic>", ("+0", "none")))
    assert "c &lt;diatonic&gt;" in svg
