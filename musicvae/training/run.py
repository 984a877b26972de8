"""A run trains one part of an experiment, its model or its prior, and can be interrupted."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Literal

import lightning
import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.fabric.utilities.rank_zero import rank_zero_only
from lightning.pytorch.loggers import TensorBoardLogger
from rich.console import Console

from musicvae.data import shards
from musicvae.data.batches import Slices, TrainingData
from musicvae.data.manifest import load_manifest
from musicvae.data.relative import (
    PriorData,
    check_styles,
    common_styles,
    weigh_keys,
    weigh_styles,
)
from musicvae.data.shards import Events, ExampleSet
from musicvae.errors import TrainingError
from musicvae.experiment.experiment import Experiment, to_dict
from musicvae.training import preflight
from musicvae.training.averaging import AveragedWeights
from musicvae.training.callbacks import CleanStop, CollapseAlarm, NotANumberAlarm, Pictures
from musicvae.training.checkpoints import (
    LAST,
    MODEL_MONITOR,
    PRIOR_MONITOR,
    Checkpoints,
    checkpoint_path,
    read_checkpoint,
)
from musicvae.training.module import RunModule, TrainingModule
from musicvae.training.prior_module import PriorModule
from musicvae.training.progress import TrainingProgress
from musicvae.training.record import (
    PRIOR,
    Origin,
    RunSettings,
    Start,
    check_folder,
    last_checkpoint,
    make_record,
    write_record,
)


def train(experiment: Experiment, settings: RunSettings, console: Console) -> bool:
    """Trains until the experiment's last step; returns False if interrupted before.

    With several devices Lightning runs the whole command again for each further device. Only the
    first process checks the run, opens its folder and prints.

    Raises:
        DataError: If the data are missing, too few or of another representation.
        TrainingError: If `out` holds another run, or nothing to resume, or learning fails.
    """
    is_first = rank_zero_only.rank == 0  # type: ignore[attr-defined]  # Lightning sets it
    if settings.part == PRIOR:
        experiment = _of_prior(experiment, settings)
    manifest = load_manifest(settings.data)
    preflight.check_representation(experiment, manifest, may_be_longer=settings.part != PRIOR)
    training = experiment.training
    batch = training.batch_size * settings.devices
    if is_first:
        for split, least in (("train", batch), ("validation", 1)):
            preflight.check_count(_events(experiment, settings, split), least, split=split)
    data, module = _prepare(experiment, settings)
    callbacks = _callbacks(experiment, settings, console if is_first else Console(quiet=True))
    trainer = _make_trainer(experiment, settings, callbacks)
    checkpoint = last_checkpoint(settings)
    start = None
    if settings.start_from is not None and checkpoint is None:
        start = _take_over(module, settings.start_from, settings)
    if is_first:
        record = make_record(experiment, settings, manifest, start)
        check_folder(settings, record)
        if checkpoint is None and isinstance(data, TrainingData):
            preflight.check_learning(experiment, data.stream(), seed=settings.seed)
        if checkpoint is not None and _step_of(checkpoint) >= training.steps:
            console.print(_finished(experiment, settings), highlight=False, markup=False)
            return True
        write_record(settings.out, record)
        count = len(_events(experiment, settings, "train"))
        _greet(
            experiment,
            module,
            start,
            console,
            examples=count,
            batch=batch,
            precision=str(trainer.precision),
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


def _greet(
    experiment: Experiment,
    module: RunModule,
    start: Start | None,
    console: Console,
    *,
    examples: int,
    batch: int,
    precision: str,
) -> None:
    if start is not None:
        console.print(f"{start.share_taken:.0%} of the weights are those of {start.name}")
    weights = sum(parameter.numel() for parameter in module.model.parameters())
    console.print(
        f"{experiment.name}: {weights / 1e6:.1f} M weights, {examples:,} examples, "
        f"{experiment.training.steps:,} steps of {batch}, {precision}"
    )


def _prepare(
    experiment: Experiment, settings: RunSettings
) -> tuple[lightning.LightningDataModule, RunModule]:
    """The data and the untrained part of a run."""
    if settings.part == PRIOR:
        examples, validation = (_load(settings, split) for split in ("train", "validation"))
        prior_data = PriorData(experiment, examples, validation, seed=settings.seed)
        module = PriorModule(experiment, seed=settings.seed)
        module.model.key_weights.copy_(torch.from_numpy(weigh_keys(examples)))
        if module.model.style_weights is not None:
            shares = weigh_styles(examples, experiment.prior.styles)
            module.model.style_weights.copy_(torch.from_numpy(shares))
        return prior_data, module
    parts = [_events(experiment, settings, split) for split in ("train", "validation")]
    counts = _load(settings, "train").counts
    data = TrainingData(experiment, *parts, counts=counts, seed=settings.seed)
    return data, TrainingModule(experiment, seed=settings.seed)


def _of_prior(experiment: Experiment, settings: RunSettings) -> Experiment:
    """The experiment of a prior's run: with the prior's training, and the styles of its data.

    Raises:
        SettingError: If the data have no excerpt of a style that is set.
    """
    prior = experiment.prior
    if prior.styles:
        check_styles(_load(settings, "train"), prior.styles)
    elif experiment.representation.kind.has_styles:
        prior = replace(prior, styles=common_styles(_load(settings, "train")))
    return replace(experiment, training=experiment.prior_training, prior=prior)


def _load(settings: RunSettings, split: str) -> ExampleSet:
    return shards.load(settings.data, split)


def _events(experiment: Experiment, settings: RunSettings, split: str) -> Events:
    """The events of a split, cut to the experiment's length where they are longer."""
    events = _load(settings, split).events
    representation = experiment.representation
    steps = representation.bars * representation.rows_per_bar
    return events if events.shape[1] == steps else Slices(events, steps)


