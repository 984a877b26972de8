"""The product in half a minute: the embedded bundle behind the real server, three requests, timed.

Starts `musicvae serve` as a process of its own, asks it for new melodies, a morph between two of
them and a busier version of one, and writes MIDI files, a picture of each answer and the times.
"""

import argparse
import json
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from musicvae import midi
from musicvae.client import Client
from musicvae.clips import Clip
from musicvae.plots import piano_rolls
from musicvae.requests import Excerpt, InterpolateRequest, SampleRequest, TransformRequest

SEED = 7
CLIPS = 8
AMOUNTS = {"note_density": 1.0}
REPEATS = 5


@dataclass(frozen=True, kw_only=True)
class Job:
    """One request: what it is called, what it shows, how to ask, and what its clips are called."""

    name: str
    caption: str
    ask: Callable[[], Iterable[Clip]]
    title: Callable[[int], str]


@dataclass(frozen=True)
class Answer:
    """The clips of one request, and how long the first and all of them took."""

    clips: tuple[Clip, ...]
    first_ms: float
    all_ms: float


@contextmanager
def serving(log: Path) -> Iterator[str]:
    """Runs `musicvae serve` on a free port; gives its address."""
    # -P: the folder musicvae/ of a checkout holds only a part of the installed package.
    command = [sys.executable, "-P", "-m", "musicvae", "serve", "--port", "0"]
    with (
        log.open("w") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as server,
    ):
        try:
            assert server.stdout is not None
            said = server.stdout.readline()
            found = re.search(r"on (\S+:\d+)$", said)
            if found is None:
                sys.exit(f"the server did not start: {said or log.read_text()}")
            yield found[1]
        finally:
            server.terminate()


def timed(job: Job) -> Answer:
    """Asks, and takes in the answer as it streams."""
    start = time.perf_counter()
    clips, times = [], []
    for clip in job.ask():
        clips.append(clip)
        times.append(1e3 * (time.perf_counter() - start))
    return Answer(tuple(clips), times[0], times[-1])


def jobs(client: Client, out: Path) -> Iterator[Job]:
    """The three requests; the later ones take the files that the first one left."""
    yield Job(
        name="sample",
        caption=f"{CLIPS} melodies drawn from the prior",
        ask=lambda: client.sample(SampleRequest(count=CLIPS, seed=SEED)),
        title=lambda index: f"draw {index + 1}",
    )
    first, second, third = (
        Excerpt(notes=midi.read((out / f"sample-{i}.mid").read_bytes())) for i in range(3)
    )
    yield Job(
        name="interpolate",
        caption=f"a morph from draw 1 to draw 2 in {CLIPS} clips",
        ask=lambda: client.interpolate(
            InterpolateRequest(points=[first, second], count=CLIPS, seed=SEED)
        ),
        title=lambda index: f"{index} of {CLIPS - 1}",
    )

    def transform() -> tuple[Clip, Clip]:
        made = client.transform(TransformRequest(point=third, amounts=AMOUNTS, seed=SEED))
        return made.before, made.after

    yield Job(
        name="transform",
        caption="draw 3 before and after note density + 1",
        ask=transform,
        title=lambda index: ["before", "after"][index],
    )


def main() -> None:
    """Runs the demo."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("demo"))
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    say = Console(soft_wrap=True, highlight=False).print
    record = {}
    start = time.perf_counter()
    with serving(out / "server.log") as address, Client(address) as client:
        say(f"the server is ready at {address}, after {time.perf_counter() - start:.1f} s")
        for job in jobs(client, out):
            answers = [timed(job) for _ in range(REPEATS)]
            clips = answers[0].clips
            for index, clip in enumerate(clips):
                (out / f"{job.name}-{index}.mid").write_bytes(clip.to_midi())
            piano_rolls(
                [clip.notes for clip in clips],
                out / f"{job.name}.png",
                titles=[job.title(index) for index in range(len(clips))],
                suptitle=job.caption.capitalize(),
            )
            first_ms = statistics.median(answer.first_ms for answer in answers)
            all_ms = statistics.median(answer.all_ms for answer in answers)
            record[job.name] = {"clips": len(clips), "first_clip_ms": first_ms, "all_ms": all_ms}
            say(f"{out / job.name}.png    {job.caption}")
            say(
                f"{out / job.name}-*.mid  the same as MIDI: {len(clips)} clips, "
                f"the first after {first_ms:.0f} ms, all after {all_ms:.0f} ms"
            )
    (out / "demo.json").write_text(json.dumps(record, indent=2) + "\n")
    say(
        f"times are medians of {REPEATS} requests, as a client sees them; also in "
        f"{out / 'demo.json'}; {time.perf_counter() - start:.0f} s in all"
    )


if __name__ == "__main__":
    main()
