import pytest

from musicvae.generation.decoding import Drawing, Row, decode
from musicvae.generation.replies import SAMPLED
from musicvae.representation import Melody
from musicvae.runtime.noise import latent_noise

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
