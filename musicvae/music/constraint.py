"""The pitches that music is to keep to: a key, a scale, a range."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from musicvae.errors import SettingError
from musicvae.music.notes import Key
from musicvae.music.scales import Scale, parse_key, parse_range, parse_scale, scale_of_key

PITCHES = 128


@dataclass(frozen=True, kw_only=True)
class Constraint:
    """A key, a scale and a range: every note of a clip keeps to all that are given.

    Attributes:
        key: The key: its tonic and mode are told to the model, and notes keep to its scale.
        scale: The pitch classes of the notes.
        pitch_range: The lowest and the highest pitch of the melody.
    """

    key: Key | None = None
    scale: Scale | None = None
    pitch_range: tuple[int, int] | None = None

    @property
    def nearest_key(self) -> Key | None:
        """The key that the model is told: the key asked for, or the scale's."""
        return self.key or (self.scale.key if self.scale else None)

    @property
    def classes(self) -> Bool[np.ndarray, " pitch"]:
        """The pitches of the key and the scale, in all octaves."""
        allowed = np.ones(PITCHES, np.bool_)
        for scale in (self.scale, scale_of_key(self.key) if self.key else None):
            if scale is not None:
                allowed &= np.isin(np.arange(PITCHES) % 12, list(scale.pitch_classes))
        return allowed

    @property
    def within_range(self) -> Bool[np.ndarray, " pitch"]:
        """The pitches of the range."""
        low, high = self.pitch_range or (0, PITCHES - 1)
        pitches = np.arange(PITCHES)
        inside: Bool[np.ndarray, " pitch"] = (pitches >= low) & (pitches <= high)
        return inside


def parse_constraint(
    *, key: str | None, scale: str | None, pitch_range: str | None
) -> Constraint | None:
    """Reads a constraint from texts; None if nothing is asked for.

    Raises:
        SettingError: If a text can't be read, or no pitch is left.
    """
    if key is None and scale is None and pitch_range is None:
        return None
    asked = Constraint(
        key=None if key is None else parse_key(key),
        scale=None if scale is None else parse_scale(scale),
        pitch_range=None if pitch_range is None else parse_range(pitch_range),
    )
    if not asked.classes.any():
        raise SettingError(
            f"the scale {scale!r} without a note of the key {key!r}",
            expected="a scale and a key with a note in common",
            action="Leave one of them out.",
            field="scale",
        )
    if not (asked.classes & asked.within_range).any():
        kept = " and ".join(f"{text!r}" for text in (key, scale) if text)
        raise SettingError(
            f"the range {pitch_range!r} without a note of {kept}",
            expected="a range with at least one note",
            action="Give a wider range.",
            field="range",
        )
    return asked
