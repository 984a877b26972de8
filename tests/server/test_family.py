"""Every kind of model through the real server, by the same calls."""

from dataclasses import replace

import pytest

from musicvae.errors import (
    AttributeNameError,
    BundleError,
    MusicVAEError,
    RepresentationError,
    SettingError,
)
from musicvae.generation.engine import Engine
from musicvae.generation.inputs import Excerpt
from musicvae.generation.provenance import request_again
from musicvae.generation.replies import SAMPLED
from musicvae.generation.requests import (
    DecodeRequest,
    EncodeRequest,
    InterpolateRequest,
    SampleRequest,
    TransformRequest,
)
from musicvae.music import midi

KINDS = (
    "melody-2bar",
    "melody-16bar",
    "drums-2bar",
    "groove-2bar",
    "trio-16bar",
    "leadsheet-4bar",
)
SHEET = "leadsheet-4bar"
CHORDS = "C | Am . . G7/B | F"
HOW = {"seed": 3, "temperature": 1.0}


def chords_for(kind):
    return CHORDS if kind == SHEET else None


def requests_for(bundle, music):
    """One of each call."""
    how = {"model": bundle.name, "chords": chords_for(bundle.name)}
    excerpt = Excerpt(notes=music[bundle.name])
    latent = (0.5,) * bundle.latent_size
    return {
        "sample": SampleRequest(count=3, **how, **HOW),
        "interpolate": InterpolateRequest(points=[excerpt, latent], count=3, **how, **HOW),
        "transform": TransformRequest(
            point=excerpt, amounts={"note_density": 1.0, "syncopation_8th": -1.0}, **how, **HOW
        ),
        "encode": EncodeRequest(excerpt=excerpt, seed=3, **how),
        "decode": DecodeRequest(latents=[latent] * 2, **how, **HOW),
    }


def answer(musician, name, request):
    made = getattr(musician, name)(request)
    return list(made) if hasattr(made, "__next__") else made


@pytest.mark.parametrize("name", ["sample", "interpolate", "transform", "encode", "decode"])
@pytest.mark.parametrize("kind", KINDS)
def test_server_answers_as_the_engine_does(family, family_client, family_engine, music, kind, name):
    request = requests_for(family[kind], music)[name]
    assert answer(family_client, name, request) == answer(family_engine, name, request)


@pytest.mark.parametrize("kind", KINDS)
def test_clips_are_music_of_the_model(family, family_engine, music, kind):
    bundle = family[kind]
    requests = requests_for(bundle, music)
    moved = family_engine.transform(requests["transform"])
    clips = [
        *family_engine.sample(requests["sample"]),
        *family_engine.interpolate(requests["interpolate"]),
        *family_engine.decode(requests["decode"]),
        moved.before,
        moved.after,
    ]
    for clip in clips:
        assert bundle.representation.check(clip.notes) is None
        assert list(clip.attributes) == sorted(
            each.name for each in bundle.representation.kind.attributes
        )
        assert clip.chords == ("C | Am . . G7/B | F | C" if kind == SHEET else None)
        if clip.method == SAMPLED:
            assert bool(clip.notes.chords) == (kind == SHEET)


@pytest.mark.parametrize("kind", KINDS)
def test_clip_is_made_again_from_its_file(family, family_engine, music, kind):
    requests = requests_for(family[kind], music)
    clips = [
        *family_engine.sample(requests["sample"]),
        *family_engine.interpolate(requests["interpolate"]),
    ]
    for clip in clips:
        request = request_again(midi.read_provenance(clip.to_midi()))
        name = "sample" if isinstance(request, SampleRequest) else "decode"
        (again,) = answer(family_engine, name, request)
        assert again.to_midi() == clip.to_midi()


@pytest.mark.parametrize("kind", KINDS)
def test_row_is_the_same_alone_and_among_others(family_engine, kind):
    how = {"model": kind, "chords": chords_for(kind), **HOW}
    ten = list(family_engine.sample(SampleRequest(count=10, **how)))
    assert len({clip.notes for clip in ten}) == 10
    assert list(family_engine.sample(SampleRequest(first_index=9, **how))) == [ten[9]]


@pytest.mark.parametrize("kind", KINDS)
def test_encode_returns_the_given_notes_and_chords(family_engine, music, kind):
    encoding = family_engine.encode(EncodeRequest(model=kind, excerpt=Excerpt(notes=music[kind])))
    given = music[kind]

    def played(notes):
        return [(n.start_step, n.pitch, n.is_drum, n.offset, n.velocity) for n in notes.notes]

    assert played(encoding.notes) == played(given)
    assert encoding.notes.chords == given.chords
    assert encoding.notes.qpm == given.qpm


def test_chords_of_an_excerpt_are_taken_where_the_request_has_none(family, family_engine, music):
    excerpt = Excerpt(notes=midi.read(midi.write(music[SHEET])))
    said = "C | G7/B | G7/B | G7/B"
    assert family_engine.encode(EncodeRequest(model=SHEET, excerpt=excerpt)).chords == said
    bare = Excerpt(notes=replace(excerpt.notes, chords=()))
    place = (0.1,) * family[SHEET].latent_size
    path = InterpolateRequest(model=SHEET, points=[excerpt, place], count=2)
    assert {clip.chords for clip in family_engine.interpolate(path)} == {said}
    own = replace(path, chords="Dm")
    assert {clip.chords for clip in family_engine.interpolate(own)} == {"Dm | Dm | Dm | Dm"}
    with pytest.raises(SettingError, match="no chords") as caught:
        list(family_engine.interpolate(replace(path, points=[bare, bare, bare])))
    assert caught.value.field == "chords"


