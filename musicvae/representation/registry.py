"""The representations by name, and their construction from plain values."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, get_type_hints

from musicvae.errors import SettingError
from musicvae.music.notes import Meter
from musicvae.representation.chords import Chords
from musicvae.representation.drum_hits import DrumHits
from musicvae.representation.drums import Drums
from musicvae.representation.groove import Groove
from musicvae.representation.lead_sheet import LeadSheet
from musicvae.representation.melody import Melody
from musicvae.representation.representation import Representation
from musicvae.representation.trio import Trio

REPRESENTATIONS: dict[str, type[Representation]] = {
    each.kind.name: each
    for each in (
        Melody,
        Drums,
        DrumHits,
        Groove,
        Trio,
        Chords,
        LeadSheet,
    )
}
"""Every representation by its name."""


def representation_from_config(config: Mapping[str, object]) -> Representation:
    """Builds a representation from its `config()`; missing settings have their defaults.

    Raises:
        SettingError: If the name or a setting is unknown, or a value is invalid.
    """
    settings = dict(config)
    name = settings.pop("name", None)
    form = REPRESENTATIONS.get(str(name))
    if form is None:
        raise SettingError(
            f"representation {name!r}",
            expected=f"one of {', '.join(REPRESENTATIONS)}",
            action="Choose one of these names.",
            field="representation",
        )
    types, known = get_type_hints(form), [field.name for field in fields(form)]
    for key, value in settings.items():
        if key not in known:
            raise SettingError(
                f"{key}={value} for {name}",
                expected=f"the settings {', '.join(f'`{each}`' for each in known)}",
                action="Leave it out.",
                field=key,
            )
    try:
        values: dict[str, Any] = {key: _read(each, types[key]) for key, each in settings.items()}
        return form(**values)
    except (AssertionError, TypeError) as error:
        raise SettingError(
            describe_config(config),
            expected=f"values as in {describe_config(form().config())}",
            action="Use the config that the manifest or the bundle was written with.",
            field="representation",
        ) from error


def describe_config(config: Mapping[str, object]) -> str:
    """A representation's `config()` in words.

    >>> describe_config({"name": "melody", "bars": 2, "meter": {"numerator": 3, "denominator": 4}})
    'melody with bars 2, meter 3/4'
    """
    shown = [
        f"{name.replace('_', ' ')} "
        + ("/".join(map(str, value.values())) if isinstance(value, Mapping) else str(value))
        for name, value in config.items()
        if name != "name"
    ]
    return f"{config.get('name')} with {', '.join(shown)}"


def _read(value: object, kind: type) -> object:
    """Reads a setting, and checks its type."""
    if kind is Meter and isinstance(value, dict):
        return Meter(**{str(key): _read_number(number) for key, number in value.items()})
    if type(value) is not kind:
        raise TypeError(f"{value!r} is no {kind.__name__}")
    return value


def _read_number(value: object) -> int:
    if type(value) is not int:  # not isinstance: True is no number of beats
        raise TypeError(f"{value!r} is no whole number")
    return value
