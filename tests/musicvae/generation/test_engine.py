from dataclasses import replace

import numpy as np
import pytest
import torch

from musicvae.bundle.modules import weights_of
from musicvae.errors import AttributeNameError, BundleError, LatentError, RequestError
from musicvae.generation.clip_files import keep
from musicvae.generation.engine import Engine
from musicvae.generation.inputs import Excerpt
from musicvae.generation.provenance import request_again
from musicvae.generation.replies import DECODED, SAMPLED
from musicvae.generation.requests import (
    DecodeRequest,
    EncodeRequest,
    InterpolateRequest,
    SampleRequest,
    TransformRequest,
)
from musicvae.model.latent.flow_prior import FlowPrior
from musicvae.music import midi
from musicvae.representation.melody import MELODY
from musicvae.runtime.noise import latent_noise

LATENT_SIZE = 8


def test_clip_depends_on_seed_and_index_alone(engine):
    twenty = list(engine.sample(SampleRequest(count=20, seed=7, temperature=1.0)))
    assert [clip.index for clip in twenty] == list(range(20))
    for index in (0, 3, 8, 19):
        request = SampleRequest(count=1, seed=7, temperature=1.0, first_index=index)
        assert list(engine.sample(request)) == [twenty[index]]
    page = list(engine.sample(SampleRequest(count=9, seed=7, temperature=1.0, first_index=5)))
    assert page == twenty[5:14]


def test_clips_of_a_seed_differ_and_so_do_seeds(engine):
    def sample(seed):
        return list(engine.sample(SampleRequest(count=8, seed=seed, temperature=1.0)))

    assert len({clip.notes for clip in sample(1) + sample(2)}) == 16


def test_without_a_seed_one_is_chosen_and_said(engine):
    request = SampleRequest(count=2, temperature=1.0)
    first, second = list(engine.sample(request)), list(engine.sample(request))
    assert first[0].seed == first[1].seed < 2**32
    assert first[0].seed != second[0].seed
    again = SampleRequest(count=2, temperature=1.0, seed=first[0].seed)
    assert list(engine.sample(again)) == first


def test_clips_are_drawn_from_the_models_own_prior(tiny):
    prior = FlowPrior(LATENT_SIZE)
    with torch.no_grad():
        for coupling in prior.couplings:
            coupling.layers[-1].bias.fill_(0.2)
    prior.requires_grad_(requires_grad=False)
    engine = Engine([replace(tiny, prior_weights=weights_of(prior))])
    noise = torch.from_numpy(latent_noise(3, range(4), LATENT_SIZE))
    drawn = [clip.latent for clip in engine.sample(SampleRequest(count=4, seed=3))]
    torch.testing.assert_close(torch.tensor(drawn), prior(noise))
    assert not torch.allclose(prior(noise), FlowPrior(LATENT_SIZE)(noise), atol=0.1)


def test_first_clip_of_very_many_is_there_at_once(engine):
    many = SampleRequest(count=2_000_000_000, seed=7)
    assert next(engine.sample(many)) == next(engine.sample(SampleRequest(count=1, seed=7)))


def test_clip_says_what_it_is(engine, tiny):
    (clip,) = engine.sample(SampleRequest(seed=3, qpm=90.0))
    assert (clip.model, clip.model_version) == (tiny.name, tiny.version)
    assert (clip.method, clip.seed, clip.temperature, clip.top_p) == (SAMPLED, 3, 0.5, 1.0)
    assert len(clip.latent) == LATENT_SIZE
    assert clip.notes.qpm == 90.0
    assert clip.attributes == MELODY.measure(clip.notes)
    assert list(clip.attributes) == sorted(clip.attributes)
    assert clip.notes.length_steps == tiny.representation.length_steps


def test_greedy_decoding_uses_no_noise(engine):
    latents = [clip.latent for clip in engine.sample(SampleRequest(count=3, seed=0))]
    one, two = (
        [clip.notes for clip in engine.decode(DecodeRequest(latents=latents, seed=seed))]
        for seed in (1, 2)
    )
    assert one == two


def test_decoding_uses_the_same_noise_for_every_latent(engine):
    (clip,) = engine.sample(SampleRequest(seed=0))
    request = DecodeRequest(latents=[clip.latent] * 10, seed=4, temperature=1.0)
    assert len({made.notes for made in engine.decode(request)}) == 1


def test_path_starts_and_ends_at_its_points(engine, melody):
    clips = list(engine.sample(SampleRequest(count=2, seed=5)))
    points = [clips[0].latent, Excerpt(notes=melody), clips[1].latent]
    path = list(engine.interpolate(InterpolateRequest(points=points, count=5, seed=6)))
    encoding = engine.encode(EncodeRequest(excerpt=Excerpt(notes=melody)))
    assert [clip.index for clip in path] == list(range(9))
    assert [path[i].latent for i in (0, 4, 8)] == [
        clips[0].latent,
        encoding.mean,
        clips[1].latent,
    ]
    assert {clip.notes.qpm for clip in path} == {96.0}  # the excerpt's


