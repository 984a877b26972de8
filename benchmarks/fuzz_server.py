"""A real server gets damaged requests by the hundred thousand: statuses, memory, calls a second.

    python benchmarks/fuzz_server.py --calls 100000 --uploads 20000 --small 100000

The server is the command `musicvae serve` with a tiny untrained model of every kind, and answers
over gRPC and HTTP; 32 callers send at once. Each answer must be in the contract's table of
statuses, with its details; memory must stay flat. Prints a table and writes JSON; exits with 1
where an answer breaks the contract. `tests/server/test_fuzzed.py` sends fewer of the same calls.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

TESTS = Path(__file__).parents[1] / "tests"
sys.path.insert(0, str(TESTS))
sys.path.insert(0, str(TESTS / "support"))

from conftest import FAMILY, save_untrained  # noqa: E402
from fuzzing import CALLERS, Verdicts, faults_in, send  # noqa: E402
from message_mutations import Call, messages, small, uploads  # noqa: E402
from programs import Program, serving  # noqa: E402

CHUNK = 2000


def megabytes(process: psutil.Process) -> float:
    """Memory of the server and its workers."""
    every = [process, *process.children(recursive=True)]
    return sum(each.memory_info().rss for each in every) / 2**20


def part(
    program: Program,
    http_url: str,
    make: Callable[[int, int], Iterator[Call]],
    count: int,
    seed: int,
) -> dict[str, object]:
    """Sends `count` calls in chunks, and counts the answers.

    Memory is compared from the end of the first chunk on, when everything has been used once.
    """
    server = psutil.Process(program.process.pid)
    verdicts, memory, seconds, done = Verdicts(), [megabytes(server)], 0.0, 0
    while done < count:
        calls = list(make(seed + done, min(CHUNK, count - done)))
        start_s = time.monotonic()
        verdicts.add(send(program.address, http_url, calls))
        seconds += time.monotonic() - start_s
        done += len(calls)
        memory.append(megabytes(server))
        print(
            f"{make.__name__}: {done} calls, {done / seconds:.0f} a second, {memory[-1]:.0f} MB,"
            f" {len(verdicts.faults)} faults",
            flush=True,
        )
    for said, call in verdicts.faults[:20]:
        print(said, call)
    return {
        "calls": done,
        "answers": dict(verdicts.codes.most_common()),
        "faults": len(verdicts.faults) + len(faults_in(program.log)),
        "calls a second": round(done / seconds, 1),
        "slowest, s": round(verdicts.slowest_s, 2),
        "MB before": round(memory[0]),
        f"MB after {CHUNK}": round(memory[1]),
        "MB at the end": round(memory[-1]),
        "memory": [round(each) for each in memory],
    }


def main() -> None:
    """Sends, prints, and writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=100_000, help="damaged messages")
    parser.add_argument("--uploads", type=int, default=20_000, help="damaged MIDI files")
    parser.add_argument("--small", type=int, default=100_000, help="small valid requests")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("build/fuzz_server.json"))
    chosen = parser.parse_args()
    parts = [(messages, chosen.calls), (uploads, chosen.uploads), (small, chosen.small)]
    found: dict[str, dict[str, object]] = {}
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        for seed, model in enumerate(FAMILY):
            save_untrained(Path(name, model), name=model, preset=model, seed=seed)
        bundles = [f"--bundle={Path(name, model)}" for model in FAMILY]
        for make, count in parts:
            if not count:
                continue
            with serving("--port=0", "--http-port=0", *bundles) as program:
                assert program.process.stdout is not None
                http_url = program.process.stdout.readline().split()[-1]
                found[make.__name__] = part(program, http_url, make, count, chosen.seed * 10**6)
            chosen.out.write_text(json.dumps(found, indent=1) + "\n")
    table = Table("", *found, title=f"{CALLERS} callers, seed {chosen.seed}")
    for row in next(iter(found.values())):
        if row != "memory":
            table.add_row(row, *(str(column[row]) for column in found.values()))
    Console().print(table)
    sys.exit(any(column["faults"] for column in found.values()))


if __name__ == "__main__":
    main()
