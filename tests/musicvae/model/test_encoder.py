import pytest
import torch

from musicvae.model.encoder import BidirectionalSummary
from musicvae.model.latent.kinds import LATENTS


@pytest.mark.parametrize("latent", LATENTS)
@pytest.mark.parametrize("steps_per_bar", [2, 14, 16])
def test_every_event_of_the_excerpt_counts(make_model, make_events, latent, steps_per_bar):
    model = make_model(latent=latent, steps_per_bar=steps_per_bar, scale=2.0)
    events = make_events(1, 2 * steps_per_bar, (5,))
    # One copy for each step, with another event there.
    others = events.repeat(events.shape[1], 1, 1)
    steps = torch.arange(events.shape[1])
    others[steps, steps] = (others[steps, steps] + 1) % 5
    distances = (model.encoder(others) - model.encoder(events)).abs().amax(-1)
    assert distances.min() > 1e-6


@pytest.mark.parametrize("latent", LATENTS)
def test_order_counts(make_model, make_events, latent):
    model = make_model(latent=latent)
    events = make_events(2, 32, (5,))
    swapped = torch.cat([events[:, 16:], events[:, :16]], dim=1)
    assert not torch.allclose(model.encoder(swapped), model.encoder(events), atol=1e-3)


@pytest.mark.parametrize("latent", LATENTS)
def test_rows_of_a_batch_do_not_mix(make_model, make_events, latent):
    model = make_model(latent=latent, vocabulary_sizes=(5, 4, 7))
    events = make_events(4, 32, (5, 4, 7))
    together = model.encoder(events)
    for row in range(4):
        alone = model.encoder(events[row : row + 1])
        assert torch.allclose(together[row], alone[0], atol=1e-5)


def test_a_summary_is_the_last_states_and_the_mean_states_of_the_parts():
    torch.manual_seed(0)
    summary = BidirectionalSummary(input_size=3, hidden_size=4, layers=1, parts=2)
    inputs = torch.randn(2, 6, 3)
    states, _ = summary.lstm(inputs)
    found = summary(inputs)
    assert found.shape == (2, summary.size) == (2, 4 + 4 + 8 * 2)
    assert torch.allclose(found[:, :4], states[:, -1, :4])  # forwards, it ends at the last step
    assert torch.allclose(found[:, 4:8], states[:, 0, 4:])  # backwards, at the first
    means = torch.cat([states[:, :3].mean(1), states[:, 3:].mean(1)], dim=-1)
    assert torch.allclose(found[:, 8:], means, atol=1e-6)


def test_a_length_that_is_no_multiple_of_the_parts_is_divided_all_the_same():
    torch.manual_seed(0)
    summary = BidirectionalSummary(input_size=3, hidden_size=4, layers=1, parts=2)
    inputs = torch.randn(2, 5, 3)
    states, _ = summary.lstm(inputs)
    means = torch.cat([states[:, :3].mean(1), states[:, 2:].mean(1)], dim=-1)
    assert torch.allclose(summary(inputs)[:, 8:], means, atol=1e-6)
