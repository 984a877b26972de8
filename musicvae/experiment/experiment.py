"""An experiment: everything a training run needs, as values, and its form as plain JSON.

A user lays a YAML file or `--set name.field=value` over an experiment; the result is written
beside every checkpoint and into every bundle.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import yaml
from pydantic import ConfigDict, PlainSerializer, PlainValidator, TypeAdapter, ValidationError

from musicvae.errors import SettingError
from musicvae.experiment.objective import Objective
from musicvae.music.meters import parse_grid
from musicvae.music.notes import TimeGrid
from musicvae.representation import (
    REPRESENTATIONS,
    Representation,
    representation_from_config,
)
from musicvae.representation.streams import is_hit
from musicvae.runtime.model_config import ModelConfig
from musicvae.runtime.prior_config import PriorConfig

_SHARES = {"recombined_share": "recombine", "reduced_share": "performance"}
"""The field of a `Kind` that each share of changed examples needs."""

_LIST = "`musicvae train PRESET --list-settings` prints all settings."

_MAY_BE_ZERO = {
    "averaging_power", "has_balanced_sources", "most_semitones", "warmup_steps", *_SHARES,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """How the weights are found.

    Attributes:
        steps: Optimiser steps of the whole run; --resume with more steps makes a run longer.
        batch_size: Examples of a step in one process.
        learning_rate: Adam's highest rate.
        warmup_steps: Steps over which the rate rises from zero.
        level_steps: Step up to which the rate then stays; later it falls with the square root of
            the steps.
        averaging_power: The run keeps an average of its weights in which step t weighs as
            t ** averaging_power: about the last 1 / (1 + averaging_power) of the run counts.
        gradient_norm: Gradients are scaled down to this norm.
        most_semitones: An example is transposed by up to this much, either way.
        recombined_share: Share of the examples of drums, grooves and trios that are put together
            from several examples; 0 to 1. See `representation.recombination`.
        reduced_share: Share of the examples of grooves that the encoder reads reduced, half of
            them to their hits, half to taps, while the decoder learns the whole; 0 to 1 (GrooVAE's
            humanising and Tap2Drum: Gillick et al. 2019, section 5).
        has_balanced_sources: Whether the examples of small sources are shown more often; see
            `data.batches.weigh_examples`.
        validate_every: Steps between two validations.
        validation_examples: Examples of a validation; a fixed choice from the split.
        prior_steps: Optimiser steps of the prior, which `export` fits to the trained model.
    """

    steps: int = 20_000
    batch_size: int = 32
    learning_rate: float = 3e-3
    warmup_steps: int = 300
    level_steps: int = 3_000
    averaging_power: float = 8.0
    gradient_norm: float = 1.0
    most_semitones: int = 5
    recombined_share: float = 0.0
    reduced_share: float = 0.0
    has_balanced_sources: bool = False
    validate_every: int = 1_000
    validation_examples: int = 512
    prior_steps: int = 12_000

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not value > 0 and not (name in _MAY_BE_ZERO and value == 0):
                raise SettingError(
                    f"training.{name}={value}",
                    expected="0 or more" if name in _MAY_BE_ZERO else "more than 0",
                    action="Give a number in that range.",
                    field=f"training.{name}",
                )
        for name in _SHARES:
            if getattr(self, name) > 1:
                raise SettingError(
                    f"training.{name}={getattr(self, name)}",
                    expected="0 to 1",
                    action="Give a share of the examples.",
                    field=f"training.{name}",
                )


PRIOR_TRAINING = TrainingConfig(
    steps=8_000,
    learning_rate=2e-3,
    warmup_steps=200,
    level_steps=2_000,
    validate_every=500,
    validation_examples=1_024,
)
"""How a prior over events is trained; the shares of changed examples don't apply to it."""

TOUCH_TRAINING = TrainingConfig(
    steps=2_500,
    batch_size=64,
    learning_rate=2e-3,
    warmup_steps=100,
    level_steps=1_000,
    validate_every=250,
    validation_examples=1_024,
)
"""How touch is trained; only these settings apply to it, not the shares and transpositions."""


