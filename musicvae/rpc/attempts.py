"""The attempts of one call: when a call may be repeated, and which error ends it."""

from __future__ import annotations

import random
import time
from typing import Any

import grpc
from grpc_status import rpc_status

from musicvae.errors import BusyError, MusicVAEError, ServiceError
from musicvae.rpc.error_details import error_from_status

_SPREAD = 1.25
"""Waits are up to a quarter longer than asked for, so that callers do not come back together."""


class Attempts:
    """Bounds the attempts of one call.

    Args:
        address: The server's address, for messages.
        timeout_s: Seconds that all attempts may take together.
    """

    def __init__(self, address: str, timeout_s: float) -> None:
        self._address = address
        self._end_s = time.monotonic() + timeout_s

    @property
    def left_s(self) -> float:
        """Seconds that are left for the next attempt."""
        return self._end_s - time.monotonic()

    def pause_s(self, error: grpc.RpcError, *, is_begun: bool = False) -> float:
        """Seconds until the next attempt.

        A busy server has done nothing, and says when to ask again. The channel itself repeats calls
        that no server has answered.

        Args:
            error: The error of the last attempt.
            is_begun: Whether a reply has come: such a call is not repeated.

        Raises:
            MusicVAEError: The error in our words, if no attempt is left.
        """
        found = self._translated(error)
        if is_begun or not isinstance(found, BusyError):
            raise found from error
        pause_s = found.retry_s * random.uniform(1.0, _SPREAD)
        if pause_s >= self.left_s:
            raise found from error
        return pause_s

    def _translated(self, error: Any) -> MusicVAEError:
        status = rpc_status.from_call(error)
        reported = status and error_from_status(status)
        if reported:
            return reported
        expected, action = _ADVICE.get(error.code(), _OTHER_ADVICE)
        return ServiceError(
            f"{error.code().name} from {self._address} ({error.details()})",
            expected=expected,
            action=action,
            field="server",
        )


_ADVICE = {
    grpc.StatusCode.UNAVAILABLE: (
        "a server that listens there",
        "Check the address, or start one with `musicvae serve`.",
    ),
    grpc.StatusCode.UNKNOWN: (
        "a server of gRPC that listens there",
        "Check the port: the server's `--http-port` is for browsers and `curl`.",
    ),
    grpc.StatusCode.DEADLINE_EXCEEDED: (
        "an answer in time",
        "Ask for fewer clips, or allow more time.",
    ),
    grpc.StatusCode.RESOURCE_EXHAUSTED: (
        "a request within the server's limits",
        "Send less music, or ask again in a while.",
    ),
    grpc.StatusCode.UNIMPLEMENTED: (
        "a server of the same contract, musicvae.v1",
        "Check the address, or install the same version on both sides.",
    ),
}
_OTHER_ADVICE = ("an answer", "Report this message to the operator of the server.")
