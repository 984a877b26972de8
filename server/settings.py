"""What the server takes and gives: every limit with its unit and its reason."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from musicvae.errors import SettingError
from musicvae.music.midi.parser import DEFAULT_LIMITS, MidiLimits
from musicvae.music.notes import STEPS_PER_QUARTER

_MAY_BE_0 = ("port", "grace_s")


def _check_positive(settings: Any) -> None:
    for field in fields(settings):
        name, value = field.name, getattr(settings, field.name)
        if isinstance(value, int | float) and name not in _MAY_BE_0 and not value > 0:
            raise SettingError(
                f"{name}={value}",
                expected="above 0",
                action="Give the largest that is still to be taken.",
                field=name,
            )


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much one request may ask for.

    A server reads as much of one file as `musicvae.music.midi` does by default: no server refuses
    a file that a command reads from disk.

    Attributes:
        max_steps: Steps of music that one request asks for: clips times the length of each. The
            presets took one server core 0.04 ms (hierarchical melodies) to 0.11 ms (grooves) a
            step, so that these are 10 to 30 seconds. All that the other limits allow of a model of
            16 bars fits.
        max_count: Clips of one Sample; `first_index` asks for more.
        max_points: Points of one Interpolate. A path through more is several paths.
        max_path_count: Clips from one point to the next; finer than this no step is heard.
        max_latents: Latents of one Decode, as `max_count`.
        max_amounts: Attributes of one Transform; there are five.
        max_notes: Notes of one excerpt, as MIDI or as messages; reasons for this and the others
            of one file are with `MidiLimits`. A message of as many takes half a second to check.
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
        _check_positive(self)

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
    def max_length_steps(self) -> int:
        """Length of one excerpt in steps."""
        return self.max_length_quarters * STEPS_PER_QUARTER


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How the server runs.

    Attributes:
        host: Address to listen on; the default can be reached from this machine alone.
        port: TCP port, 0 for any that is free.
        limits: How much one request may ask for.
        max_message_bytes: Size of one request in bytes: room for the two ends of a path, each a
            MIDI file of the largest size or as many notes as one can hold (3 MB).
        max_waiting_steps: Steps of music that are asked for and not yet made, over all requests:
            15 to 45 seconds of work. Who comes later would rather hear it at once than wait.
        max_rpcs: Calls at the same time. A backstop against connections, not against work: each
            takes some 100 KB and its request, which is there until the call ends: mostly a few
            kB, at most `max_message_bytes` and 40 MB of notes.
        max_call_s: Seconds that one call may take, whatever its deadline or with none: more than a
            full queue and the largest request take together. Who is not done by then does not
            read, and would keep the connection and its place in the queue for ever.
        grace_s: Seconds that calls in flight have to finish when the server is told to stop;
            orchestrators kill after 30.

    Raises:
        SettingError: If a limit is not above 0, or the queue is too short for the largest request.
    """

    host: str = "127.0.0.1"
    port: int = 50051
    limits: Limits = Limits()
    max_message_bytes: int = 9 * 1024 * 1024
    max_waiting_steps: int = 400_000
    max_rpcs: int = 512
    max_call_s: float = 120.0
    grace_s: float = 20.0

    def __post_init__(self) -> None:
        _check_positive(self)
        if self.max_waiting_steps < self.limits.max_steps:
            raise SettingError(
                f"max_waiting_steps={self.max_waiting_steps}",
                expected=f"room for the largest request, {self.limits.max_steps} steps",
                action="Let more steps wait, or allow less in one request.",
                field="max_waiting_steps",
            )
