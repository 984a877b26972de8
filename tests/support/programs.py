"""The command `musicvae serve` as a program of its own."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread


@dataclass
class Program:
    """A server that runs.

    Attributes:
        lines: The first lines that it printed.
        log: The lines of its log; all of them once it has stopped.
    """

    process: subprocess.Popen
    lines: list[str]
    log: list[str] = field(default_factory=list)

    @property
    def address(self):
        return self.lines[0].split()[-1]


@contextmanager
def serving(*options, env=None):
    """Runs `musicvae serve`, and stops it at the end as an operator does."""
    command = [Path(sys.executable).with_name("musicvae"), "serve", "--pause-s", "0", *options]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, **(env or {})},
    )  # fmt: skip
    program = Program(process, [])
    reading = Thread(target=lambda: program.log.extend(process.stderr))
    reading.start()
    try:
        while not program.lines or "buf curl" not in program.lines[-1]:
            line = process.stdout.readline()
            assert line, f"the server ended: {''.join(program.log)}"
            program.lines.append(line.strip())
        yield program
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
        reading.join()
        process.stdout.close()
        process.stderr.close()
