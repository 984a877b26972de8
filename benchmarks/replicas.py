"""Several server processes on one machine behind one client, and one of them killed under load.

Callers call again as soon as they are answered (a closed loop); they go round the servers as
`musicvae.AsyncClient` does. Prints a table and writes JSON.
"""

import argparse
import asyncio
import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table
from serving import SHORT, Server

from musicvae.errors import ServiceError
from musicvae.generation.requests import SampleRequest
from musicvae.rpc.async_client import AsyncClient


@dataclass(frozen=True, slots=True)
class Row:
    """The answers of one load.

    Attributes:
        servers: The server processes at the start.
        is_one_killed: Whether one of them got SIGKILL at half of the time.
        clips_a_second: The clips of whole answers a second.
        calls: The calls that have ended.
        begun: The streams that broke off after their first clip; a client may not repeat these.
        lost: The calls that ended without any clip.
    """

    servers: int
    is_one_killed: bool
    clips_a_second: float
    calls: int
    begun: int
    lost: int


async def offer(
    servers: list[Server],
    *,
    callers: int,
    count: int,
    seconds: float,
    kill: Callable[[], None] | None,
) -> Row:
    """Offers a load to several servers, and kills one at half of the time."""
    start = time.perf_counter()
    clips = calls = begun = lost = 0

    async with AsyncClient(",".join(server.address for server in servers)) as client:

        async def caller(number: int) -> None:
            nonlocal clips, calls, begun, lost
            turn = 0
            while time.perf_counter() - start < seconds:
                seed, got, turn = number * 100_000 + turn, 0, turn + 1
                calls += 1
                try:
                    async for _ in client.sample(
                        SampleRequest(model=SHORT, count=count, seed=seed)
                    ):
                        got += 1
                    clips += got
                except ServiceError:
                    begun += got > 0
                    lost += got == 0

        async def killer() -> None:
            if kill is not None:
                await asyncio.sleep(seconds / 2)
                kill()

        await asyncio.gather(killer(), *(caller(number) for number in range(callers)))
    rate = clips / (time.perf_counter() - start)
    return Row(len(servers), kill is not None, round(rate, 1), calls, begun, lost)


def measure(count: int, *, is_one_killed: bool, callers: int, clips: int, seconds: float) -> Row:
    """Starts servers, offers them a load, and stops them."""
    servers = [Server("--bundle", SHORT) for _ in range(count)]
    try:
        kill = servers[0].process.kill if is_one_killed else None
        return asyncio.run(offer(servers, callers=callers, count=clips, seconds=seconds, kill=kill))
    finally:
        for server in servers:
            server.stop()


def main() -> None:
    """Measures, prints, and writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("build/replicas.json"))
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--callers", type=int, default=16)
    parser.add_argument("--count", type=int, default=8, help="clips of a call")
    chosen = parser.parse_args()
    rows = []
    load = os.getloadavg()[0]
    for count, is_one_killed in ((1, False), (2, False), (3, False), (3, True)):
        rows.append(
            measure(
                count,
                is_one_killed=is_one_killed,
                callers=chosen.callers,
                clips=chosen.count,
                seconds=chosen.seconds,
            )
        )
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    report = {"load_before": load, "rows": [asdict(row) for row in rows]}
    chosen.out.write_text(json.dumps(report, indent=1) + "\n")
    title = (
        f"{chosen.callers} callers of {chosen.count} clips; {os.cpu_count()} cores, load {load:.1f}"
    )
    table = Table("servers", "one killed", "clips a second", "calls", "begun", "lost", title=title)
    for row in rows:
        table.add_row(*(str(value) for value in asdict(row).values()))
    Console().print(table)


if __name__ == "__main__":
    main()
