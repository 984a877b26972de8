"""What `decode` returns: likelihoods and draws of the same distribution."""

import itertools

import pytest
import torch

from musicvae.model.event_distribution import Teacher
from musicvae.model.latent.kinds import LATENTS

ARCHITECTURES = pytest.mark.parametrize("latent", LATENTS)
VOCABULARY = (3, 2)
ROWS = 6000
DEVIATIONS = 3.09  # of a Gaussian: a right sampler exceeds them once in a thousand


def every_excerpt(steps, vocabulary_sizes):
    one = list(itertools.product(*map(range, vocabulary_sizes)))
    return torch.tensor(list(itertools.product(one, repeat=steps)))


def teacher(seed=0, **shares):
    return Teacher(**shares, generator=torch.Generator().manual_seed(seed))


@ARCHITECTURES
def test_log_prob_is_the_sum_of_the_log_softmax_of_every_step(
    make_model, make_events, make_z, latent
):
    model = make_model(latent=latent, vocabulary_sizes=VOCABULARY)
    events, z = make_events(3, 32, VOCABULARY), make_z(3, size=model.latent_size)
    plans = model.decoder.plan(model.latent.shares(z))
    expected = torch.zeros(3)
    bars = events.chunk(plans.shape[1], dim=1)
    for bar, plan in zip(bars, plans.unbind(1), strict=True):
        decoder = model.decoder.bar_decoders[0]
        state = decoder.start(plan)
        logits = []
        unknown = decoder.embedding.unknown.expand(len(bar), 1, -1)
        inputs = torch.cat([unknown, bar[:, :-1]], dim=1)
        for step in range(bar.shape[1]):
            stepped = decoder.step(state, plan, inputs[:, step], step)
            state = stepped.state
            logits.append(stepped.parameters)
        for i, stream in enumerate(torch.stack(logits, dim=1).split(VOCABULARY, dim=-1)):
            chosen = stream.log_softmax(-1).gather(-1, bar[..., i : i + 1])
            expected += chosen.sum((1, 2))
    assert torch.allclose(model.decode(z).log_prob(events), expected, atol=1e-4)


@ARCHITECTURES
@pytest.mark.parametrize("vocabulary_sizes", [(3,), VOCABULARY])
def test_the_probabilities_of_all_excerpts_sum_to_one(make_model, make_z, latent, vocabulary_sizes):
    model = make_model(latent=latent, steps_per_bar=2, vocabulary_sizes=vocabulary_sizes)
    excerpts = every_excerpt(4, vocabulary_sizes)
    z = make_z(1, size=model.latent_size).expand(len(excerpts), -1)
    probabilities = model.decode(z).log_prob(excerpts).exp()
    assert probabilities.sum().item() == pytest.approx(1, abs=1e-4)
    assert probabilities.max() > 2 * probabilities.median()  # or nothing would be tested


@ARCHITECTURES
def test_the_mode_takes_the_likeliest_event_given_its_own_past(make_model, make_z, latent):
    model = make_model(latent=latent, vocabulary_sizes=(5, 4, 7))
    decoded = model.decode(make_z(4, size=model.latent_size))
    mode = decoded.mode()
    for i, stream in enumerate(decoded.parameters(mode).split((5, 4, 7), dim=-1)):
        assert torch.equal(stream.argmax(-1), mode[..., i])
    cold = decoded.sample(temperature=0.0, randomness=torch.Generator().manual_seed(1))
    assert torch.equal(cold, mode)
    assert len(mode.unique()) > 1


def chi_square(counts, probabilities):
    expected = probabilities / probabilities.sum() * counts.sum()
    return ((counts - expected) ** 2 / expected).sum()


def frequencies(excerpts, drawn):
    matches = (drawn[:, None] == excerpts[None]).flatten(2).all(-1)
    assert matches.any(1).all()
    return matches.sum(0).float()


def warm_log_prob(decoded, excerpts, temperature, vocabulary_sizes):
    """The log likelihood where all logits are divided by the temperature, by hand."""
    total = torch.zeros(len(excerpts))
    for i, stream in enumerate(decoded.parameters(excerpts).split(vocabulary_sizes, dim=-1)):
        warm = (stream / temperature).log_softmax(-1)
        total += warm.gather(-1, excerpts[..., i : i + 1]).sum((1, 2))
    return total


