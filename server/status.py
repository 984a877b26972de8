"""Every exception as a gRPC status, by one table."""

from __future__ import annotations

import logging
import uuid

import grpc
from google.rpc import status_pb2

from musicvae.errors import (
    BusyError,
    ModelNotFoundError,
    MusicVAEError,
    ServiceError,
    UnknownCallerError,
)
from musicvae.rpc.error_details import error_to_status

CODES: tuple[tuple[type[MusicVAEError], grpc.StatusCode], ...] = (
    (BusyError, grpc.StatusCode.RESOURCE_EXHAUSTED),
    (UnknownCallerError, grpc.StatusCode.UNAUTHENTICATED),
    (ServiceError, grpc.StatusCode.DEADLINE_EXCEEDED),
    (ModelNotFoundError, grpc.StatusCode.NOT_FOUND),
    (MusicVAEError, grpc.StatusCode.INVALID_ARGUMENT),
)
"""The first line that matches an error gives its code; an error without a line is INTERNAL."""

log = logging.getLogger(__name__)


def to_status(error: Exception) -> status_pb2.Status:
    """The status for an error.

    For our own mistakes it shows the id of an incident; the log has the exception under that id.
    """
    for kind, code in CODES:
        if isinstance(error, kind):
            return error_to_status(error, code.value[0])
    incident = uuid.uuid4().hex
    log.error("incident %s", incident, exc_info=error, extra={"event": "incident"})
    message = f"a fault of the server; report incident {incident}"
    return status_pb2.Status(code=grpc.StatusCode.INTERNAL.value[0], message=message)
