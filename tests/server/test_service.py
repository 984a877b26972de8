"""Every call and every field through the real server, with messages as a stranger would send."""

import io
import math

import grpc
import mido
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from musicvae import midi
from musicvae.notes import Note, NoteSequence
from musicvae.v1 import musicvae_pb2 as pb
from musicvae.wire import notes_to_message

LATENT = pb.Latent(values=[0.1] * 8)
POINT = pb.Point(latent=LATENT)


@pytest.fixture
def excerpt(melody):
    return pb.Excerpt(midi=midi.write(melody))


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


def test_sample_streams_clips_as_midi(stub, tiny):
    replies = list(stub.Sample(pb.SampleRequest(count=3, seed=2)))
    assert [reply.clip.index for reply in replies] == [0, 1, 2]
    for reply in replies:
        file = mido.MidiFile(file=io.BytesIO(reply.clip.midi))
        assert (file.type, file.ticks_per_beat) == (1, 480)
        clip = reply.clip
        assert (clip.seed, clip.model, clip.model_version) == (2, "tiny", tiny.version)
        assert (clip.temperature, clip.top_p) == (0.5, 1.0)
        assert len(clip.latent.values) == 8
        assert set(clip.attributes) == set(tiny.attribute_vectors)
        said = midi.read_provenance(clip.midi)
        assert (said["model"], said["seed"], said["index"]) == ("tiny", 2, clip.index)


def test_clip_is_the_same_as_midi_and_as_notes(stub):
    as_midi = next(stub.Sample(pb.SampleRequest(seed=2, qpm=90))).clip
    wanted = pb.SampleRequest(seed=2, qpm=90, clip_format=pb.CLIP_FORMAT_NOTES)
    as_notes = next(stub.Sample(wanted)).clip
    assert as_notes.WhichOneof("content") == "notes"
    assert notes_to_message(midi.read(as_midi.midi)) == as_notes.notes


def test_interpolate_takes_midi_notes_and_latents(stub, excerpt, melody):
    as_notes = pb.Excerpt(notes=notes_to_message(melody))
    points = [pb.Point(excerpt=excerpt), pb.Point(excerpt=as_notes), POINT]
    replies = list(stub.Interpolate(pb.InterpolateRequest(points=points, count=3, seed=1)))
    assert [reply.clip.index for reply in replies] == [0, 1, 2, 3, 4]
    # The first two points are the same music: the path stands still between them.
    assert replies[0].clip.latent == replies[1].clip.latent == replies[2].clip.latent
    assert replies[4].clip.latent == LATENT


def test_transform_gives_before_and_after(stub, excerpt):
    request = pb.TransformRequest(
        point=pb.Point(excerpt=excerpt), amounts={"note_density": 1, "average_interval": -1}
    )
    reply = stub.Transform(request)
    assert reply.before.latent != reply.after.latent
    assert reply.before.seed == reply.after.seed
    assert set(reply.before.attributes) == set(reply.after.attributes) != set()


def test_encode_then_decode(stub, excerpt, melody, tiny):
    encoding = stub.Encode(pb.EncodeRequest(excerpt=excerpt))
    assert encoding.notes == notes_to_message(melody)
    assert not encoding.HasField("seed")
    assert (encoding.model, encoding.model_version) == ("tiny", tiny.version)
    drawn = stub.Encode(pb.EncodeRequest(excerpt=excerpt, seed=0))
    assert drawn.HasField("seed")
    assert drawn.latent != encoding.latent
    assert list(encoding.latent.values) == list(encoding.mean)
    latents = [encoding.latent, drawn.latent]
    replies = list(stub.Decode(pb.DecodeRequest(latents=latents, seed=3)))
    assert [reply.clip.latent for reply in replies] == latents
    assert [reply.clip.index for reply in replies] == [0, 1]


def test_models_are_listed_and_described(stub):
    models = stub.ListModels(pb.ListModelsRequest()).models
    assert [model.name for model in models] == ["tiny", "other"]
    assert models[0].card == ""
    model = stub.GetModel(pb.GetModelRequest()).model
    assert (model.name, model.representation, model.bars) == ("tiny", "melody", 2)
    assert (model.length_steps, model.latent_size) == (32, 8)
    assert model.meter == pb.Meter(numerator=4, denominator=4)
    assert model.card.startswith("# tiny")
    assert all(each.name and each.unit and each.description for each in model.attributes)


def test_second_model_answers_by_its_name(stub):
    clip = next(stub.Sample(pb.SampleRequest(model="other", seed=1))).clip
    assert clip.model == "other"
    assert len(clip.latent.values) == 9


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
    assert (code, info.reason) == (grpc.StatusCode.NOT_FOUND, "BUNDLE_INVALID")
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
        (pb.TransformRequest(point=POINT, amounts={"groove": 1}), {"amounts"}),
        (pb.TransformRequest(point=POINT, amounts={str(i): 1 for i in range(33)}), {"amounts"}),
        (pb.TransformRequest(point=POINT, amounts={"": 1}), {"amounts"}),
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


def test_notes_by_default_are_in_common_time_at_120(stub):
    notes = pb.NoteSequence(notes=[pb.Note(start_step=18, end_step=20, pitch=60), NOTE])
    heard = stub.Encode(pb.EncodeRequest(excerpt=pb.Excerpt(notes=notes))).notes
    expected = NoteSequence(notes=(Note(0, 60, 4), Note(18, 60, 20)), length_steps=32)
    assert heard == notes_to_message(expected)


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"start_bar": 0}, {"excerpt.start_bar"}),
        ({"start_bar": 3}, {"excerpt.start_bar"}),
        ({"start_bar": 2**32 - 1}, {"excerpt.start_bar"}),
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
    heard = stub.Encode(pb.EncodeRequest(excerpt=excerpt)).notes
    assert [note.pitch for note in heard.notes] == [64]


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