@ARCHITECTURES
@pytest.mark.parametrize("temperature", [1.0, 0.5, 2.0])
@pytest.mark.parametrize("has_row_seeds", [False, True])
def test_draws_are_as_frequent_as_they_are_likely(
    make_model, make_z, latent, temperature, has_row_seeds
):
    model = make_model(latent=latent, steps_per_bar=1, vocabulary_sizes=VOCABULARY, scale=3.0)
    z = make_z(1, size=model.latent_size)
    excerpts = every_excerpt(2, VOCABULARY)
    decoded = model.decode(z.expand(len(excerpts), -1))
    likelihoods = warm_log_prob(decoded, excerpts, temperature, VOCABULARY).exp().detach()
    assert likelihoods.sum().item() == pytest.approx(1, abs=1e-4)
    randomness = range(ROWS) if has_row_seeds else torch.Generator().manual_seed(0)
    drawn = model.decode(z.expand(ROWS, -1)).sample(temperature=temperature, randomness=randomness)
    counts = frequencies(excerpts, drawn)
    # Those expected less than five times are counted as one, as Pearson's test asks.
    is_rare = likelihoods * ROWS < 5
    if is_rare.any():
        counts = torch.cat([counts[~is_rare], counts[is_rare].sum()[None]])
        likelihoods = torch.cat([likelihoods[~is_rare], likelihoods[is_rare].sum()[None]])
    freedom = torch.tensor(len(counts) - 1.0)
    # The quantile of chi-square by Wilson and Hilferty.
    bound = freedom * (1 - 2 / (9 * freedom) + DEVIATIONS * (2 / (9 * freedom)).sqrt()) ** 3
    assert chi_square(counts, likelihoods) < bound


def test_a_lower_temperature_draws_likelier_excerpts(make_model, make_z):
    decoded = make_model(vocabulary_sizes=VOCABULARY, scale=2.0).decode(make_z(1).expand(200, -1))
    means = [
        decoded.log_prob(decoded.sample(temperature=temperature, randomness=range(200))).mean()
        for temperature in (0.0, 0.3, 1.0, 3.0)
    ]
    assert means == sorted(means, reverse=True)


@pytest.mark.parametrize("top_p", [0.3, 0.7, 0.95])
def test_nothing_outside_of_the_nucleus_is_drawn_and_everything_inside_is(
    make_model, make_z, top_p
):
    sizes = (9, 6)
    model = make_model(bars=1, steps_per_bar=2, vocabulary_sizes=sizes, scale=2.0)
    decoded = model.decode(make_z(1).expand(2000, -1))
    drawn = decoded.sample(top_p=top_p, randomness=torch.Generator().manual_seed(0))
    for i, stream in enumerate(decoded.parameters(drawn).split(sizes, dim=-1)):
        probabilities = stream.softmax(-1)
        for step in range(2):
            for row in range(0, 2000, 40):
                ordered = probabilities[row, step].sort(descending=True)
                # The likeliest ones, up to and with the one that reaches top_p.
                inside = int((ordered.values.cumsum(0) < top_p).sum()) + 1
                assert drawn[row, step, i] in ordered.indices[:inside]
        first = probabilities[0, 0].sort(descending=True)
        inside = int((first.values.cumsum(0) < top_p).sum()) + 1
        assert set(drawn[:, 0, i].tolist()) == set(first.indices[:inside].tolist())


def test_the_smallest_nucleus_is_the_mode(make_model, make_z):
    decoded = make_model(vocabulary_sizes=(5, 4, 7)).decode(make_z(3))
    drawn = decoded.sample(top_p=1e-6, randomness=torch.Generator().manual_seed(0))
    assert torch.equal(drawn, decoded.mode())


@ARCHITECTURES
def test_a_row_depends_on_its_own_latent_and_seed_alone(make_model, make_z, latent):
    model = make_model(latent=latent, vocabulary_sizes=(9,), scale=2.0)
    z = make_z(5, size=model.latent_size)
    together = model.decode(z).sample(randomness=[11, 12, 13, 14, 15])
    alone = model.decode(z[2:3]).sample(randomness=[13])
    assert torch.equal(together[2], alone[0])
    elsewhere = model.decode(z[[4, 2]]).sample(randomness=[99, 13])
    assert torch.equal(elsewhere[1], alone[0])
    other = model.decode(z[2:3]).sample(randomness=[14])
    assert not torch.equal(other, alone)


