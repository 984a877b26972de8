"""The list of the representations, and how one is made of its plain values."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import get_type_hints

from musicvae.errors import SettingError
from musicvae.music.notes import Meter
from musicvae.representation.chords import Chords
from musicvae.representation.drums import Drums
from musicvae.representation.groove import Groove
from musicvae.representation.lead_sheet import LeadSheet
from musicvae.representation.melody import Melody
from musicvae.representation.representation import Representation
from musicvae.representation.trio import Trio

REPRESENTATIONS: dict[str, Callable[..., Representation]] = {
    "melody": Melody,
    "drums": Drums,
    "drum_hits": partial(Drums, is_binary=True),
    "groove": Groove,
    "trio": Trio,
    "chords": Chords,
    "lead_sheet": LeadSheet,
}
"""What makes each representation, by its name."""


def representation_from_config(config: Mapping[str, object]) -> Representation:
    """Makes the representation whose `config()` this is; what is left out is the default.

    Raises:
        SettingError: If the name or the settings are not those of a representation.
    """
    settings = dict(config)
    try:
        name = settings.pop("name")
        make = REPRESENTATIONS[str(name)]
        types = get_type_hints(make.func if isinstance(make, partial) else make)
        made = make(**{key: _read(value, types[key]) for key, value in settings.items()})
    except (AssertionError, KeyError, TypeError) as error:
        raise _wrong(config) from error
    if made.name != name:
        raise _wrong(config)
    return made


def _read(value: object, kind: type) -> object:
    """A setting, once it is sure that it is of its type."""
    if kind is Meter and isinstance(value, dict):
        return Meter(**{str(key): _read_number(number) for key, number in value.items()})
    if type(value) is not kind:
        raise TypeError(f"{value!r} is no {kind.__name__}")
    return value


def _read_number(value: object) -> int:
    if type(value) is not int:  # not isinstance: True is no number of beats
        raise TypeError(f"{value!r} is no whole number")
    return value


def _wrong(config: Mapping[str, object]) -> SettingError:
    return SettingError(
        f"a representation {dict(config)}",
        expected=f"one of {', '.join(REPRESENTATIONS)} with its settings",
        action="Use the config that the manifest or the bundle was written with.",
        field="representation",
    )
