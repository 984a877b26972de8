import pytest

from musicvae.report.axes import HEIGHT, WIDTH, Axes, round_numbers, widen

AXES = Axes(left=0.0, right=10.0, bottom=-1.0, top=1.0, x_name="bars")


def test_a_larger_value_stands_further_right_or_higher():
    assert 0 < AXES.x(0.0) < AXES.x(5.0) < AXES.x(10.0) < WIDTH
    assert 0 < AXES.y(1.0) < AXES.y(0.0) < AXES.y(-1.0) < HEIGHT


def test_a_single_value_has_a_place():
    flat = Axes(left=1.0, right=1.0, bottom=2.0, top=2.0, x_name="")
    assert (flat.x(1.0), flat.y(2.0)) == (AXES.x(0.0), AXES.y(-1.0))


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.0, 1.0, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (1.0, 15.0, [5, 10, 15]),
        (-0.3, 0.3, [-0.2, 0, 0.2]),
        (0.97, 1.5, [1, 1.2, 1.4]),
        (3.0, 3.0, [3]),
    ],
)
def test_round_numbers_lie_in_the_range(low, high, expected):
    assert round_numbers(low, high) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("low", "high"), [(0.0, 1.0), (0.97, 1.57), (-3.2, 7.9), (0.001, 0.0013), (5.0, 5.0)]
)
def test_a_range_is_widened_to_round_numbers(low, high):
    bottom, top = widen(low, high)
    assert bottom <= low <= high <= top
    assert top - bottom <= 1.5 * (high - low) or low == high
    ticks = round_numbers(bottom, top)
    assert ticks[0] == pytest.approx(bottom)
    assert ticks[-1] == pytest.approx(top)


def test_the_rules_have_their_numbers():
    text = "".join(AXES.draw())
    assert text.count("<line") == 5
    assert text.count('class="axis"') == 1
    assert ">bars</text>" in text
    assert ">-0.5</text>" in text
