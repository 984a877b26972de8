"""Key, scale and range: over every request, and every kind of model with a prior over events."""

import numpy as np
import pytest

from musicvae.errors import RequestError, SettingError
from musicvae.generation.engine import Engine
from musicvae.generation.inputs import Excerpt
from musicvae.generation.provenance import request_again
from musicvae.generation.requests import (
    DecodeRequest,
    InterpolateRequest,
    SampleRequest,
    TransformRequest,
)
from musicvae.music import midi
from musicvae.music.notes import Key

FAMILY = (
    "melody-2bar",
    "melody-16bar",
    "drums-2bar",
    "groove-2bar",
    "trio-16bar",
    "leadsheet-4bar",
)
CHORDS = {"leadsheet-4bar": "C | F | G7 | C"}
PITCHED = ("melody-2bar", "melody-16bar", "trio-16bar", "leadsheet-4bar")
G_MAJOR = {7, 9, 11, 0, 2, 4, 6}


@pytest.fixture(scope="module")
def engine(make_bundle, tmp_path_factory):
    folder = tmp_path_factory.mktemp("drawing")
    return Engine(
        [
            make_bundle(folder / name, name=name, preset=name, seed=seed, draws_events=True)
            for seed, name in enumerate(FAMILY)
        ]
    )


def pitches(*clips):
    return {note.pitch for clip in clips for note in clip.notes.notes if not note.is_drum}


def sample(engine, name, **asked):
    request = SampleRequest(
        model=name, count=9, seed=4, temperature=1.0, chords=CHORDS.get(name), **asked
    )
    return list(engine.sample(request))


@pytest.mark.parametrize("name", FAMILY)
def test_a_draw_depends_on_seed_and_index_alone(engine, name):
    nine = sample(engine, name)
    assert len({clip.latent for clip in nine}) == 9
    request = SampleRequest(
        model=name, seed=4, first_index=6, temperature=1.0, chords=CHORDS.get(name)
    )
    (clip,) = engine.sample(request)
    assert clip == nine[6]


@pytest.mark.parametrize("name", PITCHED)
def test_draws_say_their_key(engine, name):
    drawn = sample(engine, name)
    keys = {clip.notes.key for clip in drawn}
    assert None not in keys
    assert len(keys) == 1 if name in CHORDS else len(keys) > 1
    assert all(clip.asked == {} and clip.constraint_nats is None for clip in drawn)
    assert midi.read(drawn[0].to_midi()).key == drawn[0].notes.key


@pytest.mark.parametrize("name", PITCHED)
def test_draws_keep_to_key_scale_and_range(engine, name):
    in_key = sample(engine, name, key="G")
    assert {pitch % 12 for pitch in pitches(*in_key)} <= G_MAJOR
    assert all(clip.notes.key == Key(7) for clip in in_key)
    assert all(clip.constraint_nats > 0 and clip.asked == {"key": "G"} for clip in in_key)
    dorian = sample(engine, name, scale="D dorian")
    assert {pitch % 12 for pitch in pitches(*dorian)} <= {2, 4, 5, 7, 9, 11, 0}
    assert all(clip.notes.key == Key(2, is_minor=True) for clip in dorian)
    narrow = sample(engine, name, range="C4-C5")
    lead = [
        note.pitch
        for clip in narrow
        for note in clip.notes.notes
        if not note.is_drum and note.program == 0
    ]
    assert lead and min(lead) >= 60 and max(lead) <= 72


@pytest.mark.parametrize("name", PITCHED)
def test_all_clips_of_other_requests_keep_to_the_key(engine, name):
    a, b = sample(engine, name)[:2]
    how = {"model": name, "seed": 1, "chords": CHORDS.get(name), "key": "G", "temperature": 1.0}
    amounts = {"note_density": 1.0}
    done = engine.transform(TransformRequest(point=a.latent, amounts=amounts, **how))
    clips = [
        *engine.interpolate(InterpolateRequest(points=[a.latent, b.latent], count=3, **how)),
        *engine.decode(DecodeRequest(latents=[a.latent, b.latent], **how)),
        done.before,
        done.after,
    ]
    assert {pitch % 12 for pitch in pitches(*clips)} <= G_MAJOR
    assert all(clip.notes.key == Key(7) and clip.constraint_nats >= 0 for clip in clips)


def test_an_excerpt_keeps_its_latent_whatever_is_asked(engine):
    clip = sample(engine, "melody-2bar")[0]
    how = {"model": "melody-2bar", "seed": 1}
    free, kept = (
        list(
            engine.interpolate(InterpolateRequest(points=[Excerpt(clip.notes)] * 2, **how, **asked))
        )
        for asked in ({}, {"scale": "C D E"})
    )
    assert [each.latent for each in free] == [each.latent for each in kept]


def test_a_clip_is_made_again_from_its_provenance(engine):
    for asked in ({}, {"key": "F#m", "range": "A3-A5"}, {"scale": "C D E G A"}):
        for clip in sample(engine, "melody-2bar", **asked)[:2]:
            (again,) = engine.sample(request_again(clip.provenance()))
            assert again == clip


@pytest.mark.parametrize("name", ["drums-2bar", "groove-2bar"])
def test_drums_have_no_key(engine, name):
    with pytest.raises(SettingError, match="no pitches to keep"):
        sample(engine, name, key="C")
    assert sample(engine, name)[0].notes.key is None


def test_a_range_without_a_key_of_the_piano_is_told(engine):
    with pytest.raises(SettingError, match="the piano's keys"):
        sample(engine, "melody-2bar", range="C-1-D0")


def test_every_wrong_condition_is_named():
    with pytest.raises(RequestError) as caught:
        SampleRequest(key="H", top_p=2.0)
    assert [each.field for each in caught.value.violations] == ["key", "top_p"]
    for field, text in (("scale", "G klingon"), ("range", "C5-C4")):
        with pytest.raises(SettingError) as single:
            SampleRequest(**{field: text})
        assert single.value.field == field


def test_the_cost_is_what_the_constraint_takes_away(engine):
    """A constraint that allows everything costs nothing; a narrower one costs more."""
    free, wide, narrow = (
        np.mean([clip.constraint_nats for clip in sample(engine, "melody-2bar", scale=scale)])
        for scale in ("C chromatic", "C major", "C major pentatonic")
    )
    assert free == pytest.approx(0, abs=1e-3)
    assert free < wide < narrow
