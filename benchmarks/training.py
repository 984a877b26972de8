"""The training speed of each preset, beside the rate at which this machine multiplies matrices.

    python benchmarks/training.py [PRESET...] [--precision NAME] [--threads N] [--processes N]
                                  [--batch-size N] [--peer FOLDER | --no-peer]

A step is the step of a run: a batch of 32, forwards, backwards, clipping, Adam, averaging. Its
operations are counted from the shapes of its layers' inputs, two for a multiply and add, times
three for forwards and backwards. The limit is the rate of a product of large square matrices of the
same precision, measured in the same process between the steps. With several processes each process
has `--threads` threads, and gradients are shared as in a run (DDP over gloo); the limit is the sum
over the processes.

If one thread trains one stream of events, the measurements of our model and of Magenta's TensorFlow
MusicVAE (`magenta_peer.py`) alternate. Magenta's environment needs Python 3.11 on x86; its classes
and step have LSTMs, a latent and batches of our sizes. The differences:

- Magenta computes in 32 bits; ours only with `--precision 32-true`, or on a processor without
  bfloat16 products.
- Magenta's own settings have batches of 512, ours of 32. At 32 Magenta is not at its best: with 128
  it gained half, and more than ours did. `--batch-size` shows this.
- Magenta reads events one-hot; our model reads learnt vectors, with the position in the bar.
  Posterior and conductor differ: our model has up to four times the weights (see the
  JSON); the additional weights are in the posterior, which is computed once an example.
- Magenta's conductor decodes bars one after the other, and its encoder reads one long row; our bars
  are rows of one batch.
- Both TensorFlow and PyTorch come from the package index, as a user installs them.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import time
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from rich.console import Console
from rich.table import Column, Table
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from musicvae.experiment.build import build_model
from musicvae.experiment.experiment import Experiment
from musicvae.experiment.presets import PRESETS, get_preset
from musicvae.model.conditions import split_streams
from musicvae.model.event_distribution import Teacher
from musicvae.model.latent.latent import draw
from musicvae.training.elbo import elbo
from musicvae.training.run import precision_on

MEMBERS = [name for name in PRESETS if not name.endswith(("-tiny", "-paper"))]
PRECISIONS = {"32-true": torch.float32, "bf16-mixed": torch.bfloat16}
SECONDS = 6.0
ROUNDS = 5
MATRIX = 1536
BACKWARDS_AND_FORWARDS = 3
MAGENTA = "magenta==2.1.4"
MAGENTA_NEEDS = (
    "tensorflow-cpu==2.15.1",
    "tensorflow-probability==0.23.0",
    "tf-slim==1.1.0",
    "note-seq==0.0.5",
)
PEER = Path(__file__).with_name("magenta_peer.py")


class Loss(nn.Module):
    """A training step's loss as a module, which DDP can wrap."""

    def __init__(self, experiment: Experiment) -> None:
        super().__init__()
        self.experiment = experiment
        self.model = build_model(experiment)
        self.generator = torch.Generator().manual_seed(0)

    def forward(self, events: Tensor) -> Tensor:
        objective = self.experiment.objective
        teacher = Teacher(hidden=objective.history_hidden, generator=self.generator)
        batch = split_streams(events, self.model.streams)
        posterior = self.model.encode(batch)
        decoded = self.model.decode(draw(posterior, self.generator), batch.conditions)
        log_likelihood = decoded.log_prob(batch.events, teacher=teacher)
        return elbo(posterior, log_likelihood, beta=0.2).loss