def test_chords_are_heard_and_played_over(family, family_engine, music):
    place = (0.3,) * family[SHEET].latent_size

    def latent(chords):
        request = EncodeRequest(model=SHEET, excerpt=Excerpt(notes=music[SHEET]), chords=chords)
        return family_engine.encode(request).latent

    def clip(chords):
        request = DecodeRequest(model=SHEET, latents=[place], chords=chords)
        return next(family_engine.decode(request)).notes.notes

    assert latent("C") == latent("C | C . C") != latent("F#m7")
    assert clip("C") == clip("| C |") != clip("F#m7 Bdim7")


@pytest.mark.parametrize(
    ("kind", "chords", "expected"),
    [
        (SHEET, None, "no chords; expected the chords that leadsheet-4bar is to play over"),
        (SHEET, "C | C | C | C | C", "5 bars of chords; expected 1 to 4"),
        (SHEET, "C " * 17, "17 cells in bar 1; expected at most the 16 steps"),
        ("melody-2bar", "C", "chords for melody-2bar; expected none"),
        ("trio-16bar", "C", "chords for trio-16bar; expected none"),
    ],
)
def test_chords_that_do_not_go_with_the_model_are_refused(
    family, family_client, music, kind, chords, expected
):
    bare = {name: replace(notes, chords=()) for name, notes in music.items()}
    for name, request in requests_for(family[kind], bare).items():
        with pytest.raises(SettingError, match=expected) as caught:
            answer(family_client, name, replace(request, chords=chords))
        assert caught.value.field == "chords"


@pytest.mark.parametrize(
    ("kind", "given", "cause"),
    [
        ("melody-2bar", "drums-2bar", "drums"),
        ("drums-2bar", "melody-2bar", "no_drums"),
        ("drums-2bar", "groove-2bar", "off_grid"),
        ("groove-2bar", "trio-16bar", "no_drums"),
        ("trio-16bar", "groove-2bar", "off_grid"),
        (SHEET, "trio-16bar", "drums"),
    ],
)
def test_music_of_another_kind_is_refused(family_client, music, kind, given, cause):
    request = EncodeRequest(
        model=kind, chords=chords_for(kind), excerpt=Excerpt(notes=music[given])
    )
    with pytest.raises(RepresentationError) as caught:
        family_client.encode(request)
    assert (caught.value.cause, caught.value.field) == (cause, "excerpt")


@pytest.mark.parametrize("given", KINDS)
@pytest.mark.parametrize("kind", KINDS)
def test_any_music_is_reduced_to_what_the_model_holds(family_client, music, kind, given):
    excerpt = Excerpt(notes=music[given], reduce=True)
    request = EncodeRequest(model=kind, chords=chords_for(kind), excerpt=excerpt)
    has_drums = given in ("drums-2bar", "groove-2bar", "trio-16bar")
    has_pitches = given not in ("drums-2bar", "groove-2bar")
    wants_drums = kind in ("drums-2bar", "groove-2bar")
    if kind == "trio-16bar" or (has_drums if wants_drums else has_pitches):
        assert family_client.encode(request).notes.notes
    else:
        with pytest.raises(RepresentationError, match="no note that starts") as caught:
            family_client.encode(request)
        assert caught.value.cause == "empty"


def test_default_is_the_first_model(family_client, family):
    models = family_client.models()
    assert [model.name for model in models] == list(family)
    assert [model.needs_chords for model in models] == [name == SHEET for name in family]
    assert next(family_client.sample(SampleRequest(seed=1))).model == "melody-2bar"


def test_attribute_of_pitch_is_none_of_drums(family_client):
    request = TransformRequest(model="drums-2bar", point=(0.0,) * 8, amounts={"c_diatonic": 1.0})
    with pytest.raises(AttributeNameError, match=r"'c_diatonic'; expected note_density"):
        family_client.transform(request)


def test_engine_without_the_model_says_so(family):
    engine = Engine([family["melody-2bar"]])
    with pytest.raises(BundleError, match="no model 'trio-16bar'"):
        next(engine.sample(SampleRequest(model="trio-16bar")))


@pytest.mark.parametrize("request_", [
    SampleRequest(chords="C", meter="5/4", steps_per_quarter=12),
    DecodeRequest(latents=[(0.1,) * 3], chords="C", meter="5/4"),
    InterpolateRequest(points=[(0.1,) * 3] * 2, meter="7/8", chords="C"),
    TransformRequest(point=(0.1,) * 3, amounts={"nothing": 1.0}, steps_per_quarter=12),
])  # fmt: skip
def test_engine_and_server_tell_the_same_mistake_first(family_engine, family_client, request_):
    asked = replace(request_, model="melody-2bar")
    told = []
    for musician in (family_engine, family_client):
        call = getattr(musician, type(asked).__name__.removesuffix("Request").lower())
        with pytest.raises(MusicVAEError) as caught:
            list(call(asked))
        told.append(str(caught.value))
    assert told[0] == told[1]
