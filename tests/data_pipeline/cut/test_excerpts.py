import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musicvae.data_pipeline.cut.excerpts import CutSettings, digest
from musicvae.errors import SettingError
from musicvae.representation import Melody

ROWS = st.lists(st.integers(-1, 600), min_size=1, max_size=40)


@given(ROWS, ROWS)
def test_equal_rows_alone_have_equal_digests(one, other):
    width = max(len(one), len(other))
    rows = np.full((2, width), -9, np.int32)
    rows[0, : len(one)], rows[1, : len(other)] = one, other
    first, second = digest(rows)
    assert (first == second) == (one == other)


def test_a_digest_is_the_same_on_every_machine():
    # A data set that was prepared elsewhere is compared with these numbers.
    rows = np.array([[0, 0, 0], [1, 2, 3], [-1, 511, 89]], np.int32)
    assert [f"{each:016x}" for each in digest(rows)] == [
        "0000000000000000",
        "2432e614acbdd50e",
        "4bbf234f99206713",
    ]


def test_permuted_rows_differ():
    rows = np.array([[1, 2, 3], [3, 2, 1], [2, 1, 3]], np.int32)
    assert len(set(digest(rows).tolist())) == 3


def test_a_hop_is_a_bar_at_least():
    with pytest.raises(SettingError, match="hop_bars=0; expected 1 to 1000"):
        CutSettings(representation=Melody(), hop_bars=0)


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({"melody": "best"}, "'best'"),
        ({"hop_bars": 2**63}, "hop_bars=9223372036854775808; expected 1 to 1000"),
        ({"representation": Melody(bars=1100)}, "bars=1100, 17,600 numbers an excerpt"),
    ],
)
def test_settings_that_no_piece_could_be_cut_by_are_refused_at_once(settings, found):
    with pytest.raises(SettingError, match=found):
        CutSettings(**{"representation": Melody(), **settings})