def count_operations(loss: Loss, events: Tensor) -> int:
    """The operations of a forward pass."""
    counted = [0]

    def count(layer: nn.Module, inputs: tuple[Tensor, ...], _: object) -> None:
        rows = inputs[0].numel() // inputs[0].shape[-1]
        for name, weight in layer.named_parameters():
            counted[0] += 2 * rows * weight.numel() if name.startswith("weight") else 0

    layers = [each for each in loss.modules() if isinstance(each, nn.Linear | nn.LSTM)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    loss(events)
    for hook in hooks:
        hook.remove()
    return counted[0]


def time_of(act: Callable[[], object], seconds: float) -> float:
    """The mean duration of an act in seconds, repeated for at least `seconds`."""
    act()
    count, start = 0, time.perf_counter()
    while (passed := time.perf_counter() - start) < seconds:
        act()
        count += 1
    return passed / count


def sizes_for_peer(experiment: Experiment) -> dict[str, Any] | None:
    """The sizes of Magenta's counterpart; None if the music has several streams of events."""
    representation, model = experiment.representation, experiment.model
    if len(representation.vocabulary_sizes) > 1:
        return None
    segments = representation.bars if model.latent == "bars" else 1
    return {
        "steps": representation.bars * representation.rows_per_bar,
        "classes": representation.vocabulary_sizes[0],
        "segments": segments,
        "latent": model.latent_size * segments,
        "encoder": [model.encoder_size] * model.encoder_layers,
        "conductor": [model.conductor_size] * model.conductor_layers,
        "decoder": [model.decoder_size] * model.decoder_layers,
        "batch_size": experiment.training.batch_size,
    }


@dataclass(frozen=True, kw_only=True)
class Peer:
    """Magenta's model in its own process.

    Attributes:
        about: The number of weights, and versions.
        rate: Trains for a number of seconds and gives the examples a second.
    """

    about: dict[str, Any]
    rate: Callable[[float], float]


@contextmanager
def start_peer(experiment: Experiment, folder: Path | None) -> Iterator[Peer | None]:
    """Magenta's counterpart of the experiment; None if there is no counterpart."""
    sizes = sizes_for_peer(experiment)
    if folder is None or sizes is None:
        yield None
        return
    with subprocess.Popen(
        [folder / "bin" / "python", PEER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        asked, answered = process.stdin, process.stdout

        def ask(question: object) -> dict[str, Any]:
            asked.write(json.dumps(question) + "\n")
            answer: dict[str, Any] = json.loads(answered.readline())
            return answer

        yield Peer(about=ask(sizes), rate=lambda seconds: float(ask(seconds)["examples_per_s"]))


def make_peer(folder: Path) -> Path | None:
    """An environment with Magenta and its model's requirements, made if it is missing.

    None if it can't be made: Magenta's TensorFlow needs Python 3.11 on x86.
    """
    if (folder / "bin" / "python").exists():
        return folder
    try:
        venv.create(folder, with_pip=True)
        install: list[str | Path] = [folder / "bin" / "pip", "install", "--quiet"]
        subprocess.run([*install, *MAGENTA_NEEDS], check=True)
        # Magenta's own requirements are of 2022, without wheels for a recent Python.
        subprocess.run([*install, "--no-deps", MAGENTA], check=True)
    except BaseException as error:
        shutil.rmtree(
            folder, ignore_errors=True
        )  # else half an environment would pass for a whole one next time
        if not isinstance(error, subprocess.CalledProcessError):
            raise
        print("Magenta can't be installed here (it needs Python 3.11 on x86): left out")
        return None
    return folder


def measure(experiment: Experiment, precision: str, folder: Path | None) -> dict[str, Any]:
    """The rates of one experiment in this process; with DDP, if it is set up."""
    dtype = PRECISIONS[precision]
    representation, batch_size = experiment.representation, experiment.training.batch_size
    random = np.random.default_rng(0)
    rows = representation.bars * representation.rows_per_bar
    columns = [random.integers(0, size, (batch_size, rows)) for size in
               representation.vocabulary_sizes]  # fmt: skip
    events = torch.from_numpy(np.stack(columns, axis=-1))
    loss = Loss(experiment)
    operations = BACKWARDS_AND_FORWARDS * count_operations(loss, events)
    shared: nn.Module = DistributedDataParallel(loss) if dist.is_initialized() else loss
    parameters = list(loss.parameters())
    optimizer = torch.optim.Adam(parameters, lr=1e-4)
    average = [parameter.detach().clone() for parameter in parameters]

    def step() -> None:
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.bfloat16):
            value = shared(events)
        value.backward()
        nn.utils.clip_grad_norm_(parameters, experiment.training.gradient_norm)
        optimizer.step()
        torch._foreach_lerp_(average, [each.detach() for each in parameters], 0.01)

    a, b = torch.randn(2, MATRIX, MATRIX).to(dtype).unbind()
    steps, products, peers = [], [], []
    with start_peer(experiment, folder) as peer:
        for _ in range(ROUNDS):
            steps.append(time_of(step, SECONDS / ROUNDS))
            products.append(time_of(lambda: a @ b, SECONDS / ROUNDS / 3))
            if peer is not None:
                peers.append(peer.rate(SECONDS / ROUNDS))
    seconds = statistics.median(steps)
    found: dict[str, Any] = {
        "batch_size": batch_size,
        "weights": sum(each.numel() for each in parameters),
        "examples_per_s": batch_size / seconds,
        "gflop_per_s": operations / seconds / 1e9,
        "limit_gflop_per_s": 2 * MATRIX**3 / statistics.median(products) / 1e9,
    }
    if peer is not None:
        found["peer"] = {**peer.about, "examples_per_s": statistics.median(peers)}
        found["times_peer"] = found["examples_per_s"] / found["peer"]["examples_per_s"]
    return found


def work(
    rank: int,
    processes: int,
    threads: int,
    experiment: Experiment,
    precision: str,
    folder: Path | None,
    file: str,
) -> None:
    """Measures in one of several processes; the first process writes the result."""
    torch.set_num_threads(threads)
    if processes > 1:
        dist.init_process_group("gloo", rank=rank, world_size=processes)
    found = measure(experiment, precision, folder)
    if rank == 0:
        Path(file).write_text(json.dumps(found))
    if processes > 1:
        dist.destroy_process_group()


def main() -> None:
    """Measures the presets one after another, each in new processes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("presets", nargs="*", default=MEMBERS)
    parser.add_argument("--precision", choices=PRECISIONS, default=precision_on("cpu"),
                        help="default: as a run on this processor")  # fmt: skip
    parser.add_argument("--threads", type=int, default=1, help="of each process")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--batch-size", type=int, help="default: the preset's")
    parser.add_argument("--peer", type=Path, default=Path("build/magenta"),
                        help="Magenta's environment; made if it is missing")  # fmt: skip
    parser.add_argument("--no-peer", action="store_true",
                        help="leave Magenta out, as with more than one thread")  # fmt: skip
    parser.add_argument("--json", type=Path, default=Path("build/training.json"))
    options = parser.parse_args()
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29511"}
    options.json.parent.mkdir(parents=True, exist_ok=True)
    file = options.json.with_suffix(".part")
    title = (
        f"Training in {options.precision}, {options.processes} process(es) of "
        f"{options.threads} thread(s)"
    )
    is_alone = options.processes == options.threads == 1
    folder = make_peer(options.peer) if is_alone and not options.no_peer else None
    table = Table(Column("preset", no_wrap=True), "weights", "examples a second", "GFLOP/s",
                  "limit", "share", "Magenta, examples a second", "times Magenta", title=title,
                  title_justify="left", collapse_padding=True, pad_edge=False,
                  show_edge=False)  # fmt: skip
    record = {}
    for name in options.presets:
        experiment = get_preset(name)
        if options.batch_size is not None:
            training = replace(experiment.training, batch_size=options.batch_size)
            experiment = replace(experiment, training=training)
        arguments = (options.processes, options.threads, experiment, options.precision, folder,
                     str(file))  # fmt: skip
        torch.multiprocessing.spawn(work, arguments, nprocs=options.processes)
        found = json.loads(file.read_text())
        for key in ("examples_per_s", "gflop_per_s", "limit_gflop_per_s"):
            found[key] *= options.processes
        record[name] = {"precision": options.precision, **found}
        table.add_row(
            name,
            f"{found['weights'] / 1e6:.1f} M",
            f"{found['examples_per_s']:,.0f}",
            f"{found['gflop_per_s']:.0f}",
            f"{found['limit_gflop_per_s']:.0f}",
            f"{found['gflop_per_s'] / found['limit_gflop_per_s']:.0%}",
            f"{found['peer']['examples_per_s']:,.0f}" if "peer" in found else "—",
            f"{found['times_peer']:.1f}" if "peer" in found else "—",
        )
    file.unlink()
    Console().print(table)
    options.json.write_text(json.dumps(record, indent=2) + "\n")


if __name__ == "__main__":
    main()
