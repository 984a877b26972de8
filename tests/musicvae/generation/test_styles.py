"""Styles: over requests, provenance and the contract."""

import pytest

from musicvae.errors import SettingError
from musicvae.generation.engine import Engine
from musicvae.generation.provenance import request_again
from musicvae.generation.requests import SampleRequest
from musicvae.rpc.limits import Limits
from musicvae.rpc.replies import clip_from_message, clip_to_message
from musicvae.rpc.requests import request_to_message, sample_request
from musicvae.v1 import musicvae_pb2 as pb

STYLES = ("funk", "jazz", "rock")


@pytest.fixture(scope="module")
def engine(make_bundle, tmp_path_factory):
    folder = tmp_path_factory.mktemp("styled")
    drums = {"preset": "drums-2bar", "draws_events": True}
    return Engine(
        [
            make_bundle(folder / "styled", name="styled", styles=STYLES, **drums),
            make_bundle(folder / "plain", name="plain", **drums),
            make_bundle(folder / "flow", name="flow", preset="drums-2bar"),
        ]
    )


def sample(engine, style=None, count=12):
    return list(engine.sample(SampleRequest(count=count, seed=4, style=style)))


def test_draws_say_the_style_that_was_drawn(engine):
    clips = sample(engine)
    assert {clip.style for clip in clips} == {*STYLES, None}


def test_a_style_asked_for_is_the_style_of_all_draws(engine):
    every = {style: sample(engine, style) for style in STYLES}
    assert all(clip.style == style for style, clips in every.items() for clip in clips)
    for clips in zip(*every.values(), strict=True):
        assert len({clip.latent for clip in clips}) > 1, "a style changes the same draw"
    assert sample(engine, " Rock ") == every["rock"]


def test_a_draw_can_be_asked_for_again(engine):
    for clip in (*sample(engine), *sample(engine, "jazz", count=1)):
        (again,) = engine.sample(request_again(clip.provenance()))
        assert again == clip


def test_a_style_travels(engine):
    request = SampleRequest(seed=4, style="jazz")
    assert sample_request(request_to_message(request), Limits()) == request
    for clip in sample(engine):
        message = clip_to_message(clip, pb.CLIP_FORMAT_NOTES)
        assert clip_from_message(message, clip.method) == clip


def test_a_model_lists_its_styles(engine):
    assert [model.styles for model in engine.models()] == [STYLES, (), ()]


def test_an_unknown_style_is_told_with_the_known(engine):
    with pytest.raises(SettingError, match=r"style='polka'.*one of funk, jazz, rock") as caught:
        sample(engine, "polka")
    assert caught.value.field == "style"


@pytest.mark.parametrize("model", ["plain", "flow"])
def test_a_model_without_styles_refuses_one(engine, model):
    with pytest.raises(SettingError, match=f"a style for {model}") as caught:
        list(engine.sample(SampleRequest(model=model, style="rock")))
    assert caught.value.field == "style"


def test_a_style_that_is_no_text_is_told():
    with pytest.raises(SettingError, match="valid Unicode") as caught:
        SampleRequest(style="\udc80")
    assert caught.value.field == "style"
