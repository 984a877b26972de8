import math

import pytest

from musicvae.errors import LatentError, RequestError, SettingError
from musicvae.generation.inputs import Excerpt
from musicvae.generation.requests import (
    DecodeRequest,
    EncodeRequest,
    GrooveRequest,
    InterpolateRequest,
    SampleRequest,
    TransformRequest,
)
from musicvae.music.notes import NoteSequence

SILENCE = NoteSequence(notes=(), length_steps=0)


def test_request_tells_everything_that_is_wrong_with_it():
    with pytest.raises(RequestError) as caught:
        SampleRequest(count=0, seed=-1, temperature=math.nan, top_p=0.0, qpm=1.0, first_index=-1)
    fields = {each.field for each in caught.value.violations}
    assert fields == {"count", "seed", "temperature", "top_p", "qpm", "first_index"}


@pytest.mark.parametrize("count", [-1, 0, 2**31 + 1])
def test_wrong_count_is_told_once_and_by_its_name(count):
    with pytest.raises(SettingError, match=f"count={count}; expected 1 to 2") as caught:
        SampleRequest(count=count)
    assert caught.value.field == "count"


def test_last_index_is_below_2_to_the_31st():
    assert SampleRequest(count=2**31).rows == 2**31
    assert SampleRequest(first_index=2**31 - 1).rows == 1
    with pytest.raises(SettingError, match="first_index=1"):
        SampleRequest(count=2**31, first_index=1)


@pytest.mark.parametrize("count", [1, 2**16 + 1, 2_000_000_000])
def test_path_has_as_many_clips_as_can_be_found_at_once(count):
    with pytest.raises(SettingError, match=f"count={count}; expected 2 to 65,536"):
        InterpolateRequest(points=[(0.0,)] * 2, count=count)


def test_latent_must_be_finite():
    with pytest.raises(LatentError) as caught:
        DecodeRequest(latents=[(0.0,), (math.inf,)])
    assert caught.value.field == "latents[1]"


@pytest.mark.parametrize("meter", ["", "four", "4/5"])
def test_a_meter_must_be_a_meter(meter):
    with pytest.raises(SettingError, match="expected a meter such as 4/4") as caught:
        TransformRequest(point=Excerpt(notes=SILENCE, meter=meter), amounts={"c_diatonic": 1.0})
    assert caught.value.field == "point.excerpt.meter"


@pytest.mark.parametrize(
    "make",
    [
        SampleRequest,
        lambda **how: InterpolateRequest(points=[(0.0,)] * 2, **how),
        lambda **how: TransformRequest(point=(0.0,), amounts={"c_diatonic": 1.0}, **how),
        lambda **how: EncodeRequest(excerpt=Excerpt(notes=SILENCE), **how),
        lambda **how: DecodeRequest(latents=[(0.0,)], **how),
    ],
)
def test_chords_must_be_chords(make):
    assert make(chords="C | F#m7 . Bb7/D").chords == "C | F#m7 . Bb7/D"
    with pytest.raises(SettingError, match="'H' in bar 2") as caught:
        make(chords="C | H")
    assert caught.value.field == "chords"


@pytest.mark.parametrize(
    ("request_", "rows"),
    [
        (SampleRequest(count=5), 5),
        (InterpolateRequest(points=[(0.0,)] * 3, count=7), 13),
        (TransformRequest(point=(0.0,), amounts={"c_diatonic": 1.0}), 2),
        (EncodeRequest(excerpt=Excerpt(notes=SILENCE)), 1),
        (DecodeRequest(latents=[(0.0,)] * 4), 4),
        (GrooveRequest(task="humanise", point=Excerpt(notes=SILENCE)), 1),
    ],
)
def test_rows_are_the_work_asked_for(request_, rows):
    assert request_.rows == rows


@pytest.mark.parametrize("bar", [0, 2**32])
def test_bar_that_no_message_holds_is_refused(bar):
    with pytest.raises(SettingError, match=f"start_bar={bar}; expected 1 to 2") as caught:
        EncodeRequest(excerpt=Excerpt(notes=SILENCE, start_bar=bar))
    assert caught.value.field == "excerpt.start_bar"


def test_names_that_are_no_unicode_are_refused():
    with pytest.raises(SettingError, match=r"model='\\udcff'; expected valid Unicode"):
        SampleRequest(model="\udcff")
    with pytest.raises(SettingError, match=r"model='\\udcff'"):
        EncodeRequest(model="\udcff", excerpt=Excerpt(notes=SILENCE))
    with pytest.raises(SettingError, match=r"amounts='\\udcff'") as caught:
        TransformRequest(point=(0.0,), amounts={"\udcff": 1.0})
    assert caught.value.field == "amounts"


@pytest.mark.parametrize("name", ["key", "scale", "range", "meter", "style"])
def test_text_that_every_clip_repeats_is_short(name):
    given = {"key": "G{}minor", "scale": "G{}dorian", "range": "C3{}-C5"}.get(name, "4/4{}")
    with pytest.raises(SettingError, match=f"{name}=.*, cut short; expected at most 64") as caught:
        SampleRequest(**{name: given.format(" " * 100_000)})
    assert len(str(caught.value)) < 300
