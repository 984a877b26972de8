import numpy as np
import pytest
from pieces import make_part, make_piece

from musicvae.data_pipeline.cut.windows import find_windows, reject_bars

NOTE = make_part((0, 60, 4))
REGULAR = make_piece(NOTE, bar_lines=range(0, 81, 16))
BROKEN = make_piece(NOTE, bar_lines=(0, 4, 20, 36, 52, 62, 78, 94))
SHORT = make_piece(NOTE, bar_lines=(0, 16))


@pytest.mark.parametrize(
    ("piece", "hop_bars", "first_steps", "start_bars", "found"),
    [
        (REGULAR, 1, [0, 16, 32, 48], [0, 1, 2, 3], []),
        (REGULAR, 3, [0, 48], [0, 3], []),
        (BROKEN, 1, [4, 20, 62], [1, 2, 5], ["2 bars that are no whole 4/4"]),
        (SHORT, 1, [], [], ["1 regular bar in a row"]),
    ],
)
def test_windows_start_at_bar_lines_of_regular_bars(
    piece, hop_bars, first_steps, start_bars, found
):
    windows = find_windows([piece], 2, hop_bars)
    assert windows.first_steps.tolist() == first_steps
    assert windows.start_bars.tolist() == start_bars
    assert [each.found for each in reject_bars(piece, 2)] == found


def test_wrong_bars_are_told_by_their_number():
    (rejection,) = reject_bars(make_piece(NOTE, bar_lines=(0, 10, 20, 36, 52)), 2)
    assert rejection.found == "2 bars that are no whole 4/4"


def test_the_windows_of_many_pieces_stand_in_a_row():
    windows = find_windows([REGULAR, SHORT, BROKEN], 2, 1)
    assert windows.sizes.tolist() == [4, 0, 3]
    np.testing.assert_array_equal(windows.first_steps, [0, 16, 32, 48, 4, 20, 62])
    assert len(find_windows([], 2, 1).first_steps) == 0
