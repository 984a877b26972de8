"""Models of several meters: clips have the meter asked for, and the first plays as if alone."""

from dataclasses import replace

import pytest
import torch

from musicvae import bundle
from musicvae.errors import RepresentationError, SettingError
from musicvae.experiment.experiment import build_prior
from musicvae.generation.engine import Engine
from musicvae.generation.inputs import Excerpt
from musicvae.generation.loaded_model import Model
from musicvae.generation.provenance import request_again
from musicvae.generation.requests import (
    DecodeRequest,
    EncodeRequest,
    InterpolateRequest,
    SampleRequest,
    TransformRequest,
)
from musicvae.music.notes import Meter, Note, NoteSequence

COMMON, THREE, SIX = Meter(), Meter(3, 4), Meter(6, 8)


@pytest.fixture(scope="module")
def several(make_bundle, tmp_path_factory):
    folder = tmp_path_factory.mktemp("meters")
    return make_bundle(folder / "several", draws_events=True, meters=(THREE, SIX))


@pytest.fixture(scope="module")
def engine(several):
    return Engine([several])


def tune(meter, pitch=60):
    steps = 2 * meter.steps_per_bar()
    notes = tuple(Note(step, pitch + step % 5, step + 2) for step in range(0, steps, 2))
    return NoteSequence(notes=notes, length_steps=steps, meter=meter)


@pytest.mark.parametrize(("text", "meter"), [(None, COMMON), ("3/4", THREE), ("6/8", SIX)])
def test_a_draw_has_the_meter_that_is_asked_for_and_is_made_again(engine, text, meter):
    request = SampleRequest(count=3, seed=5, meter=text, key="G")
    for clip in engine.sample(request):
        assert clip.notes.meter == meter
        assert clip.notes.length_steps == 2 * meter.steps_per_bar()
        assert clip.provenance().get("meter") == text
        (again,) = engine.sample(request_again(clip.provenance()))
        assert again.notes == clip.notes
        moved = replace(clip, method="decode", asked={**clip.asked}).provenance()
        assert next(engine.decode(request_again(moved))).notes.meter == meter


def test_the_first_meter_is_drawn_as_by_a_model_of_it_alone(several, tmp_path):
    alone = replace(several.experiment, meters=())
    bundle.save(
        tmp_path / "alone",
        name=several.name,
        experiment=alone,
        weights=_cut(several.model.state_dict(), 16),
        prior=_prior_of(alone, several),
        attribute_vectors=several.attribute_vectors,
        card="",
        facts={},
    )
    requests = [SampleRequest(count=9, seed=3), SampleRequest(count=2, seed=3, meter="4/4")]
    for request in requests:
        one, other = (Engine([each]).sample(request) for each in (several, tmp_path / "alone"))
        for clip, expected in zip(one, other, strict=True):
            assert (clip.notes, clip.latent) == (expected.notes, expected.latent)


def test_an_excerpt_is_encoded_and_played_in_its_meter(engine):
    for meter in (COMMON, THREE, SIX):
        point = Excerpt(tune(meter))
        encoding = engine.encode(EncodeRequest(excerpt=point))
        assert encoding.notes.meter == meter
        again = engine.decode(DecodeRequest(latents=[encoding.latent], meter=str(meter)))
        moved = engine.transform(TransformRequest(point=point, amounts={"note_density": 1.0}))
        path = list(engine.interpolate(InterpolateRequest(points=[point, encoding.latent])))
        assert {each.notes.meter for each in (*again, moved.before, moved.after, *path)} == {meter}
    assert engine.encode(EncodeRequest(excerpt=Excerpt(tune(THREE)))).latent != (
        engine.encode(EncodeRequest(excerpt=Excerpt(replace(tune(THREE), meter=SIX)))).latent
    )


def test_music_is_read_in_the_meter_that_is_said(engine):
    read = Excerpt(tune(THREE), meter="6/8")
    assert engine.encode(EncodeRequest(excerpt=read)).notes.meter == SIX
    with pytest.raises(RepresentationError, match="expected 4/4, 3/4 or 6/8, a meter of"):
        engine.encode(EncodeRequest(excerpt=Excerpt(tune(THREE), meter="5/4")))


def test_points_of_two_meters_are_refused(engine):
    points = [Excerpt(tune(COMMON)), Excerpt(tune(THREE))]
    with pytest.raises(RepresentationError, match="music in 3/4 beside music in 4/4") as refused:
        list(engine.interpolate(InterpolateRequest(points=points)))
    assert (refused.value.cause, refused.value.field) == ("wrong_meter", "points[1].excerpt")
    asked = InterpolateRequest(points=points[:1] * 2, meter="3/4")
    with pytest.raises(RepresentationError, match="music in 4/4 for clips in 3/4"):
        list(engine.interpolate(asked))


def test_a_meter_that_the_model_does_not_play_is_refused(engine):
    with pytest.raises(SettingError, match="`meter` 5/4 for tiny; expected one of 4/4, 3/4, 6/8"):
        list(engine.sample(SampleRequest(meter="5/4")))
    with pytest.raises(SettingError, match="expected a meter such as 4/4"):
        SampleRequest(meter="waltz")


def test_the_meters_are_listed(engine):
    assert engine.model("").meters == (COMMON, THREE, SIX)


def test_own_clips_keep_their_meter_in_python(several):
    model = Model(several)
    waltz = model.sample(2, seed=1, meter="3/4")
    path = model.interpolate(waltz, 3, seed=1)
    moved = model.transform(waltz[0], {"note_density": 1.0}, seed=1)
    assert {each.notes.meter for each in (*path, moved.before, moved.after)} == {THREE}
    with pytest.raises(SettingError, match="clips in 3/4 and 4/4; expected clips in one meter"):
        model.interpolate([waltz[0], *model.sample(1, seed=1)])


def _cut(weights, rows):
    return {
        name: tensor[:rows] if name.endswith("positions.weight") else tensor
        for name, tensor in weights.items()
    }


def _prior_of(experiment, several):
    prior = build_prior(experiment)
    weights = _cut(several.prior.state_dict(), 16)
    prior.load_state_dict({**weights, "key_weights": weights["key_weights"][0]})
    assert torch.equal(prior.key_weights, several.prior.keys_in(COMMON))
    return prior
