"""The file of `musicvae serve --config`: YAML, with the options of the command by their names."""

from __future__ import annotations

import json
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import yaml
from pydantic import ConfigDict, Field, ValidationError, create_model

from musicvae.errors import SettingError
from musicvae.rpc.limits import Limits

from .settings import Settings

_TYPES = {
    **get_type_hints(Settings),
    **get_type_hints(Limits),
    "bundles": tuple[str, ...],
    "workers": Annotated[int, Field(ge=1)],
}
_EXPECTED = {
    "bool": "true or false",
    "float": "a number",
    "greater": "1 or more",
    "int": "a whole number",
    "path": "the path of a file",
    "string": "text",
    "tuple": "a list, such as [a, b]",
    "literal": "one of the values that `musicvae serve --help` names",
}
"""The expected value by the first word of pydantic's name for an error."""


def read_config(path: Path, options: Mapping[str, str]) -> dict[str, Any]:
    """Reads a file of options.

    Paths in the file are relative to the current folder, as on the command line.

    Args:
        path: The file.
        options: The setting that each option sets, by the option's name without the first dashes.
            The file may write `max_count` for `max-count`.

    Returns:
        The values of the settings that the file sets.

    Raises:
        SettingError: If the file can't be read, an option is unknown, or a value is of a wrong
            type.
    """
    values: dict[str, Any] = {}
    for key, value in _mapping(path).items():
        name = str(key).replace("_", "-")
        if name not in options:
            near = get_close_matches(name, options, n=1)
            expected = f"a known option; the nearest is {near[0]}" if near else "a known option"
            raise _wrong(path, f"the option {key!r}", expected)
        if options[name] in values:
            raise _wrong(path, f"the option {name} twice", "each option once")
        values[options[name]] = value
    types: dict[str, Any] = {name: (_TYPES[name], None) for name in options.values()}
    model = create_model("Config", __config__=ConfigDict(strict=True), **types)
    try:
        # As JSON, since pydantic's strict reading then takes text for a path and a list for a
        # tuple.
        read = model.model_validate_json(json.dumps(values, default=str))
    except ValidationError as error:
        first = error.errors()[0]
        (name,) = [key for key, each in options.items() if each == first["loc"][0]]
        kind = first["type"].partition("_")[0]
        found = json.dumps(first["input"], default=str)
        raise _wrong(path, f"{name}: {found}", _EXPECTED.get(kind, first["msg"])) from error
    settings: dict[str, Any] = read.model_dump(exclude_unset=True)
    return settings


def _mapping(path: Path) -> dict[Any, Any]:
    try:
        values = yaml.safe_load(path.read_bytes())
    except (OSError, yaml.YAMLError) as error:
        raise _wrong(path, " ".join(str(error).split()), "a file of YAML") from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise _wrong(path, "no mapping", "lines such as `port: 50051`")
    return values


def _wrong(path: Path, found: str, expected: str) -> SettingError:
    return SettingError(
        f"{found} in {path}",
        expected=expected,
        action="Correct the file; `musicvae serve --help` lists the options.",
        field="config",
    )
