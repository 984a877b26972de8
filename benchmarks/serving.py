"""A real server under load from another process: latency, throughput, overload, memory.

Calls come at their own times, whatever the server does (an open loop), and a latency counts from
the time at which its call was due. Each figure stands beside a limit of the same run: clips a
second beside an engine without a server, a call beside a server without load. Prints a table and
writes JSON. `--quick` takes two minutes; the whole takes 15.
"""

import argparse
import asyncio
import json
import multiprocessing
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import grpc
import psutil
from rich.console import Console
from rich.table import Table

from musicvae.bundle.format import load
from musicvae.generation.engine import Engine
from musicvae.generation.requests import SampleRequest
from musicvae.v1 import musicvae_pb2 as pb
from musicvae.v1.musicvae_pb2_grpc import MusicServiceStub

SHORT, LONG, TRIO = "melody-2bar", "melody-16bar", "trio-16bar"
_CONNECTIONS = 16
MIX = ((SHORT, 0.8), (LONG, 0.2))


@dataclass(frozen=True, slots=True)
class Answer:
    """An answered call. Its times in seconds count from the time at which the call was due."""

    model: str
    due_s: float
    first_s: float
    end_s: float
    code: str
    clips: int


@dataclass(frozen=True, kw_only=True)
class Load:
    """The calls that a load process makes.

    Attributes:
        mix: The models, each with its share of the calls.
        count: The clips of a call.
        seconds: The length of the load.
        rate: Calls a second, at random times; 0 for `callers` that call again once answered.
        callers: The number of callers.
        deadline_s: The deadline of each call.
    """

    mix: tuple[tuple[str, float], ...]
    count: int = 1
    seconds: float = 5.0
    rate: float = 0.0
    callers: int = 1
    deadline_s: float = 60.0


async def _call(stub: MusicServiceStub, model: str, load: Load, due: float, seed: int) -> Answer:
    request = pb.SampleRequest(model=model, count=load.count, seed=seed)
    first_s, clips, code = 0.0, 0, "OK"
    try:
        async for _ in stub.Sample(request, timeout=load.deadline_s):
            clips += 1
            first_s = first_s or time.perf_counter() - due
    except grpc.aio.AioRpcError as error:
        code = error.code().name
    return Answer(model, due, first_s, time.perf_counter() - due, code, clips)


async def _offer(address: str, load: Load) -> list[Answer]:
    chooser, answers = random.Random(1), []
    names, weights = zip(*load.mix, strict=True)
    options = [("grpc.use_local_subchannel_pool", 1)]
    async with AsyncExitStack() as stack:
        stubs = []
        for _ in range(_CONNECTIONS):
            channel = grpc.aio.insecure_channel(address, options=options)
            await stack.enter_async_context(channel)
            await channel.channel_ready()
            stubs.append(MusicServiceStub(channel))
        start = time.perf_counter()

        async def caller() -> None:
            while time.perf_counter() - start < load.seconds:
                model = chooser.choices(names, weights)[0]
                seed = chooser.randrange(2**31)
                stub = stubs[seed % _CONNECTIONS]
                answers.append(await _call(stub, model, load, time.perf_counter(), seed))

        async def due_at(due: float) -> None:
            model, seed = chooser.choices(names, weights)[0], chooser.randrange(2**31)
            stub = stubs[seed % _CONNECTIONS]
            answers.append(await _call(stub, model, load, due, seed))

        if not load.rate:
            await asyncio.gather(*(caller() for _ in range(load.callers)))
            return answers
        calls, due = [], start
        while due < start + load.seconds:
            due += chooser.expovariate(load.rate)
            await asyncio.sleep(max(due - time.perf_counter(), 0))
            calls.append(asyncio.create_task(due_at(due)))
        await asyncio.gather(*calls)
    return answers


def _run(address: str, load: Load, pipe: "multiprocessing.connection.Connection") -> None:
    pipe.send(asyncio.run(_offer(address, load)))


