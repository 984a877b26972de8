from collections import Counter

import numpy as np
import pytest

from musicvae.data_pipeline.split import assign_clusters, assign_split, parse_shares
from musicvae.errors import SettingError

SHARES = {"train": 0.8, "validation": 0.1, "test": 0.1}


def test_shares_are_read():
    assert parse_shares("train=0.8, validation=0.1,test=0.1") == SHARES
    assert parse_shares("test=1") == {"test": 1.0}
    assert parse_shares("a=0.333333,b=0.333333,c=0.333334") is not None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "train",
        "train=0.8",
        "train=0.8,test=0.3",
        "train=1.2,test=-0.2",
        "train=1,test=0",
        "train=0.5,train=0.5",
        "train=0.5=0.5",
        "../train=1",
        "train=nan",
        "train=x",
    ],
)
def test_shares_that_are_no_whole_are_refused(text):
    with pytest.raises(SettingError, match="sum to 1"):
        parse_shares(text)


def test_pieces_fall_on_sides_by_their_shares():
    sides = Counter(assign_split(f"piece {number}", SHARES) for number in range(10_000))
    assert sides["train"] == pytest.approx(8000, abs=150)
    assert sides["validation"] == pytest.approx(1000, abs=120)


def test_a_side_is_kept_for_ever():
    """Golden: a change here would move pieces of every data set from test to training."""
    sides = [assign_split(key, SHARES) for key in ("acacia", "001", "tune 3", "piece 5", "é")]
    assert sides == ["train", "train", "validation", "test", "train"]


def test_the_whole_goes_to_one():
    assert {assign_split(str(number), {"test": 1.0}) for number in range(100)} == {"test"}


def test_pieces_alone_go_by_their_own_keys():
    keys = [f"piece {number}" for number in range(50)]
    found = assign_clusters(np.arange(50), keys, [None] * 50, SHARES)
    assert found == [assign_split(key, SHARES) for key in keys]


def test_a_cluster_goes_by_its_smallest_key():
    keys = ["tune 3", "acacia", "piece 5", "tune 3"]  # validation, train, test
    clusters = np.array([0, 0, 2, 3])
    found = assign_clusters(clusters, keys, [None] * 4, SHARES)
    assert found == ["train", "train", "test", "validation"]
    backwards = assign_clusters(clusters[::-1], keys[::-1], [None] * 4, SHARES)
    assert backwards == found[::-1]


def test_a_split_of_its_own_rules_and_the_rest_of_the_cluster_follows_where_it_is_measured():
    keys = ["acacia", "a", "b", "c", "d"]
    given = ["train", "test", None, "dev", None]
    clusters = np.array([0, 0, 0, 0, 4])
    found = assign_clusters(clusters, keys, given, SHARES)
    assert found[:4] == ["train", "test", "test", "test"]
    assert found[4] == assign_split("d", SHARES)
