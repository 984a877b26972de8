import pytest

from musicvae.errors import SettingError
from musicvae.music.meters import parse_grid, parse_meter


@pytest.mark.parametrize("text", ["4/4", "3/4", "6/8", "255/16"])
def test_a_meter_reads_back(text):
    assert str(parse_meter(f" {text} ")) == text


@pytest.mark.parametrize("text", ["4/4", "6/8 by 12"])
def test_a_grid_reads_back(text):
    assert str(parse_grid(text)) == text


@pytest.mark.parametrize("text", ["4/4 by", "4/4 by 6", "by 12", "4/4 by 012"])
def test_text_that_is_no_grid_is_refused(text):
    with pytest.raises(SettingError, match=r"expected (4 or 12|a meter)"):
        parse_grid(text)


@pytest.mark.parametrize(
    "text", ["", "3", "3/", "/4", "0/4", "256/4", "3/3", "03/4", "3/4/4", "²/4"]
)
def test_other_text_is_refused(text):
    with pytest.raises(SettingError, match="expected a meter such as 4/4") as refused:
        parse_meter(text)
    assert refused.value.field == "meter"
