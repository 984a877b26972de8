import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import works
from works import do

from musicvae.errors import SettingError
from musicvae.work import Batch, Limits, Pool

LIMITS = Limits(timeout_s=30.0, memory_bytes=64 * 1024**2)


def batches(*items):
    return [Batch(number=number, items=each) for number, each in enumerate(items)]


def run(*items, limits=LIMITS, workers=1):
    with Pool(do, limits, workers=workers) as pool:
        return [result for _, result in pool.run(batches(*items))]


def test_an_item_that_does_anything_harms_no_other():
    limits = Limits(timeout_s=1.0, memory_bytes=64 * 1024**2)
    done = run(
        (1, "crash", 2, "hang", 3), (4,), ("eat", 5, "crash together"), limits=limits, workers=2
    )
    assert done == [[1, "crashed", 2, "timed_out", 3], [4], ["too much", 5, "crashed"]]


def test_results_come_in_the_order_of_the_batches():
    assert run((0.5,), (1,), (2,), (3,), workers=2) == [[0.5], [1], [2], [3]]


def test_a_pool_goes_on_with_further_batches_and_may_have_more_workers_than_there_are():
    with Pool(do, LIMITS, workers=3) as pool:
        assert list(pool.run([])) == []
        for number in range(2):
            ((batch, result),) = pool.run([Batch(number=7 + number, items=(number,))])
            assert (batch.number, result) == (7 + number, [number])


def test_stopping_early_ends_the_processes():
    with Pool(do, LIMITS, workers=2) as pool:
        assert next(pool.run(batches((1,), ("hang",))))[1] == [1]
        start = time.monotonic()
    assert time.monotonic() - start < 10
    assert multiprocessing.active_children() == []


def test_work_that_can_t_write_says_so_to_the_caller():
    with pytest.raises(OSError, match="No space left") as caught:
        run((1,), ("full",))
    assert caught.value.filename == "a.bin"


def test_ctrl_c_is_the_parent_s_from_the_start(capfd):
    def give():
        yield from batches((1,))
        # The process was started a moment ago, and still imports.
        (process,) = multiprocessing.active_children()
        os.kill(process.pid, signal.SIGINT)

    handler = signal.getsignal(signal.SIGINT)
    with Pool(do, LIMITS, workers=1) as pool:
        ((_, result),) = pool.run(give())
    assert result == [1]
    assert signal.getsignal(signal.SIGINT) is handler
    assert capfd.readouterr().err == ""


_KILLED = """
from musicvae.work import Batch, Limits, Pool
from works import do
if __name__ == "__main__":
    with Pool(do, Limits(), workers=1) as pool:
        for batch, _ in pool.run([Batch(number=0, items=(1,)), Batch(number=1, items=("hang",))]):
            print(batch.number, flush=True)
"""


def test_workers_end_with_a_parent_that_is_killed():
    support = str(Path(works.__file__).parent)
    parent = subprocess.Popen(
        [sys.executable, "-P", "-c", _KILLED],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": support},
    )
    assert parent.stdout.readline() == b"0\n"
    children = psutil.Process(parent.pid).children()
    assert children
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert not psutil.wait_procs(children, timeout=10)[1]


@pytest.mark.parametrize("limit", [{"timeout_s": 0.0}, {"memory_bytes": -1}])
def test_a_limit_is_above_0(limit):
    with pytest.raises(SettingError, match="expected a number above 0"):
        Limits(**limit)
