"""How fast each preset trains, beside the rate at which this machine multiplies matrices.

    python benchmarks/training.py [PRESET...] [--precision NAME] [--threads N] [--processes N]

A step is what a run does: a batch of 32, forwards, backwards, clipping, Adam, averaging. Its
operations are counted from the shapes that its layers saw, two for a multiply and add, three times
those of the forward pass for both directions. The limit is the rate of a product of large square
matrices of the same precision, measured in the same process between the steps. With several
processes each has `--threads` threads and they share gradients as in a run (DDP over gloo); the
limit is theirs together.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from musicvae.experiment import Experiment, build_model
from musicvae.latent import draw
from musicvae.model import Teacher
from musicvae.model.stream_split import split
from musicvae.objective import elbo
from musicvae.presets import PRESETS, get_preset
from musicvae.training.run import precision_on

MEMBERS = [name for name in PRESETS if not name.endswith(("-tiny", "-paper"))]
PRECISIONS = {"32-true": torch.float32, "bf16-mixed": torch.bfloat16}
SECONDS = 6.0
ROUNDS = 5
MATRIX = 1536
BACKWARDS_AND_FORWARDS = 3


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
        posterior = self.model.encode(events)
        music, given = split(events, self.experiment.representation.streams)
        decoded = self.model.decode(draw(posterior, self.generator), given)
        return elbo(posterior, decoded.log_prob(music, teacher=teacher), beta=0.2).loss


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
    """The seconds that it takes once, over at least so many seconds."""
    act()
    count, start = 0, time.perf_counter()
    while (passed := time.perf_counter() - start) < seconds:
        act()
        count += 1
    return passed / count


def measure(name: str, precision: str) -> dict[str, float]:
    """The rates of one preset in this process; with DDP, where it has been set up."""
    dtype = PRECISIONS[precision]
    experiment = get_preset(name)
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
    steps, products = [], []
    for _ in range(ROUNDS):
        steps.append(time_of(step, SECONDS / ROUNDS))
        products.append(time_of(lambda: a @ b, SECONDS / ROUNDS / 3))
    seconds = statistics.median(steps)
    return {
        "weights": sum(each.numel() for each in parameters),
        "examples_per_s": batch_size / seconds,
        "gflop_per_s": operations / seconds / 1e9,
        "limit_gflop_per_s": 2 * MATRIX**3 / statistics.median(products) / 1e9,
    }


def work(rank: int, processes: int, threads: int, name: str, precision: str, file: str) -> None:
    """Measures in one of several processes; the first writes what it found."""
    torch.set_num_threads(threads)
    if processes > 1:
        dist.init_process_group("gloo", rank=rank, world_size=processes)
    found = measure(name, precision)
    if rank == 0:
        Path(file).write_text(json.dumps(found))
    if processes > 1:
        dist.destroy_process_group()


def main() -> None:
    """Measures the presets one after another, each in processes of its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("presets", nargs="*", default=MEMBERS)
    parser.add_argument("--precision", choices=PRECISIONS, default=precision_on("cpu"),
                        help="a run's own on this processor, unless given")  # fmt: skip
    parser.add_argument("--threads", type=int, default=1, help="of each process")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--json", type=Path, default=Path("build/training.json"))
    options = parser.parse_args()
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29511"}
    options.json.parent.mkdir(parents=True, exist_ok=True)
    file = options.json.with_suffix(".part")
    title = (
        f"Training in {options.precision}, {options.processes} process(es) of "
        f"{options.threads} thread(s)"
    )
    table = Table("preset", "weights", "examples a second", "GFLOP/s", "limit", "share",
                  title=title, title_justify="left")  # fmt: skip
    record = {}
    for name in options.presets:
        arguments = (options.processes, options.threads, name, options.precision, str(file))
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
        )
    file.unlink()
    Console().print(table)
    options.json.write_text(json.dumps(record, indent=2) + "\n")


if __name__ == "__main__":
    main()
