"""The folder of a run: its record, which `--resume` compares, and its checkpoints read back.

RUN/run.json            the experiment, the seed, the data set, and the part that is trained
RUN/checkpoints/        best.ckpt and last.ckpt, see checkpoints.py
RUN/tensorboard/        the curves
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from musicvae import files
from musicvae.data.manifest import Manifest
from musicvae.errors import SettingError, TrainingError
from musicvae.experiment.experiment import Experiment, from_dict, to_dict
from musicvae.experiment.settings import differences
from musicvae.problems import is_whole_within
from musicvae.training.checkpoints import BEST, LAST, checkpoint_path, read_checkpoint

RUN_FILE = "run.json"
SEEDS = range(2**63)

MODEL, PRIOR, TOUCH = "model", "prior", "touch"
"""The parts of an experiment that a run can train."""


Sources = Sequence[Mapping[str, str | None]]
"""The `name` and the `licence` of each source, as JSON keeps them."""


def join_sources(*lists: Sources) -> Sources:
    """The sources of several runs, each name once; the last licence of a name holds."""
    licences = {each["name"]: each["licence"] for sources in lists for each in sources}
    return [{"name": name, "licence": licence} for name, licence in licences.items()]


@dataclass(frozen=True, kw_only=True, eq=False)
class Origin:
    """Trained weights that a run can begin with.

    Attributes:
        name: Name of the experiment that trained them.
        content_hash: Of the data set that trained them.
        examples_seen: Examples that trained them, all earlier runs included.
        part: The part that they are the weights of.
        sources: The sources that trained them, all earlier runs included, with their licences.
        weights: The state of the part.
    """

    name: str
    content_hash: str
    examples_seen: int
    part: str
    sources: Sources
    weights: Mapping[str, torch.Tensor]


@dataclass(frozen=True, kw_only=True)
class UsedSet:
    """A prepared data set that a run learns from: its folder, and its hash."""

    data: Path
    content_hash: str


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """The settings that differ between two runs of the same experiment.

    Attributes:
        data: A prepared data set.
        further_data: Prepared data sets of the same kind of music on further grids.
        out: The run's folder.
        seed: Of the weights, the order of the examples and all noise.
        resume: Whether to go on from the last checkpoint in `out`; the run may be made longer.
        start_from: Trained weights that are taken over, as far as they fit, before the first step:
            of a run on shorter excerpts, for example.
        accelerator: `auto`, `cpu`, `cuda` or `mps`.
        devices: Number of devices; each is a process with a batch of its own.
        part: The part that is trained: `MODEL`, `PRIOR` for the prior over events, or `TOUCH` for
            the loudness of melodies.

    Raises:
        SettingError: If a number is out of its range.
    """

    data: Path
    out: Path
    seed: int = 0
    resume: bool = False
    start_from: Origin | None = None
    accelerator: str = "auto"
    devices: int = 1
    part: str = MODEL
    further_data: tuple[Path, ...] = ()

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
        sources: The sources that trained the earlier run's weights, all runs before it included,
            with their licences; empty in runs of older versions.
    """

    name: str
    content_hash: str
    examples_seen: int
    share_taken: float
    sources: Sources = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Run:
    """A run read back: its experiment, its data set, and the weights of a checkpoint.

    Attributes:
        experiment: The experiment.
        seed: The run's seed.
        data: The prepared data set's folder.
        content_hash: The data set's hash.
        further_sets: The data sets on further grids, in the order of `Experiment.grids`.
        step: The optimiser step of the weights.
        examples_seen: Examples over all steps up to this step.
        start: The run that gave the first weights; None if they were drawn at random.
        part: The part that was trained, see `RunSettings`.
        sources: The sources of the data sets, with their licences; empty in runs of older versions.
        weights: The state of the part.
    """

    experiment: Experiment
    seed: int
    data: Path
    content_hash: str
    further_sets: tuple[UsedSet, ...] = ()
    sources: Sources = ()
    step: int
    examples_seen: int
    start: Start | None
    part: str
    weights: dict[str, torch.Tensor]

    @property
    def sets(self) -> tuple[UsedSet, ...]:
        """The data sets, one for each grid."""
        return (UsedSet(data=self.data, content_hash=self.content_hash), *self.further_sets)

    @property
    def origin(self) -> Origin:
        """The weights, for another run to begin with."""
        return Origin(
            name=self.experiment.name,
            content_hash=self.content_hash,
            examples_seen=self.examples_seen
            + (0 if self.start is None else self.start.examples_seen),
            part=self.part,
            sources=join_sources(() if self.start is None else self.start.sources, self.sources),
            weights=self.weights,
        )


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
        further_sets=tuple(
            UsedSet(data=Path(each["data"]), content_hash=each["content_hash"])
            for each in record["further_sets"]
        ),
        sources=record["sources"],
        step=saved["global_step"],
        examples_seen=saved["global_step"] * experiment.training.batch_size * record["devices"],
        start=None if record["start"] is None else Start(**record["start"]),
        part=record["part"],
        weights={
            name.removeprefix(prefix): tensor
            for name, tensor in saved["state_dict"].items()
            if name.startswith(prefix)
        },
    )


