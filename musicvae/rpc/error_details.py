"""Errors as google.rpc details and back, so that a client raises the error that a server found."""

from __future__ import annotations

import math
from collections.abc import Mapping

from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.rpc import code_pb2, error_details_pb2, status_pb2

from musicvae.errors import BusyError, MusicVAEError, RepresentationError, RequestError, Violation

DOMAIN = "musicvae"
INVALID_ARGUMENT = code_pb2.INVALID_ARGUMENT
LEAST_RETRY_S = 1

MOST_VIOLATIONS = 8
MOST_TEXT_BYTES = 200
MOST_FIELD_BYTES = 80
MOST_MESSAGE_BYTES = 300
"""Details travel in a header, and most clients accept 8 KiB of headers: all details together make
6 KiB as base64."""


def error_to_status(error: MusicVAEError, code: int) -> status_pb2.Status:
    """Writes an error as a status with google.rpc details, short enough for a header.

    Args:
        error: The error.
        code: The number of the gRPC status code.
    """
    said = {"found": error.found, "expected": error.expected, "action": error.action}
    if error.field is not None:
        said["field"] = error.field
    if isinstance(error, RepresentationError):
        said["cause"] = error.cause
    details = [
        error_details_pb2.ErrorInfo(
            reason=error.reason,
            domain=DOMAIN,
            metadata={name: _short(text) for name, text in said.items()},
        )
    ]
    if isinstance(error, BusyError):
        delay = Duration(seconds=max(math.ceil(error.retry_s), LEAST_RETRY_S))
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    elif code == INVALID_ARGUMENT:
        details.append(
            error_details_pb2.BadRequest(
                field_violations=[
                    error_details_pb2.BadRequest.FieldViolation(
                        field=_short(each.field, MOST_FIELD_BYTES),
                        reason=each.reason,
                        description=_short(each.description),
                    )
                    for each in error.violations[:MOST_VIOLATIONS]
                ]
            )
        )
    packed = []
    for detail in details:
        packed.append(Any())
        packed[-1].Pack(detail)
    return status_pb2.Status(
        code=code, message=_short(str(error), MOST_MESSAGE_BYTES), details=packed
    )


def error_from_status(status: status_pb2.Status) -> MusicVAEError | None:
    """Reads the error that `error_to_status` wrote; None for any other status."""
    info, violations = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    retry = error_details_pb2.RetryInfo()
    for detail in status.details:
        detail.Unpack(info) or detail.Unpack(violations) or detail.Unpack(retry)
    kind = KINDS.get(info.reason)
    if info.domain != DOMAIN or kind is None:
        return None
    if kind is RequestError:
        return RequestError(
            Violation(each.field, each.reason, each.description)
            for each in violations.field_violations
        )
    said: Mapping[str, str] = info.metadata
    arguments = {name: said.get(name, "") for name in ("found", "expected", "action")}
    arguments |= {name: said[name] for name in ("field", "cause") if name in said}
    if kind is BusyError:
        return BusyError(**arguments, retry_s=float(retry.retry_delay.seconds))
    return kind(**arguments)


def _short(text: str, most_bytes: int = MOST_TEXT_BYTES) -> str:
    data, more = text.encode(), "…"
    if len(data) <= most_bytes:
        return text
    return data[: most_bytes - len(more.encode())].decode(errors="ignore") + more


def _kinds(root: type[MusicVAEError]) -> dict[str, type[MusicVAEError]]:
    found = {root.reason: root}
    for kind in root.__subclasses__():
        found |= _kinds(kind)
    return found


KINDS = _kinds(MusicVAEError)
"""All kinds of errors by reason."""
