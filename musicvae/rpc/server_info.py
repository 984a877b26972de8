"""A server as it describes itself, and as a message of the contract."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

from musicvae.generation.replies import ModelInfo
from musicvae.rpc.limits import Limits
from musicvae.rpc.replies import model_from_message, model_to_message
from musicvae.v1 import musicvae_pb2 as pb


@dataclass(frozen=True, kw_only=True)
class CallLimits:
    """Sizes and times of the calls of a server.

    Attributes:
        max_message_bytes: Size of one request in bytes.
        max_wait_s: Seconds that a call may wait for its first clip.
        max_rpcs: Calls that make music at the same time.
        max_call_s: Seconds that one call may take.
        max_body_s: Seconds that a request may take to arrive.
        max_unread_s: Seconds that a reply may wait for its reader.
    """

    max_message_bytes: int
    max_wait_s: float
    max_rpcs: int
    max_call_s: float
    max_body_s: float
    max_unread_s: float


@dataclass(frozen=True, kw_only=True)
class ServerInfo:
    """A server.

    Attributes:
        version: The version of the program.
        uptime_s: Seconds since the server started.
        needs_token: Whether calls need a token.
        request_limits: How much one request may ask for.
        call_limits: Sizes and times of calls.
        models: The models, the default first, without their cards.
    """

    version: str
    uptime_s: float
    needs_token: bool
    request_limits: Limits
    call_limits: CallLimits
    models: tuple[ModelInfo, ...]


def server_to_message(server: ServerInfo) -> pb.Server:
    """Writes a server."""
    return pb.Server(
        version=server.version,
        uptime_s=server.uptime_s,
        needs_token=server.needs_token,
        request_limits=pb.RequestLimits(**asdict(server.request_limits)),
        call_limits=pb.CallLimits(**asdict(server.call_limits)),
        models=map(model_to_message, server.models),
    )


def server_from_message(message: pb.Server) -> ServerInfo:
    """Reads a server."""
    request, call = message.request_limits, message.call_limits
    return ServerInfo(
        version=message.version,
        uptime_s=message.uptime_s,
        needs_token=message.needs_token,
        request_limits=Limits(
            **{each.name: getattr(request, each.name) for each in fields(Limits)}
        ),
        call_limits=CallLimits(
            **{each.name: getattr(call, each.name) for each in fields(CallLimits)}
        ),
        models=tuple(map(model_from_message, message.models)),
    )
