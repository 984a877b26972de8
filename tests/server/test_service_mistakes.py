"""Every mistake in a message, told by the real server with the field that is wrong."""

import math

import grpc
import pytest
from grpc_status import rpc_status
from rpc_replies import refused, wrong_fields

from musicvae.music import midi
from musicvae.music.notes import Note, NoteSequence
from musicvae.rpc.notes import notes_to_message
from musicvae.v1 import musicvae_pb2 as pb

LATENT = pb.Latent(values=[0.1] * 8)
POINT = pb.Point(latent=LATENT)


@pytest.fixture
def excerpt(melody):
    return pb.Excerpt(midi=midi.write(melody))


@pytest.mark.parametrize("name", ["Sample", "Interpolate", "Transform", "Encode", "Decode"])
def test_unknown_model_is_not_found(stub, excerpt, name):
    message = {
        "Sample": pb.SampleRequest(),
        "Interpolate": pb.InterpolateRequest(points=[POINT, POINT]),
        "Transform": pb.TransformRequest(point=POINT, amounts={"note_density": 1}),
        "Encode": pb.EncodeRequest(excerpt=excerpt),
        "Decode": pb.DecodeRequest(latents=[LATENT]),
    }[name]
    message.model = "nobody"
    code, info, fields = refused(getattr(stub, name), message)
    assert (code, info.reason) == (grpc.StatusCode.NOT_FOUND, "MODEL_NOT_FOUND")
    assert info.metadata["field"] == "model"
    assert "tiny, other" in info.metadata["expected"]
    assert not fields


def test_unknown_model_is_not_found_by_get_model(stub):
    code, _, _ = refused(stub.GetModel, pb.GetModelRequest(model="nobody"))
    assert code == grpc.StatusCode.NOT_FOUND


DRAWING = [
    ("seed", 2**63),
    ("seed", 2**64 - 1),
    ("temperature", -1),
    ("temperature", 0.001),
    ("temperature", 5),
    ("temperature", math.nan),
    ("temperature", math.inf),
    ("top_p", 0),
    ("top_p", 1.01),
    ("top_p", -math.inf),
    ("top_p", math.nan),
    ("qpm", 0),
    ("qpm", 9.9),
    ("qpm", 481),
    ("qpm", math.nan),
    ("clip_format", 7),
]


@pytest.mark.parametrize(("field", "value"), DRAWING)
def test_wrong_drawing_is_told(stub, field, value):
    wrong = {field: value}
    amounts = {"note_density": 1}
    for call, message in (
        (stub.Sample, pb.SampleRequest(**wrong)),
        (stub.Interpolate, pb.InterpolateRequest(points=[POINT, POINT], **wrong)),
        (stub.Transform, pb.TransformRequest(point=POINT, amounts=amounts, **wrong)),
        (stub.Decode, pb.DecodeRequest(latents=[LATENT], **wrong)),
    ):
        assert wrong_fields(call, message) == {field}


@pytest.mark.parametrize(
    ("field", "value"),
    [("count", 0), ("count", 257), ("first_index", 2**31)],
)
def test_wrong_sample_is_told(stub, field, value):
    assert wrong_fields(stub.Sample, pb.SampleRequest(**{field: value})) == {field}


def test_count_past_every_limit_is_told_once(stub):
    _, info, _ = refused(stub.Sample, pb.SampleRequest(count=2**32 - 1))
    assert info.metadata["found"] == f"count={2**32 - 1}"
    path = pb.InterpolateRequest(points=[POINT] * 2, count=2**32 - 1)
    _, info, _ = refused(stub.Interpolate, path)
    assert info.metadata["found"] == f"count={2**32 - 1}"


