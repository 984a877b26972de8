"""An experiment: everything a training run needs, as values, and its form as plain JSON.

A user lays a YAML file or `--set name.field=value` over an experiment; the result is written
beside every checkpoint and into every bundle.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import yaml
from pydantic import ConfigDict, PlainSerializer, PlainValidator, TypeAdapter, ValidationError

from musicvae.errors import SettingError
from musicvae.experiment.objective import Objective
from musicvae.model import ModelConfig, MusicVAE
from musicvae.representation import (
    REPRESENTATIONS,
    Representation,
    representation_from_config,
)

_SHARES = {"recombined_share": "recombine", "reduced_share": "performance"}
"""The field of a `Kind` that each share of changed examples needs."""

_MAY_BE_ZERO = {"averaging_power", "most_semitones", "warmup_steps", *_SHARES}


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """How the weights are found.

    Attributes:
        steps: Optimiser steps of the whole run; a run can be prolonged.
        batch_size: Examples a step in one process.
        learning_rate: Adam's, at its highest.
        warmup_steps: Steps over which it rises from zero.
        level_steps: Steps up to which it then stays; from there on it falls with the square root of
            the steps.
        averaging_power: The weights that are kept are an average in which step t weighs as
            t ** averaging_power: of about the last 1 / (1 + averaging_power) of the run.
        gradient_norm: Gradients are scaled down to this norm.
        most_semitones: An example is transposed by up to this much, either way.
        recombined_share: Share of the examples of drums, grooves and trios that are put together
            from several; 0 to 1. See `representation.recombination`.
        reduced_share: Share of the examples of a groove that the encoder hears reduced, half of
            them to their hits, half to taps, while the decoder gives the whole; 0 to 1 (GrooVAE's
            humanising and Tap2Drum: Gillick et al. 2019, section 5).
        validate_every: Steps between two validations.
        validation_examples: Examples of a validation; a fixed choice from the split.
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
    validate_every: int = 1_000
    validation_examples: int = 512

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not value > 0 and not (name in _MAY_BE_ZERO and value == 0):
                raise SettingError(
                    f"training.{name}={value}",
                    expected="0 or more" if name in _MAY_BE_ZERO else "more than 0",
                    action="Give such a number.",
                    field=f"training.{name}",
                )
        for name in _SHARES:
            if getattr(self, name) > 1:
                raise SettingError(
                    f"training.{name}={getattr(self, name)}",
                    expected="0 to 1",
                    action="Give a share.",
                    field=f"training.{name}",
                )


def _read_representation(value: object) -> Representation:
    if isinstance(value, Representation):
        return value
    try:
        return representation_from_config(value if isinstance(value, dict) else {"name": value})
    except SettingError as error:
        if error.field not in (None, "representation"):
            error.field = f"representation.{error.field}"
        raise


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """A complete experiment: what is modelled, by what, and how it is trained.

    Raises:
        SettingError: If its parts do not go together.
    """

    name: str
    representation: Annotated[
        Representation,
        PlainValidator(_read_representation),
        PlainSerializer(lambda representation: representation.config()),
    ]
    model: ModelConfig
    objective: Objective
    training: TrainingConfig

    def __post_init__(self) -> None:
        for name, field in _SHARES.items():
            share = getattr(self.training, name)
            if share and getattr(self.representation.kind, field) is None:
                able = [n for n, each in REPRESENTATIONS.items() if getattr(each.kind, field)]
                raise SettingError(
                    f"training.{name}={share} for {self.representation.name}",
                    expected=f"0, but for {', '.join(able)}",
                    action="Leave it out.",
                    field=f"training.{name}",
                )


def build_model(experiment: Experiment) -> MusicVAE:
    """An untrained model of the experiment's widths for its representation."""
    representation = experiment.representation
    return MusicVAE(
        experiment.model,
        streams=representation.streams,
        bars=representation.bars,
        steps_per_bar=representation.rows_per_bar,
    )


def to_dict(experiment: Experiment) -> dict[str, Any]:
    """The experiment as plain values, for JSON; `from_dict` reads it back."""
    values: dict[str, Any] = TypeAdapter(Experiment).dump_python(experiment, mode="json")
    return values


def from_dict(values: object) -> Experiment:
    """Reads what `to_dict` wrote; nothing may be unknown, and what is missing has its default.

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
            f"{field}={first.get('input')!r}",
            expected=first["msg"][0].lower() + first["msg"][1:],
            action="See `musicvae train --help` for the settings.",
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
                f"--set {setting}",
                expected="NAME.FIELD=VALUE",
                action="Write it like --set objective.beta_max=0.1.",
                field="set",
            )
        value = _yaml(text)
        for part in reversed(path.strip().split(".")):
            value = {part: value}
        _merge(values, _with_current_names(value), "")
    return from_dict(values)


_FORBID = ConfigDict(extra="forbid", strict=False)
for _class in (Experiment, ModelConfig, Objective, TrainingConfig):
    _class.__pydantic_config__ = _FORBID  # type: ignore[union-attr]  # pydantic looks it up
_ADAPTER = TypeAdapter(Experiment)


def _with_current_names(values: Any) -> Any:
    """Renames `model.is_hierarchical`, as older bundles and runs have it, to `model.latent`."""
    model = values.get("model") if isinstance(values, dict) else None
    if not isinstance(model, dict) or "is_hierarchical" not in model:
        return values
    others = {name: value for name, value in model.items() if name != "is_hierarchical"}
    latent = "bars" if model["is_hierarchical"] else "gaussian"
    return {**values, "model": {"latent": latent, **others}}


def _yaml(text: str | bytes) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        what = f"the value {text}" if isinstance(text, str) else f"an overlay {text[:20]!r}…"
        raise SettingError(
            what,
            expected="YAML",
            action="Check the quotes, colons and indentation.",
            field="overlay",
        ) from error


def _merge(values: dict[str, Any], changes: Any, path: str) -> None:
    if not isinstance(changes, dict):
        raise SettingError(
            f"{path or 'overlay'}={changes!r}",
            expected="a mapping of names to values",
            action="Write it like `objective: {beta_max: 0.1}`.",
            field=path or "overlay",
        )
    for name, change in changes.items():
        where = f"{path}.{name}" if path else str(name)
        if name not in values:
            raise SettingError(
                f"setting {where!r}",
                expected=f"one of {', '.join(values)}",
                action="See `musicvae train --help` for the settings.",
                field=where,
            )
        if isinstance(values[name], dict):
            _merge(values[name], change, where)
        else:
            values[name] = change
