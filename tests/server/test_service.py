"""Every call through the real server, with messages as a stranger would send."""

import io

import mido
import pytest

from musicvae.music import midi
from musicvae.music.notes import Note, NoteSequence
from musicvae.rpc.notes import notes_to_message
from musicvae.v1 import musicvae_pb2 as pb

LATENT = pb.Latent(values=[0.1] * 8)
POINT = pb.Point(latent=LATENT)


@pytest.fixture
def excerpt(melody):
    return pb.Excerpt(midi=midi.write(melody))


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


def test_notes_by_default_are_in_common_time_at_120(stub):
    notes = pb.NoteSequence(
        notes=[
            pb.Note(start_step=18, end_step=20, pitch=60),
            pb.Note(start_step=0, end_step=4, pitch=60),
        ]
    )
    encoded = stub.Encode(pb.EncodeRequest(excerpt=pb.Excerpt(notes=notes))).notes
    expected = NoteSequence(notes=(Note(0, 60, 4), Note(18, 60, 20)), length_steps=32)
    assert encoded == notes_to_message(expected)
