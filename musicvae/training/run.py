"""A run: a folder with the experiment, its checkpoints and its curves.

RUN/run.json            the experiment, the seed, and the data set
RUN/checkpoints/        best.ckpt and last.ckpt, see checkpoints.py
RUN/tensorboard/        the curves
"""

import json
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import lightning
import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.fabric.utilities.rank_zero import rank_zero_only
from lightning.pytorch.loggers import TensorBoardLogger
from rich.console import Console

from musicvae.data import shards
from musicvae.data.batches import Slices, TrainingData
from musicvae.data.manifest import Manifest, load_manifest
from musicvae.data.shards import Events
from musicvae.errors import SettingError, TrainingError
from musicvae.experiment.experiment import Experiment, from_dict, to_dict
from musicvae.experiment.settings import differences
from musicvae.files import check_folder, write_file
from musicvae.problems import is_whole_within
from musicvae.training import preflight
from musicvae.training.averaging import AveragedWeights
from musicvae.training.callbacks import CleanStop, CollapseAlarm, NotANumberAlarm, Pictures
from musicvae.training.checkpoints import BEST, LAST, Checkpoints, checkpoint_path, read_checkpoint
from musicvae.training.module import TrainingModule
from musicvae.training.progress import TrainingProgress

RUN_FILE = "run.json"
SEEDS = range(2**63)


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """The settings that differ between two runs of the same experiment.

    Attributes:
        data: A prepared data set.
        out: The run's folder.
        seed: Of the weights, the order of the examples and all noise.
        resume: Whether to go on from the last checkpoint in `out`; the run may be made longer.
        start_from: A run whose best weights are taken over, as far as they fit, before the first
            step: a run on shorter excerpts, for example.
        accelerator: `auto`, `cpu`, `cuda` or `mps`.
        devices: Number of devices; each is a process with a batch of its own.

    Raises:
        SettingError: If a number is out of its range.
    """

    data: Path
    out: Path
    seed: int = 0
    resume: bool = False
    start_from: Path | None = None
    accelerator: str = "auto"
    devices: int = 1

    def __post_init__(self) -> None:
        for name, is_right, expected in (
            ("seed", is_whole_within(self.seed, SEEDS), "0 to 2^63 - 1"),
            ("devices", self.devices >= 1, "1 or more"),
        ):
            if not is_right:
                raise SettingError(
                    f"{name}={getattr(self, name)}",
                    expected=expected,
                    action="Give a number in that range.",
                    field=name,
                )


@dataclass(frozen=True, kw_only=True)
class Start:
    """The earlier run that gave a run its first weights.

    Attributes:
        name: Name of the earlier run's experiment.
        content_hash: Of the earlier run's data set.
        examples_seen: Examples that trained the earlier run's weights, all runs before it included.
        share_taken: Share of the new model's weights that came from the earlier run, 0 to 1.
    """

    name: str
    content_hash: str
    examples_seen: int
    share_taken: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Run:
    """A run read back: its experiment, its data set, and the weights of a checkpoint.

    Attributes:
        experiment: The experiment.
        seed: The run's seed.
        data: The prepared data set's folder.
        content_hash: The data set's hash.
        step: The optimiser step of the weights.
        examples_seen: Examples over all steps up to this step.
        start: The run that gave the first weights; None if they were drawn at random.
        weights: The model's state.
    """

    experiment: Experiment
    seed: int
    data: Path
    content_hash: str
    step: int
    examples_seen: int
    start: Start | None
    weights: dict[str, torch.Tensor]


def train(experiment: Experiment, settings: RunSettings, console: Console) -> bool:
    """Trains until the experiment's last step; returns False if interrupted before.

    With several devices Lightning runs the whole command again for each further device. Only the
    first process checks the run, opens its folder and prints.

    Raises:
        DataError: If the data are missing, too few or of another representation.
        TrainingError: If `out` holds another run, or nothing to resume, or learning fails.
    """
    is_first = rank_zero_only.rank == 0  # type: ignore[attr-defined]  # Lightning sets it
    manifest = load_manifest(settings.data)
    training = experiment.training
    examples, validation = (
        _load(settings.data, split, experiment, manifest) for split in ("train", "validation")
    )
    counts = shards.load(settings.data, "train").counts
    data = TrainingData(experiment, examples, validation, counts=counts, seed=settings.seed)
    batch = training.batch_size * settings.devices
    callbacks = _callbacks(experiment, settings, console if is_first else Console(quiet=True))
    trainer = _make_trainer(experiment, settings, callbacks)
    checkpoint = _last_checkpoint(settings)
    module = TrainingModule(experiment, seed=settings.seed)
    start = None
    if settings.start_from is not None and checkpoint is None:
        start = _take_over(module, load_run(settings.start_from))
    if is_first:
        preflight.check_count(examples, batch_examples=batch, split="train")
        preflight.check_count(validation, batch_examples=1, split="validation")
        record = _record(experiment, settings, manifest, start)
        _check_folder(settings, record)
        if checkpoint is None:
            preflight.check_learning(experiment, data.stream(), seed=settings.seed)
        if checkpoint is not None and _step_of(checkpoint) >= training.steps:
            console.print(_finished(experiment, settings.out), highlight=False, markup=False)
            return True
        _write_record(settings.out, record)
        if start is not None:
            console.print(f"{start.share_taken:.0%} of the weights are those of {start.name}")
        weights = sum(parameter.numel() for parameter in module.model.parameters())
        console.print(
            f"{experiment.name}: {weights / 1e6:.1f} M weights, {len(examples):,} examples, "
            f"{training.steps:,} steps of {batch}, {trainer.precision}"
        )
    with _quiet():
        trainer.fit(module, datamodule=data, ckpt_path=checkpoint, weights_only=True)
        if trainer.global_step < training.steps:
            trainer.save_checkpoint(checkpoint_path(settings.out, LAST))
            if is_first:
                console.print(f"stopped at step {trainer.global_step:,}; go on with --resume")
            # If the process of another device ended with a failure, Lightning would kill the rest.
            return not is_first
    return True


