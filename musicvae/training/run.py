"""A run: a folder with the experiment, its checkpoints and its curves.

RUN/run.json            the experiment, the seed, and the data it was trained on
RUN/checkpoints/        best.ckpt by sampled accuracy on the validation split, last.ckpt
RUN/tensorboard/        the curves
"""

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from jaxtyping import Int, Int16
from lightning.pytorch.callbacks import ModelCheckpoint, RichProgressBar
from lightning.pytorch.loggers import TensorBoardLogger
from rich.console import Console

from musicvae import shards
from musicvae.errors import TrainingError
from musicvae.experiment import Experiment, from_dict, to_dict
from musicvae.representation import Representation
from musicvae.training import doctor
from musicvae.training.callbacks import CleanStop, CollapseAlarm, NotANumberAlarm, Pictures
from musicvae.training.data import BatchStream
from musicvae.training.module import TrainingModule

RUN_FILE = "run.json"


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """What changes between two runs of the same experiment.

    Attributes:
        data: A prepared data set.
        out: The run's folder.
        seed: Of the weights, the order of the examples and everything drawn.
        resume: Whether to go on from the last checkpoint in `out`.
        accelerator: `auto`, `cpu`, `cuda` or `mps`.
        devices: Number of devices; each is a process with a batch of its own.
    """

    data: Path
    out: Path
    seed: int = 0
    resume: bool = False
    accelerator: str = "auto"
    devices: int = 1


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run read back: what was trained, on what, and the best weights so far.

    Attributes:
        experiment: What was trained.
        seed: The run's seed.
        data: The prepared data set's folder.
        content_hash: The data set's.
        step: The optimiser step of the weights.
        examples_seen: Examples over all the steps up to there.
        weights: The model's state.
    """

    experiment: Experiment
    seed: int
    data: Path
    content_hash: str
    step: int
    examples_seen: int
    weights: dict[str, torch.Tensor]


def train(experiment: Experiment, settings: RunSettings, console: Console) -> bool:
    """Trains until the experiment's last step; returns False if it was interrupted before.

    Raises:
        DataError: If the data are missing, too few or of another representation.
        TrainingError: If `out` holds another run, or nothing to resume, or learning fails.
    """
    manifest = shards.load_manifest(settings.data)
    training = experiment.training
    examples = shards.load(settings.data, "train").events
    validation = shards.load(settings.data, "validation").events
    batch = training.batch_size * settings.devices
    doctor.check_data(experiment, manifest, examples, batch_examples=batch, split="train")
    doctor.check_data(experiment, manifest, validation, batch_examples=1, split="validation")
    checkpoint = _open_run(experiment, settings, manifest)
    if checkpoint is None:
        stream = _stream(experiment, examples, settings.seed)
        doctor.check_learning(experiment, stream, seed=settings.seed)

    module = TrainingModule(experiment, seed=settings.seed)
    data = _Data(experiment, examples, validation, seed=settings.seed)
    stop = CleanStop(console)
    saver = ModelCheckpoint(
        settings.out / "checkpoints",
        filename="best",
        monitor="validation/accuracy_sampled",
        mode="max",
        save_last=True,
        enable_version_counter=False,
    )
    weights = sum(parameter.numel() for parameter in module.model.parameters())
    console.print(
        f"{experiment.name}: {weights / 1e6:.1f} M weights, {len(examples):,} examples, "
        f"{training.steps:,} steps of {batch}"
    )
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)  # its advertisements
    trainer = lightning.Trainer(
        accelerator=settings.accelerator,
        devices=settings.devices,
        strategy="ddp" if settings.devices > 1 else "auto",
        use_distributed_sampler=False,
        precision="bf16-mixed" if _is_cuda(settings.accelerator) else "32-true",
        max_steps=training.steps,
        val_check_interval=min(training.validate_every, training.steps),
        check_val_every_n_epoch=None,
        num_sanity_val_steps=0,
        gradient_clip_val=training.gradient_norm,
        logger=TensorBoardLogger(settings.out, name="tensorboard", version=""),
        log_every_n_steps=20,
        callbacks=[
            saver,
            stop,
            Pictures(),
            CollapseAlarm(console),
            NotANumberAlarm(),
            RichProgressBar(leave=True),
        ],
        enable_model_summary=False,
    )
    trainer.fit(module, datamodule=data, ckpt_path=checkpoint, weights_only=True)
    if trainer.global_step < training.steps:
        trainer.save_checkpoint(settings.out / "checkpoints" / "last.ckpt")
        console.print(f"stopped at step {trainer.global_step:,}; go on with --resume")
        return False
    return True


def load_run(directory: Path, *, checkpoint: str = "best") -> Run:
    """Reads a run's best (or `last`) checkpoint.

    Raises:
        TrainingError: If the folder is no run, or has no such checkpoint yet.
    """
    record = _read_record(directory)
    path = directory / "checkpoints" / f"{checkpoint}.ckpt"
    if not path.exists():
        raise TrainingError(
            f"no checkpoint {path}",
            expected="a run that has passed its first validation",
            action="Let the run go on with `musicvae train ... --resume`.",
            field="run",
        )
    saved = torch.load(path, map_location="cpu", weights_only=True)
    prefix = "model."
    experiment = from_dict(saved["experiment"])
    return Run(
        experiment=experiment,
        seed=saved["seed"],
        data=Path(record["data"]),
        content_hash=record["content_hash"],
        step=saved["global_step"],
        examples_seen=saved["global_step"] * experiment.training.batch_size * record["devices"],
        weights={
            name.removeprefix(prefix): tensor
            for name, tensor in saved["state_dict"].items()
            if name.startswith(prefix)
        },
    )


class _Data(lightning.LightningDataModule):
    """The streams of a run, made where Lightning wants them: after a resumed step is known."""

    def __init__(
        self,
        experiment: Experiment,
        examples: Int16[np.ndarray, "batch step stream"],
        validation: Int16[np.ndarray, "batch step stream"],
        *,
        seed: int,
    ) -> None:
        super().__init__()
        self._experiment = experiment
        self._examples = examples
        self._seed = seed
        count = min(len(validation), experiment.training.validation_examples)
        choice = np.random.default_rng(seed).permutation(len(validation))[:count]
        self._validation = torch.from_numpy(validation[np.sort(choice)].astype(np.int64))

    def train_dataloader(self) -> BatchStream:
        """The batches from the trainer's step on, this rank's part."""
        trainer = self.trainer
        assert trainer is not None
        return _stream(
            self._experiment,
            self._examples,
            self._seed,
            first_step=trainer.global_step,
            rank=trainer.global_rank,
            ranks=trainer.world_size,
        )

    def val_dataloader(self) -> "_OneBatch":
        """The same examples at every validation."""
        return _OneBatch(self._validation)


class _OneBatch:
    """A loader of a single batch; Lightning would take a list for several loaders."""

    def __init__(self, batch: Int[torch.Tensor, "batch step stream"]) -> None:
        self._batch = batch

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[Int[torch.Tensor, "batch step stream"]]:
        yield self._batch


def _stream(
    experiment: Experiment,
    examples: Int16[np.ndarray, "batch step stream"],
    seed: int,
    *,
    first_step: int = 0,
    rank: int = 0,
    ranks: int = 1,
) -> BatchStream:
    representation: Representation = experiment.representation
    return BatchStream(
        examples,
        representation,
        batch_size=experiment.training.batch_size,
        seed=seed,
        most_semitones=experiment.training.most_semitones,
        first_step=first_step,
        rank=rank,
        ranks=ranks,
    )


def _open_run(
    experiment: Experiment, settings: RunSettings, manifest: shards.Manifest
) -> Path | None:
    """Starts the run's folder, or finds the checkpoint to go on from."""
    last = settings.out / "checkpoints" / "last.ckpt"
    record = {
        "experiment": to_dict(experiment),
        "seed": settings.seed,
        "data": str(settings.data.resolve()),
        "content_hash": manifest.content_hash,
        "devices": settings.devices,
    }
    if settings.resume:
        if not last.exists():
            raise TrainingError(
                f"nothing to resume in {settings.out}",
                expected=f"a checkpoint {last}",
                action="Leave --resume out to start a run there.",
                field="resume",
            )
        before = _read_record(settings.out)
        changed = [name for name in record if name != "data" and before.get(name) != record[name]]
        if changed:
            raise TrainingError(
                f"a run in {settings.out} with another {' and '.join(changed)}",
                expected="the same as when it was started",
                action="Give the same preset, settings, seed and data, or another --out.",
                field=changed[0],
            )
        return last
    if (settings.out / RUN_FILE).exists():
        raise TrainingError(
            f"a run that exists in {settings.out}",
            expected="a new folder, or --resume",
            action="Add --resume to go on with it, or give another --out.",
            field="out",
        )
    settings.out.mkdir(parents=True, exist_ok=True)
    partial = settings.out / f"{RUN_FILE}.partial"
    partial.write_text(json.dumps(record, indent=2) + "\n")
    partial.rename(settings.out / RUN_FILE)
    return None


def _read_record(directory: Path) -> dict[str, Any]:
    path = directory / RUN_FILE
    try:
        record = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise TrainingError(
            f"{directory} without a readable {RUN_FILE}",
            expected="a folder made by `musicvae train`",
            action="Give the folder that was --out of the training.",
            field="run",
        ) from error
    assert isinstance(record, dict)
    return record


def _is_cuda(accelerator: str) -> bool:
    return accelerator == "cuda" or (accelerator == "auto" and torch.cuda.is_available())
