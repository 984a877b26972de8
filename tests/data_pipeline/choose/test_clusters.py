import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musicvae.data_pipeline.choose import clusters, signature_file
from musicvae.data_pipeline.choose.clusters import Pairs, find_pairs, join_clusters
from musicvae.data_pipeline.choose.signature_file import SignatureFile
from musicvae.data_pipeline.cut.likeness import HASHES, LEAST_LIKENESS

NO_PAIRS = Pairs(
    first=np.zeros(0, np.int32), second=np.zeros(0, np.int32), likenesses=np.zeros(0, np.float32)
)


def make_signatures(count, seed=0):
    return np.random.default_rng(seed).integers(0, 2**32, (count, HASHES), dtype=np.uint32)


@pytest.fixture
def pairs_of(tmp_path):
    """The pairs of some signatures that are added a few at a time."""

    def find(rows):
        with SignatureFile(tmp_path / "signatures") as signatures:
            for start in range(0, len(rows), 7):
                signatures.add(rows[start : start + 7])
            return find_pairs(signatures)

    return find


def listed(pairs):
    return list(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))


def slowly(rows):
    """All pairs that are alike and have a band in common, one by one."""
    found = {}
    for one in range(len(rows)):
        for other in range(one + 1, len(rows)):
            are_equal = rows[one] == rows[other]
            if are_equal.reshape(-1, 2).all(axis=1).any() and are_equal.mean() >= LEAST_LIKENESS:
                found[one, other] = are_equal.mean()
    return found


def test_pairs_are_found_once_and_in_order(pairs_of):
    rows = make_signatures(10)
    pairs = pairs_of(np.array([*rows, rows[3], rows[7], rows[3]]))
    assert listed(pairs) == [(3, 10), (3, 12), (7, 11), (10, 12)]
    assert pairs.likenesses.tolist() == [1.0] * 4


@pytest.mark.parametrize("at_once", [1, 40, 1 << 21])
def test_pairs_equal_a_search_over_all_pairs(pairs_of, monkeypatch, at_once):
    monkeypatch.setattr(clusters, "_PAIRS_AT_ONCE", at_once)
    monkeypatch.setattr(signature_file, "_BLOCK_ROWS", 16)
    random = np.random.default_rng(1)
    rows = make_signatures(8)[random.integers(0, 8, 60)]
    is_changed = random.random(rows.shape) < random.random((60, 1))
    rows[is_changed] = make_signatures(60, seed=2)[is_changed]
    expected = slowly(rows)
    assert 10 < len(expected) < 200
    pairs = pairs_of(rows)
    assert listed(pairs) == list(expected)
    np.testing.assert_allclose(pairs.likenesses, list(expected.values()))


def test_a_thousand_copies_make_few_pairs_and_one_cluster(pairs_of):
    rows = make_signatures(3)
    pairs = pairs_of(np.array([rows[number % 3] for number in range(3000)]))
    assert len(pairs.first) < 3000
    found = join_clusters(pairs, np.arange(3000, dtype=np.uint64))
    np.testing.assert_array_equal(found, np.arange(3000) % 3)


def test_others_are_not_alike(pairs_of):
    assert listed(pairs_of(make_signatures(100))) == []


def test_nothing_has_no_pairs(pairs_of):
    assert listed(pairs_of(np.zeros((0, HASHES), np.uint32))) == []
    assert len(join_clusters(NO_PAIRS, np.zeros(0, np.uint64))) == 0


def test_signatures_are_read_as_they_were_added_and_leave_no_file(tmp_path, monkeypatch):
    monkeypatch.setattr(signature_file, "_BLOCK_ROWS", 10)
    rows = make_signatures(64)
    with SignatureFile(tmp_path / "signatures") as signatures:
        for start, end in ((0, 3), (3, 3), (3, 40), (40, 41), (41, 64)):
            signatures.add(rows[start:end])
            assert len(signatures) == end
            np.testing.assert_array_equal(signatures.column(5), rows[:end, 5])
        for number in range(HASHES):
            np.testing.assert_array_equal(signatures.column(number), rows[:, number])
    assert list(tmp_path.iterdir()) == []


def test_a_long_chain_is_one_cluster():
    chain = np.random.default_rng(0).permutation(1000).astype(np.int32)
    ends = np.sort(np.stack([chain[:-1], chain[1:]]), axis=0)
    pairs = Pairs(first=ends[0], second=ends[1], likenesses=np.ones(999, np.float32))
    assert set(join_clusters(pairs, np.arange(1000, dtype=np.uint64))) == {0}


@settings(max_examples=100)
@given(
    st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=15),
    st.lists(st.integers(0, 30), min_size=20, max_size=20),
)
def test_clusters_are_connected_pieces(edges, keys):
    first, second = np.array(edges, np.int32).reshape(-1, 2).T
    pairs = Pairs(first=first, second=second, likenesses=np.ones(len(edges), np.float32))
    found = join_clusters(pairs, np.array(keys, np.uint64)).tolist()
    for one, other in edges:
        assert found[one] == found[other]
    for one in range(20):
        assert found[one] == min(n for n in range(20) if found[n] == found[one])
        for other in range(20):
            if keys[one] == keys[other]:
                assert found[one] == found[other]
    joined = len(set(found))
    assert joined >= len(set(keys)) - len(edges)
