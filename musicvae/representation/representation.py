"""What every representation is, and the list of those there are."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Int, Int16

from musicvae.errors import RepresentationError, SettingError
from musicvae.notes import Meter, NoteSequence
from musicvae.representation.melody import Melody


@runtime_checkable  # jaxtyping's checker tests for it
class Representation(Protocol):
    """A two-way map between excerpts of whole bars and tensors of events.

    The law: `to_notes(to_tensor(x)) == x` for every excerpt `x` that `check` passes and that holds
    nothing the representation says it drops; and `to_notes` maps every tensor within
    `vocabulary_sizes` to an excerpt that `check` passes.
    """

    @property
    def name(self) -> str: ...
    @property
    def bars(self) -> int: ...
    @property
    def meter(self) -> Meter: ...
    @property
    def vocabulary_sizes(self) -> tuple[int, ...]: ...
    @property
    def steps_per_bar(self) -> int: ...
    @property
    def length_steps(self) -> int: ...
    def config(self) -> dict[str, object]: ...
    def check(self, excerpt: NoteSequence) -> RepresentationError | None: ...
    def to_tensor(self, excerpt: NoteSequence) -> Int16[np.ndarray, "step stream"]: ...
    def to_notes(self, events: Int[np.ndarray, "step stream"]) -> NoteSequence: ...
    def is_onset(
        self, events: Int[np.ndarray, "batch step stream"]
    ) -> Bool[np.ndarray, "batch step stream"]: ...
    def transpose(
        self, events: Int16[np.ndarray, "batch step stream"], semitones: Int[np.ndarray, " batch"]
    ) -> Int16[np.ndarray, "batch step stream"]: ...


REPRESENTATIONS: dict[str, type[Melody]] = {"melody": Melody}
"""Every representation by its name."""


def representation_from_config(config: Mapping[str, object]) -> Representation:
    """Makes the representation whose `config()` this is.

    Raises:
        SettingError: If the name or the settings are not those of a representation.
    """
    settings = dict(config)
    try:
        kind = REPRESENTATIONS[str(settings.pop("name"))]
        meter = Meter(**_whole_numbers(settings.pop("meter", {})))
        return kind(meter=meter, **_whole_numbers(settings))
    except (AssertionError, KeyError, TypeError) as error:
        raise SettingError(
            f"a representation {dict(config)}",
            expected=f"one of {', '.join(REPRESENTATIONS)} with its settings",
            action="Use the config that the manifest or the bundle was written with.",
            field="representation",
        ) from error


def _whole_numbers(settings: object) -> dict[str, int]:
    """Settings as they are, once it is sure that they are whole numbers by name."""
    # Not isinstance: True is no number of bars.
    if not isinstance(settings, dict) or any(type(value) is not int for value in settings.values()):
        raise TypeError(f"{settings} are no whole numbers by name")
    return settings
