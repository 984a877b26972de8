import pytest
import torch

from musicvae.model.latent.kinds import LATENTS

VOCABULARY = (5, 4)


def logits(model, z, events):
    return model.decode(z).parameters(events).detach()


@pytest.mark.parametrize("latent", LATENTS)
def test_an_event_changes_only_what_comes_after_it(make_model, make_events, make_z, latent):
    model = make_model(latent=latent, vocabulary_sizes=VOCABULARY)
    events, z = make_events(1, 32, VOCABULARY), make_z(1, size=model.latent_size)
    before = logits(model, z, events)
    for step in (0, 5, 14):
        other = events.clone()
        other[:, step, 1] = (other[:, step, 1] + 1) % VOCABULARY[1]
        changed = (logits(model, z, other) - before).abs().amax(-1)[0]
        assert changed[: step + 1].max() == 0
        assert changed[step + 1] > 1e-4


def test_the_last_event_changes_nothing(make_model, make_events, make_z):
    model = make_model()
    events, z = make_events(1, 32, (5,)), make_z(1)
    other = events.clone()
    other[:, -1] = (other[:, -1] + 1) % 5
    assert torch.equal(logits(model, z, other), logits(model, z, events))


@pytest.mark.parametrize("bars", [2, 5])
def test_given_the_plans_the_bars_are_independent(make_model, make_events, make_z, bars):
    model = make_model(latent="bars", bars=bars, vocabulary_sizes=VOCABULARY)
    events, z = make_events(2, 16 * bars, VOCABULARY), make_z(2, size=model.latent_size)
    other = events.clone()
    other[:, :16] = make_events(2, 16, VOCABULARY, seed=1)
    changed = (logits(model, z, other) - logits(model, z, events)).abs().amax(-1)
    assert changed[:, 1:16].amax() > 1e-3
    assert changed[:, 16:].amax() == 0


def test_a_flat_decoder_reads_across_the_bar_line(make_model, make_events, make_z):
    model = make_model(vocabulary_sizes=VOCABULARY)
    events, z = make_events(1, 32, VOCABULARY), make_z(1)
    other = events.clone()
    other[:, 15] = (other[:, 15] + 1) % 4
    changed = (logits(model, z, other) - logits(model, z, events)).abs().amax(-1)
    assert changed[0, 16] > 1e-4


def test_bars_with_the_same_plan_and_events_play_alike(make_model, make_events, make_z):
    model = make_model(latent="bars", bars=3)
    conductor = model.decoder.conductor
    for part in (conductor.plan, conductor.share):  # every bar the same plan, its bias
        torch.nn.init.zeros_(part.weight)
    bar, z = make_events(1, 16, (5,)), make_z(1, size=model.latent_size)
    first, second, third = logits(model, z, bar.repeat(1, 3, 1)).chunk(3, dim=1)
    assert torch.allclose(first, second, atol=1e-6)
    assert torch.allclose(first, third, atol=1e-6)


def test_rows_of_a_batch_do_not_mix(make_model, make_events, make_z):
    model = make_model(latent="bars", bars=3)
    events, z = make_events(4, 48, (5,)), make_z(4, size=model.latent_size)
    together = logits(model, z, events)
    for row in range(4):
        alone = logits(model, z[row : row + 1], events[row : row + 1])
        assert torch.allclose(together[row], alone[0], atol=1e-4)