def test_clip_of_a_path_is_its_latent_decoded(engine):
    ends = [clip.latent for clip in engine.sample(SampleRequest(count=2, seed=5))]
    how = {"seed": 6, "temperature": 1.0}
    path = list(engine.interpolate(InterpolateRequest(points=ends, count=6, **how)))
    for clip in path:
        (again,) = engine.decode(DecodeRequest(latents=[clip.latent], **how))
        assert again.notes == clip.notes
        assert again.to_midi() == clip.to_midi()


def test_transform_moves_by_the_vector(engine, tiny, melody):
    amounts = {"note_density": 1.0, "c_diatonic": -0.5}
    request = TransformRequest(point=Excerpt(notes=melody), amounts=amounts, seed=1)
    done = engine.transform(request)
    encoding = engine.encode(EncodeRequest(excerpt=Excerpt(notes=melody)))
    moved = np.array(done.after.latent) - np.array(done.before.latent)
    vectors = tiny.attribute_vectors
    expected = vectors["note_density"] - 0.5 * vectors["c_diatonic"]
    assert done.before.latent == encoding.mean
    assert np.allclose(moved, expected, atol=1e-5)
    assert done.after.attributes == MELODY.measure(done.after.notes)
    assert (done.before.index, done.after.index) == (0, 1)
    assert done.before.notes.qpm == melody.qpm


def test_order_of_amounts_does_not_matter(engine, tiny):
    point = next(engine.sample(SampleRequest(seed=0))).latent
    names = list(tiny.attribute_vectors)
    one, two = (
        engine.transform(TransformRequest(point=point, amounts=dict.fromkeys(order, 0.3), seed=1))
        for order in (names, names[::-1])
    )
    assert one == two


def test_encode_gives_the_mean_or_a_draw(engine, melody):
    excerpt = Excerpt(notes=melody)
    mean = engine.encode(EncodeRequest(excerpt=excerpt))
    draws = [engine.encode(EncodeRequest(excerpt=excerpt, seed=seed)) for seed in (1, 1, 2)]
    assert mean.latent == mean.mean
    assert mean.seed is None
    assert draws[0] == draws[1] != draws[2]
    assert draws[0].mean == mean.mean
    assert draws[0].latent != mean.mean
    assert mean.notes == melody
    assert mean.attributes == MELODY.measure(melody)


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_clip_can_be_made_again_from_its_file_alone(engine, melody, tmp_path, temperature):
    how = {"seed": 11, "temperature": temperature, "qpm": 101.3}
    ends = [Excerpt(notes=melody), next(engine.sample(SampleRequest(seed=1))).latent]
    clips = [
        *engine.sample(SampleRequest(count=3, top_p=0.9, first_index=6, **how)),
        *engine.interpolate(InterpolateRequest(points=ends, count=4, **how)),
        engine.transform(TransformRequest(point=ends[0], amounts={"c_diatonic": 1.0}, **how)).after,
    ]
    for clip in clips:
        (kept,) = keep(tmp_path, "made", [("a clip", clip)], draws_picture=False)
        data = kept.path.read_bytes()
        request = request_again(midi.read_provenance(data))
        (again,) = getattr(engine, clip.method)(request)
        assert again.to_midi() == data
    assert {clip.method for clip in clips} == {SAMPLED, DECODED}


def test_every_wrong_point_is_told_at_once(engine, melody):
    wrong = Excerpt(notes=melody, start_bar=9)
    request = InterpolateRequest(points=[wrong, (1.0,), Excerpt(notes=melody)], count=3)
    with pytest.raises(RequestError) as caught:
        list(engine.interpolate(request))
    fields = [each.field for each in caught.value.violations]
    assert fields == ["points[0].excerpt.start_bar", "points[1].latent"]


def test_latent_of_another_model_is_refused(engine):
    with pytest.raises(LatentError, match=f"9 values; expected {LATENT_SIZE} values") as caught:
        list(engine.decode(DecodeRequest(latents=[(0.0,) * 9])))
    assert caught.value.field == "latents[0]"


def test_unknown_attribute_is_refused(engine):
    request = TransformRequest(point=(0.0,) * LATENT_SIZE, amounts={"groove": 1.0})
    with pytest.raises(AttributeNameError, match=r"groove.*note_density"):
        engine.transform(request)


def test_models_are_found_by_name_and_the_first_is_the_default(engine, tiny, other):
    assert [model.name for model in engine.models()] == ["tiny", "other"]
    assert engine.model("") == engine.model("tiny")
    info = engine.model("other")
    assert (info.version, info.latent_size) == (other.version, LATENT_SIZE + 1)
    assert info.card == other.card
    assert {each.name for each in info.attributes} == set(tiny.attribute_vectors)
    with pytest.raises(BundleError, match="no model 'third'; expected one of tiny, other"):
        engine.model("third")


def test_two_bundles_of_one_name_are_refused(tiny):
    with pytest.raises(BundleError, match="a different name for each"):
        Engine([tiny, tiny])


def test_whole_numbers_play_as_their_floats(family_engine):
    floats = SampleRequest(seed=3, temperature=1.0, top_p=1.0)
    whole = replace(floats)
    # As outside of the tests, where no types are checked.
    for name, value in {"temperature": 1, "top_p": 1}.items():
        object.__setattr__(whole, name, value)
    (one,), (other,) = (list(family_engine.sample(each)) for each in (whole, floats))
    assert one.to_midi() == other.to_midi()
