"""The settings of the server, each with its unit and its reason."""

from __future__ import annotations

from dataclasses import dataclass

from musicvae.errors import SettingError
from musicvae.rpc.limits import Limits, check_positive


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of the server.

    Attributes:
        host: Address to listen on; the default is reachable only from this machine.
        port: TCP port; 0 for any free port.
        limits: The limits of one request.
        max_message_bytes: Size of one request in bytes: room for the two ends of a path, each a
            MIDI file of the largest size, or as many notes as a file can hold (3 MB).
        max_waiting_steps: Steps of music that all open requests together wait for: 15 to 45 seconds
            of work. Past this limit, a new caller learns at once that the server is busy.
        max_rpcs: Calls at the same time. This limits connections, not work: a call takes some
            100 KB and holds its request until it ends, mostly a few kB, at most
            `max_message_bytes` and 40 MB of notes.
        max_call_s: Seconds that one call may take, with or without a deadline: more than a full
            queue and the largest request take together. A slower caller does not read its replies,
            and would keep its connection and its share of the queue for ever.
        grace_s: Seconds that calls in flight have to finish after the server is told to stop;
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
        check_positive(self, may_be_0=("port", "grace_s"))
        if self.max_waiting_steps < self.limits.max_steps:
            raise SettingError(
                f"max_waiting_steps={self.max_waiting_steps}",
                expected=f"room for the largest request, {self.limits.max_steps} steps",
                action="Raise max_waiting_steps, or lower limits.max_steps.",
                field="max_waiting_steps",
            )
