"""What the service answers, and what it says of a mistake."""

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status


def answers(call, message):
    reply = call(message, timeout=30)
    return list(reply) if hasattr(reply, "__next__") else [reply]


def refused(call, message):
    """The code, the ErrorInfo, and the wrong fields with what is said of each."""
    with pytest.raises(grpc.RpcError) as caught:
        answers(call, message)
    status = rpc_status.from_call(caught.value)
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in status.details:
        _ = detail.Unpack(info) or detail.Unpack(bad)
    assert info.domain == "musicvae"
    return caught.value.code(), info, {each.field: each for each in bad.field_violations}


def wrong_fields(call, message):
    code, _, fields = refused(call, message)
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    for name, violation in fields.items():
        assert violation.reason, name
        assert "expected" in violation.description, name
    return set(fields)