def _read_representation(value: object) -> Representation:
    if isinstance(value, Representation):
        return value
    try:
        return representation_from_config(value if isinstance(value, dict) else {"name": value})
    except SettingError as error:
        if error.field not in (None, "representation"):
            error.args = (str(error).replace(f"{error.field}=", f"representation.{error.field}="),)
            error.field = f"representation.{error.field}"
        raise


def _read_grids(values: object) -> tuple[TimeGrid, ...]:
    """Reads grids, or their texts such as 3/4.

    Raises:
        SettingError: If there is no list, or a text is no grid.
    """
    grids = values if isinstance(values, list | tuple) else [values]
    try:
        return tuple(g if isinstance(g, TimeGrid) else parse_grid(str(g)) for g in grids)
    except SettingError as error:
        raise SettingError(
            f"grids={json.dumps(values, default=str)}",
            expected="a list of meters and grids, such as [3/4, 4/4 by 12]",
            action="Write each meter as two numbers. A run takes them from its data sets.",
            field="grids",
        ) from error


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """A complete experiment: the music, the model, the objective and the training.

    Attributes:
        name: The name of the bundle that `export` makes of a run.
        grids: The grids of the music beside the representation's own; `train` takes them from the
            data sets.

    Raises:
        SettingError: If the parts do not fit each other, or the name is no name.
    """

    name: str
    representation: Annotated[
        Representation,
        PlainValidator(_read_representation),
        PlainSerializer(lambda each: {"name": each.name, **asdict(each)}),
    ]
    model: ModelConfig
    objective: Objective
    training: TrainingConfig
    prior: PriorConfig = PriorConfig()
    prior_training: TrainingConfig = PRIOR_TRAINING
    touch_training: TrainingConfig = TOUCH_TRAINING
    grids: Annotated[
        tuple[TimeGrid, ...],
        PlainValidator(_read_grids),
        PlainSerializer(lambda grids: list(map(str, grids))),
    ] = ()

    def __post_init__(self) -> None:
        if not self.name or not self.name.isprintable() or set(self.name) & set("/\\ "):
            raise SettingError(
                f"name={json.dumps(self.name)}",
                expected="a name without spaces and slashes, such as melody-2bar-a",
                action="Give another name.",
                field="name",
            )
        if len(set(self.all_grids)) < len(self.all_grids):
            raise SettingError(
                f"the grids {', '.join(map(str, self.all_grids))}",
                expected="each grid once",
                action="Leave out the grid of the representation, and repetitions.",
                field="grids",
            )
        for grid in self.grids:
            self.representation.on_grid(grid)
        if self.prior.lags and any(each.is_number for each in self.representation.streams):
            raise SettingError(
                f"prior.lags={list(self.prior.lags)} for {self.representation.name}",
                expected="[]: numbers, such as a loudness, can't be copied",
                action="Leave prior.lags out.",
                field="prior.lags",
            )
        if self.prior.guidance != 1 and not any(
            each.is_condition for each in self.representation.streams
        ):
            raise SettingError(
                f"prior.guidance={self.prior.guidance} for {self.representation.name}",
                expected="1: it has no condition streams, such as chords",
                action="Leave prior.guidance out.",
                field="prior.guidance",
            )
        if self.objective.rare_hit_power and not any(map(is_hit, self.representation.streams)):
            raise SettingError(
                f"objective.rare_hit_power={self.objective.rare_hit_power} for "
                f"{self.representation.name}",
                expected="0: it has no stream of hits for each drum, as a groove has",
                action="Leave objective.rare_hit_power out.",
                field="objective.rare_hit_power",
            )
        for name, field in _SHARES.items():
            if getattr(self.prior_training, name):
                raise SettingError(
                    f"prior_training.{name}={getattr(self.prior_training, name)}",
                    expected="0: a prior learns from music as it is",
                    action=f"Leave prior_training.{name} out.",
                    field=f"prior_training.{name}",
                )
            share = getattr(self.training, name)
            if share and getattr(self.representation.kind, field) is None:
                able = [n for n, each in REPRESENTATIONS.items() if getattr(each.kind, field)]
                raise SettingError(
                    f"training.{name}={share} for {self.representation.name}",
                    expected=f"0; more only for {', '.join(able)}",
                    action=f"Leave training.{name} out.",
                    field=f"training.{name}",
                )

    @property
    def all_grids(self) -> tuple[TimeGrid, ...]:
        """All grids of the music, the default first."""
        return (self.representation.grid, *self.grids)