def load_run(directory: Path, *, checkpoint: str = BEST) -> Run:
    """Reads a run's `BEST` or `LAST` checkpoint.

    Raises:
        TrainingError: If the folder is no run, or has no such checkpoint yet, or it is damaged.
    """
    record = _read_record(directory)
    path = checkpoint_path(directory, checkpoint)
    if not path.exists():
        raise TrainingError(
            f"no checkpoint {path}",
            expected="a run that has passed its first validation",
            action="Let the run go on with `musicvae train ... --resume`.",
            field="run",
        )
    saved = read_checkpoint(path)
    prefix = "model."
    experiment = from_dict(saved["experiment"])
    return Run(
        experiment=experiment,
        seed=saved["seed"],
        data=Path(record["data"]),
        content_hash=record["content_hash"],
        step=saved["global_step"],
        examples_seen=saved["global_step"] * experiment.training.batch_size * record["devices"],
        start=None if record["start"] is None else Start(**record["start"]),
        weights={
            name.removeprefix(prefix): tensor
            for name, tensor in saved["state_dict"].items()
            if name.startswith(prefix)
        },
    )


def precision_on(accelerator: str) -> Literal["bf16-mixed", "32-true"]:
    """bfloat16 products where the device has instructions for them: up to twice as fast."""
    device = accelerator
    if accelerator == "auto":
        found = torch.accelerator.current_accelerator(check_available=True)
        device = "cpu" if found is None else found.type
    if device == "cuda":
        has_bfloat16 = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        has_bfloat16 = device == "cpu" and torch.cpu.get_capabilities().get("avx512_bf16", False)
    return "bf16-mixed" if has_bfloat16 else "32-true"


def _load(directory: Path, split: str, experiment: Experiment, manifest: Manifest) -> Events:
    """The examples of a split, cut to the experiment's length where they are longer."""
    preflight.check_representation(experiment, manifest)
    events = shards.load(directory, split).events
    representation = experiment.representation
    steps = representation.bars * representation.rows_per_bar
    return events if events.shape[1] == steps else Slices(events, steps)


def _callbacks(
    experiment: Experiment, settings: RunSettings, console: Console
) -> list[lightning.Callback]:
    training = experiment.training
    return [
        NotANumberAlarm(),  # first, so that no callback draws or saves a NaN
        CleanStop(console, validate_every=training.validate_every),
        Pictures(),
        CollapseAlarm(console),
        TrainingProgress(console, batch_examples=training.batch_size * settings.devices),
        Checkpoints(settings.out),
        AveragedWeights(training.averaging_power),  # last, so that all callbacks see the average
    ]