def offer(address: str, load: Load) -> list[Answer]:
    """Offers a load from a process of its own, in order of the times that were due."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=_run, args=(address, load, theirs)
    )
    process.start()
    answers = ours.recv()
    process.join()
    return sorted(answers, key=lambda answer: answer.due_s)


class Server:
    """The command `musicvae serve` in a process of its own."""

    def __init__(self, *options: str) -> None:
        start = time.perf_counter()
        command = [sys.executable, "-P", "-m", "musicvae", "serve", "--port", "0", *options]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        self.address = line.rsplit(" on ", 1)[1].strip()
        with grpc.insecure_channel(self.address) as channel:
            list(MusicServiceStub(channel).Sample(pb.SampleRequest(seed=1)))
        self.cold_s = time.perf_counter() - start

    def cpu_s(self) -> float:
        """Seconds of processor time so far, of the server and its workers."""
        used = [each.cpu_times() for each in self._processes()]
        return sum(each.user + each.system for each in used)

    def megabytes(self) -> float:
        """Memory of the server and its workers."""
        return sum(each.memory_info().rss for each in self._processes()) / 2**20

    def stop(self) -> None:
        """Stops the server, which finishes its calls."""
        self.process.terminate()
        self.process.wait()

    def _processes(self) -> list[psutil.Process]:
        main = psutil.Process(self.process.pid)
        return [main, *main.children(recursive=True)]


def part(times: Sequence[float], share: float) -> float:
    """A percentile of times in seconds, in milliseconds."""
    ranked = sorted(times)
    return 1e3 * ranked[min(int(share * len(ranked)), len(ranked) - 1)] if ranked else 0.0


def clips_a_second(answers: Sequence[Answer]) -> float:
    """The clips of answered calls a second."""
    start = min(answer.due_s for answer in answers)
    end = max(answer.due_s + answer.end_s for answer in answers)
    return sum(answer.clips for answer in answers if answer.code == "OK") / (end - start)


def bare_clips_a_second(engine: Engine, model: str, width: int, seconds: float) -> float:
    """The clips a second of an engine without a server, at one width."""
    clips, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        request = SampleRequest(model=model, count=width, seed=clips)
        clips += sum(1 for clip in engine.sample(request) if clip.to_midi())
    return clips / (time.perf_counter() - start)


class Report:
    """The rows of the table."""

    def __init__(self) -> None:
        self.rows: list[dict[str, object]] = []

    def add(self, what: str, found: float, unit: str, beside: str) -> float:
        """Adds a figure, and what it stands beside."""
        self.rows.append({"what": what, "found": round(found, 3), "unit": unit, "beside": beside})
        Console().print(f"{what}: {found:.3g} {unit}   ({beside})", highlight=False)
        return found


def idle(server: Server, report: Report, seconds: float) -> None:
    """Measures a single caller on an idle server."""
    for model in (SHORT, LONG, TRIO):
        answers = offer(server.address, Load(mix=((model, 1.0),), seconds=seconds))
        ends = [answer.end_s for answer in answers]
        report.add(f"{model}, one caller: p50", part(ends, 0.5), "ms", f"{len(ends)} calls")
        report.add(f"{model}, one caller: p99", part(ends, 0.99), "ms", f"{len(ends)} calls")


def saturated(
    server: Server, engine: Engine, report: Report, seconds: float, callers: int
) -> float:
    """Measures as many callers as the server can use; returns the mixed calls a second."""
    single = 0.0
    for count in (64, 1):
        bare = bare_clips_a_second(engine, SHORT, 64, seconds / 2)
        load = Load(mix=((SHORT, 1.0),), count=count, seconds=seconds, callers=callers)
        before = server.cpu_s()
        answers = offer(server.address, load)
        rate = clips_a_second(answers)
        cores = (server.cpu_s() - before) / seconds
        report.add(
            f"{SHORT}, {callers} callers of {count}: clips a second",
            rate,
            "1/s",
            f"{rate / bare:.2f} of the {bare:.0f} of a bare engine at 64; {cores:.2f} cores",
        )
        single = rate
    mixed = offer(server.address, Load(mix=MIX, seconds=seconds, callers=callers))
    return report.add(
        f"80 % {SHORT}, 20 % {LONG}, {callers} callers: calls a second",
        clips_a_second(mixed),
        "1/s",
        f"{SHORT} alone {single:.0f}",
    )


def mixed(server: Server, report: Report, rate: float, seconds: float) -> None:
    """Measures a mixed load below saturation."""
    before = server.megabytes()
    answers = offer(server.address, Load(mix=MIX, rate=rate, seconds=seconds))
    short = [answer.end_s for answer in answers if answer.model == SHORT]
    errors = sum(answer.code != "OK" for answer in answers)
    beside = f"{rate:.1f} calls a second for {seconds:.0f} s, {errors} errors"
    report.add(f"mixed load at 70 %: {SHORT} p50", part(short, 0.5), "ms", beside)
    report.add(f"mixed load at 70 %: {SHORT} p99", part(short, 0.99), "ms", beside)
    grown = server.megabytes() - before
    report.add("mixed load at 70 %: memory grown by", grown, "MB", f"from {before:.0f} MB")


def overloaded(server: Server, report: Report, rate: float, seconds: float) -> None:
    """Measures three times as many calls as the server can answer."""
    answers = offer(server.address, Load(mix=MIX, rate=3 * rate, seconds=seconds))
    refused = [answer.end_s for answer in answers if answer.code == "RESOURCE_EXHAUSTED"]
    taken = [answer for answer in answers if answer.code == "OK"]
    beside = f"{len(refused)} of {len(answers)} calls refused, {len(taken)} answered"
    report.add("overload of 3 times: refusal p50", part(refused, 0.5), "ms", beside)
    report.add("overload of 3 times: refusal p99", part(refused, 0.99), "ms", beside)
    goodput = clips_a_second(taken) / rate
    report.add("overload of 3 times: goodput of saturation", goodput, "", beside)
    waits = [answer.first_s for answer in taken]
    report.add("overload of 3 times: longest wait", 1e3 * max(waits, default=0.0), "ms", beside)


def main() -> None:
    """Measures, prints, and writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("build/serving.json"))
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--server", action="append", default=[], metavar="OPTION")
    chosen = parser.parse_args()
    seconds, long_s = (5.0, 20.0) if chosen.quick else (15.0, 600.0)
    report = Report()
    colds = []
    for _ in range(3):
        server = Server(*chosen.server)
        colds.append(server.cold_s)
        server.stop()
    report.add("start to the first clip, all bundles", statistics.median(colds), "s", "3 starts")
    server = Server(*chosen.server)
    engine = Engine([load(SHORT)])
    try:
        report.add("memory, all bundles", server.megabytes(), "MB", "before any load")
        idle(server, report, seconds)
        rate = saturated(server, engine, report, seconds, callers=32)
        mixed(server, report, 0.7 * rate, long_s)
        overloaded(server, report, rate, seconds)
    finally:
        server.stop()
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    chosen.out.write_text(json.dumps(report.rows, indent=1) + "\n")
    table = Table("what", "found", "unit", "beside", title="the server under load")
    for row in report.rows:
        table.add_row(*(str(row[name]) for name in ("what", "found", "unit", "beside")))
    Console().print(table)


if __name__ == "__main__":
    main()
