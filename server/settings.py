"""What the server takes and gives: every limit with its unit and its reason."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from musicvae.errors import SettingError
from musicvae.midi_parser import DEFAULT_LIMITS, MidiLimits
from musicvae.notes import STEPS_PER_QUARTER

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

    Of one file as much is read as `musicvae.midi` reads by default: what a command reads from disk
    is refused by no server.

    Attributes:
        max_count: Clips of one Sample. At 5 to 10 ms a clip of two bars this is about two seconds
            of one core; `first_index` asks for more.
        max_points: Points of one Interpolate. A path through more is several paths.
        max_path_count: Clips from one point to the next; finer than this no step is heard.
        max_latents: Latents of one Decode, as `max_count`.
        max_amounts: Attributes of one Transform; there are five.
        max_notes: Notes of one excerpt, as MIDI or as messages; reasons for this and the others
            of one file are with `MidiLimits`. A message of as many takes half a second to check.
        max_midi_bytes: Size of one MIDI file in bytes.
        max_midi_tracks: Tracks of one MIDI file.
        max_length_quarters: Length of one excerpt in quarter notes.
    """

    max_count: int = 256
    max_points: int = 16
    max_path_count: int = 64
    max_latents: int = 256
    max_amounts: int = 32
    max_notes: int = DEFAULT_LIMITS.max_notes
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

    @property
    def max_rows(self) -> int:
        """The most clips that one request can be for."""
        path = (self.max_points - 1) * (self.max_path_count - 1) + 1
        return max(self.max_count, path, self.max_latents)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How the server runs.

    Attributes:
        host: Address to listen on; the default can be reached from this machine alone.
        port: TCP port, 0 for any that is free.
        limits: How much one request may ask for.
        max_message_bytes: Size of one request in bytes: room for the two ends of a path, each a
            MIDI file of the largest size or as many notes as one can hold (3 MB).
        max_waiting_rows: Clips that are asked for and not yet made, over all requests. 4096 are
            half a minute of work: who comes later would rather hear it at once than wait.
        max_rpcs: Calls at the same time. A backstop against connections, not against work: each
            takes some 100 KB.
        max_call_s: Seconds that one call may take, whatever its deadline or with none: twice what
            a full queue and the largest request take. Who is not done by then does not read, and
            would keep the connection and its place in the queue for ever.
        grace_s: Seconds that calls in flight have to finish when the server is told to stop;
            orchestrators kill after 30.

    Raises:
        SettingError: If a limit is not above 0, or the queue is too short for the largest request.
    """

    host: str = "127.0.0.1"
    port: int = 50051
    limits: Limits = Limits()
    max_message_bytes: int = 9 * 1024 * 1024
    max_waiting_rows: int = 4096
    max_rpcs: int = 512
    max_call_s: float = 120.0
    grace_s: float = 20.0

    def __post_init__(self) -> None:
        _check_positive(self)
        if self.max_waiting_rows < self.limits.max_rows:
            raise SettingError(
                f"max_waiting_rows={self.max_waiting_rows}",
                expected=f"room for the largest request, {self.limits.max_rows} clips",
                action="Let more clips wait, or allow less in one request.",
                field="max_waiting_rows",
            )
