"""Whatever is sent, the answer is OK or says what is wrong: never INTERNAL, never silence."""

import random
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from midi_mutations import mutants

from musicvae.music import midi
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


def messages(seed, count, melody):
    """Valid messages of every call with a few of their bytes changed, where they still parse."""
    chance = random.Random(seed)
    excerpt = pb.Excerpt(midi=midi.write(melody), start_bar=1)
    notes = pb.Note(start_step=1, end_step=3, pitch=64, velocity=70, offset=0.2)
    sequence = pb.NoteSequence(
        notes=[notes] * 2, length_steps=32, qpm=100, meter=pb.Meter(numerator=4, denominator=4)
    )
    chords = [pb.Chord(symbol="C"), pb.Chord(start_step=16, symbol="G7/B")]
    sheet = pb.Excerpt(notes=pb.NoteSequence(notes=[notes], length_steps=32, chords=chords))
    beat = pb.NoteSequence(notes=[pb.Note(end_step=1, pitch=36, is_drum=True)], length_steps=32)
    points = [
        pb.Point(excerpt=excerpt),
        pb.Point(latent=pb.Latent(values=[0.3] * 8)),
        pb.Point(excerpt=pb.Excerpt(notes=sequence, reduce=True)),
    ]
    how = {"seed": 5, "temperature": 0.7, "top_p": 0.9, "qpm": 130}
    healthy = [
        ("Sample", pb.SampleRequest(count=3, first_index=4, **how)),
        ("Interpolate", pb.InterpolateRequest(points=points, count=3, **how)),
        (
            "Transform",
            pb.TransformRequest(point=points[1], amounts={"note_density": 0.5}, **how),
        ),
        ("Encode", pb.EncodeRequest(excerpt=points[2].excerpt, seed=3)),
        ("Decode", pb.DecodeRequest(latents=[points[1].latent] * 2, **how)),
        ("Sample", pb.SampleRequest(model="leadsheet-4bar", chords="C | Am7 . G7/B", **how)),
        ("Encode", pb.EncodeRequest(model="leadsheet-4bar", excerpt=sheet, chords="C F")),
        ("Encode", pb.EncodeRequest(model="leadsheet-4bar", excerpt=sheet)),
        (
            "Groove",
            pb.GrooveRequest(task=3, point=points[1], onto=pb.Excerpt(notes=beat), **how),
        ),
        ("Groove", pb.GrooveRequest(task=2, point=points[0], **how)),
    ]
    for _ in range(count):
        name, message = chance.choice(healthy)
        data = bytearray(message.SerializeToString())
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, 0xF0))
        yield name, bytes(data)


def test_mutated_messages_are_answered_or_refused(family_channel, melody):
    unary = ("Transform", "Encode", "Groove")
    kinds = {
        name: family_channel.unary_unary if name in unary else family_channel.unary_stream
        for name in ("Sample", "Interpolate", "Transform", "Encode", "Decode", "Groove")
    }
    calls = {name: kind(f"/musicvae.v1.MusicService/{name}") for name, kind in kinds.items()}
    sent = list(messages(21, 500, melody))
    with ThreadPoolExecutor(4) as pool:
        codes = list(pool.map(lambda each: code_of(calls[each[0]], each[1]), sent))
    # A changed byte may also fall into the name of the model.
    assert set(codes) - {grpc.StatusCode.NOT_FOUND} == ALLOWED