def test_last_index_must_fit_too(stub):
    message = pb.SampleRequest(first_index=2**31 - 1, count=2)
    assert wrong_fields(stub.Sample, message) == {"first_index"}


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        (pb.InterpolateRequest(), {"points"}),
        (pb.InterpolateRequest(points=[POINT]), {"points"}),
        (pb.InterpolateRequest(points=[POINT] * 17), {"points"}),
        (pb.InterpolateRequest(points=[POINT] * 2, count=1), {"count"}),
        (pb.InterpolateRequest(points=[POINT] * 2, count=65), {"count"}),
        (pb.InterpolateRequest(points=[POINT, pb.Point()]), {"points[1]"}),
        (
            pb.InterpolateRequest(points=[POINT, pb.Point(excerpt=pb.Excerpt())]),
            {"points[1].excerpt"},
        ),
        (
            pb.InterpolateRequest(points=[POINT, pb.Point(excerpt=pb.Excerpt(midi=b"MThd"))]),
            {"points[1].excerpt.midi"},
        ),
        (
            pb.InterpolateRequest(points=[pb.Point(latent=pb.Latent(values=[0] * 7)), POINT]),
            {"points[0].latent"},
        ),
        (
            pb.InterpolateRequest(
                points=[pb.Point(latent=pb.Latent(values=[math.nan] * 8)), POINT]
            ),
            {"points[0].latent"},
        ),
    ],
)
def test_wrong_path_is_told(stub, message, fields):
    assert wrong_fields(stub.Interpolate, message) == fields


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        (pb.TransformRequest(amounts={"note_density": 1}), {"point"}),
        (pb.TransformRequest(point=POINT), {"amounts"}),
        (pb.TransformRequest(point=POINT, amounts={"groove": 1}), {'amounts["groove"]'}),
        (pb.TransformRequest(point=POINT, amounts={str(i): 1 for i in range(33)}), {"amounts"}),
        (pb.TransformRequest(point=POINT, amounts={"": 1}), {'amounts[""]'}),
        (
            pb.TransformRequest(point=POINT, amounts={"note_density": math.nan}),
            {'amounts["note_density"]'},
        ),
        (
            pb.TransformRequest(point=POINT, amounts={"note_density": -10.5}),
            {'amounts["note_density"]'},
        ),
        (
            pb.TransformRequest(
                point=pb.Point(latent=pb.Latent(values=[math.inf] * 8)),
                amounts={"note_density": 1},
            ),
            {"point.latent"},
        ),
    ],
)
def test_wrong_transform_is_told(stub, message, fields):
    assert wrong_fields(stub.Transform, message) == fields


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        (pb.DecodeRequest(), {"latents"}),
        (pb.DecodeRequest(latents=[LATENT] * 257), {"latents"}),
        (pb.DecodeRequest(latents=[LATENT, pb.Latent()]), {"latents[1]"}),
        (pb.DecodeRequest(latents=[LATENT, pb.Latent(values=[1e7] * 8)]), {"latents[1]"}),
    ],
)
def test_wrong_latents_are_told(stub, message, fields):
    assert wrong_fields(stub.Decode, message) == fields


NOTE = pb.Note(start_step=0, end_step=4, pitch=60)


@pytest.mark.parametrize(
    ("notes", "fields"),
    [
        (pb.NoteSequence(notes=[NOTE], length_steps=3), {"length_steps"}),
        (pb.NoteSequence(notes=[NOTE], length_steps=70_000), {"length_steps"}),
        (pb.NoteSequence(notes=[NOTE], steps_per_quarter=5), {"steps_per_quarter"}),
        (pb.NoteSequence(notes=[pb.Note(end_step=2**32 - 1, pitch=60)]), {"length_steps"}),
        (pb.NoteSequence(notes=[NOTE], qpm=-1), {"qpm"}),
        (pb.NoteSequence(notes=[NOTE], qpm=math.nan), {"qpm"}),
        (pb.NoteSequence(notes=[NOTE], qpm=math.inf), {"qpm"}),
        (
            pb.NoteSequence(notes=[NOTE], meter=pb.Meter()),
            {"meter.numerator", "meter.denominator"},
        ),
        (
            pb.NoteSequence(notes=[NOTE], meter=pb.Meter(numerator=256, denominator=3)),
            {"meter.numerator", "meter.denominator"},
        ),
        (pb.NoteSequence(notes=[NOTE], key=pb.Key(tonic=12)), {"key.tonic"}),
        (pb.NoteSequence(notes=[NOTE, pb.Note(pitch=60)]), {"notes[1].end_step"}),
        (pb.NoteSequence(notes=[pb.Note(end_step=4, pitch=128)]), {"notes[0].pitch"}),
        (
            pb.NoteSequence(notes=[pb.Note(end_step=4, velocity=128, program=128, offset=0.6)]),
            {"notes[0].velocity", "notes[0].program", "notes[0].offset"},
        ),
        (pb.NoteSequence(notes=[pb.Note(end_step=4, offset=math.nan)]), {"notes[0].offset"}),
        (pb.NoteSequence(notes=[NOTE] * 100_001), {"notes"}),
    ],
)
def test_wrong_notes_are_told(stub, notes, fields):
    message = pb.EncodeRequest(excerpt=pb.Excerpt(notes=notes))
    assert wrong_fields(stub.Encode, message) == {f"excerpt.notes.{field}" for field in fields}


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"start_bar": 0}, {"excerpt.start_bar"}),
        ({"start_bar": 3}, {"excerpt.start_bar"}),
        ({"start_bar": 2**32 - 1}, {"excerpt.start_bar"}),
        ({"meter": "five"}, {"excerpt.meter"}),
        ({"meter": "3/4"}, {"excerpt.meter"}),
        ({"steps_per_quarter": 8}, {"excerpt.steps_per_quarter"}),
        ({"steps_per_quarter": 12}, {"excerpt.steps_per_quarter"}),
        ({"midi": b""}, {"excerpt.midi"}),
        ({"midi": b"\0" * 100}, {"excerpt.midi"}),
        ({"midi": b"MThd" + b"\0" * 4 * 1024 * 1024}, {"excerpt.midi"}),
    ],
)
def test_wrong_excerpt_is_told(stub, melody, change, fields):
    excerpt = pb.Excerpt(**{"midi": midi.write(melody), **change})
    assert wrong_fields(stub.Encode, pb.EncodeRequest(excerpt=excerpt)) == fields


