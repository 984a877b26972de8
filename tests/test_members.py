"""Every member of the family goes the same way: music, data, training, bundle, figures, service."""

import json
import sys

import pytest
from band import write_music

from musicvae import bundle
from musicvae.__main__ import main
from musicvae.experiment.presets import get_preset

MEMBERS = (
    "melody-2bar",
    "melody-16bar",
    "melody-16bar-flat",
    "drums-2bar",
    "groove-2bar",
    "trio-16bar",
    "leadsheet-4bar",
)

SMALL = (
    "model.latent_size=16", "model.encoder_size=24", "model.decoder_size=32",
    "model.conductor_size=32", "model.plan_size=16", "training.batch_size=8",
    "training.validate_every=4", "training.validation_examples=8", "training.prior_steps=20",
)  # fmt: skip


def musicvae(*arguments):
    """Runs the command in this process, and wants it to succeed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["musicvae", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
    assert not ended.value.code


@pytest.mark.slow
@pytest.mark.parametrize("name", MEMBERS)
@pytest.mark.usefixtures("few_measures")
def test_a_member_walks_from_music_to_music(name, tmp_path):
    representation = get_preset(name).representation
    music = write_music(tmp_path / "music", representation.name, pieces=10)
    musicvae(
        "prepare", music, "--out", tmp_path / "data", "--representation", representation.name,
        "--bars", representation.bars, "--split", "train=0.6,validation=0.2,test=0.2",
        "--workers", 1, *(["--chords"] if representation.config().get("chords") else []),
    )  # fmt: skip
    run = ("train", f"{name}-tiny", "--data", tmp_path / "data", "--out", tmp_path / "run",
           "--accelerator", "cpu", *(f"--set={each}" for each in SMALL))  # fmt: skip
    musicvae(*run, "--set=training.steps=4")
    musicvae(*run, "--set=training.steps=8", "--resume")
    musicvae("export", tmp_path / "run", "--out", tmp_path / "bundle", "--checkpoint", "last")
    loaded = bundle.load(tmp_path / "bundle")
    assert loaded.representation == representation
    assert loaded.facts["steps"] == 8
    musicvae(
        "evaluate", tmp_path / "bundle", "--data", tmp_path / "data", "--out", tmp_path / "figures"
    )
    report = json.loads((tmp_path / "figures" / "report.json").read_text())
    assert name in json.dumps(report)
    assert (tmp_path / "figures" / "report.html").stat().st_size > 10_000
    takes_chords = any(stream.is_condition for stream in representation.streams)
    chords = ["--chords", "C | Am"] if takes_chords else []
    musicvae(
        "sample", "--model", tmp_path / "bundle", "-n", 2, "--seed", 1, *chords,
        "--out", tmp_path / "clips", "--plot",
    )  # fmt: skip
    assert len(list((tmp_path / "clips").glob("*.mid"))) == 2
