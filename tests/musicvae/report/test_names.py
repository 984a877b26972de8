import pytest

from musicvae.report.names import pitch_name


@pytest.mark.parametrize(
    ("pitch", "name"), [(60, "C4"), (21, "A0"), (108, "C8"), (0, "C-1"), (61, "C♯4"), (70, "A♯4")]
)
def test_pitches_have_the_names_that_musicians_use(pitch, name):
    assert pitch_name(pitch) == name
