"""Whatever is sent, the answer is OK or says what is wrong: never INTERNAL, never silence."""

from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from message_mutations import STREAMS, messages
from midi_mutations import mutants

from musicvae.v1 import musicvae_pb2 as pb
from musicvae.v1.musicvae_pb2_grpc import MusicServiceStub

ALLOWED = {grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT}


def code_of(call, message):
    try:
        reply = call(message, timeout=30)
        for _ in reply if hasattr(reply, "__next__") else ():
            pass
    except grpc.RpcError as error:
        return error.code()
    return grpc.StatusCode.OK


@pytest.mark.slow
def test_mutated_midi_is_heard_or_refused(stub):
    def send(data, *, reduce):
        excerpt = pb.Excerpt(midi=data, reduce=reduce, start_bar=1 if reduce else None)
        return code_of(stub.Encode, pb.EncodeRequest(excerpt=excerpt))

    files = list(mutants(20, 10_000))
    with ThreadPoolExecutor(4) as pool:
        strict = list(pool.map(lambda data: send(data, reduce=False), files[::2]))
        lenient = list(pool.map(lambda data: send(data, reduce=True), files[1::2]))
    assert set(strict) | set(lenient) == ALLOWED
    assert lenient.count(grpc.StatusCode.OK) > 300
    assert strict.count(grpc.StatusCode.INVALID_ARGUMENT) > 1000


@pytest.mark.parametrize("model", ["drums-2bar", "groove-2bar", "trio-16bar", "leadsheet-4bar"])
def test_mutated_midi_is_heard_or_refused_by_every_model(family_channel, model):
    stub = MusicServiceStub(family_channel)
    codes = []
    chords = "C" if model == "leadsheet-4bar" else None
    for data in mutants(23, 200):
        excerpt = pb.Excerpt(midi=data, reduce=True, start_bar=1)
        codes.append(
            code_of(stub.Encode, pb.EncodeRequest(model=model, excerpt=excerpt, chords=chords))
        )
        if model == "groove-2bar":
            message = pb.GrooveRequest(
                task=pb.GROOVE_TASK_TAP_TO_DRUMS, point=pb.Point(excerpt=excerpt)
            )
            codes.append(code_of(stub.Groove, message))
    assert set(codes) == ALLOWED


def test_mutated_messages_are_answered_or_refused(family_channel):
    def send(sent):
        make = family_channel.unary_stream if sent.method in STREAMS else family_channel.unary_unary
        return code_of(make(f"/musicvae.v1.MusicService/{sent.method}"), sent.data)

    with ThreadPoolExecutor(4) as pool:
        codes = set(pool.map(send, (each for each in messages(21, 300) if not each.content_type)))
    # A changed byte may also fall into the name of the model.
    assert codes - {grpc.StatusCode.NOT_FOUND} == ALLOWED