def last_checkpoint(settings: RunSettings) -> Path | None:
    """The checkpoint to go on from; None where the run begins, or ended before a checkpoint."""
    last = checkpoint_path(settings.out, LAST)
    return last if settings.resume and last.exists() else None


def make_record(
    experiment: Experiment,
    settings: RunSettings,
    manifests: Sequence[Manifest],
    start: Start | None,
) -> dict[str, Any]:
    """The record of a run: what `--resume` compares, and `load_run` reads."""
    return {
        "experiment": to_dict(experiment),
        "seed": settings.seed,
        "data": str(settings.data.resolve()),
        "content_hash": manifests[0].content_hash,
        "further_sets": [
            {"data": str(data.resolve()), "content_hash": manifest.content_hash}
            for data, manifest in zip(settings.further_data, manifests[1:], strict=True)
        ],
        "sources": join_sources(
            [asdict(source) for manifest in manifests for source in manifest.sources]
        ),
        "devices": settings.devices,
        "part": settings.part,
        "start": None if start is None else asdict(start),
    }


def _identity(record: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a record that must not change: data may move, and a run may be made longer."""
    experiment, further = record["experiment"], record["further_sets"]
    lengths = {
        name: {**experiment[name], "steps": None}
        for name in ("training", "prior_training", "touch_training")
    }
    return {
        **experiment,
        **lengths,
        "part": record["part"],
        "seed": record["seed"],
        "data": [record["content_hash"], *(each["content_hash"] for each in further)],
        "devices": record["devices"],
        "start": record["start"],
    }


def check_folder(settings: RunSettings, record: dict[str, Any]) -> None:
    """Makes sure that the run's folder is free, or on --resume holds the same run."""
    if settings.resume:
        before = _read_record(settings.out)
        if last_checkpoint(settings):
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
        if checkpoint := last_checkpoint(settings):
            read_checkpoint(checkpoint)
    elif (settings.out / RUN_FILE).exists():
        raise TrainingError(
            f"a run that exists in {settings.out}",
            expected="a new folder, or `resume`",
            action="Add `resume` to go on with it, or give another `out`.",
            field="out",
        )
    else:
        files.check_folder(settings.out, TrainingError)


def write_record(directory: Path, record: Mapping[str, Any]) -> None:
    """Writes the record of a run."""
    directory.mkdir(parents=True, exist_ok=True)
    files.write_file(directory / RUN_FILE, json.dumps(record, indent=2) + "\n")


def _read_record(directory: Path) -> dict[str, Any]:
    path = directory / RUN_FILE
    try:
        record = json.loads(path.read_text())
        names = (
            "seed", "data", "content_hash", "further_sets", "sources", "devices", "start", "part",
        )  # fmt: skip
        # Older versions trained models alone, on one set each, and noted no sources.
        record = {"part": MODEL, "further_sets": [], "sources": [], **record}
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