def test_missing_excerpt_is_told(stub):
    assert wrong_fields(stub.Encode, pb.EncodeRequest()) == {"excerpt"}


def test_music_that_does_not_fit_says_why(stub):
    chord = NoteSequence(notes=(Note(0, 60, 4), Note(0, 64, 4)), length_steps=16)
    excerpt = pb.Excerpt(notes=notes_to_message(chord))
    code, info, fields = refused(stub.Encode, pb.EncodeRequest(excerpt=excerpt))
    assert (code, info.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "NOT_REPRESENTABLE")
    assert info.metadata["cause"] == "polyphonic"
    assert set(fields) == {"excerpt"}
    excerpt.reduce = True
    encoded = stub.Encode(pb.EncodeRequest(excerpt=excerpt)).notes
    assert [note.pitch for note in encoded.notes] == [64]


def test_every_wrong_field_is_told_at_once(stub):
    message = pb.InterpolateRequest(
        points=[pb.Point(), pb.Point(excerpt=pb.Excerpt(midi=b"no", start_bar=0)), POINT],
        count=1000,
        seed=2**63,
        temperature=9,
        top_p=2,
        clip_format=99,
    )
    code, info, fields = refused(stub.Interpolate, message)
    assert (code, info.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_INVALID")
    assert set(fields) == {
        "points[0]",
        "points[1].excerpt.midi",
        "points[1].excerpt.start_bar",
        "count",
        "seed",
        "temperature",
        "top_p",
        "clip_format",
    }


def test_details_stay_short_however_much_is_wrong(stub):
    # All of it has to fit a header, or the client would see another error in its place.
    bad = pb.Note(pitch=2**32 - 1, velocity=2**32 - 1, program=2**32 - 1, offset=1e300)
    notes = pb.Excerpt(notes=pb.NoteSequence(notes=[bad] * 1000))
    message = pb.InterpolateRequest(points=[pb.Point(excerpt=notes)] * 16)
    assert len(wrong_fields(stub.Interpolate, message)) == 8
    long_names = {f"{index}" + "ä" * 3000: 99.0 for index in range(32)}
    message = pb.TransformRequest(model="m" * 100_000, point=POINT, amounts=long_names)
    assert len(wrong_fields(stub.Transform, message)) == 8
    code, _, _ = refused(stub.GetModel, pb.GetModelRequest(model="m" * 100_000))
    assert code == grpc.StatusCode.NOT_FOUND


def test_message_past_the_limit_is_refused_without_details(stub):
    excerpt = pb.Excerpt(midi=b"\0" * (10 * 1024 * 1024))
    with pytest.raises(grpc.RpcError) as caught:
        stub.Encode(pb.EncodeRequest(excerpt=excerpt))
    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert rpc_status.from_call(caught.value) is None


def test_unknown_call_is_unimplemented(channel):
    call = channel.unary_unary("/musicvae.v1.MusicService/Sing")
    with pytest.raises(grpc.RpcError) as caught:
        call(b"")
    assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("data", [b"\xff\xff\xff", b"\x0a\x02\xff\xfe", b"\x0a\x7fno"])
def test_bytes_that_are_no_message_are_refused(channel, data):
    code, info, _ = refused(channel.unary_stream("/musicvae.v1.MusicService/Sample"), data)
    assert (code, info.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "SETTING_INVALID")
