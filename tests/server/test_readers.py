import asyncio
import threading

import pytest

from musicvae.errors import BusyError
from musicvae.server.readers import SMALL_BYTES, Readers

LARGE = SMALL_BYTES + 1


def run(work):
    return asyncio.run(asyncio.wait_for(work, 10))


def test_small_request_does_not_wait_for_large_requests():
    async def check():
        readers, hold = Readers(10 * LARGE), threading.Event()
        large = [asyncio.create_task(readers.read(LARGE, hold.wait)) for _ in range(3)]
        assert await readers.read(SMALL_BYTES, lambda: "read") == "read"
        hold.set()
        await asyncio.gather(*large)
        readers.close()

    run(check())


def test_large_requests_that_wait_are_bounded_even_if_their_callers_left():
    async def check():
        readers, hold, begun = Readers(2 * LARGE), threading.Event(), threading.Event()

        def work():
            begun.set()
            hold.wait()

        large = [asyncio.create_task(readers.read(LARGE, work)) for _ in range(2)]
        await asyncio.to_thread(begun.wait)
        with pytest.raises(BusyError, match=f"{2 * LARGE} bytes of requests to read"):
            await readers.read(LARGE, work)
        for each in large:
            each.cancel()
        await asyncio.gather(*large, return_exceptions=True)
        # The first thread still reads; the second request never began.
        assert await readers.read(SMALL_BYTES, lambda: "read") == "read"
        with pytest.raises(BusyError, match=f"{LARGE} bytes of requests to read"):
            await readers.read(2 * LARGE, work)
        hold.set()
        assert await readers.read(LARGE, lambda: "read") == "read"
        readers.close()

    run(check())
