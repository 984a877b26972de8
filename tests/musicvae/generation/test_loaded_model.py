"""A loaded model on plain values: whatever form music and latents have, the clips are the same."""

import numpy as np
import pytest
import torch

import musicvae
from musicvae.errors import LatentError, ModelNotFoundError, SettingError
from musicvae.generation.requests import DecodeRequest, InterpolateRequest
from musicvae.music import midi


@pytest.fixture(scope="module")
def model(bundle_folder):
    return musicvae.load(bundle_folder)


@pytest.fixture
def file(tmp_path, melody):
    path = tmp_path / "x.mid"
    path.write_bytes(midi.write(melody))
    return path


def test_music_of_any_form_has_the_same_latent(model, melody, file):
    z = model.encode(melody)
    assert (z.shape, z.dtype) == ((8,), np.float32)
    forms = [melody, file, str(file), file.read_bytes(), musicvae.Excerpt(notes=str(file))]
    batch = model.encode(forms)
    assert batch.shape == (5, 8)
    assert (batch == z).all()
    assert (model.encode(melody, seed=1) != z).any()


@pytest.mark.parametrize(
    "form", [tuple, list, np.array, torch.tensor, lambda row: torch.tensor(row, requires_grad=True)]
)
def test_latents_of_any_form_give_the_same_clips(model, form):
    row = [0.5, -1.0] * 4
    expected = model.decode(row, seed=3)
    assert len(expected) == 1
    latent = form(row)
    assert model.decode(latent, seed=3) == expected
    assert model.decode([latent, latent], seed=3)[0] == expected[0]
    requests = [
        DecodeRequest(latents=[latent], seed=3),
        InterpolateRequest(points=[latent, latent], seed=3),
    ]
    assert requests[0] == DecodeRequest(latents=[tuple(row)], seed=3)
    assert requests[1] == InterpolateRequest(points=[tuple(row)] * 2, seed=3)


def test_batch_of_latents_has_a_clip_a_row(model):
    z = np.random.default_rng(1).normal(size=(3, 8)).astype(np.float32)
    clips = model.decode(z, seed=3, temperature=1.0, qpm=100.0)
    assert [clip.latent for clip in clips] == [tuple(row) for row in z.tolist()]
    assert model.decode(torch.tensor(z), seed=3, temperature=1.0, qpm=100.0) == clips


def test_batch_of_no_music_has_no_rows(model):
    assert model.encode([]).shape == (0, 8)


def test_points_are_music_clips_or_latents(model, melody, file):
    clip = model.sample(seed=1)[0]
    path = model.interpolate([file, clip, clip.latent], 2, seed=1)
    assert [each.latent for each in path[1:]] == [clip.latent] * 2
    assert path[0].latent == tuple(model.encode(melody).tolist())
    moved = model.transform(clip, {"note_density": 1.0}, seed=1)
    assert moved.before.latent == clip.latent != moved.after.latent


def test_groove_takes_files_and_latents(family_folder, beat, tmp_path):
    model = musicvae.load(family_folder / "groove-2bar")
    (tmp_path / "beat.mid").write_bytes(midi.write(beat))
    played = model.groove(tmp_path / "beat.mid", seed=1)
    assert played == model.groove(beat, "humanise", seed=1)
    transferred = model.groove(played.after, "transfer", onto=beat, seed=1)
    assert transferred.after.latent == played.after.latent


def test_engine_takes_folders_and_bundles(bundle_folder, other):
    engine = musicvae.Engine([bundle_folder, str(bundle_folder.parent / "tiny"), other][1:])
    assert [each.name for each in engine.models()] == ["tiny", "other"]


def test_wrong_input_says_what_to_give(model):
    with pytest.raises(ModelNotFoundError, match=r"no bundle 'nobody'.*musicvae models"):
        musicvae.load("nobody")
    with pytest.raises(LatentError, match="expected one row of numbers"):
        musicvae.DecodeRequest(latents=[np.zeros((1, 8))])
    for wrong in ("melody-2bar", []):
        with pytest.raises(SettingError, match=r"expected a list of at least one"):
            musicvae.Engine(wrong)
    with pytest.raises(LatentError, match="a latent of 2 values; expected 8"):
        model.decode((1.0, 2.0))
