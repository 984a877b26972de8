"""Requests as messages: limits, the words of the contract, and the way there and back."""

import pytest

from musicvae.errors import MusicVAEError, RequestError, SettingError
from musicvae.generation.inputs import Excerpt
from musicvae.generation.requests import (
    DecodeRequest,
    EncodeRequest,
    GrooveRequest,
    InterpolateRequest,
    SampleRequest,
    TransformRequest,
)
from musicvae.music import midi
from musicvae.rpc import requests
from musicvae.rpc.limits import Limits
from musicvae.rpc.notes import notes_to_message
from musicvae.rpc.requests import request_to_message
from musicvae.v1 import musicvae_pb2 as pb


@pytest.mark.parametrize("kind", ["midi", "notes"])
def test_notes_of_all_points_have_a_limit_and_those_past_it_are_not_read(melody, monkeypatch, kind):
    read = []
    ours = requests.midi.read
    monkeypatch.setattr(requests.midi, "read", lambda *a, **k: read.append(1) or ours(*a, **k))
    excerpt = (
        pb.Excerpt(midi=midi.write(melody))
        if kind == "midi"
        else pb.Excerpt(notes=notes_to_message(melody))
    )
    limits = Limits(max_path_notes=2 * len(melody.notes))
    latent = pb.Point(latent=pb.Latent(values=[0.0]))
    two = pb.InterpolateRequest(points=[pb.Point(excerpt=excerpt)] * 2 + [latent])
    assert len(requests.interpolate_request(two, limits).points) == 3
    read.clear()
    five = pb.InterpolateRequest(points=[pb.Point(excerpt=excerpt)] * 5)
    with pytest.raises(
        SettingError, match=r"points=\d+ notes or more; expected at most 16"
    ) as caught:
        requests.interpolate_request(five, limits)
    assert caught.value.field == "points"
    assert len(read) == (3 if kind == "midi" else 0)


def test_excerpt_of_too_many_chords_is_refused_unread():
    chords = [pb.Chord(start_step=step, symbol="C") for step in range(4097)]
    message = pb.EncodeRequest(excerpt=pb.Excerpt(notes=pb.NoteSequence(chords=chords)))
    with pytest.raises(SettingError, match="chords=4097; expected at most 4096"):
        requests.encode_request(message, Limits())


LATENT = (0.5, -1.0)
HOW = {"model": "m", "seed": 2**63 - 1, "temperature": 0.5, "top_p": 0.25}


@pytest.mark.parametrize(
    ("read", "make"),
    [
        (
            requests.sample_request,
            lambda _: SampleRequest(count=3, first_index=7, qpm=99.5, chords="C | Am", **HOW),
        ),
        (
            requests.interpolate_request,
            lambda excerpt: InterpolateRequest(points=[LATENT, excerpt], count=5, **HOW),
        ),
        (
            requests.transform_request,
            lambda excerpt: TransformRequest(point=excerpt, amounts={"note_density": -1.5}),
        ),
        (requests.encode_request, lambda excerpt: EncodeRequest(excerpt=excerpt, seed=0)),
        (requests.decode_request, lambda _: DecodeRequest(latents=[LATENT] * 2, **HOW)),
        (
            requests.groove_request,
            lambda excerpt: GrooveRequest(task="transfer", point=LATENT, onto=excerpt),
        ),
        (requests.groove_request, lambda excerpt: GrooveRequest(task="humanise", point=excerpt)),
        (
            requests.groove_request,
            lambda excerpt: GrooveRequest(task="tap-to-drums", point=excerpt, qpm=90.0, **HOW),
        ),
    ],
)
def test_requests_survive_the_wire(melody, read, make):
    request = make(
        Excerpt(notes=melody, start_bar=2, meter="3/4", steps_per_quarter=12, reduce=True)
    )
    sent = request_to_message(request)
    assert read(type(sent).FromString(sent.SerializeToString()), Limits()) == request


@pytest.mark.parametrize(
    ("read", "message", "said"),
    [
        (requests.sample_request, pb.SampleRequest(count=0), "count=0; expected 1 to 256."),
        (
            requests.interpolate_request,
            pb.InterpolateRequest(points=[pb.Point(latent=pb.Latent(values=[0]))]),
            "points=1; expected 2 to 16.",
        ),
        (requests.decode_request, pb.DecodeRequest(), "latents=0; expected 1 to 256."),
        (
            requests.groove_request,
            pb.GrooveRequest(
                point=pb.Point(latent=pb.Latent(values=[0])), onto=pb.Excerpt(midi=b"")
            ),
            "task=GROOVE_TASK_UNSPECIFIED; expected GROOVE_TASK_HUMANISE, GROOVE_TASK_TAP_TO_DRUMS",
        ),
        (
            requests.groove_request,
            pb.GrooveRequest(task=7, point=pb.Point(excerpt=pb.Excerpt(midi=b""))),
            "task=7; expected GROOVE_TASK_HUMANISE",
        ),
    ],
)
def test_errors_have_the_words_and_limits_of_the_contract(read, message, said):
    with pytest.raises(MusicVAEError) as caught:
        read(message, Limits())
    assert said in str(caught.value)
    found, expected = caught.value.found, caught.value.expected
    assert not {"humanise", "no wrong field"} & {found, expected}


def test_several_wrong_fields_are_named_in_found():
    with pytest.raises(RequestError) as caught:
        requests.sample_request(pb.SampleRequest(count=0, seed=2**63), Limits())
    assert caught.value.found == "several wrong fields: count, seed"


def test_midi_is_read_on_the_grid_that_is_said(melody):
    message = pb.EncodeRequest(excerpt=pb.Excerpt(midi=midi.write(melody), steps_per_quarter=12))
    read = requests.encode_request(message, Limits()).excerpt
    assert read.notes == melody.refine(12)
    message.excerpt.ClearField("steps_per_quarter")
    assert requests.encode_request(message, Limits()).excerpt.notes == melody
