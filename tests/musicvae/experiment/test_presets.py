import pytest

from musicvae.errors import SettingError
from musicvae.experiment.build import build_model
from musicvae.experiment.presets import PRESETS, get_preset


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_a_complete_experiment_of_its_name(name):
    preset = get_preset(name)
    assert preset.name == name
    model = build_model(preset)
    assert model.length_steps() == preset.representation.length_steps


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [("melody-2bar", 2e6, 8e6), ("melody-2bar-tiny", 2e5, 1e6)],
)
def test_the_weights_of_the_two_bar_presets_suit_a_cpu(name, least, most):
    model = build_model(get_preset(name))
    assert least < sum(parameter.numel() for parameter in model.parameters()) < most


def test_a_preset_that_does_not_exist_is_named_with_those_that_do():
    with pytest.raises(SettingError, match="preset 'melody-3bar'; expected one of melody-2bar, "):
        get_preset("melody-3bar")
