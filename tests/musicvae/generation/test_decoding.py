import pytest
import torch

from musicvae.generation.decoding import GROUP_ROWS, Drawing, Row, decode, one_thread
from musicvae.generation.replies import SAMPLED
from musicvae.model.noise import latent_noise
from musicvae.representation import Melody

REAL_WIDTHS = {"latent_size": 128, "encoder_size": 64, "decoder_size": 256}


@pytest.fixture(scope="module")
def real(make_bundle, tmp_path_factory):
    """A bundle as wide as one that is served: rounding differs by width."""
    return make_bundle(tmp_path_factory.mktemp("bundles") / "real", name="real", **REAL_WIDTHS)


@pytest.fixture(scope="module")
def rows():
    z = latent_noise(3, range(20), REAL_WIDTHS["latent_size"])
    return [Row(index=index, z=each, seed=100 + index) for index, each in enumerate(z)]


def drawing(temperature):
    return Drawing(
        method=SAMPLED,
        representation=Melody(),
        seed=3,
        temperature=temperature,
        top_p=0.95,
        qpm=120.0,
    )


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_row_is_the_same_alone_and_among_others(real, rows, temperature):
    together = list(decode(real, rows, drawing(temperature)))
    assert [clip.index for clip in together] == list(range(20))
    assert len({clip.notes for clip in together}) > 15
    for index in (0, 5, 19):
        assert list(decode(real, [rows[index]], drawing(temperature))) == [together[index]]
    assert list(decode(real, rows[::-1], drawing(temperature))) == together[::-1]


def test_likelihood_in_a_batch_of_one_width_is_the_same_to_the_last_bit(real, rows):
    events = torch.randint(0, 90, (1, 32, 1), generator=torch.Generator().manual_seed(0))
    events = events.expand(GROUP_ROWS, -1, -1)
    wanted = rows[0].z
    with one_thread(), torch.inference_mode():
        alone = torch.zeros(GROUP_ROWS, len(wanted))
        alone[0] = wanted
        expected = real.model.decode(alone).log_prob(events)[0]
        for position in range(GROUP_ROWS):
            z = torch.stack([row.z for row in rows[1 : GROUP_ROWS + 1]])
            z[position] = wanted
            assert real.model.decode(z).log_prob(events)[position] == expected
