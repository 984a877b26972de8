"""Requests of every call, damaged on the wire in ways that a seed chooses."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message
from midi_mutations import mutants

from musicvae.music import midi
from musicvae.music.notes import Note, NoteSequence
from musicvae.v1 import musicvae_pb2 as pb

STREAMS = frozenset({"Sample", "Interpolate", "Decode"})
"""The calls with several replies."""

_VARINT, _FIXED64, _LENGTH, _START_GROUP, _END_GROUP, _FIXED32 = range(6)
_FLOATS = (float("nan"), float("inf"), float("-inf"), -0.0, 5e-324, 1e300, -1.0)
_NUMBERS = (0, 1, 7, 300, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**63 - 1, 2**63, 2**64 - 1)
_TEXTS = (b"", b"\xff\xfe", b"\xed\xa0\x80", b"\x00", b"C\n| F", b"9/0", b"9" * 9000, b"C " * 5000)
_KEYS = ("x-request-id", "authorization", "traceparent", "x-odd-bin", "x-a", "user-name")


@dataclass(frozen=True)
class Call:
    """A call to send.

    Attributes:
        method: The name of the rpc.
        data: Its request as Protocol Buffers, or as JSON.
        content_type: The form of the body over HTTP; empty for gRPC.
        metadata: Names and values that travel with the call.
    """

    method: str
    data: bytes
    content_type: str = ""
    metadata: tuple[tuple[str, str | bytes], ...] = ()


def _notes() -> NoteSequence:
    pitches = (60, 62, 64, 65, 67, 65, 64, 62)
    return NoteSequence(tuple(Note(4 * i, p, 4 * i + 4) for i, p in enumerate(pitches)), 32, 96.0)


@cache
def healthy() -> tuple[tuple[str, Message], ...]:
    """The name and the request of calls that tiny models of the whole family answer."""
    excerpt = pb.Excerpt(midi=midi.write(_notes()), start_bar=1)
    note = pb.Note(start_step=1, end_step=3, pitch=64, velocity=70, offset=0.2)
    sequence = pb.NoteSequence(
        notes=[note] * 2, length_steps=32, qpm=100, meter=pb.Meter(numerator=4, denominator=4)
    )
    chords = [pb.Chord(symbol="C"), pb.Chord(start_step=16, symbol="G7/B")]
    sheet = pb.Excerpt(notes=pb.NoteSequence(notes=[note], length_steps=32, chords=chords))
    beat = pb.NoteSequence(notes=[pb.Note(end_step=1, pitch=36, is_drum=True)], length_steps=32)
    latent = pb.Latent(values=[0.3] * 8)
    points = [
        pb.Point(excerpt=excerpt),
        pb.Point(latent=latent),
        pb.Point(excerpt=pb.Excerpt(notes=sequence, reduce=True)),
    ]
    how = {"seed": 5, "temperature": 0.7, "top_p": 0.9, "qpm": 130}
    told = {"key": "G", "range": "C3-C6", "meter": "4/4", "steps_per_quarter": 4}
    return (
        ("Sample", pb.SampleRequest(count=2, first_index=4, clip_format=2, **how)),
        ("Sample", pb.SampleRequest(count=1, **how, **told)),
        ("Sample", pb.SampleRequest(model="leadsheet-4bar", chords="C | Am7 . G7/B", **how)),
        ("Interpolate", pb.InterpolateRequest(points=points, count=2, **how)),
        (
            "Transform",
            pb.TransformRequest(point=points[1], amounts={"note_density": 0.5}, **how),
        ),
        ("Encode", pb.EncodeRequest(excerpt=points[2].excerpt, seed=3)),
        ("Encode", pb.EncodeRequest(model="leadsheet-4bar", excerpt=sheet, chords="C F")),
        ("Encode", pb.EncodeRequest(model="leadsheet-4bar", excerpt=sheet)),
        ("Decode", pb.DecodeRequest(latents=[latent], **how)),
        (
            "Groove",
            pb.GrooveRequest(task=3, point=points[1], onto=pb.Excerpt(notes=beat), **how),
        ),
        ("Groove", pb.GrooveRequest(task=2, point=points[0], **how)),
        ("GetModel", pb.GetModelRequest(model="groove-2bar")),
        ("ListModels", pb.ListModelsRequest()),
        ("GetServer", pb.GetServerRequest()),
    )


def messages(seed: int, count: int) -> Iterator[Call]:
    """Damaged requests over gRPC, and a fifth of them over HTTP; equal seeds give equal calls."""
    chance = random.Random(seed)
    for _ in range(count):
        method, message = chance.choice(healthy())
        is_http, is_json = chance.random() < 0.2, chance.random() < 0.5
        data = (
            MessageToJson(message).encode() if is_http and is_json else message.SerializeToString()
        )
        for _ in range(chance.randint(1, 3)):
            data = _on_bytes(data, chance) if is_http and is_json else damaged(data, chance)
        call = Call(method, data)
        if is_http:
            json_type = "application/connect+json" if method in STREAMS else "application/json"
            kind = json_type if is_json else "application/grpc-web+proto"
            call = replace(call, content_type=kind)
        elif chance.random() < 0.2:
            call = replace(call, metadata=tuple(_metadata(chance)))
        yield call


def uploads(seed: int, count: int) -> Iterator[Call]:
    """Damaged MIDI files as the music of encodings, by several models."""
    chance = random.Random(seed)
    models = ("melody-2bar", "drums-2bar", "groove-2bar", "trio-16bar")
    for data in mutants(seed, count):
        reduce = chance.random() < 0.7
        excerpt = pb.Excerpt(midi=data, reduce=reduce, start_bar=1 if reduce else None)
        message = pb.EncodeRequest(model=chance.choice(models), excerpt=excerpt)
        yield Call("Encode", message.SerializeToString())


def small(seed: int, count: int) -> Iterator[Call]:
    """Valid requests: the server, its models, one clip."""
    for index in range(count):
        requests = (
            ("GetServer", pb.GetServerRequest()),
            ("ListModels", pb.ListModelsRequest()),
            ("Sample", pb.SampleRequest(seed=seed * 1_000_000 + index)),
        )
        method, message = requests[index % len(requests)]
        yield Call(method, message.SerializeToString())


@dataclass(frozen=True)
class _Field:
    number: int
    wire: int
    value: bytes

    def to_bytes(self) -> bytes:
        size = _varint(len(self.value)) if self.wire == _LENGTH else b""
        return _varint(self.number << 3 | self.wire) + size + self.value


def damaged(data: bytes, chance: random.Random) -> bytes:
    """A message with one damage, mostly in one of its submessages, texts or lists of numbers.

    The sizes of the outer messages are mended, so that a parser looks at the damage.
    """
    fields = _fields(data)
    if not fields or chance.random() < 0.1:
        return _on_bytes(data, chance)
    at = chance.randrange(len(fields))
    chosen = fields[at]
    if chosen.wire == _LENGTH and chance.random() < 0.7:
        fields[at] = replace(chosen, value=damaged(chosen.value, chance))
    else:
        fields[at : at + 1] = chance.choice(_DAMAGES)(chosen, chance)
    return b"".join(field.to_bytes() for field in fields)


def _fields(data: bytes) -> list[_Field]:
    """The fields of a message; none if the bytes are no message."""
    found, at = [], 0
    try:
        while at < len(data):
            tag, at = _read_varint(data, at)
            start, wire = at, tag & 7
            if wire == _LENGTH:
                size, start = _read_varint(data, at)
                at = start + size
            elif wire == _VARINT:
                at = _read_varint(data, at)[1]
            else:
                at += {_FIXED64: 8, _FIXED32: 4}[wire]
            if at > len(data) or tag < 8:
                return []
            found.append(_Field(tag >> 3, wire, data[start:at]))
    except (IndexError, KeyError):
        return []
    return found


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 128:
            return value, at


def _varint(value: int) -> bytes:
    parts = []
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])


def _repeated(field: _Field, chance: random.Random) -> list[_Field]:
    return [field] * chance.choice((0, 2, 2, 3, 20, 300))


def _huge_count(field: _Field, chance: random.Random) -> list[_Field]:
    return [_Field(field.number, _LENGTH, b"")] * chance.choice((1, 100, 5000))


def _unknown(field: _Field, chance: random.Random) -> list[_Field]:
    number = chance.choice((0, 19_000, 2**29 - 1, chance.randrange(1, 200)))
    return [field, replace(field, number=number)]


def _nested(field: _Field, chance: random.Random) -> list[_Field]:
    """The field inside messages or groups of its own number, some deeper than a parser goes."""
    depth = chance.choice((1, 3, 99, 101, 1000))
    if chance.random() < 0.5:
        opening, closing = (
            _Field(field.number, _START_GROUP, b""),
            _Field(field.number, _END_GROUP, b""),
        )
        return [opening] * depth + [field] + [closing] * chance.choice((depth, depth - 1, 0))
    for _ in range(depth):
        field = _Field(field.number, _LENGTH, field.to_bytes())
    return [field]


def _extreme(field: _Field, chance: random.Random) -> list[_Field]:
    """The largest, smallest and strangest values of the field's type: also wrong enum numbers."""
    match field.wire:
        case 0:
            value = _varint(chance.choice((*_NUMBERS, chance.getrandbits(64))))
        case 1:
            value = struct.pack("<d", chance.choice(_FLOATS))
        case 5:
            value = struct.pack("<f", chance.choice(_FLOATS[:4]))
        case _ if len(field.value) % 4 == 0 and chance.random() < 0.3:
            value = struct.pack("<f", chance.choice(_FLOATS[:4])) * (len(field.value) // 4)
        case _:
            value = chance.choice(_TEXTS)
    return [replace(field, value=value)]


def _other_type(field: _Field, chance: random.Random) -> list[_Field]:
    return [replace(field, wire=chance.randrange(8))]


_DAMAGES = (_repeated, _huge_count, _unknown, _nested, _extreme, _extreme, _extreme, _other_type)


def _on_bytes(data: bytes, chance: random.Random) -> bytes:
    """A copy with bytes flipped, set, inserted, removed or cut off."""
    changed = bytearray(data)
    at = chance.randrange(len(data) + 1)
    match chance.randrange(5):
        case 0 if at < len(data):
            changed[at] ^= 1 << chance.randrange(8)
        case 1 if at < len(data):
            changed[at] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, 0xF0))
        case 2:
            changed[at:at] = chance.randbytes(chance.randint(1, 8))
        case 3:
            del changed[at : at + chance.randint(1, 8)]
        case _:
            del changed[at:]
    return bytes(changed)


def _metadata(chance: random.Random) -> Iterator[tuple[str, str | bytes]]:
    for _ in range(chance.randint(1, 4)):
        name, size = chance.choice(_KEYS), chance.choice((0, 1, 30, 2000))
        is_binary = name.endswith("-bin")
        text = "".join(chr(chance.randrange(32, 127)) for _ in range(size)).strip()
        yield name, chance.randbytes(size) if is_binary else text