def rows_per_bar(experiment: Experiment) -> dict[TimeGrid, int]:
    """The rows of a bar on each grid, the default first."""
    representation: Representation = experiment.representation
    return {grid: representation.on_grid(grid).rows_per_bar for grid in experiment.all_grids}


def to_dict(experiment: Experiment) -> dict[str, Any]:
    """The experiment as plain values, for JSON; `from_dict` reads it back."""
    values: dict[str, Any] = TypeAdapter(Experiment).dump_python(experiment, mode="json")
    return values


def from_dict(values: object) -> Experiment:
    """Reads an experiment that `to_dict` wrote; a field that is missing has its default.

    Raises:
        SettingError: If a field is unknown, of the wrong type, out of range, or has no default and
            is missing.
    """
    try:
        return _ADAPTER.validate_python(_with_current_names(values))
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "experiment"
        raise SettingError(
            f"{field}={json.dumps(first.get('input'), default=str)}",
            expected=_EXPECTED.get(first["type"].partition("_")[0], "a setting of an experiment"),
            action=_LIST,
            field=field,
        ) from error


def overlay(
    experiment: Experiment, *, yaml_bytes: bytes | None = None, settings: Sequence[str] = ()
) -> Experiment:
    """Lays a YAML mapping, then `name.field=value` settings, over an experiment.

    Raises:
        SettingError: If a setting is not of that form, unknown or out of range.
    """
    values = to_dict(experiment)
    if yaml_bytes is not None:
        _merge(values, _with_current_names(_yaml(yaml_bytes)), "")
    for setting in settings:
        path, equals, text = setting.partition("=")
        if not equals:
            raise SettingError(
                f"`settings` {setting}",
                expected="NAME.FIELD=VALUE, such as objective.beta_max=0.1",
                action=_LIST,
                field="settings",
            )
        value = _yaml(text)
        for part in reversed(path.strip().split(".")):
            value = {part: value}
        _merge(values, _with_current_names(value), "")
    return from_dict(values)


_EXPECTED = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "string": "text",
    "missing": "a value",
}
"""The expected value by the first word of pydantic's name for an error."""

_FORBID = ConfigDict(extra="forbid", strict=False)
for _class in (Experiment, ModelConfig, Objective, PriorConfig, TrainingConfig):
    _class.__pydantic_config__ = _FORBID  # type: ignore[union-attr]  # pydantic looks it up
_ADAPTER = TypeAdapter(Experiment)


def _with_current_names(values: Any) -> Any:
    """Renames fields of older bundles and runs: `meters`, `model.is_hierarchical`."""
    if not isinstance(values, dict):
        return values
    if "meters" in values:
        values = {"grids" if name == "meters" else name: each for name, each in values.items()}
    model = values.get("model")
    if not isinstance(model, dict) or "is_hierarchical" not in model:
        return values
    others = {name: value for name, value in model.items() if name != "is_hierarchical"}
    latent = "bars" if model["is_hierarchical"] else "gaussian"
    return {**values, "model": {"latent": latent, **others}}


def _yaml(text: str | bytes) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise SettingError(
            f"the value {text}" if isinstance(text, str) else "an overlay that can't be read",
            expected="YAML",
            action="Check the quotes, colons and indentation.",
            field="overlay",
        ) from error


def _merge(values: dict[str, Any], changes: Any, path: str) -> None:
    if not isinstance(changes, dict):
        raise SettingError(
            f"{path or 'overlay'}={json.dumps(changes, default=str)}",
            expected="settings by their names, such as `objective: {beta_max: 0.1}`",
            action=_LIST,
            field=path or "overlay",
        )
    for name, change in changes.items():
        where = f"{path}.{name}" if path else str(name)
        if name not in values:
            raise SettingError(
                f"setting {where!r}",
                expected=f"one of {', '.join(values)}",
                action=_LIST,
                field=where,
            )
        if isinstance(values[name], dict):
            _merge(values[name], change, where)
        else:
            values[name] = change
