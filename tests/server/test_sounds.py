"""Music keeps the programs of its input, in this process and through the server."""

from dataclasses import replace

import pytest

from musicvae.errors import RequestError, SettingError
from musicvae.generation.inputs import Excerpt
from musicvae.generation.provenance import request_again
from musicvae.generation.requests import (
    DecodeRequest,
    EncodeRequest,
    InterpolateRequest,
    SampleRequest,
    TransformRequest,
)
from musicvae.generation.sounds import Sound
from musicvae.music import midi

KINDS = ("melody-2bar", "melody-16bar", "trio-16bar", "leadsheet-4bar")
FLUTE, FRETLESS = 73, 35


def with_programs(notes, lead, bass, velocity=80):
    return replace(
        notes,
        notes=tuple(
            note
            if note.is_drum
            else replace(note, program=bass if note.program else lead, velocity=velocity)
            for note in notes.notes
        ),
    )


def programs(notes):
    return {note.program for note in notes.notes if not note.is_drum}


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def excerpt(music, kind):
    return Excerpt(notes=with_programs(music[kind], FLUTE, FRETLESS, velocity=101))


@pytest.fixture
def how(kind):
    return {"model": kind, "seed": 3}


def test_clips_keep_the_programs_of_the_input(
    family, family_engine, family_client, music, kind, excerpt, how
):
    path = [(0.0,) * family[kind].latent_size, excerpt, Excerpt(notes=music[kind])]
    calls = [
        ("interpolate", InterpolateRequest(points=path, count=3, **how)),
        ("transform", TransformRequest(point=excerpt, amounts={"note_density": 0.0}, **how)),
        ("encode", EncodeRequest(model=kind, excerpt=excerpt)),
    ]
    expected = programs(excerpt.notes)
    for name, request in calls:
        made, remote = (getattr(each, name)(request) for each in (family_engine, family_client))
        if name == "interpolate":
            made, remote = list(made), list(remote)
            replies = made
        else:
            replies = [made] if name == "encode" else [made.before, made.after]
        assert made == remote
        for reply in replies:
            assert programs(reply.notes) <= expected
            assert set(reply.sounds.values()) == {Sound(program=p, velocity=101) for p in expected}
    assert programs(made.notes) == expected


def test_clip_with_sounds_is_made_again_from_its_file(family_engine, excerpt, how):
    moved = family_engine.transform(
        TransformRequest(point=excerpt, amounts={"note_density": 1.0}, **how)
    )
    request = request_again(midi.read_provenance(moved.after.to_midi()))
    (again,) = family_engine.decode(request)
    assert again.to_midi() == moved.after.to_midi()


def test_decoding_an_encoding_gives_its_programs(family_engine, family_client, excerpt, how):
    encoding = family_engine.encode(EncodeRequest(model=how["model"], excerpt=excerpt))
    request = DecodeRequest(
        latents=[encoding.latent], chords=encoding.chords, sounds=encoding.sounds, **how
    )
    (clip,) = family_engine.decode(request)
    assert list(family_client.decode(request)) == [clip]
    assert clip.sounds == encoding.sounds
    assert programs(clip.notes) <= programs(excerpt.notes)


def test_music_with_the_sound_of_draws_and_draws_name_no_sounds(family_engine, music, kind, how):
    chords = "C" if kind == "leadsheet-4bar" else None
    (draw,) = family_engine.sample(SampleRequest(chords=chords, **how))
    encoding = family_engine.encode(EncodeRequest(model=kind, excerpt=Excerpt(notes=music[kind])))
    assert draw.sounds == encoding.sounds == {}
    assert "sounds" not in draw.provenance()


@pytest.mark.parametrize(
    ("kind", "sounds", "field"),
    [
        ("melody-2bar", {"bass": Sound(program=33)}, 'sounds["bass"]'),
        ("trio-16bar", {"bass": Sound(program=40)}, 'sounds["bass"]'),
        ("trio-16bar", {"melody": Sound(program=33)}, 'sounds["melody"]'),
        ("trio-16bar", {"drums": Sound()}, 'sounds["drums"]'),
    ],
)
def test_sound_of_another_line_is_refused(
    family, family_engine, family_client, kind, sounds, field
):
    latent = (0.0,) * family[kind].latent_size
    request = DecodeRequest(model=kind, latents=[latent], sounds=sounds)
    for musician in (family_engine, family_client):
        with pytest.raises(SettingError, match="a line of the model") as caught:
            list(musician.decode(request))
        assert caught.value.field == field


@pytest.mark.parametrize(
    ("sounds", "field"),
    [
        ({"melody": Sound(program=128)}, 'sounds["melody"].program'),
        ({"melody": Sound(velocity=0)}, 'sounds["melody"].velocity'),
        ({str(line): Sound() for line in range(9)}, "sounds"),
    ],
)
def test_wrong_sound_is_refused_before_any_model_is_asked(sounds, field):
    with pytest.raises(SettingError, match="expected") as caught:
        DecodeRequest(latents=[(0.0,)], sounds=sounds)
    assert caught.value.field == field


def test_all_wrong_sounds_are_told_at_once():
    with pytest.raises(RequestError) as caught:
        DecodeRequest(latents=[(0.0,)], sounds={"melody": Sound(program=-1, velocity=128)})
    assert len(caught.value.violations) == 2
