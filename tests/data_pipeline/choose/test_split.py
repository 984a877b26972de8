from collections import Counter

import numpy as np
import pytest

from musicvae.data_pipeline.choose.split import (
    assign_clusters,
    assign_sides,
    hash_key,
    parse_shares,
)
from musicvae.errors import SettingError

SHARES = {"train": 0.8, "validation": 0.1, "test": 0.1}


def hashed(keys):
    return np.array([hash_key(key) for key in keys], np.uint64)


def named(sides, shares):
    return [list(shares)[side] for side in sides]


def sides_of(keys, shares=SHARES):
    return named(assign_sides(hashed(keys), shares), shares)


def clustered(clusters, keys, given):
    """The sides of pieces whose clusters have these as their smallest keys."""
    places = {name: place for place, name in enumerate(SHARES)}
    given = np.array([places.get(name, -1) for name in given], np.int32)
    return named(assign_clusters(np.array(clusters, np.int32), hashed(keys), given, SHARES), SHARES)


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
        "train=0.5,test_common=0.5",
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
    sides = Counter(sides_of(f"piece {number}" for number in range(10_000)))
    assert sides["train"] == pytest.approx(8000, abs=150)
    assert sides["validation"] == pytest.approx(1000, abs=120)


def test_a_side_is_kept_for_ever():
    """Golden: a change here would move pieces of every data set from test to training."""
    sides = sides_of(("acacia", "001", "tune 3", "piece 5", "é"))
    assert sides == ["train", "train", "validation", "test", "train"]


def test_a_share_of_one_takes_everything():
    assert set(sides_of(map(str, range(100)), {"test": 1.0})) == {"test"}


def test_shares_that_fall_short_by_rounding_leave_no_gap():
    highest = np.array([2**64 - 1], np.uint64)
    assert assign_sides(highest, {"a": 0.333333, "b": 0.333333, "c": 0.333333}) == [2]


def test_pieces_alone_go_by_their_own_keys():
    keys = [f"piece {number}" for number in range(50)]
    assert clustered(range(50), keys, [None] * 50) == sides_of(keys)


def test_a_cluster_goes_by_its_key():
    keys = ["acacia", "acacia", "piece 5", "tune 3"]
    assert clustered([0, 0, 2, 3], keys, [None] * 4) == ["train", "train", "test", "validation"]


def test_a_split_of_its_own_rules_and_the_rest_of_the_cluster_follows_where_it_is_measured():
    keys = ["a", "a", "a", "a", "d", "a", "a"]
    given = ["train", "test", None, "dev", None, "validation", "train"]
    found = clustered([0, 0, 0, 0, 4, 0, 0], keys, given)
    assert found[:4] == ["train", "test", "test", "test"]
    assert found[4:] == [*sides_of(["d"]), "validation", "train"]


def test_a_cluster_given_to_training_alone_is_trained_on():
    assert clustered([0, 0], ["piece 5", "piece 5"], ["train", None]) == ["train", "train"]
