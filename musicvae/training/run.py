"""A run trains one part of an experiment, its model or its prior, and can be interrupted."""

import logging
import warnings
from collections.abc import Iterator, Sequence
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
from musicvae.data.batches import TrainingSet, training_data
from musicvae.data.lines import PlayedLines, touch_data
from musicvae.data.manifest import load_manifest
from musicvae.data.mix import RunData, share_steps
from musicvae.data.relative import (
    check_styles,
    common_styles,
    prior_data,
    weigh_keys,
    weigh_styles,
)
from musicvae.errors import TrainingError
from musicvae.experiment.experiment import Experiment, to_dict
from musicvae.model.event_embedding import EventEmbedding
from musicvae.training import preflight
from musicvae.training.averaging import AveragedWeights
from musicvae.training.callbacks import CleanStop, CollapseAlarm, NotANumberAlarm, Pictures
from musicvae.training.checkpoints import (
    LAST,
    LIKELIHOOD_MONITOR,
    MODEL_MONITOR,
    Checkpoints,
    checkpoint_path,
    read_checkpoint,
)
from musicvae.training.hit_weights import weigh_hits
from musicvae.training.module import RunModule, TrainingModule
from musicvae.training.prior_module import PriorModule
from musicvae.training.progress import TrainingProgress
from musicvae.training.record import (
    MODEL,
    PRIOR,
    TOUCH,
    Origin,
    RunSettings,
    Start,
    check_folder,
    last_checkpoint,
    make_record,
    write_record,
)
from musicvae.training.touch_module import TouchModule

POSITIONS = "positions.weight"
"""Ends the names of tables that have more rows for more grids."""


def train(experiment: Experiment, settings: RunSettings, console: Console) -> bool:
    """Trains until the experiment's last step; returns False if interrupted before.

    With several devices Lightning runs the whole command again for each further device. Only the
    first process checks the run, opens its folder and prints.

    Raises:
        DataError: If the data are missing, too few or of another representation.
        TrainingError: If `out` holds another run, or nothing to resume, or learning fails.
    """
    is_first = rank_zero_only.rank == 0  # type: ignore[attr-defined]  # Lightning sets it
    manifests = [load_manifest(each) for each in (settings.data, *settings.further_data)]
    is_cut = settings.part != PRIOR
    experiment = preflight.with_grids(experiment, manifests, may_be_longer=is_cut)
    sets = _open_sets(experiment, settings)
    if settings.part == PRIOR:
        experiment = _of_prior(experiment, sets)
    elif settings.part == TOUCH:
        experiment = replace(experiment, training=experiment.touch_training)
    training = experiment.training
    batch = training.batch_size * settings.devices
    if is_first:
        preflight.check_counts(sets, batch)
    data, module = _prepare(experiment, settings, sets)
    callbacks = _callbacks(experiment, settings, console if is_first else Console(quiet=True))
    trainer = _make_trainer(experiment, settings, callbacks)
    checkpoint = last_checkpoint(settings)
    start = None
    if settings.start_from is not None and checkpoint is None:
        start = _take_over(module, settings.start_from, settings)
    if is_first:
        record = make_record(experiment, settings, manifests, start)
        check_folder(settings, record)
        if checkpoint is None and settings.part == MODEL:
            preflight.check_learning(experiment, data.sets(0, 1)[0], seed=settings.seed)
        if checkpoint is not None and _step_of(checkpoint) >= training.steps:
            console.print(_finished(experiment, settings), highlight=False, markup=False)
            return True
        write_record(settings.out, record)
        precision = str(trainer.precision)
        _greet(experiment, module, data, start, console, batch=batch, precision=precision)
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
    data: RunData,
    start: Start | None,
    console: Console,
    *,
    batch: int,
    precision: str,
) -> None:
    if start is not None:
        console.print(f"{start.share_taken:.0%} of the weights are those of {start.name}")
    weights = sum(parameter.numel() for parameter in module.model.parameters())
    console.print(
        f"{experiment.name}: {weights / 1e6:.1f} M weights, {sum(data.sizes):,} examples, "
        f"{experiment.training.steps:,} steps of {batch}, {precision}"
    )
    if experiment.grids:
        every = zip(experiment.all_grids, data.sizes, share_steps(data.sizes), strict=True)
        for grid, examples, share in every:
            console.print(f"{grid}: {examples:,} examples, {share} of 100 steps", highlight=False)


