"""How much one request may ask for, each limit with its unit and its reason."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from musicvae.errors import SettingError
from musicvae.music.meters import RESOLUTIONS
from musicvae.music.midi.limits import DEFAULT_LIMITS, MidiLimits


def check_positive(settings: Any, *, may_be_0: tuple[str, ...] = ()) -> None:
    """Makes sure that every number of a dataclass is above 0.

    Raises:
        SettingError: If one is not.
    """
    for field in fields(settings):
        name, value = field.name, getattr(settings, field.name)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if is_number and name not in may_be_0 and not value > 0:
            raise SettingError(
                f"{name}={value}",
                expected="above 0",
                action="Give the largest value that the server should accept.",
                field=name,
            )


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much one request may ask for.

    The limits of one file are those of `musicvae.music.midi`: no server refuses a file that a
    command reads from disk.

    Attributes:
        max_steps: Steps of music of one request: clips times the length of each. One server core
            took 0.04 ms (hierarchical melodies) to 0.11 ms (grooves) a step with the presets, so
            that this is 10 to 30 seconds. The other limits allow no more of a model of 16 bars.
        max_count: Clips of one Sample; `first_index` asks for more.
        max_points: Points of one Interpolate. A path through more is several paths.
        max_path_count: Clips from one point to the next; nobody hears a finer step.
        max_latents: Latents of one Decode, as `max_count`.
        max_amounts: Attributes of one Transform; there are five.
        max_notes: Notes of one excerpt, as MIDI or as messages; `MidiLimits` has the reasons for
            this and the other limits of one file. Checking them in a message takes half a second.
        max_path_notes: Notes of all points of one Interpolate together: two ends of the largest
            size.
        max_midi_bytes: Size of one MIDI file in bytes.
        max_midi_tracks: Tracks of one MIDI file.
        max_length_quarters: Length of one excerpt in quarter notes.
    """

    max_steps: int = 262_144
    max_count: int = 256
    max_points: int = 16
    max_path_count: int = 64
    max_latents: int = 256
    max_amounts: int = 32
    max_notes: int = DEFAULT_LIMITS.max_notes
    max_path_notes: int = 2 * DEFAULT_LIMITS.max_notes
    max_midi_bytes: int = DEFAULT_LIMITS.max_bytes
    max_midi_tracks: int = DEFAULT_LIMITS.max_tracks
    max_length_quarters: int = DEFAULT_LIMITS.max_length_quarters

    def __post_init__(self) -> None:
        check_positive(self)

    @property
    def midi(self) -> MidiLimits:
        """The limits of reading one MIDI file."""
        return MidiLimits(
            max_bytes=self.max_midi_bytes,
            max_notes=self.max_notes,
            max_tracks=self.max_midi_tracks,
            max_length_quarters=self.max_length_quarters,
        )

    @property
    def max_bar_changes(self) -> int:
        """Changes of bars of one excerpt: a change of the meter at each step of the finest grid."""
        return self.max_length_quarters * max(RESOLUTIONS)
