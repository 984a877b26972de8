import numpy as np
import pytest
import torch

from musicvae.model.touch import Lines, Touch, middles_of
from musicvae.music.line_features import FEATURES
from musicvae.runtime.touch import OnnxTouch


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


def play(touch, lines, uniform, *, levels, temperature=1.0):
    weights = {name: each.detach().numpy() for name, each in touch.state_dict().items()}
    counts = lines.counts.numpy()
    played = OnnxTouch(weights).play(
        lines.features.numpy(),
        counts,
        uniform.numpy(),
        levels=np.array(levels),
        temperature=temperature,
    )
    return [row[:count].tolist() for row, count in zip(played, counts, strict=True)]


def test_untrained_touch_plays_the_level(lines):
    uniform = torch.full((3, 7), 0.9)
    played = play(Touch().eval(), lines, uniform, levels=[63, 64, 65], temperature=0.0)
    assert played == [[63] * 7, [64] * 2, [65] * 5]


def test_a_line_is_played_alike_beside_any_lines(touch, lines):
    uniform = torch.rand(3, 7, generator=torch.Generator().manual_seed(2))
    together = play(touch, lines, uniform, levels=[80, 70, 90])
    for row, count in enumerate(lines.counts.tolist()):
        own = Lines(*(each[row : row + 1] for each in lines))
        own = own._replace(features=own.features[:, :count])
        alone = play(touch, own, uniform[row : row + 1, :count], levels=[[80, 70, 90][row]])
        assert alone == [together[row]]


def test_a_note_hears_the_notes_before_and_no_later_noise(touch, lines):
    uniform = torch.linspace(0.1, 0.9, 7).repeat(3, 1)
    other = uniform.clone()
    other[0, 3] = 0.99
    one, two = (play(touch, lines, noise, levels=[80] * 3)[0] for noise in (uniform, other))
    assert one[:3] == two[:3]
    assert one[3] < two[3]
    assert one[4:] != two[4:]


def test_a_line_is_drawn_as_its_likelihood_says(touch, lines):
    """A note drawn without noise is the middle of what the notes before tell."""
    played = play(touch, lines, torch.full((3, 7), 0.5), levels=[80] * 3)
    padded = [
        torch.nn.functional.pad(torch.tensor(own), (0, 7 - len(own)), value=1) for own in played
    ]
    told = lines._replace(
        velocities=torch.stack(padded),
        level=torch.full((3, 1), 80.0),
        spread=touch.spread.expand(3, 1),
    )
    with torch.inference_mode():
        middles = middles_of(touch.parameters_of(told)).clamp(1, 127)
    for row, own in zip(middles, played, strict=True):
        expected = torch.tensor(own).float()
        torch.testing.assert_close(row[: len(own)], expected, rtol=0, atol=0.51)
