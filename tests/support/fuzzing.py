"""Sends many calls at once to a real server, and judges each answer by the contract's table."""

from __future__ import annotations

import base64
import json
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import grpc
from connecting import SERVICE, envelope, envelopes, post
from google.protobuf.any_pb2 import Any
from google.rpc import code_pb2, error_details_pb2
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status
from message_mutations import STREAMS, Call

CALLERS = 32
LONGEST_S = 60.0
"""Seconds after which a call counts as hanging."""

REASONS = {
    "INVALID_ARGUMENT": {
        "REQUEST_INVALID",
        "SETTING_INVALID",
        "MIDI_UNREADABLE",
        "NOT_REPRESENTABLE",
        "LATENT_INVALID",
        "ATTRIBUTE_UNKNOWN",
    },
    "NOT_FOUND": {"MODEL_NOT_FOUND"},
    "RESOURCE_EXHAUSTED": {"BUSY", ""},
}
"""The reasons in the contract's table for the statuses that a damaged request may get."""


@dataclass
class Verdicts:
    """The answers to many calls.

    Attributes:
        codes: How many calls ended with each status.
        faults: The answers that break the contract, with the calls.
        slowest_s: The time of the slowest call.
    """

    codes: Counter[str] = field(default_factory=Counter)
    faults: list[tuple[str, Call]] = field(default_factory=list)
    slowest_s: float = 0.0

    def add(self, other: Verdicts) -> None:
        """Counts the answers to further calls, too."""
        self.codes.update(other.codes)
        self.faults.extend(other.faults)
        self.slowest_s = max(self.slowest_s, other.slowest_s)


def fault_of(status: Status) -> str:
    """The reason why an answer breaks the contract; empty if it does not."""
    code = code_pb2.Code.Name(status.code)
    if code == "OK":
        return ""
    info, bad, retry = (
        error_details_pb2.ErrorInfo(),
        error_details_pb2.BadRequest(),
        error_details_pb2.RetryInfo(),
    )
    for detail in status.details:
        _ = detail.Unpack(info) or detail.Unpack(bad) or detail.Unpack(retry)
    if info.reason not in REASONS.get(code, ()):
        return f"{code} with the reason {info.reason!r}: {status.message}"
    if code == "INVALID_ARGUMENT" and not bad.field_violations and "field" in info.metadata:
        return f"{code} without its field: {status.message}"
    if info.reason == "BUSY" and not retry.HasField("retry_delay"):
        return f"{code} without a delay: {status.message}"
    return ""


def send(address: str, http_url: str, calls: Sequence[Call]) -> Verdicts:
    """Sends the calls from `CALLERS` callers, each with connections of its own."""
    with ThreadPoolExecutor(CALLERS) as pool:
        parts = [(address, http_url, calls[first::CALLERS]) for first in range(CALLERS)]
        whole = Verdicts()
        for verdicts in pool.map(lambda part: _caller(*part), parts):
            whole.add(verdicts)
    return whole


def _caller(address: str, http_url: str, calls: Sequence[Call]) -> Verdicts:
    verdicts = Verdicts()
    with grpc.insecure_channel(address, [("grpc.use_local_subchannel_pool", 1)]) as channel:
        for call in calls:
            start_s = time.monotonic()
            try:
                status = (
                    _over_http(http_url, call) if call.content_type else _over_grpc(channel, call)
                )
            except Exception as error:  # noqa: BLE001  # whatever it is, it is a finding
                verdicts.faults.append((f"no status: {error!r}", call))
                continue
            verdicts.slowest_s = max(verdicts.slowest_s, time.monotonic() - start_s)
            verdicts.codes[code_pb2.Code.Name(status.code)] += 1
            if fault := fault_of(status):
                verdicts.faults.append((fault, call))
    return verdicts


def _over_grpc(channel: grpc.Channel, call: Call) -> Status:
    is_stream = call.method in STREAMS
    make = channel.unary_stream if is_stream else channel.unary_unary
    try:
        reply = make(SERVICE + call.method)(call.data, timeout=LONGEST_S, metadata=call.metadata)
        for _ in reply if is_stream else ():
            pass
    except grpc.RpcError as error:
        status = rpc_status.from_call(error)
        return status or Status(code=error.code().value[0], message=error.details())
    return Status()


def _over_http(url: str, call: Call) -> Status:
    has_envelopes = call.content_type != "application/json"
    body = envelope(call.data) if has_envelopes else call.data
    code, headers, reply = post(url, SERVICE + call.method, body, call.content_type)
    if "grpc-web" in call.content_type:
        lines = headers
        if reply:
            end = envelopes(reply)[-1][1].decode()
            lines = dict(line.split(": ", 1) for line in end.splitlines())
        packed = lines.get("grpc-status-details-bin", "")
        if packed:
            return Status.FromString(base64.b64decode(packed + "=="))
        return Status(code=int(lines["grpc-status"]), message=lines.get("grpc-message", ""))
    if not has_envelopes:
        return Status() if code == 200 else _from_json(json.loads(reply))
    end = json.loads(envelopes(reply)[-1][1]) if code == 200 else {"error": json.loads(reply)}
    return _from_json(end["error"]) if "error" in end else Status()


def _from_json(error: dict[str, object]) -> Status:
    details = [
        Any(
            type_url=f"type.googleapis.com/{each['type']}",
            value=base64.b64decode(each["value"] + "=="),
        )
        for each in error.get("details", ())
    ]
    code = code_pb2.Code.Value(str(error["code"]).upper())
    return Status(code=code, message=str(error.get("message", "")), details=details)


def faults_in(log: Sequence[str]) -> list[str]:
    """The lines of a server's log that tell of a fault of ours."""
    words = ("incident", "Traceback", "INTERNAL", "UNKNOWN", "Segmentation")
    return [line for line in log if any(word in line for word in words)]
