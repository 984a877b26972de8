"""Errors over gRPC name fields of the contract, and no option and no name of Python alone."""

import re

import pytest

from musicvae.errors import MusicVAEError
from musicvae.generation.engine import Engine
from musicvae.rpc import requests
from musicvae.rpc.limits import Limits
from musicvae.v1 import musicvae_pb2 as pb

MELODY = pb.Excerpt(
    notes=pb.NoteSequence(notes=[pb.Note(start_step=0, end_step=4, pitch=60)], length_steps=32)
)
RIGHT = {
    pb.SampleRequest: {},
    pb.InterpolateRequest: {"points": [pb.Point(excerpt=MELODY)] * 2},
    pb.TransformRequest: {"point": pb.Point(excerpt=MELODY), "amounts": {"note_density": 1}},
    pb.GrooveRequest: {"task": pb.GROOVE_TASK_HUMANISE, "point": pb.Point(excerpt=MELODY)},
    pb.EncodeRequest: {"excerpt": MELODY},
    pb.DecodeRequest: {"latents": [pb.Latent(values=[0.0] * 8)]},
}
NOTHING = pb.NoteSequence()
EXCERPTS = [
    pb.Excerpt(),
    pb.Excerpt(midi=b"no music"),
    pb.Excerpt(notes=NOTHING),
    pb.Excerpt(notes=MELODY.notes, start_bar=0),
    pb.Excerpt(notes=MELODY.notes, start_bar=9),
    pb.Excerpt(notes=MELODY.notes, steps_per_quarter=5),
    pb.Excerpt(notes=MELODY.notes, steps_per_quarter=12),
    pb.Excerpt(notes=pb.NoteSequence(steps_per_quarter=5)),
    pb.Excerpt(notes=pb.NoteSequence(steps_per_quarter=12), steps_per_quarter=4),
    pb.Excerpt(notes=pb.NoteSequence(notes=[pb.Note(pitch=200)], qpm=-1)),
]
LATENTS = [pb.Latent(), pb.Latent(values=[1.0]), pb.Latent(values=[float("nan")] * 8)]
POINTS = [pb.Point(), *(pb.Point(excerpt=each) for each in EXCERPTS),
          *(pb.Point(latent=each) for each in LATENTS)]  # fmt: skip
WRONG = {
    "model": ["none"],
    "count": [0, 2**32 - 1],
    "seed": [2**64 - 1],
    "first_index": [2**32 - 1],
    "temperature": [-1.0, float("nan")],
    "top_p": [0.0, 2.0],
    "qpm": [0.0, float("inf")],
    "chords": ["", "H7", "C"],
    "key": ["", "H", "C dorian"],
    "scale": ["", "G klingon"],
    "range": ["", "C5-C4", "C-1-C-1"],
    "style": ["", "polka"],
    "meter": ["", "waltz", "7/8"],
    "steps_per_quarter": [0, 5, 12],
    "clip_format": [99],
    "task": [0, 99],
    "point": POINTS,
    "points": [[], *([each, each] for each in POINTS)],
    "latents": [[], *([each] for each in LATENTS)],
    "amounts": [{}, {"loudness": 1.0}, {"note_density": float("nan")}],
    "sounds": [{"bass": pb.Sound(program=33)}, {"melody": pb.Sound(program=200, velocity=999)}],
    "excerpt": EXCERPTS,
    "onto": EXCERPTS,
}
CASES = [
    pytest.param(kind, {**right, name: wrong}, name, id=f"{kind.DESCRIPTOR.name}-{name}-{number}")
    for kind, right in RIGHT.items()
    for name in kind.DESCRIPTOR.fields_by_name
    for number, wrong in enumerate(WRONG[name])
]
MESSAGES = pb.DESCRIPTOR.message_types_by_name.values()
KNOWN = {name for message in MESSAGES for name in message.fields_by_name}


@pytest.fixture(scope="module")
def engine(bundle_folder):
    return Engine([bundle_folder])


@pytest.mark.parametrize(("kind", "fields", "wrong"), CASES)
def test_a_wrong_field_is_named_as_the_contract_does(engine, kind, fields, wrong):
    name = kind.DESCRIPTOR.name.removesuffix("Request").lower()
    read, answer = getattr(requests, f"{name}_request"), getattr(engine, name)
    with pytest.raises(MusicVAEError) as refused:
        list(answer(read(kind(**fields), Limits())))
    for violation in refused.value.violations:
        assert set(re.findall(r"[a-z_]+", re.sub(r'"[^"]*"', "", violation.field))) <= KNOWN
        assert set(re.findall(r"`([^ `]+)`", violation.description)) <= KNOWN
    roots = {re.split(r"[.\[]", each.field)[0] for each in refused.value.violations}
    assert roots & {wrong, "model"}
