"""The models that ship, in the engine: rounding hangs on real widths and weights."""

import pytest
import torch

from musicvae import bundle
from musicvae.generation.engine import Engine
from musicvae.generation.inputs import Excerpt
from musicvae.generation.requests import EncodeRequest, SampleRequest, TransformRequest

ROWS = 12


@pytest.fixture(scope="module")
def engines():
    return {name: Engine([bundle.load(name)]) for name in bundle.embedded()}


def request_for(name, **how):
    chords = "C | Am | F | G7" if name.startswith("leadsheet") else None
    return SampleRequest(chords=chords, seed=5, temperature=1.0, **how)


@pytest.mark.parametrize("name", bundle.embedded())
def test_draw_is_the_same_alone_and_among_others(engines, name):
    together = list(engines[name].sample(request_for(name, count=ROWS)))
    assert len({clip.notes for clip in together}) == ROWS
    for index in (0, 5, ROWS - 1):
        alone = engines[name].sample(request_for(name, count=1, first_index=index))
        assert list(alone) == [together[index]]


def with_bars_again(engine, count):
    """Latents of draws whose second half has the shares of the first."""
    drawn = engine.sample(request_for("melody-16bar", count=count))
    z = torch.tensor([clip.latent for clip in drawn])
    return torch.cat([z[:, : z.shape[1] // 2]] * 2, dim=1)


@pytest.mark.parametrize("name", sorted({*bundle.embedded()} - {"groove-2bar"}))
def test_the_latent_of_a_draw_is_the_mean_of_its_posterior(engines, name):
    engine = engines[name]
    (clip,) = engine.sample(request_for(name))
    encoding = engine.encode(EncodeRequest(excerpt=Excerpt(clip.notes), chords=clip.chords))
    assert encoding.latent == pytest.approx(clip.latent, abs=1e-4)


def test_clips_of_one_point_differ_by_their_latents_alone(engines):
    engine = engines["melody-16bar"]
    for latent in with_bars_again(engine, ROWS):
        moved = engine.transform(
            TransformRequest(point=latent, amounts={"note_density": 1e-5}, seed=2, temperature=1.0)
        )
        assert moved.after.latent != moved.before.latent
        assert moved.after.notes == moved.before.notes


@pytest.mark.parametrize("name", ["melody-2bar", "leadsheet-4bar"])
@pytest.mark.parametrize(
    ("text", "low", "high"),
    [("A0-E1", 21, 28), ("C2-C3", 36, 48), ("C4-C5", 60, 72), ("C7-C8", 96, 108)],
)
def test_new_music_has_notes_in_any_range_of_the_piano(engines, name, text, low, high):
    clips = list(engines[name].sample(request_for(name, count=4, range=text)))
    for clip in clips:
        pitches = [note.pitch for note in clip.notes.notes]
        assert pitches and low <= min(pitches) and max(pitches) <= high
