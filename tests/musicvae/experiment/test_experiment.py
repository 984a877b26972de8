import json
import re
from dataclasses import replace

import pytest

from musicvae.errors import SettingError
from musicvae.experiment.build import build_model
from musicvae.experiment.experiment import TrainingConfig, from_dict, overlay, to_dict
from musicvae.experiment.presets import PRESETS, melody_2bar
from musicvae.music.notes import Meter, TimeGrid
from musicvae.representation import Melody


@pytest.mark.parametrize("name", PRESETS)
def test_an_experiment_goes_through_json_and_back(name):
    experiment = PRESETS[name]
    values = json.loads(json.dumps(to_dict(experiment), allow_nan=False))
    assert from_dict(values) == experiment


def test_what_is_not_usual_goes_through_json_too():
    preset = melody_2bar()
    experiment = replace(
        preset,
        representation=Melody(bars=3, meter=Meter(7, 8)),
        objective=replace(preset.objective, teacher_decay=2000.0),
    )
    assert from_dict(json.loads(json.dumps(to_dict(experiment)))) == experiment


def test_a_model_has_the_widths_and_the_length_of_its_experiment(make_experiment):
    experiment = make_experiment()
    model = build_model(experiment)
    assert model.config == experiment.model
    assert model.length_steps() == 32
    assert [stream.size for stream in model.decoder.heads.streams] == [90]


def test_settings_are_laid_over_a_preset():
    changed = overlay(
        melody_2bar(),
        yaml_bytes=b"objective: {beta_max: 0.1, teacher_decay: 500}\nname: mine\n",
        settings=["training.steps=7", "objective.beta_max=0.25", "model.latent=bars"],
    )
    assert (changed.name, changed.training.steps, changed.model.latent) == (
        "mine",
        7,
        "bars",
    )
    assert changed.objective == replace(melody_2bar().objective, beta_max=0.25, teacher_decay=500.0)


@pytest.mark.parametrize(("old", "latent"), [(True, "bars"), (False, "gaussian")])
def test_the_kind_of_latent_is_read_by_its_older_name_too(old, latent):
    values = to_dict(melody_2bar())
    del values["model"]["latent"]
    values["model"]["is_hierarchical"] = old
    assert from_dict(values).model.latent == latent
    setting = f"model.is_hierarchical={str(old).lower()}"
    assert overlay(melody_2bar(), settings=[setting]).model.latent == latent


def test_nothing_laid_over_changes_nothing():
    assert overlay(melody_2bar()) == melody_2bar()


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("training.steps", "`settings` training.steps; expected NAME.FIELD=VALUE"),
        ("training.stpes=3", "setting 'training.stpes'; expected one of steps, batch_size"),
        ("trainig.steps=3", "setting 'trainig'; expected one of name, representation, model"),
        ("training.steps=many", 'training.steps="many"; expected a whole number'),
        ("training.steps=2.5", "training.steps=2.5; expected a whole number"),
        ("training.steps=0", "training.steps=0; expected more than 0"),
        ("training.learning_rate=.nan", "training.learning_rate=nan; expected more than 0"),
        ("objective.beta_max=-1", "objective.beta_max=-1.0; expected 0 or more"),
        ("model.latent_size=0", "model.latent_size=0; expected 1 or more"),
        ("model=3", "model=3; expected settings by their names"),
        ("training.steps={", "expected YAML"),
        ("=3", "setting ''"),
        ("name=", "name=null; expected text"),
        ("name=a/b", 'name="a/b"; expected a name without spaces and slashes'),
        ("training.recombined_share=0.5", "expected 0; more only for drums"),
        ("representation.meter.denominator=5", "meter 4/5"),
        ("representation.bars=0", "representation.bars=0; expected 1 or more"),
        ("representation.name=flute", "expected one of melody, drums"),
    ],
)
def test_a_wrong_setting_is_named(setting, message):
    with pytest.raises(SettingError) as refused:
        overlay(melody_2bar(), settings=[setting])
    assert message in str(refused.value)
    assert "Error" not in str(refused.value)
    assert not re.search(r"<class|NoneType|\bdict\b|\bint\b|\bstr\b", str(refused.value))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "overlay=null; expected settings by their names"),
        (b"- 1\n", "overlay=[1]; expected settings by their names"),
        (b"a: [", "expected YAML"),
        (b"\xff\xfe\xfa", "expected YAML"),
        (b"objective: 3\n", "objective=3; expected settings by their names"),
    ],
)
def test_a_wrong_overlay_is_named(text, message):
    with pytest.raises(SettingError) as refused:
        overlay(melody_2bar(), yaml_bytes=text)
    assert message in str(refused.value)


def test_nothing_may_be_missing_or_unknown():
    values = to_dict(melody_2bar())
    with pytest.raises(SettingError, match=r"training.stpes"):
        from_dict({**values, "training": {**values["training"], "stpes": 3}})
    del values["objective"]
    with pytest.raises(SettingError, match=r"objective"):
        from_dict(values)


@pytest.mark.parametrize("name", ["most_semitones", "warmup_steps"])
def test_some_numbers_may_be_zero(name):
    assert getattr(TrainingConfig(**{name: 0}), name) == 0
    with pytest.raises(SettingError, match=f"training.{name}=-1"):
        TrainingConfig(**{name: -1})


@pytest.mark.parametrize(
    ("preset", "setting", "field"),
    [
        ("groove-2bar", "prior.lags=[1]", "prior.lags"),
        ("groove-2bar", "objective.rare_hit_power=1.5", "objective.rare_hit_power"),
        ("melody-2bar", "objective.rare_hit_power=0.5", "objective.rare_hit_power"),
        ("melody-2bar", "prior.guidance=1.2", "prior.guidance"),
        ("drums-2bar", "prior_training.recombined_share=0.5", "prior_training.recombined_share"),
        ("melody-2bar", "prior.lags=[0]", "prior.lags"),
        ("melody-2bar", "prior.dropout=1", "prior.dropout"),
        ("melody-2bar", "prior.colour=1", "prior.colour"),
    ],
)
def test_settings_of_a_prior_that_do_not_fit_are_named(preset, setting, field):
    with pytest.raises(SettingError) as caught:
        overlay(PRESETS[preset], settings=[setting])
    assert caught.value.field == field


def test_grids_are_read_as_text_and_each_stands_once():
    experiment = overlay(melody_2bar(), settings=["grids=[3/4, 4/4 by 12]"])
    three, by_12 = TimeGrid(Meter(3, 4)), TimeGrid(Meter(), 12)
    assert experiment.all_grids == (TimeGrid(), three, by_12)
    written = to_dict(experiment)
    assert written["grids"] == ["3/4", "4/4 by 12"]
    assert from_dict(written) == experiment
    earlier = {"meters" if name == "grids" else name: value for name, value in written.items()}
    assert from_dict(earlier) == experiment
    with pytest.raises(SettingError, match="expected each grid once"):
        replace(experiment, grids=(three, TimeGrid()))
    with pytest.raises(SettingError, match="meter 5/32; expected a meter whose bar is a whole"):
        replace(experiment, grids=(TimeGrid(Meter(5, 32)),))
    with pytest.raises(SettingError, match="expected a list of meters and grids"):
        overlay(melody_2bar(), settings=["grids=[4/4 by 5]"])