def test_the_same_generator_draws_the_same(make_model, make_z):
    decoded = make_model(scale=1.0).decode(make_z(3))
    first, second, other = (
        decoded.sample(randomness=torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_sampling_keeps_no_gradient(make_model, make_z):
    assert not make_model().decode(make_z(1)).mode().requires_grad


@pytest.mark.parametrize("sampled", [0.0, 1e-12])
def test_a_teacher_who_hides_nothing_and_samples_nothing_forces(
    make_model, make_events, make_z, sampled
):
    # A share above 0, however small, takes the way of scheduled sampling, step by step.
    model = make_model(vocabulary_sizes=VOCABULARY)
    events, decoded = make_events(3, 32, VOCABULARY), model.decode(make_z(3))
    taught = decoded.parameters(events, teacher=teacher(sampled=sampled))
    assert torch.allclose(taught, decoded.parameters(events), atol=1e-5)


@ARCHITECTURES
def test_with_all_sampled_the_decoder_reads_its_own_samples(
    make_model, make_events, make_z, latent
):
    model = make_model(latent=latent, vocabulary_sizes=(9, 4), scale=2.0)
    events, others = (make_events(3, 32, (9, 4), seed) for seed in (0, 1))
    decoded = model.decode(make_z(3, size=model.latent_size))
    taught = decoded.parameters(events, teacher=teacher(sampled=1.0))
    assert torch.equal(taught, decoded.parameters(others, teacher=teacher(sampled=1.0)))
    assert not torch.allclose(taught, decoded.parameters(events), atol=1e-3)
    assert not torch.allclose(taught, decoded.parameters(events, teacher=teacher(1, sampled=1.0)))


def test_the_decoder_reads_the_samples_of_a_sure_model(make_model, make_events, make_z):
    # Logits so far apart that a draw is the likeliest event: then its own samples are the mode.
    model = make_model(vocabulary_sizes=VOCABULARY)
    with torch.no_grad():
        model.decoder.bar_decoders[0].output.weight.mul_(1e4)
    decoded = model.decode(make_z(3))
    mode = decoded.mode()
    taught = decoded.parameters(make_events(3, 32, VOCABULARY), teacher=teacher(sampled=1.0))
    assert torch.allclose(taught, decoded.parameters(mode), rtol=1e-4, atol=1)
    assert len(mode.flatten(0, 1).unique(dim=0)) > 1


@pytest.mark.parametrize("sampled", [0.0, 0.5, 1.0])
def test_with_all_hidden_only_the_latent_and_the_position_count(
    make_model, make_events, make_z, sampled
):
    model = make_model(vocabulary_sizes=VOCABULARY)
    events, others = (make_events(3, 32, VOCABULARY, seed) for seed in (0, 1))
    decoded = model.decode(make_z(3))
    first = decoded.parameters(events, teacher=teacher(0, hidden=1.0, sampled=sampled))
    second = decoded.parameters(others, teacher=teacher(1, hidden=1.0, sampled=sampled))
    assert torch.allclose(first, second, atol=1e-5)
    assert not torch.allclose(first[0], first[1], atol=1e-3)


def test_the_shares_are_shares(make_model, make_events, make_z):
    # An event that is hidden makes the next step's input another: count those of a model whose
    # only memory is its input.
    model = make_model(vocabulary_sizes=VOCABULARY)
    lstm = model.decoder.bar_decoders[0].lstm
    with torch.no_grad():
        for layer in range(lstm.num_layers):
            getattr(lstm, f"weight_hh_l{layer}").zero_()
            # The forget gate, second of four, shut.
            getattr(lstm, f"bias_ih_l{layer}")[lstm.hidden_size : 2 * lstm.hidden_size] = -1e4
    events, decoded = make_events(200, 32, VOCABULARY), model.decode(make_z(200))
    true = decoded.parameters(events)
    for shares, expected in (({"hidden": 0.25}, 0.25), ({"hidden": 0.3, "sampled": 1e-9}, 0.3)):
        taught = decoded.parameters(events, teacher=teacher(**shares))
        is_changed = (taught - true).abs().amax(-1)[:, 1:] > 1e-4
        assert is_changed.float().mean() == pytest.approx(expected, abs=0.02)


def test_noise_keeps_its_precision_under_autocast(make_model, make_z):
    model = make_model(latent="bars", vocabulary_sizes=(90,), scale=0.1)
    with torch.autocast("cpu", torch.bfloat16):
        drawn = model.decode(make_z(64, size=model.latent_size)).sample(randomness=range(64))
    # Of 90 events about as likely as each other, noise of 8 bits would find few in ties.
    assert len(drawn.unique()) == 90
