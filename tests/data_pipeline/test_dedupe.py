from hypothesis import given
from hypothesis import strategies as st

from musicvae.data_pipeline.dedupe import Deduper, Kept, order_of_splits


def test_training_comes_last():
    assert order_of_splits(["train", "validation", "test"]) == ["validation", "test", "train"]
    assert order_of_splits(["test"]) == ["test"]


def test_the_first_of_each_is_kept_and_no_other_split_gets_it():
    deduper = Deduper()
    assert deduper.keep([b"a", b"b", b"a"], "test") == Kept((0, 1), duplicates=1, leaks=0)
    assert deduper.keep([b"b", b"c"], "test") == Kept((1,), duplicates=1, leaks=0)
    assert deduper.keep([b"c", b"d", b"a", b"d"], "train") == Kept((1,), duplicates=1, leaks=2)


@given(st.lists(st.tuples(st.sampled_from(["test", "train"]), st.lists(st.integers(0, 9)))))
def test_every_excerpt_is_kept_exactly_once(groups):
    deduper = Deduper()
    kept = []
    for split in ("test", "train"):
        for side, numbers in groups:
            if side == split:
                shapes = [bytes([number]) for number in numbers]
                result = deduper.keep(shapes, split)
                assert len(result.indices) + result.duplicates + result.leaks == len(shapes)
                kept += [shapes[index] for index in result.indices]
    everything = {bytes([number]) for _, numbers in groups for number in numbers}
    assert sorted(kept) == sorted(everything)
