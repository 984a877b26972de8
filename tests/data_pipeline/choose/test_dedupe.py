import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musicvae.data_pipeline.choose import dedupe
from musicvae.data_pipeline.choose.dedupe import (
    DUPLICATE,
    KEPT,
    LEAK,
    Shapes,
    decide,
    order_of_splits,
)


def make_shapes(rows):
    return Shapes(
        digests=np.array([digest for digest, _ in rows], np.uint64),
        ranks=np.array([rank for _, rank in rows], np.uint8),
    )


def judged(*groups, **settings):
    chunks = [make_shapes(rows) for rows in groups]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "outcomes")
        kept = decide(lambda: chunks, sum(map(len, groups)), path, **settings)
        outcomes = list(path.read_bytes())
    assert kept == outcomes.count(KEPT)
    return outcomes


def test_training_comes_last():
    assert order_of_splits(["train", "validation", "test"]) == ["validation", "test", "train"]
    assert order_of_splits(["test"]) == ["test"]


def test_the_first_of_each_is_kept():
    assert judged([(5, 0), (6, 0), (5, 0)], [(6, 0), (7, 0)]) == [
        KEPT, KEPT, DUPLICATE, DUPLICATE, KEPT,
    ]  # fmt: skip


def test_a_later_rank_gives_way_wherever_it_stands():
    assert judged([(5, 1), (6, 1), (6, 1)], [(5, 0), (5, 0)]) == [
        LEAK, KEPT, DUPLICATE, KEPT, DUPLICATE,
    ]  # fmt: skip


def test_nothing_is_nothing():
    assert judged() == judged([]) == []


def test_a_digest_has_all_its_bits():
    digests = [0, 1, 1 << 32, 1 << 63, 2**64 - 1]
    assert judged([(each, 0) for each in digests], rows_at_once=2) == [KEPT] * 5


def test_outcomes_are_written_part_by_part(monkeypatch):
    monkeypatch.setattr(dedupe, "_MAPPED_BYTES", 2)
    assert judged([(5, 0), (6, 0), (5, 0)], [(6, 0), (7, 0)]) == [
        KEPT, KEPT, DUPLICATE, DUPLICATE, KEPT,
    ]  # fmt: skip


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_told_before_the_file_is_mapped():
    with pytest.raises(OSError, match="No space left"):
        decide(lambda: [make_shapes([(1, 0)])], 1, Path("/dev/full"))


def test_a_reader_that_changes_is_our_mistake(tmp_path):
    with pytest.raises(AssertionError):
        decide(lambda: [make_shapes([(1, 0)])], 2, tmp_path / "outcomes")


def slowly(rows):
    """The same, one by one as the rule says it."""
    holders, outcomes = {}, [KEPT] * len(rows)
    for wanted in sorted({rank for _, rank in rows}):
        for row, (digest, rank) in enumerate(rows):
            if rank == wanted:
                holder = holders.setdefault(digest, (rank, row))
                if holder != (rank, row):
                    outcomes[row] = DUPLICATE if holder[0] == rank else LEAK
    return outcomes


@given(
    st.lists(
        st.lists(
            st.tuples(st.integers(0, 9).map(lambda n: n * 0x9E3779B97F4A7C15 % 2**64),
                      st.integers(0, 2)),
            max_size=12,
        ),
        max_size=5,
    ),
    st.integers(1, 40),
)  # fmt: skip
def test_outcomes_equal_a_search_row_by_row(groups, rows_at_once):
    rows = [row for group in groups for row in group]
    assert judged(*groups, rows_at_once=rows_at_once) == slowly(rows)