def _prepare(
    experiment: Experiment, settings: RunSettings, sets: Sequence[TrainingSet]
) -> tuple[RunData, RunModule]:
    """The data and the untrained part of a run."""
    seed = settings.seed
    if settings.part == TOUCH:
        return _prepare_touch(experiment, sets, seed=seed)
    if settings.part == MODEL:
        data = training_data(experiment, sets, seed=seed)
        power = experiment.objective.rare_hit_power
        streams = experiment.representation.streams
        weights = weigh_hits(sets[0].examples.events, streams, power=power) if power else None
        return data, TrainingModule(experiment, seed=seed, hit_weights=weights)
    module = PriorModule(experiment, seed=seed)
    for each in sets:
        weights = torch.from_numpy(weigh_keys(each.examples))
        module.model.keys_in(each.representation.grid).copy_(weights)
    if module.model.style_weights is not None:
        shares = weigh_styles(sets[0].examples, experiment.prior.styles)
        module.model.style_weights.copy_(torch.from_numpy(shares))
    return prior_data(experiment, sets, seed=seed), module


def _prepare_touch(
    experiment: Experiment, sets: Sequence[TrainingSet], *, seed: int
) -> tuple[RunData, TouchModule]:
    played = [PlayedLines(each.examples, each.representation) for each in sets]
    held_out = [PlayedLines(each.validation, each.representation) for each in sets]
    module = TouchModule(experiment, seed=seed)
    module.model.spread.fill_(played[0].find_spread())
    return touch_data(experiment.training, played, held_out, seed=seed), module


def _open_sets(experiment: Experiment, settings: RunSettings) -> list[TrainingSet]:
    return [
        TrainingSet(
            representation=experiment.representation.on_grid(grid),
            examples=shards.load(folder, "train"),
            validation=shards.load(folder, "validation"),
        )
        for grid, folder in zip(
            experiment.all_grids, (settings.data, *settings.further_data), strict=True
        )
    ]


def _of_prior(experiment: Experiment, sets: Sequence[TrainingSet]) -> Experiment:
    """The experiment of a prior's run: with the prior's training, and the styles of its data.

    Raises:
        SettingError: If the data have no excerpt of a style that is set.
    """
    prior = experiment.prior
    if prior.styles:
        check_styles(sets[0].examples, prior.styles)
    elif experiment.representation.kind.has_styles:
        prior = replace(prior, styles=common_styles(sets[0].examples))
    return replace(experiment, training=experiment.prior_training, prior=prior)


def _callbacks(
    experiment: Experiment, settings: RunSettings, console: Console
) -> list[lightning.Callback]:
    training = experiment.training
    is_model = settings.part == MODEL
    of_model = [Pictures(), CollapseAlarm(console)] if is_model else []
    return [
        NotANumberAlarm(),  # first, so that no callback draws or saves a NaN
        CleanStop(console, validate_every=training.validate_every),
        *of_model,
        TrainingProgress(console, batch_examples=training.batch_size * settings.devices),
        Checkpoints(settings.out, MODEL_MONITOR if is_model else LIKELIHOOD_MONITOR),
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

    A table of positions takes the rows that it has in common; the rows of new grids stay.
    A table of events may have new condition streams, see `EventEmbedding.take_events`.

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
    own = dict(module.model.named_parameters())
    taken = {
        name: tensor[: len(own[name])] if name.endswith(POSITIONS) else tensor
        for name, tensor in origin.weights.items()
        if name in own
    }
    count = 0
    tables = {
        f"{name}.events.weight": each
        for name, each in module.model.named_modules()
        if isinstance(each, EventEmbedding)
    }
    for name, tensor in taken.items():
        if name in tables:
            count += tables[name].take_events(tensor)
            continue
        weights = own[name].data
        part = weights[: len(tensor)] if name.endswith(POSITIONS) else weights
        if part.shape == tensor.shape:
            part.copy_(tensor)
            count += tensor.numel()
    total = sum(tensor.numel() for tensor in own.values())
    return Start(
        name=origin.name,
        content_hash=origin.content_hash,
        examples_seen=origin.examples_seen,
        share_taken=count / total,
        sources=origin.sources,
    )


def _step_of(checkpoint: Path) -> int:
    step: int = read_checkpoint(checkpoint)["global_step"]
    return step


def _finished(experiment: Experiment, settings: RunSettings) -> str:
    steps, out = experiment.training.steps, settings.out
    part = settings.part
    prefix, bundle = ("", f"{out}") if part == MODEL else (f"{part}_", f"RUN --{part} {out}")
    further = f"--resume --set {prefix}training.steps={2 * steps}"
    return (
        f"{experiment.name}: {out} is finished, all {steps:,} steps are done. Go further with "
        f"{further}, or make a bundle: musicvae export {bundle} --out bundles/{experiment.name}"
    )