def _callbacks(
    experiment: Experiment, settings: RunSettings, console: Console
) -> list[lightning.Callback]:
    training = experiment.training
    is_prior = settings.part == PRIOR
    of_model = [] if is_prior else [Pictures(), CollapseAlarm(console)]
    return [
        NotANumberAlarm(),  # first, so that no callback draws or saves a NaN
        CleanStop(console, validate_every=training.validate_every),
        *of_model,
        TrainingProgress(console, batch_examples=training.batch_size * settings.devices),
        Checkpoints(settings.out, PRIOR_MONITOR if is_prior else MODEL_MONITOR),
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


def _take_over(module: RunModule, origin: Origin, settings: RunSettings) -> Start:
    """Gives a module the trained weights that have the same names and shapes.

    Raises:
        TrainingError: If they are the weights of another part.
    """
    if origin.part != settings.part:
        raise TrainingError(
            f"the weights of a {origin.part} to start a {settings.part} from",
            expected=f"the weights of a {settings.part}",
            action="Give another `start_from`.",
            field="start_from",
        )
    own = module.model.state_dict()
    taken = {
        name: tensor
        for name, tensor in origin.weights.items()
        if name in own and own[name].shape == tensor.shape
    }
    module.model.load_state_dict({**own, **taken})
    total = sum(tensor.numel() for tensor in own.values())
    return Start(
        name=origin.name,
        content_hash=origin.content_hash,
        examples_seen=origin.examples_seen,
        share_taken=sum(tensor.numel() for tensor in taken.values()) / total,
    )


def _step_of(checkpoint: Path) -> int:
    step: int = read_checkpoint(checkpoint)["global_step"]
    return step


def _finished(experiment: Experiment, settings: RunSettings) -> str:
    steps, out = experiment.training.steps, settings.out
    is_prior = settings.part == PRIOR
    further = f"--resume --set {'prior_training' if is_prior else 'training'}.steps={2 * steps}"
    bundle = f"RUN --prior {out}" if is_prior else f"{out}"
    return (
        f"{experiment.name}: {out} is finished, all {steps:,} steps are done. Go further with "
        f"{further}, or make a bundle: musicvae export {bundle} --out bundles/{experiment.name}"
    )
