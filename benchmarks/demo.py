"""The product in a minute: times a few requests to each embedded bundle on the real server.

Starts `musicvae serve` as a process, and asks every model for new music, a morph between two clips,
a busier version of a clip, and its other tasks. Writes MIDI files, a picture of each answer and the
times.
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
from functools import partial
from pathlib import Path

from rich.console import Console

from musicvae.generation.inputs import Excerpt
from musicvae.generation.replies import Clip, Grooved, ModelInfo, Transformed
from musicvae.generation.requests import (
    GROOVE_TASKS,
    TRANSFER,
    GrooveRequest,
    InterpolateRequest,
    SampleRequest,
    TransformRequest,
)
from musicvae.report.plots import piano_rolls
from musicvae.rpc.client import Client

SEED = 7
CLIPS = 8
CLIPS_OF_LONG_MUSIC = 4
LONG_BARS = 8
ATTRIBUTE = "note_density"
CHORDS = "C | Am | F | G7"
REPEATS = 5


@dataclass(frozen=True, kw_only=True)
class Job:
    """One request: its name, its caption, its call, and the titles of its clips."""

    name: str
    caption: str
    ask: Callable[[], Iterable[Clip]]
    title: Callable[[int], str]


@dataclass(frozen=True)
class Answer:
    """The clips of one request, and the times of the first clip and of all clips."""

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
    """Sends a request, and reads the answer as it streams."""
    start = time.perf_counter()
    clips, times = [], []
    for clip in job.ask():
        clips.append(clip)
        times.append(1e3 * (time.perf_counter() - start))
    return Answer(tuple(clips), times[0], times[-1])


def jobs(client: Client, model: ModelInfo, out: Path) -> Iterator[Job]:
    """The requests to a model; later requests read the files of the first."""
    count = CLIPS_OF_LONG_MUSIC if model.bars >= LONG_BARS else CLIPS
    chords = CHORDS if model.needs_chords else None
    over = f", over {CHORDS}" if model.needs_chords else ""
    yield Job(
        name="sample",
        caption=f"{count} draws from the prior{over}",
        ask=lambda: client.sample(
            SampleRequest(model=model.name, count=count, seed=SEED, chords=chords)
        ),
        title=lambda index: f"draw {index + 1}",
    )
    draws = [Excerpt(out / f"{model.name}-sample-{SEED}-{index:03d}.mid") for index in range(count)]
    draws = [draw for draw in draws if draw.notes.notes] or sys.exit(f"{model.name} is silent")
    first, second, third = (draws[index % len(draws)] for index in range(3))
    yield Job(
        name="interpolate",
        caption=f"a morph from one draw to another in {count} clips",
        ask=lambda: client.interpolate(
            InterpolateRequest(model=model.name, points=[first, second], count=count, seed=SEED)
        ),
        title=lambda index: f"{index} of {count - 1}",
    )
    if ATTRIBUTE in {each.name for each in model.attributes}:
        request = TransformRequest(
            model=model.name, point=third, amounts={ATTRIBUTE: 1.0}, seed=SEED
        )
        yield two(
            "transform",
            f"a draw before and after {ATTRIBUTE.replace('_', ' ')} + 1",
            lambda: client.transform(request),
        )
    for task in GROOVE_TASKS if model.representation == "groove" else ():
        yield two(task, f"a draw before and after: {task}", partial(groove, client, task, draws))


def groove(client: Client, task: str, draws: list[Excerpt]) -> Grooved:
    """Plays the hits of the first draw, with the groove of the last for a transfer."""
    onto = draws[0] if task == TRANSFER else None
    point = draws[-1] if task == TRANSFER else draws[0]
    return client.groove(GrooveRequest(task=task, point=point, onto=onto, seed=SEED))


def two(name: str, caption: str, ask: Callable[[], Transformed | Grooved]) -> Job:
    """A request whose answer is music before and after."""

    def clips() -> tuple[Clip, Clip]:
        made = ask()
        return made.before, made.after

    return Job(
        name=name, caption=caption, ask=clips, title=lambda index: ["before", "after"][index]
    )


def answer(job: Job, out: Path, say: Callable[[str], None]) -> dict[str, float]:
    """Repeats a request, writes the clips and their picture, and returns the times."""
    answers = [timed(job) for _ in range(REPEATS)]
    clips = answers[0].clips
    for index, clip in enumerate(clips):
        clip.save(out / f"{clip.model}-{job.name}-{clip.seed}-{index:03d}.mid")
    piano_rolls(
        [clip.notes for clip in clips],
        out / f"{job.name}.png",
        titles=[job.title(index) for index in range(len(clips))],
        suptitle=job.caption[0].upper() + job.caption[1:],
    )
    first_ms = statistics.median(answer.first_ms for answer in answers)
    all_ms = statistics.median(answer.all_ms for answer in answers)
    say(f"{out / job.name}.png  {job.caption}; {len(clips)} .mid files beside it")
    say(f"    the first clip after {first_ms:.0f} ms, all after {all_ms:.0f} ms")
    return {"clips": len(clips), "first_clip_ms": first_ms, "all_ms": all_ms}


def main() -> None:
    """Runs the demo."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("demo"))
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    say = Console(soft_wrap=True, highlight=False).print
    record: dict[str, dict[str, dict[str, float]]] = {}
    start = time.perf_counter()
    with serving(out / "server.log") as address, Client(address) as client:
        say(f"the server is ready at {address}, after {time.perf_counter() - start:.1f} s")
        for model in client.models():
            folder = out / model.name
            folder.mkdir(exist_ok=True)
            made = jobs(client, model, folder)
            record[model.name] = {job.name: answer(job, folder, say) for job in made}
    (out / "demo.json").write_text(json.dumps(record, indent=2) + "\n")
    say(
        f"times are medians of {REPEATS} requests, as a client sees them; also in "
        f"{out / 'demo.json'}; {time.perf_counter() - start:.0f} s in all"
    )


if __name__ == "__main__":
    main()
