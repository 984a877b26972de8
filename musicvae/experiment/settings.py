"""The settings of an experiment as lines of text: name, value and meaning of each."""

import inspect
import json
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from musicvae.experiment.experiment import Experiment, to_dict

_ENTRY = re.compile(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", re.MULTILINE)


class Setting(NamedTuple):
    """A setting as `--set` takes it.

    Attributes:
        name: Such as `training.steps`.
        value: As JSON.
        meaning: One sentence or a few.
    """

    name: str
    value: str
    meaning: str


def list_settings(experiment: Experiment) -> Iterator[Setting]:
    """Every setting of an experiment, in the order of its JSON."""
    for part, value in to_dict(experiment).items():
        if not isinstance(value, Mapping):
            yield Setting(part, json.dumps(value), _meanings(Experiment).get(part, ""))
            continue
        meanings = _meanings(type(getattr(experiment, part)))
        for name, each in value.items():
            yield Setting(f"{part}.{name}", json.dumps(each), meanings.get(name, ""))


def differences(before: object, now: object, path: str = "") -> list[str]:
    """The settings of two experiments as JSON that differ, such as `training.seed: 1, now 2`."""
    if not isinstance(before, Mapping) or not isinstance(now, Mapping):
        return [] if before == now else [f"{path}: {json.dumps(before)}, now {json.dumps(now)}"]
    return [
        found
        for name in {**before, **now}
        for found in differences(before.get(name), now.get(name), f"{path}.{name}".strip("."))
    ]


def _meanings(kind: type) -> dict[str, str]:
    """What the docstring of a class says of each attribute."""
    docstring = inspect.getdoc(kind) or ""
    _, _, attributes = docstring.partition("Attributes:\n")
    attributes = attributes.partition("\n\n")[0]
    return {name: " ".join(text.split()) for name, text in _ENTRY.findall(attributes)}
