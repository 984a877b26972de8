"""What only some models are asked, with messages as a stranger would send."""

import io

import grpc
import mido
import pytest
from rpc_replies import refused, wrong_fields

from musicvae.music import midi
from musicvae.rpc.notes import notes_to_message
from musicvae.v1 import musicvae_pb2 as pb
from musicvae.v1.musicvae_pb2_grpc import MusicServiceStub


@pytest.fixture(scope="module")
def stub(family_channel):
    return MusicServiceStub(family_channel)


@pytest.fixture
def drums(beat):
    return pb.Excerpt(midi=midi.write(beat))


def over(chords):
    """A message of each call that takes chords."""
    excerpt = pb.Excerpt(notes=pb.NoteSequence(notes=[pb.Note(end_step=4, pitch=60)]))
    latent = pb.Latent(values=[0.1] * 8 * 4)  # a share for each of the four bars
    point = pb.Point(latent=latent)
    how = {"model": "leadsheet-4bar", "chords": chords}
    return {
        "Sample": pb.SampleRequest(**how),
        "Interpolate": pb.InterpolateRequest(points=[point, pb.Point(excerpt=excerpt)], **how),
        "Transform": pb.TransformRequest(point=point, amounts={"note_density": 1}, **how),
        "Encode": pb.EncodeRequest(excerpt=excerpt, **how),
        "Decode": pb.DecodeRequest(latents=[latent], **how),
    }


CALLS = ("Sample", "Interpolate", "Transform", "Encode", "Decode")


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "chords", [None, "", "|", "C | | G", "C | H", "C\0", "♥", "C " * 17, "C|C|C|C|C", "C" * 5000]
)
def test_chords_that_are_missing_or_none_are_told(stub, call, chords):
    assert wrong_fields(getattr(stub, call), over(chords)[call]) == {"chords"}


def test_chords_are_markers_in_the_file(stub):
    clip = next(stub.Sample(over("C | Am . . G7/B")["Sample"])).clip
    file = mido.MidiFile(file=io.BytesIO(clip.midi))
    markers = [message.text for message in file.tracks[0] if message.type == "marker"]
    assert markers == ["C", "Am", "G7/B"] * 2
    assert clip.chords == "C | Am . . G7/B | C | Am . . G7/B"
    assert midi.read_provenance(clip.midi)["chords"] == clip.chords


def test_chords_travel_with_the_notes(stub, music):
    sent = notes_to_message(music["leadsheet-4bar"])
    assert [(each.start_step, each.symbol) for each in sent.chords] == [(0, "C"), (16, "G7/B")]
    excerpt = pb.Excerpt(notes=sent)
    reply = stub.Encode(pb.EncodeRequest(model="leadsheet-4bar", excerpt=excerpt))
    assert list(reply.notes.chords) == list(sent.chords)
    assert reply.chords == "C | G7/B | G7/B | G7/B"
    plain = stub.Encode(pb.EncodeRequest(excerpt=excerpt))
    assert not plain.notes.chords and not plain.HasField("chords")


@pytest.mark.parametrize(
    ("chords", "fields"),
    [
        ([pb.Chord(symbol="H")], {"chords[0].symbol"}),
        ([pb.Chord()], {"chords[0].symbol"}),
        ([pb.Chord(symbol="C" + "#" * 10_000)], {"chords[0].symbol"}),
        ([pb.Chord(symbol="C"), pb.Chord(symbol="F")], {"chords[1].start_step"}),
        ([pb.Chord(symbol="C", start_step=4), pb.Chord(symbol="?")],
         {"chords[1].start_step", "chords[1].symbol"}),
        ([pb.Chord(symbol="C", start_step=64)], {"length_steps"}),
        ([pb.Chord(symbol="C", start_step=2**32 - 1)], {"length_steps"}),
        ([pb.Chord(symbol="C")] * 70_000, {"chords"}),
    ],
)  # fmt: skip
def test_wrong_chords_of_notes_are_told(stub, chords, fields):
    note = pb.Note(end_step=4, pitch=60)
    notes = pb.NoteSequence(notes=[note], chords=chords, length_steps=64)
    message = pb.EncodeRequest(excerpt=pb.Excerpt(notes=notes))
    assert wrong_fields(stub.Encode, message) == {f"excerpt.notes.{field}" for field in fields}


@pytest.mark.parametrize("task", pb.GrooveTask.values()[1:])
def test_groove_gives_before_and_after(stub, drums, task):
    onto = drums if task == pb.GROOVE_TASK_TRANSFER else None
    request = pb.GrooveRequest(task=task, point=pb.Point(excerpt=drums), onto=onto, seed=2)
    reply = stub.Groove(request)
    assert (reply.before.index, reply.after.index) == (0, 1)
    assert reply.before.model == reply.after.model == "groove-2bar"
    assert reply.before.latent == reply.after.latent
    for clip in (reply.before, reply.after):
        notes = midi.read(clip.midi).notes
        assert notes and all(note.is_drum for note in notes)
    assert midi.read_provenance(reply.before.midi)["method"] == "given"


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"task": 0}, {"task"}),
        ({"task": 9}, {"task"}),
        ({"point": None}, {"point"}),
        ({"point": pb.Point(latent=pb.Latent(values=[0.1] * 8))}, {"point"}),
        ({"point": pb.Point(excerpt=pb.Excerpt(midi=b"no"))}, {"point.excerpt.midi"}),
        ({"task": 3}, {"onto"}),
        ({"task": 3, "onto": pb.Excerpt()}, {"onto"}),
        ({"task": 3, "onto": pb.Excerpt(midi=b"no")}, {"onto.midi"}),
        ({"model": "drums-2bar"}, {"model"}),
        (
            {"seed": 2**63, "temperature": 9, "clip_format": 9},
            {"seed", "temperature", "clip_format"},
        ),
    ],
)
def test_wrong_groove_is_told(stub, drums, change, fields):
    healthy = {"task": 1, "point": pb.Point(excerpt=drums)}
    assert wrong_fields(stub.Groove, pb.GrooveRequest(**{**healthy, **change})) == fields


def test_model_that_is_not_here_has_no_groove(stub, drums):
    message = pb.GrooveRequest(model="nobody", task=1, point=pb.Point(excerpt=drums))
    code, info, _ = refused(stub.Groove, message)
    assert (code, info.reason) == (grpc.StatusCode.NOT_FOUND, "MODEL_NOT_FOUND")


def test_models_say_what_they_are(stub):
    models = {model.name: model for model in stub.ListModels(pb.ListModelsRequest()).models}
    assert models["leadsheet-4bar"].needs_chords
    assert not models["melody-2bar"].needs_chords
    assert [each.name for each in models["groove-2bar"].attributes] == [
        "note_density", "syncopation_16th", "syncopation_8th",
    ]  # fmt: skip
    assert all(model.size_bytes > 10_000 for model in models.values())
