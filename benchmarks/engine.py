"""The engine in this process: how long requests take, and where the time goes.

A request is new music or a morph, MIDI bytes and attributes included. Beside each the same steps
by torch's own loop, in turns with ONNX Runtime's. Medians of the processor's time of one thread,
which other programs on the machine change less than the clock's. Prints a table and writes JSON.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from musicvae.bundle.format import Bundle, load
from musicvae.bundle.modules import modules_of
from musicvae.generation.engine import Engine
from musicvae.generation.inputs import Excerpt
from musicvae.generation.playing import play
from musicvae.generation.replies import Clip
from musicvae.generation.requests import (
    GrooveRequest,
    InterpolateRequest,
    SampleRequest,
)
from musicvae.model.conditions import Conditions
from musicvae.model.event_prior import EventPrior
from musicvae.music import midi
from musicvae.runtime import conditions as arrays

MODELS = {
    "melody-2bar": (1, 8, 64),
    "melody-16bar": (1, 8),
    "trio-16bar": (1, 8),
    "leadsheet-4bar": (8,),
    "groove-2bar": (1, 8),
}
SEED = 7


@dataclass(frozen=True, kw_only=True)
class Times:
    """The milliseconds of a request and of its parts.

    Attributes:
        request: The name of the request.
        whole: All of it, from the request to the MIDI bytes.
        steps: The loop of the steps.
        torch_steps: The same loop with torch's steps.
        encode: The encoder.
        to_notes: Events to notes, and their velocities.
        attributes: The attributes of the clips.
        midi: The MIDI bytes.
    """

    request: str
    whole: float
    steps: float
    torch_steps: float
    encode: float
    to_notes: float
    attributes: float
    midi: float


def milliseconds(jobs: Sequence[Callable[[], object]], *, seconds: float) -> list[float]:
    """The median time of each job in milliseconds; the jobs take turns."""
    times: list[list[float]] = [[] for _ in jobs]
    for job in jobs:
        job()
    end = time.perf_counter() + seconds * len(jobs)
    while time.perf_counter() < end or len(times[0]) < 3:
        for own, job in zip(times, jobs, strict=True):
            start = time.process_time()
            job()
            own.append(1e3 * (time.process_time() - start))
    return [statistics.median(own) for own in times]


def whole(make: Callable[[], Iterable[Clip]]) -> list[bytes]:
    """Answers a request, and writes its clips."""
    return [midi.write(clip.notes) for clip in make()]


def loops(
    bundle: Bundle, name: str, count: int, clips: Sequence[Clip]
) -> list[Callable[[], object]]:
    """The loop of the steps in ONNX Runtime and in torch."""
    modules, length = modules_of(bundle), bundle.representation.length_steps
    told = sum(each.is_condition for each in bundle.representation.streams)
    streams = np.zeros((count, length, told), np.int64) if told else None
    z = np.array([clip.latent for clip in clips], np.float32)
    if name == "sample" and isinstance(modules.prior, EventPrior):
        config = bundle.experiment.prior
        how = {"temperature": config.temperature, "top_p": config.top_p}
        return [
            partial(draws.draw, arrays.Conditions(streams=streams), seeds=range(count), **how)
            for draws in (bundle.networks.draws, modules.prior.draws)
        ]

    def run_torch() -> object:
        conditions = Conditions(streams=None if streams is None else torch.from_numpy(streams))
        with torch.inference_mode():
            decoded = modules.model.decode(torch.from_numpy(z), conditions)
            return decoded.sample(temperature=0.5, randomness=range(count))

    conditions = arrays.Conditions(streams=streams)
    how = {"seeds": range(count), "temperature": 0.5}
    return [partial(bundle.networks.decode, z, conditions, **how), run_torch]


def measure(bundle: Bundle, name: str, make: Callable[[], Iterable[Clip]], seconds: float) -> Times:
    """Times a request and its parts."""
    clips = list(make())
    count = len(clips)
    representation, kind = bundle.representation, bundle.representation.kind
    events = np.stack([representation.to_tensor(clip.notes) for clip in clips])

    def to_notes() -> object:
        notes = [representation.to_notes(each) for each in events]
        return play(bundle, notes, {}, seeds=range(count), temperature=0.5)

    jobs = [
        partial(whole, make),
        *loops(bundle, name, count, clips),
        lambda: bundle.networks.encode(events, representation.grid),
        to_notes,
        lambda: [kind.measure(clip.notes) for clip in clips],
        lambda: [midi.write(clip.notes) for clip in clips],
    ]
    found = milliseconds(jobs, seconds=seconds)
    names = [each for each in Times.__dataclass_fields__ if each != "request"]
    title = f"{bundle.name}: {name} {count}"
    return Times(request=title, **dict(zip(names, found, strict=True)))


def requests(
    engine: Engine, bundle: Bundle, counts: Sequence[int]
) -> Iterable[tuple[str, Callable[[], Iterable[Clip]]]]:
    """The requests to a model."""
    first, second = engine.sample(SampleRequest(count=2, seed=SEED))
    points = [Excerpt(first.notes), Excerpt(second.notes)]
    for count in counts:
        yield "sample", partial(engine.sample, SampleRequest(count=count, seed=SEED))
        if count > 1:
            request = InterpolateRequest(points=points, count=count, seed=SEED)
            yield "interpolate", partial(engine.interpolate, request)
    if bundle.representation.kind.performance is not None:
        humanise = GrooveRequest(point=points[0], seed=SEED)
        yield "groove", lambda: [engine.groove(humanise).after]


def build_ms(name: str) -> float:
    """How long the graphs of a bundle take to make."""
    bundle = load(name)
    networks, start = bundle.networks, time.process_time()
    _ = networks.encoder, networks.decoder, networks.touch, networks.draws
    return 1e3 * (time.process_time() - start)


def main() -> None:
    """Measures, and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=list(MODELS), help="default: all")
    parser.add_argument("--seconds", type=float, default=1.0, help="for each part of a request")
    parser.add_argument("--out", type=Path, default=Path("build/engine.json"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows: list[Times] = []
    builds = {name: build_ms(name) for name in arguments.models}
    for name in arguments.models:
        bundle = load(name)
        engine = Engine([bundle])
        for what, make in requests(engine, bundle, MODELS[name]):
            rows.append(measure(bundle, what, make, arguments.seconds))
    names = [each for each in Times.__dataclass_fields__ if each != "request"]
    table = Table("ms", *names)
    for row in rows:
        title, *numbers = asdict(row).values()
        table.add_row(title, *(f"{number:.2f}" for number in numbers))
    console = Console(width=120)
    console.print(table)
    console.print("graphs made in ms:", {name: round(each, 1) for name, each in builds.items()})
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    report = {"requests": [asdict(row) for row in rows], "build_ms": builds}
    arguments.out.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
