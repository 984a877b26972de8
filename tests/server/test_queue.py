import asyncio
import math
import threading
from contextlib import aclosing

import pytest

from musicvae.errors import BusyError
from musicvae.server.costs import Load
from musicvae.server.queue import FairQueue


def run(work):
    return asyncio.run(asyncio.wait_for(work, 10))


def load(items, turn_s=0.0):
    """Work of so many items that each take a turn of so many seconds."""
    return Load(items=items, whole_s=items * turn_s, turn_s=turn_s)


async def collect(queue, work, items, turn_s=0.0, left_s=math.inf):
    async with aclosing(queue.stream(work, load(items, turn_s), left_s=left_s)) as stream:
        return [item async for item in stream]


def test_requests_take_turns():
    done = []

    def work(name, count):
        for index in range(count):
            done.append(name)
            yield index

    async def check():
        queue = FairQueue(1.0, lend_after_s=60.0)
        hold = threading.Event()
        first = asyncio.create_task(queue.run(hold.wait, load(1)))
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
        queue = FairQueue(1.0, lend_after_s=60.0)
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
        queue = FairQueue(1.0, lend_after_s=60.0)
        async with aclosing(queue.stream(work(), load(1000, 9.0))) as items:
            async for item in items:
                if item == 3:
                    break
        # Its turn is free again.
        assert await collect(queue, iter([1]), 1, 9.0) == [1]
        queue.close()

    run(check())
    assert made == [0, 1, 2, 3]


def test_end_of_a_stream_does_not_wait_for_the_thread():
    async def check():
        queue = FairQueue(1.0, lend_after_s=60.0)
        hold = threading.Event()
        async with aclosing(queue.stream(iter([1]), load(1))) as items:
            assert await anext(items) == 1
            others = asyncio.create_task(queue.run(hold.wait, load(1)))
            await asyncio.sleep(0)
            assert [item async for item in items] == []
        hold.set()
        await others
        queue.close()

    run(check())


def test_stream_that_is_not_read_counts_again_once_it_is_read():
    async def check():
        queue = FairQueue(1.0, lend_after_s=0.0)
        async with aclosing(queue.stream(iter(range(10)), load(10, 2.0))) as items:
            await anext(items)
            await asyncio.sleep(0.01)
            assert await collect(queue, iter(range(10)), 10) == list(range(10))
            next_item = asyncio.create_task(anext(items))
            await asyncio.sleep(0)
            with pytest.raises(BusyError, match=r"a wait of about 2\.0 s; expected at most 1 s"):
                await queue.run(lambda: 1, load(1))
            await next_item
        assert await collect(queue, iter(range(10)), 10) == list(range(10))
        queue.close()

    run(check())


def test_wait_for_the_first_item_is_bounded_by_the_turns_of_all_before():
    async def check():
        queue = FairQueue(1.0, lend_after_s=60.0)
        hold = threading.Event()
        waiting = [asyncio.create_task(queue.run(hold.wait, load(1, 0.4))) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(
            BusyError, match=r"a wait of about 1\.2 s; expected at most 1 s"
        ) as caught:
            await queue.run(lambda: 1, load(1, 0.01))
        assert caught.value.retry_s == pytest.approx(1.2)
        hold.set()
        await asyncio.gather(*waiting)
        assert await queue.run(lambda: 1, load(1, 0.01)) == 1
        queue.close()

    run(check())


@pytest.mark.parametrize(("items", "left_s", "is_taken"), [(1, 0.5, True), (8, 0.5, False)])
def test_request_that_others_keep_from_its_deadline_is_refused_at_once(items, left_s, is_taken):
    async def check():
        queue = FairQueue(1.0, lend_after_s=60.0)
        async with aclosing(queue.stream(iter(range(8)), load(8, 0.1))) as stream:
            await anext(stream)
            work = collect(queue, iter(range(items)), items, 0.01, left_s)
            if is_taken:
                assert await work == list(range(items))
            else:
                # 7 turns of the other request, and 8 of its own.
                with pytest.raises(BusyError, match=r"about 0\.8 s .* and 0\.5 s to the deadline"):
                    await work
        queue.close()

    run(check())


def test_idle_queue_takes_any_request():
    async def check():
        queue = FairQueue(0.1, lend_after_s=60.0)
        assert await collect(queue, iter([1]), 1, 60.0, left_s=0.1) == [1]
        queue.close()

    run(check())


def test_error_frees_its_turn():
    def broken():
        yield 1
        raise ValueError("broken")

    async def check():
        queue = FairQueue(1.0, lend_after_s=60.0)
        for _ in range(3):
            with pytest.raises(ValueError, match="broken"):
                await collect(queue, broken(), 5, 9.0)
            with pytest.raises(ZeroDivisionError):
                await queue.run(lambda: 1 / 0, load(1, 9.0))
        queue.close()

    run(check())
