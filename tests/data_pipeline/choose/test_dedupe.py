import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musicvae.data_pipeline.choose import dedupe
from musicvae.data_pipeline.choose.dedupe import (
    COMMON,
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


def decided(*groups, has_training=True, **settings):
    """The outcome and the count of each row."""
    chunks = [make_shapes(rows) for rows in groups]
    with tempfile.TemporaryDirectory() as folder:
        paths = Path(folder, "outcomes"), Path(folder, "counts")
        kept = decide(
            lambda: chunks, sum(map(len, groups)), *paths, has_training=has_training, **settings
        )
        outcomes = list(paths[0].read_bytes())
        counts = np.frombuffer(paths[1].read_bytes(), np.uint32).tolist()
    assert kept == outcomes.count(KEPT)
    return outcomes, counts


def judged(*groups, **settings):
    return decided(*groups, **settings)[0]


def test_training_comes_first():
    assert order_of_splits(["validation", "test", "train"]) == ["train", "validation", "test"]
    assert order_of_splits(["test"]) == ["test"]


def test_the_first_of_each_is_kept():
    assert judged([(5, 0), (6, 0), (5, 0)], [(6, 0), (7, 0)]) == [
        KEPT, KEPT, DUPLICATE, DUPLICATE, KEPT,
    ]  # fmt: skip


def test_the_first_of_two_measuring_splits_keeps_an_excerpt():
    assert judged([(5, 2), (6, 2), (6, 2)], [(5, 1), (5, 1)]) == [
        LEAK, KEPT, DUPLICATE, KEPT, DUPLICATE,
    ]  # fmt: skip


def test_training_keeps_what_it_has_and_each_measuring_split_gets_one_common_copy():
    assert judged([(5, 2), (5, 1), (5, 1), (5, 2)], [(5, 0), (5, 0)]) == [
        COMMON, COMMON, DUPLICATE, DUPLICATE, KEPT, DUPLICATE,
    ]  # fmt: skip


def test_without_training_nothing_is_common():
    assert judged([(5, 1), (5, 0)], has_training=False) == [LEAK, KEPT]


def test_a_count_is_of_the_copies_in_the_same_split():
    assert decided([(5, 1), (5, 0), (6, 1)], [(5, 1), (5, 1), (7, 2)])[1] == [3, 1, 1, 3, 3, 1]


def test_nothing_is_nothing():
    assert judged() == judged([]) == []


def test_a_digest_has_all_its_bits():
    digests = [0, 1, 1 << 32, 1 << 63, 2**64 - 1]
    assert judged([(each, 0) for each in digests], rows_at_once=2) == [KEPT] * 5


def test_outcomes_are_written_part_by_part(monkeypatch):
    monkeypatch.setattr(dedupe, "_MAPPED_BYTES", 8)
    assert judged([(5, 0), (6, 0), (5, 0)], [(6, 0), (7, 0)]) == [
        KEPT, KEPT, DUPLICATE, DUPLICATE, KEPT,
    ]  # fmt: skip


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_told_before_the_file_is_mapped():
    with pytest.raises(OSError, match="No space left"):
        decide(
            lambda: [make_shapes([(1, 0)])],
            1,
            Path("/dev/full"),
            Path("/dev/full"),
            has_training=True,
        )


def test_a_reader_that_changes_is_our_mistake(tmp_path):
    with pytest.raises(AssertionError):
        decide(
            lambda: [make_shapes([(1, 0)])],
            2,
            tmp_path / "outcomes",
            tmp_path / "counts",
            has_training=True,
        )


def slowly(rows, has_training):
    """The same, row by row as the rule says it."""
    seen, outcomes = {}, [KEPT] * len(rows)
    for wanted in sorted({rank for _, rank in rows}):
        for row, (digest, rank) in enumerate(rows):
            if rank == wanted:
                holders = seen.setdefault(digest, [])
                if rank in holders:
                    outcomes[row] = DUPLICATE
                elif holders:
                    is_common = has_training and holders[0] == 0
                    outcomes[row] = COMMON if is_common else LEAK
                    if not is_common:
                        continue
                holders.append(rank)
    return outcomes, [rows.count(row) for row in rows]


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
    st.booleans(),
)  # fmt: skip
def test_outcomes_and_counts_equal_a_search_row_by_row(groups, rows_at_once, has_training):
    rows = [row for group in groups for row in group]
    found = decided(*groups, rows_at_once=rows_at_once, has_training=has_training)
    assert found == slowly(rows, has_training)