def _make_trainer(
    experiment: Experiment, settings: RunSettings, callbacks: list[lightning.Callback]
) -> lightning.Trainer:
    training = experiment.training
    logger = TensorBoardLogger(
        settings.out, name="tensorboard", version="", default_hp_metric=False
    )
    logger.log_hyperparams({"seed": settings.seed, **to_dict(experiment)})  # hparams.yaml
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)  # no advertisements
    try:
        return lightning.Trainer(
            accelerator=settings.accelerator,
            devices=settings.devices,
            strategy="ddp" if settings.devices > 1 else "auto",
            use_distributed_sampler=False,
            precision=precision_on(settings.accelerator),
            max_steps=training.steps,
            val_check_interval=training.validate_every,
            check_val_every_n_epoch=None,
            num_sanity_val_steps=0,
            gradient_clip_val=training.gradient_norm,
            logger=logger,
            log_every_n_steps=20,
            callbacks=callbacks,
            enable_model_summary=False,
            enable_progress_bar=False,
            enable_checkpointing=False,
        )
    except MisconfigurationException as error:
        raise TrainingError(
            f"{settings.devices} of accelerator {settings.accelerator} ({error})",
            expected="devices that this machine has",
            action="Choose another `accelerator`, or fewer `devices`.",
            field="accelerator",
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Hides warnings that are for the authors of Lightning and torch."""
    with warnings.catch_warnings():
        # Lightning's copy of torch's tree functions calls a class that torch 2.13 deprecates.
        warnings.filterwarnings("ignore", r"`isinstance\(treespec, LeafSpec\)`", FutureWarning)
        yield


def _last_checkpoint(settings: RunSettings) -> Path | None:
    """The checkpoint to go on from; None where the run begins, or ended before a checkpoint."""
    last = checkpoint_path(settings.out, LAST)
    return last if settings.resume and last.exists() else None


def _take_over(module: TrainingModule, run: Run) -> Start:
    """Gives a module the weights of a run that have the same names and shapes."""
    own = module.model.state_dict()
    taken = {
        name: tensor
        for name, tensor in run.weights.items()
        if name in own and own[name].shape == tensor.shape
    }
    module.model.load_state_dict({**own, **taken})
    before = 0 if run.start is None else run.start.examples_seen
    total = sum(tensor.numel() for tensor in own.values())
    return Start(
        name=run.experiment.name,
        content_hash=run.content_hash,
        examples_seen=run.examples_seen + before,
        share_taken=sum(tensor.numel() for tensor in taken.values()) / total,
    )


def _record(
    experiment: Experiment, settings: RunSettings, manifest: Manifest, start: Start | None
) -> dict[str, Any]:
    """The record of a run: what `--resume` compares, and `load_run` reads."""
    return {
        "experiment": to_dict(experiment),
        "seed": settings.seed,
        "data": str(settings.data.resolve()),
        "content_hash": manifest.content_hash,
        "devices": settings.devices,
        "start": None if start is None else asdict(start),
    }


def _identity(record: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a record that must not change: data may move, and a run may be made longer."""
    experiment = record["experiment"]
    return {
        **experiment,
        "training": {**experiment["training"], "steps": None},
        "seed": record["seed"],
        "data": record["content_hash"],
        "devices": record["devices"],
        "start": record["start"],
    }


def _check_folder(settings: RunSettings, record: dict[str, Any]) -> None:
    """Makes sure that the run's folder is free, or on --resume holds the same run."""
    if settings.resume:
        before = _read_record(settings.out)
        if _last_checkpoint(settings):
            record["start"] = before["start"]
        elif before["start"] is not None and record["start"] is None:
            raise TrainingError(
                f"a run in {settings.out} that was started from another run and has no checkpoint",
                expected="the run that gave the first weights",
                action="Give `start_from` again.",
                field="start_from",
            )
        if changed := differences(_identity(before), _identity(record)):
            raise TrainingError(
                f"a run in {settings.out} with other settings ({'; '.join(changed)})",
                expected="the settings that the run was started with",
                action="Give the same preset, name, settings, seed and data, or another `out`.",
                field=changed[0].partition(":")[0],
            )
        if checkpoint := _last_checkpoint(settings):
            read_checkpoint(checkpoint)
    elif (settings.out / RUN_FILE).exists():
        raise TrainingError(
            f"a run that exists in {settings.out}",
            expected="a new folder, or `resume`",
            action="Add `resume` to go on with it, or give another `out`.",
            field="out",
        )
    else:
        check_folder(settings.out, TrainingError)


def _step_of(checkpoint: Path) -> int:
    step: int = read_checkpoint(checkpoint)["global_step"]
    return step


def _finished(experiment: Experiment, out: Path) -> str:
    steps = experiment.training.steps
    return (
        f"{experiment.name}: {out} is finished, all {steps:,} steps are done. Go further with "
        f"--resume --set training.steps={2 * steps}, or make a bundle: musicvae export {out} "
        f"--out bundles/{experiment.name}"
    )


def _write_record(directory: Path, record: Mapping[str, Any]) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    write_file(directory / RUN_FILE, json.dumps(record, indent=2) + "\n")


def _read_record(directory: Path) -> dict[str, Any]:
    path = directory / RUN_FILE
    try:
        record = json.loads(path.read_text())
        names = ("seed", "data", "content_hash", "devices", "start")
        # Older versions had other names for some settings.
        experiment = to_dict(from_dict(record["experiment"]))
        return {"experiment": experiment, **{name: record[name] for name in names}}
    except (OSError, ValueError, KeyError, TypeError, RecursionError, SettingError) as error:
        raise TrainingError(
            f"{directory} without a readable {RUN_FILE}",
            expected="a folder made by `musicvae train`",
            action="Give the folder of a run; a new run has nothing to resume.",
            field="run",
        ) from error
