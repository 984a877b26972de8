import numpy as np
import pytest
import torch

from musicvae.model.event_heads import EventHeads
from musicvae.representation.streams import Stream
from musicvae.runtime.event_draws import EventDraws, uniform_noise

STREAMS = (
    Stream(name="loudness", size=5, is_number=True, gate=1),
    Stream(name="hit", size=2),
    Stream(name="kind", size=30),
    Stream(name="other kind", size=30),
)
ROWS = 500


@pytest.fixture
def draws():
    return EventDraws(STREAMS)


@pytest.fixture
def parameters():
    return np.random.default_rng(0).standard_normal((ROWS, 64)).astype(np.float32)


@pytest.mark.parametrize("seed", [0, 5, 2**40 + 17, 2**63 - 1])
def test_the_noise_is_that_of_torchs_generator(seed):
    expected = torch.rand(700, 3, generator=torch.Generator().manual_seed(seed)).numpy()
    assert np.array_equal(uniform_noise([seed, 1], 700, 3)[0], expected)


def test_events_are_those_of_the_heads(draws, parameters):
    heads, uniform = EventHeads(STREAMS), uniform_noise(range(ROWS), 1, draws.noise_size)
    drawn = draws.draw(parameters, draws.prepare(uniform)[:, 0], temperature=1.0, top_p=1.0)
    tensor = torch.from_numpy(parameters)
    assert np.array_equal(drawn, heads.draw(tensor, torch.from_numpy(uniform[:, 0])).numpy())
    assert np.array_equal(draws.likeliest(parameters), heads.likeliest(tensor).numpy())


def test_a_low_temperature_draws_the_likeliest(draws, parameters):
    noise = draws.prepare(uniform_noise(range(ROWS), 1, draws.noise_size))[:, 0]
    drawn = draws.draw(parameters, noise, temperature=1e-5, top_p=1.0)
    assert np.array_equal(drawn, draws.likeliest(parameters))


def test_a_row_is_drawn_alike_beside_any_rows(draws, parameters):
    noise = draws.prepare(uniform_noise(range(ROWS), 1, draws.noise_size))[:, 0]
    together = draws.draw(parameters, noise, temperature=0.8, top_p=0.7)
    for first, last in ((0, 1), (3, 5), (490, 500)):
        rows = slice(first, last)
        alone = draws.draw(parameters[rows], noise[rows], temperature=0.8, top_p=0.7)
        assert np.array_equal(alone, together[rows])
