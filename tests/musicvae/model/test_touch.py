import pytest
import torch

from musicvae.model.touch import Lines, Touch, middles_of
from musicvae.music.line_features import FEATURES


@pytest.fixture
def touch():
    torch.manual_seed(3)
    touch = Touch()
    torch.nn.init.normal_(touch.head.weight)
    torch.nn.init.normal_(touch.player.weight_ih_l0)
    touch.spread.fill_(9.0)
    return touch.eval()


@pytest.fixture
def lines():
    random = torch.Generator().manual_seed(1)
    counts = torch.tensor([7, 2, 5])
    velocities = torch.randint(40, 120, (3, 7), generator=random)
    features = torch.randn(3, 7, FEATURES, generator=random)
    return Lines(
        features=features,
        velocities=velocities,
        counts=counts,
        level=torch.tensor([[80.0], [70.0], [90.0]]),
        spread=torch.tensor([[9.0], [5.0], [20.0]]),
    )


def test_lines_of_other_lengths_beside_a_line_do_not_matter(touch, lines):
    together = touch.log_prob(lines)
    for row, count in enumerate(lines.counts.tolist()):
        own = [each[row : row + 1] for each in lines]
        alone = Lines(own[0][:, :count], own[1][:, :count], *own[2:])
        torch.testing.assert_close(
            together[row, :count], touch.log_prob(alone)[0], rtol=1e-3, atol=1e-3
        )
        assert not together[row, count:].any()


def test_each_velocity_has_a_probability(touch, lines):
    parameters = touch.parameters_of(lines)
    likelihoods = [
        touch.velocity_log_prob(
            parameters, lines._replace(velocities=torch.full_like(lines.velocities, velocity))
        )
        for velocity in range(1, 128)
    ]
    total = torch.stack(likelihoods).exp().sum(0)[lines.is_note]
    torch.testing.assert_close(total, torch.ones_like(total), rtol=0, atol=1e-3)


def test_the_likelihood_teaches_all_weights(touch, lines):
    touch.log_prob(lines).sum().backward()
    assert all(each.grad is not None and each.grad.any() for each in touch.parameters())


def test_louder_music_is_played_alike(touch, lines):
    louder = lines._replace(velocities=lines.velocities + 7, level=lines.level + 7)
    torch.testing.assert_close(
        touch.log_prob(lines).sum(), touch.log_prob(louder).sum(), rtol=0, atol=1e-2
    )


def test_untrained_touch_plays_the_level(lines):
    touch = Touch().eval()
    played = touch.play(lines.features[0], torch.full((7,), 0.9), level=63, temperature=0.0)
    assert played == [63] * 7


def test_a_note_hears_the_notes_before_and_no_later_noise(touch, lines):
    uniform = torch.linspace(0.1, 0.9, 7)
    other = uniform.clone()
    other[3] = 0.99
    with torch.inference_mode():
        one, two = (
            touch.play(lines.features[0], noise, level=80, temperature=1.0)
            for noise in (uniform, other)
        )
    assert one[:3] == two[:3]
    assert one[3] < two[3]
    assert one[4:] != two[4:]


def test_a_line_is_drawn_as_its_likelihood_says(touch, lines):
    """A note drawn without noise is the middle of what the notes before tell."""
    features = lines.features[:1]
    with torch.inference_mode():
        played = touch.play(features[0], torch.full((7,), 0.5), level=80, temperature=1.0)
        told = touch.parameters_of(
            Lines(
                features=features,
                velocities=torch.tensor([played]),
                counts=torch.tensor([7]),
                level=torch.tensor([[80.0]]),
                spread=touch.spread[None, None],
            )
        )
    torch.testing.assert_close(
        middles_of(told)[0].clamp(1, 127), torch.tensor(played).float(), rtol=0, atol=0.51
    )
