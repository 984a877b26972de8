import asyncio
import threading
from contextlib import aclosing

import pytest

from musicvae.errors import BusyError
from musicvae.server.queue import FairQueue


def run(work):
    return asyncio.run(asyncio.wait_for(work, 10))


async def collect(queue, work, rows, steps=1):
    async with aclosing(queue.stream(work, rows, steps=steps)) as items:
        return [item async for item in items]


def test_requests_take_turns():
    done = []

    def work(name, count):
        for index in range(count):
            done.append(name)
            yield index

    async def check():
        queue = FairQueue(100, lend_after_s=60.0)
        hold = threading.Event()
        first = asyncio.create_task(queue.run(hold.wait, steps=1))
        await asyncio.sleep(0.05)
        # All of these wait behind the first piece of work.
        streams = [
            asyncio.create_task(collect(queue, work("long", 6), 6)),
            asyncio.create_task(collect(queue, work("short", 2), 2)),
            asyncio.create_task(collect(queue, work("one", 1), 1)),
        ]
        await asyncio.sleep(0.05)
        hold.set()
        results = await asyncio.gather(*streams)
        await first
        queue.close()
        return results

    assert run(check()) == [[0, 1, 2, 3, 4, 5], [0, 1], [0]]
    assert done[:5] == ["long", "short", "one", "long", "short"]


def test_no_two_pieces_run_at_once():
    running, most = 0, 0

    def work():
        nonlocal running, most
        for index in range(20):
            running += 1
            most = max(most, running)
            running -= 1
            yield index

    async def check():
        queue = FairQueue(1000, lend_after_s=60.0)
        await asyncio.gather(*(collect(queue, work(), 20) for _ in range(10)))
        queue.close()

    run(check())
    assert most == 1


def test_cancelled_work_stops_after_the_item_in_progress():
    made = []

    def work():
        for index in range(1000):
            made.append(index)
            yield index

    async def check():
        queue = FairQueue(1000, lend_after_s=60.0)
        async with aclosing(queue.stream(work(), 1000, steps=1)) as items:
            async for item in items:
                if item == 3:
                    break
        await collect(queue, iter([1]), 1)
        # All steps are free again.
        await collect(queue, iter(range(1, 1001)), 1000)
        queue.close()

    run(check())
    assert made == [0, 1, 2, 3]


def test_end_of_a_stream_does_not_wait_for_the_thread():
    async def check():
        queue = FairQueue(100, lend_after_s=60.0)
        hold = threading.Event()
        async with aclosing(queue.stream(iter([1]), 1, steps=1)) as items:
            assert await anext(items) == 1
            others = asyncio.create_task(queue.run(hold.wait, steps=1))
            await asyncio.sleep(0)
            assert [item async for item in items] == []
        hold.set()
        await others
        queue.close()

    run(check())


def test_stream_that_is_not_read_counts_again_once_it_is_read():
    async def check():
        queue = FairQueue(10, lend_after_s=0.0)
        async with aclosing(queue.stream(iter(range(10)), 10, steps=1)) as items:
            await anext(items)
            await asyncio.sleep(0.01)
            assert await collect(queue, iter(range(10)), 10) == list(range(10))
            next_item = asyncio.create_task(anext(items))
            await asyncio.sleep(0)
            with pytest.raises(BusyError, match="9 steps of music waiting"):
                await queue.run(lambda: 1, steps=2)
            await next_item
        assert await collect(queue, iter(range(10)), 10) == list(range(10))
        queue.close()

    run(check())


def test_steps_that_wait_are_bounded():
    async def check():
        queue = FairQueue(320, lend_after_s=60.0)
        async with aclosing(queue.stream(iter(range(1, 9)), 8, steps=32)) as items:
            await anext(items)  # 7 left
            with pytest.raises(
                BusyError, match="224 steps of music waiting, and 128 more; expected at most 320"
            ):
                await collect(queue, iter([1, 2, 3, 4]), 4, steps=32)
            with pytest.raises(BusyError):
                await queue.run(lambda: 1, steps=97)
            assert await collect(queue, iter([1, 2, 3]), 3, steps=32) == [1, 2, 3]
            assert await queue.run(lambda: 1, steps=96) == 1
        assert len(await collect(queue, iter(range(1, 11)), 10, steps=32)) == 10
        queue.close()

    run(check())


def test_error_frees_its_steps():
    def broken():
        yield 1
        raise ValueError("broken")

    async def check():
        queue = FairQueue(5, lend_after_s=60.0)
        for _ in range(3):
            with pytest.raises(ValueError, match="broken"):
                await collect(queue, broken(), 5)
            with pytest.raises(ZeroDivisionError):
                await queue.run(lambda: 1 / 0, steps=5)
        queue.close()

    run(check())
