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
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from musicvae import midi
from musicvae.client import Client
from musicvae.clips import Clip
from musicvae.plots import piano_rolls
from musicvae.requests import Excerpt, InterpolateRequest, SampleRequest, TransformRequest

SEED = 7
CLIPS = 8
REPEATS = 5


@dataclass(frozen=True)
class Answer:
    """The clips of one request, and how long it took."""

    clips: tuple[Clip, ...]
    first_ms: float
    all_ms: float


@contextmanager
def serving() -> Iterator[str]:
    """Runs `musicvae serve` on a free port; gives its address."""
    # -P: the folder musicvae/ of a checkout holds only a part of the installed package.
    command = [sys.executable, "-P", "-m", "musicvae", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            said = server.stdout.readline()
            found = re.search(r"on (\S+:\d+)$", said)
            if found is None:
                sys.exit(f"the server said {said!r} instead of where it listens")
            yield found[1]
        finally:
            server.terminate()


def ask(clips: Iterable[Clip]) -> Answer:
    """Takes in an answer as it streams."""
    start = time.perf_counter()
    times, taken = [], []
    for clip in clips:
        taken.append(clip)
        times.append(1e3 * (time.perf_counter() - start))
    return Answer(tuple(taken), times[0], times[-1])


def keep(folder: Path, name: str, answer: Answer, titles: Sequence[str], caption: str) -> None:
    """Writes an answer as MIDI files and one picture."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, clip in enumerate(answer.clips):
        (folder / f"{name}-{number}.mid").write_bytes(clip.to_midi())
    notes = [clip.notes for clip in answer.clips]
    piano_rolls(notes, folder / f"{name}.png", titles=titles, suptitle=caption)


def main() -> None:
    """Runs the demo."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("demo"))
    out: Path = parser.parse_args().out
    console = Console()
    start = time.perf_counter()
    with serving() as address, Client(address) as client:
        ready_s = time.perf_counter() - start
        console.print(f"the server is ready at {address}, after {ready_s:.1f} s")

        def sample() -> Answer:
            return ask(client.sample(SampleRequest(count=CLIPS, seed=SEED)))

        sampled = sample()
        keep(out, "sample", sampled, [f"draw {c.index + 1}" for c in sampled.clips],
             f"{CLIPS} melodies drawn from the prior")  # fmt: skip

        # What goes back in is what a user has: the files.
        files = [midi.read((out / f"sample-{i}.mid").read_bytes()) for i in range(3)]

        def interpolate() -> Answer:
            points = [Excerpt(notes=notes) for notes in files[:2]]
            return ask(
                client.interpolate(InterpolateRequest(points=points, count=CLIPS, seed=SEED))
            )

        path = interpolate()
        keep(out, "interpolate", path, [f"{c.index} of {CLIPS - 1}" for c in path.clips],
             "A morph from draw 1 to draw 2")  # fmt: skip

        def transform() -> Answer:
            request = TransformRequest(
                point=Excerpt(notes=files[2]), amounts={"note_density": 1.0}, seed=SEED
            )
            began = time.perf_counter()
            made = client.transform(request)
            took_ms = 1e3 * (time.perf_counter() - began)
            return Answer((made.before, made.after), took_ms, took_ms)

        moved = transform()
        keep(out, "transform", moved, ["draw 3, as the model plays it", "note_density + 1"],
             "A melody made busier")  # fmt: skip

        table = Table("request", "clips", "first clip", "all clips", "picture", "MIDI files")
        record = {}
        for name, request in (
            ("sample", sample), ("interpolate", interpolate), ("transform", transform),
        ):  # fmt: skip
            answers = [request() for _ in range(REPEATS)]
            first = statistics.median(answer.first_ms for answer in answers)
            every = statistics.median(answer.all_ms for answer in answers)
            count = len(answers[0].clips)
            record[name] = {"clips": count, "first_clip_ms": first, "all_clips_ms": every}
            table.add_row(
                name, str(count), f"{first:.0f} ms", f"{every:.0f} ms",
                str(out / f"{name}.png"), str(out / f"{name}-*.mid"),
            )  # fmt: skip
    console.print(table)
    density = [clip.attributes["note_density"] for clip in moved.clips]
    console.print(f"transform moved the note density from {density[0]:.2f} to {density[1]:.2f}")
    (out / "demo.json").write_text(json.dumps(record, indent=2) + "\n")
    took_s = time.perf_counter() - start
    console.print(
        f"times are medians of {REPEATS}, also in {out / 'demo.json'}; {took_s:.0f} s in all"
    )


if __name__ == "__main__":
    main()
