import multiprocessing
import time

import pytest

from musicvae.data_pipeline.workers import Failure, run

# `eval` is a function that every process has, and it can crash, hang or raise.
CRASH = "__import__('os')._exit(3)"
HANG = "__import__('time').sleep(600)"


def results(items, *, workers=1, timeout_s=30.0):
    outcomes = list(run(eval, items, workers=workers, timeout_s=timeout_s))
    assert sorted(outcome.index for outcome in outcomes) == list(range(len(items)))
    return [outcome.result for outcome in sorted(outcomes, key=lambda outcome: outcome.index)]


def test_an_item_that_crashes_hangs_or_raises_harms_no_other():
    start = time.monotonic()
    found = results(["1+1", CRASH, "2+2", HANG, "1/0", "3+3"], workers=2, timeout_s=1.0)
    assert [found[0], found[2], found[5]] == [2, 4, 6]
    assert found[1] == Failure("crashed", "a process that ended with 3")
    assert found[3] == Failure("timed_out", "more than 1 s of reading")
    assert found[4] == Failure("unreadable", "ZeroDivisionError: division by zero")
    assert time.monotonic() - start < 60


@pytest.mark.parametrize(("last", "timeout_s"), [(CRASH, 30.0), (HANG, 0.5)])
def test_no_process_is_started_for_nothing(last, timeout_s):
    outcomes = run(eval, ["1", last], workers=1, timeout_s=timeout_s)
    assert next(outcomes).result == 1
    assert isinstance(next(outcomes).result, Failure)
    assert multiprocessing.active_children() == []
    assert list(outcomes) == []


def test_there_may_be_more_workers_than_items():
    assert results([], workers=4) == []
    assert results(["5"], workers=4) == [5]


def test_stopping_early_ends_the_processes():
    outcomes = run(eval, ["1", HANG, HANG], workers=2, timeout_s=600.0)
    assert next(outcomes).result == 1
    start = time.monotonic()
    outcomes.close()
    assert time.monotonic() - start < 10


def test_too_much_memory_is_the_items_own_failure():
    (found,) = results(["len(bytearray(1 << 40))"])
    assert found.reason == "unreadable"
    assert "MemoryError" in found.found
