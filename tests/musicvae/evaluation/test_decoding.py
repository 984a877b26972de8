import numpy as np
import pytest
import torch

from musicvae.evaluation import decoding
from musicvae.evaluation.decoding import batches, canonical, encode, play, to_batch
from musicvae.model.latent.kinds import LATENTS
from musicvae.representation import LeadSheet, Melody
from musicvae.representation.streams import generated_streams


def test_batches_are_all_rows_in_order(monkeypatch):
    monkeypatch.setattr(decoding, "BATCH_STEPS", 100)
    parts = batches(7, 32)
    assert [row for part in parts for row in range(7)[part]] == list(range(7))
    assert [part.stop - part.start for part in parts] == [3, 3, 1]
    assert batches(2, 1000) == [slice(0, 1), slice(1, 2)]
    assert batches(0, 32) == []


def test_all_excerpts_are_encoded_as_the_model_does(
    representation, make_events, make_model, monkeypatch
):
    monkeypatch.setattr(decoding, "BATCH_STEPS", 3 * representation.length_steps)
    model, events = make_model(representation), make_events(representation, 7)
    expected = model.encode(to_batch(model, representation, events))
    found = encode(model, representation, events)
    assert torch.allclose(found.mean, expected.mean, atol=1e-6)
    assert torch.allclose(found.stddev, expected.stddev, atol=1e-6)


@pytest.mark.parametrize("latent", LATENTS)
def test_what_is_played_is_within_the_vocabulary(representation, make_events, make_model, latent):
    model = make_model(representation, latent=latent)
    like = make_events(representation, 5)
    z = torch.randn(5, model.latent_size, generator=torch.Generator().manual_seed(0))
    played = play(model, representation, z, like, temperature=1.0, seed=3)
    assert played.shape == like.shape
    assert (played >= 0).all()
    assert (played < np.array(representation.vocabulary_sizes)).all()
    count = len(generated_streams(representation.streams))
    assert np.array_equal(played[..., count:], like[..., count:])
    assert not np.array_equal(played[..., :count], like[..., :count])


def test_a_row_is_the_same_in_any_batch(representation, make_events, make_model, monkeypatch):
    model, like = make_model(representation), make_events(representation, 7)
    z = torch.randn(7, 8, generator=torch.Generator().manual_seed(0))
    whole = play(model, representation, z, like, temperature=1.0, seed=3)
    monkeypatch.setattr(decoding, "BATCH_STEPS", 2 * representation.length_steps)
    assert np.array_equal(play(model, representation, z, like, temperature=1.0, seed=3), whole)
    other = play(model, representation, z, like, temperature=1.0, seed=4)
    assert not np.array_equal(other, whole)


def test_conditions_change_what_is_played(make_events, make_model):
    representation = LeadSheet()
    model = make_model(representation)
    z = torch.zeros(4, 8)
    a, b = (
        play(model, representation, z, make_events(representation, 4, seed), temperature=1.0)
        for seed in (0, 1)
    )
    assert not np.array_equal(a[..., 0], b[..., 0])


def test_the_same_music_is_written_in_one_way():
    events = np.zeros((1, 32, 1), np.int16)
    events[0, 4], events[0, 8], events[0, 12] = 41, 1, 1  # the second stop stops nothing
    (written,) = canonical(Melody(), events)
    assert written[:, 0].nonzero()[0].tolist() == [4, 8]
    assert canonical(Melody(), events[:0]).shape == (0, 32, 1)
