"""The commands that measure models and make bundles of runs, as their users see them."""

import json
from pathlib import Path

import pytest

from musicvae import bundle
from musicvae.commands.terminal import MISUSE
from musicvae.evaluation import evaluate
from musicvae.evaluation.evaluate import Sizes
from musicvae.experiment.experiment import overlay
from musicvae.experiment.presets import get_preset

TINY = [
    f"--set={each}"
    for each in (
        "model.latent_size=8", "model.encoder_size=12", "model.decoder_size=24",
        "training.steps=2", "training.batch_size=8", "training.validate_every=2",
        "training.prior_steps=20",
        "training.validation_examples=8",
    )
]  # fmt: skip


@pytest.fixture(autouse=True)
def small_sizes(monkeypatch):
    """Enough to measure, too little to know."""
    sizes = Sizes(bounded=4, bound_draws=3, pairs=6, shifted=4, draws=16, compared=16)
    monkeypatch.setattr(evaluate, "DEFAULT_SIZES", sizes)


def test_evaluate_prints_its_figures(command, bundle_folder, data):
    said = command("evaluate", bundle_folder, "--data", data)
    assert said.code == 0, said.err
    assert "accuracy, teacher-forced" in said.out
    assert "test split" in said.out
    assert "tiny: heard first" in said.out and "wholly in key" in said.out
    assert not list(Path.cwd().iterdir())


def test_evaluate_writes_a_report_of_several_models(command, bundle_folder, make_bundle, data):
    other = make_bundle(Path("other"), name="other", seed=1)
    said = command(
        "evaluate", bundle_folder, "other", "--data", data, "--split", "validation",
        "--out", "made/[here]", "--seed", 5,
    )  # fmt: skip
    assert said.code == 0, said.err
    assert "tiny" in said.out and "other" in said.out
    assert "wrote made/[here]/report.json" in said.out.replace("\n", "")
    record = json.loads(Path("made/[here]/report.json").read_text())
    assert record["data"]["split"] == "validation"
    versions = [bundle.load(bundle_folder).version, other.version]
    assert [model["version"] for model in record["models"]] == versions
    assert [model["seed"] for model in record["models"]] == [5, 5]
    assert "tiny and other" in Path("made/[here]/report.html").read_text()


def test_evaluate_writes_a_listening_test(command, bundle_folder, data):
    said = command("evaluate", bundle_folder, "--data", data, "--listen", "made/listen.html")
    assert said.code == 0, said.err
    assert "wrote made/listen.html" in said.out
    assert Path("made/listen.html").read_text().count("is the draw</button>") == 20


def test_a_listening_test_is_of_one_bundle_and_written_to_a_file(command, bundle_folder, data):
    said = command(
        "evaluate", bundle_folder, "other", "--data", data, "--listen", "listen.html"
    )  # fmt: skip
    assert said.code == MISUSE
    assert "2 bundles with --listen; expected one bundle" in said.err
    Path("file").touch()
    said = command("evaluate", bundle_folder, "--data", data, "--listen", "file/listen.html")
    assert said.code == MISUSE
    assert "listen.html can't be written" in said.err


def test_train_lists_the_settings_of_a_preset(command):
    said = command("train", "trio-16bar", "--list-settings")
    assert said.code == 0, said.err
    settings = dict(line.split("  ", 1) for line in said.out.splitlines() if "  " in line)
    assert settings["objective.beta_max=0.6"].startswith("The weight of the divergence")
    assert "training.steps=20000" in settings and 'model.latent="bars"' in settings
    assert "representation.bars=16" in said.out
    for setting in settings:
        assert overlay(get_preset("trio-16bar"), settings=[setting]) == get_preset("trio-16bar")


@pytest.mark.parametrize("setting", ["foo.bar=1", "training.stpes=1", "model.latent_size=x"])
def test_a_wrong_setting_points_to_the_list_of_settings(command, data, setting):
    said = command("train", "melody-2bar", "--data", data, "--out", "run", "--set", setting)
    assert said.code == MISUSE
    assert "musicvae train PRESET --list-settings" in said.err


def test_a_run_can_have_a_name_of_its_own(command, data):
    options = ("--data", data, "--out", "run", "--accelerator", "cpu", "--name", "mine")
    assert command("train", "melody-2bar-tiny", *options, *TINY).code == 0
    assert json.loads(Path("run/run.json").read_text())["experiment"]["name"] == "mine"
    again = command("train", "melody-2bar-tiny", *options, *TINY, "--resume")
    assert again.code == 0 and "run is finished" in again.out
    other = command("train", "melody-2bar-tiny", *options[:-2], *TINY, "--resume")
    assert other.code == MISUSE
    assert 'name: "mine", now "melody-2bar-tiny"' in other.err


def test_export_makes_a_bundle_with_the_figures_it_prints(command, data):
    train = ("train", "melody-2bar-tiny", "--data", data, "--out", "run", "--accelerator", "cpu")
    assert command(*train, *TINY).code == 0
    said = command("export", "run", "--out", "[made]", "--checkpoint", "last")
    assert said.code == 0, said.err
    assert "wrote [made]; try `musicvae sample --model [made]`" in said.out
    made = bundle.load("[made]")
    (figure,) = (
        each
        for each in made.facts["evaluation"]["figures"]
        if each["name"] == "accuracy, sampled, posterior's mean"
    )
    assert f"{figure['value']:.4f}" in said.out
    assert f"{figure['value']:.4f}" in made.card


def test_data_of_another_kind_are_refused_before_minutes_of_measuring(
    command, bundle_folder, make_data
):
    make_data(Path("long"), {"train": 4, "test": 4}, bars=4)
    said = command("evaluate", bundle_folder, "--data", "long", "--out", "made")
    assert said.code == MISUSE
    assert "Prepare data with the model's representation" in said.err
    assert not Path("made").exists()
