import json
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
import yaml
from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from musicvae.errors import DataError, SettingError, TrainingError
from musicvae.experiment.experiment import from_dict
from musicvae.representation import Melody
from musicvae.runtime.model_config import ModelConfig
from musicvae.training import RunSettings, load_run, train
from musicvae.training.checkpoints import checkpoint_path, read_checkpoint


def test_a_run_leaves_its_record_and_its_checkpoints(whole_run, make_experiment, data):
    out, watched = whole_run
    assert watched.is_complete
    assert sorted(watched.losses) == list(range(20))
    record = json.loads((out / "run.json").read_text())
    assert from_dict(record["experiment"]) == make_experiment()
    assert record["data"] == str(data)
    assert sorted(path.name for path in out.iterdir()) == ["checkpoints", "run.json", "tensorboard"]
    run = load_run(out, checkpoint="last")
    assert (run.step, run.examples_seen, run.seed) == (20, 160, 0)
    assert run.experiment == make_experiment()
    assert run.data == data


def test_the_last_step_is_validated_though_no_validation_was_due(whole_run):
    _, watched = whole_run
    assert watched.validations == [8, 16, 20]


def test_the_loss_falls(whole_run):
    _, watched = whole_run
    assert watched.losses[19] < 0.95 * watched.losses[0]


def test_the_same_seed_gives_the_same_run(whole_run, watch, make_experiment, data, tmp_path):
    _, watched = whole_run
    again = watch(make_experiment(steps=5), data, tmp_path / "again")
    other = watch(make_experiment(steps=5), data, tmp_path / "other", seed=1)
    assert [again.losses[step] for step in range(2)] == [watched.losses[step] for step in range(2)]
    assert other.losses[0] != watched.losses[0]


ENDINGS = {
    "Ctrl-C between two validations": (10, signal.SIGINT, 11),
    "termination at a validation": (7, signal.SIGTERM, 8),
    "a power cut": (10, None, 8),
    "a power cut before the first checkpoint": (4, None, 0),
}


@pytest.mark.parametrize(("last_step", "by", "goes_on_at"), ENDINGS.values(), ids=ENDINGS.keys())
def test_a_resumed_run_is_the_run_it_would_have_been(
    whole_run, watch, interrupt, same_state, make_experiment, data, tmp_path, last_step, by,
    goes_on_at,
):  # fmt: skip
    whole, expected = whole_run
    out = tmp_path / "run"
    handlers = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    before = watch(make_experiment(), data, out, end=interrupt(last_step, by))
    assert before.is_complete is (None if by is None else False)
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == handlers
    if by is not None:
        assert f"{by.name}: stopping after this step" in before.said
        assert f"stopped at step {last_step + 1}; go on with --resume" in before.said
    after = watch(make_experiment(), data, out, resume=True)
    assert after.is_complete
    assert min(after.losses) == goes_on_at
    assert {**before.losses, **after.losses} == expected.losses
    kept = [step for step in before.validations if step <= goes_on_at]
    assert kept + after.validations == expected.validations
    for name in ("best", "last"):
        ours, theirs = (read_checkpoint(checkpoint_path(run, name)) for run in (out, whole))
        for part in (
            "state_dict", "current_model_state", "averaging_state", "optimizer_states",
            "lr_schedulers", "global_step",
        ):  # fmt: skip
            assert same_state(ours[part], theirs[part]), (name, part)


def test_a_complete_run_has_nothing_left_to_do(whole_run, watch, make_experiment, data):
    out, _ = whole_run
    before = checkpoint_path(out, "last").read_bytes()
    watched = watch(make_experiment(), data, out, resume=True)
    assert watched.is_complete
    assert not watched.losses
    assert checkpoint_path(out, "last").read_bytes() == before


def test_a_complete_run_can_be_made_longer(
    whole_run, watch, same_state, make_experiment, data, tmp_path
):
    out = tmp_path / "run"
    shutil.copytree(whole_run[0], out)
    longer = watch(make_experiment(steps=24), data, out, resume=True)
    assert list(longer.losses) == [20, 21, 22, 23]
    assert load_run(out, checkpoint="last").step == 24
    at_once = watch(make_experiment(steps=24), data, tmp_path / "at_once")
    assert {step: at_once.losses[step] for step in longer.losses} == longer.losses
    ours, theirs = (
        read_checkpoint(checkpoint_path(run, "last")) for run in (out, tmp_path / "at_once")
    )
    assert same_state(ours["current_model_state"], theirs["current_model_state"])


def test_a_run_starts_from_anothers_weights_as_far_as_they_fit(
    whole_run, watch, make_experiment, make_data, data, tmp_path
):
    experiment = make_experiment(steps=1, validate_every=1, learning_rate=1e-9)
    same = watch(experiment, data, tmp_path / "same", start_from=load_run(whole_run[0]).origin)
    assert "100% of the weights are those of tiny" in same.said
    before, after = load_run(whole_run[0]), load_run(tmp_path / "same")
    for name, tensor in before.weights.items():
        assert torch.allclose(after.weights[name], tensor, atol=1e-6), name
    assert after.start.examples_seen == before.examples_seen
    assert after.start.sources == [{"name": "walks", "licence": "none needed"}]

    longer = replace(experiment, representation=Melody(bars=4))
    four_bars = make_data(tmp_path / "four", {"train": 20, "validation": 8}, bars=4)
    said = watch(longer, four_bars, tmp_path / "longer", start_from=after.origin).said
    assert re.search(r"\b[1-9]\d% of the weights are those of tiny", said)
    again = load_run(tmp_path / "longer")
    assert again.start.examples_seen == before.examples_seen + after.examples_seen
    assert 0.5 < again.start.share_taken < 1
    assert again.weights["posterior.weight"].shape != before.weights["posterior.weight"].shape
    resumed = watch(longer, four_bars, tmp_path / "longer", resume=True)
    assert resumed.is_complete and load_run(tmp_path / "longer").start == again.start


def test_a_started_run_that_was_killed_at_once_starts_from_the_same_weights_again(
    whole_run, watch, make_experiment, data, tmp_path
):
    experiment = make_experiment(steps=1, validate_every=1, learning_rate=1e-9)
    out = tmp_path / "out"
    watch(experiment, data, out, start_from=load_run(whole_run[0]).origin)
    first = load_run(out)
    shutil.rmtree(out / "checkpoints")
    with pytest.raises(TrainingError, match=r"has no checkpoint;.*Give `start_from` again"):
        watch(experiment, data, out, resume=True)
    watch(experiment, data, out, resume=True, start_from=load_run(whole_run[0]).origin)
    again = load_run(out)
    assert again.start == first.start
    for name, tensor in first.weights.items():
        assert torch.equal(again.weights[name], tensor), name


def test_another_run_is_neither_overwritten_nor_gone_on_with(
    whole_run, watch, make_experiment, make_data, data, tmp_path
):
    out, _ = whole_run
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    experiment = make_experiment()
    other_data = make_data(tmp_path / "other", {"train": 30, "validation": 5})
    for refused, message, settings in (
        (experiment, "a run that exists in .*Add `resume`", {}),
        (
            experiment,
            "other settings .seed: 0, now 1.;.*Give the same",
            {"seed": 1, "resume": True},
        ),
        (make_experiment(batch_size=9), "training.batch_size: 8, now 9.;.*Give", {"resume": True}),
        (experiment, "other settings .devices: 1, now 2.;", {"devices": 2, "resume": True}),
        (experiment, "other settings .data: ", {"data": other_data, "resume": True}),
    ):
        with pytest.raises(TrainingError, match=message):
            watch(refused, settings.pop("data", data), out, **settings)
    assert {path: path.read_bytes() for path in before} == before


def test_a_finished_run_says_so_and_what_can_be_done(whole_run, watch, make_experiment, data):
    out, _ = whole_run
    again = watch(make_experiment(), data, out, resume=True)
    assert again.is_complete
    assert not again.losses
    assert f"{out} is finished, all 20 steps are done" in again.said
    assert "--resume --set training.steps=40" in again.said
    assert f"musicvae export {out} --out bundles/tiny" in again.said


def test_a_run_of_an_older_version_is_gone_on_with(
    whole_run, watch, make_experiment, data, tmp_path
):
    out = shutil.copytree(whole_run[0], tmp_path / "older")
    record = json.loads((out / "run.json").read_text())
    del record["experiment"]["model"]["latent"]
    record["experiment"]["model"]["is_hierarchical"] = False
    (out / "run.json").write_text(json.dumps(record))
    assert watch(make_experiment(steps=21), data, out, resume=True).losses.keys() == {20}


def test_the_hyperparameters_of_tensorboard_are_the_settings(whole_run, make_experiment):
    written = yaml.safe_load((whole_run[0] / "tensorboard" / "hparams.yaml").read_text())
    assert written.pop("seed") == 0
    assert from_dict(written) == make_experiment()


def test_data_that_have_moved_are_the_same_data(whole_run, watch, make_experiment, data, tmp_path):
    out, _ = whole_run
    moved = tmp_path / "moved"
    moved.symlink_to(data)
    assert watch(make_experiment(), moved, out, resume=True).is_complete


def test_nothing_to_resume_is_said(watch, make_experiment, data, tmp_path):
    with pytest.raises(TrainingError, match=r"without a readable run.json.*nothing to resume"):
        watch(make_experiment(), data, tmp_path / "none", resume=True)


@pytest.mark.parametrize("damage", [b"", b"no zip", None])
def test_a_damaged_checkpoint_is_named(whole_run, watch, make_experiment, data, tmp_path, damage):
    whole, _ = whole_run
    out = tmp_path / "run"
    (out / "checkpoints").mkdir(parents=True)
    (out / "run.json").write_bytes((whole / "run.json").read_bytes())
    sound = checkpoint_path(whole, "last").read_bytes()
    checkpoint_path(out, "last").write_bytes(sound[:-200] if damage is None else damage)
    with pytest.raises(TrainingError, match=r"last.ckpt that can't be read"):
        watch(make_experiment(), data, out, resume=True)
    with pytest.raises(TrainingError, match=r"last.ckpt that can't be read"):
        load_run(out, checkpoint="last")
    with pytest.raises(TrainingError, match=r"no checkpoint .*best.ckpt; expected a run that has"):
        load_run(out)


@pytest.mark.parametrize("record", [None, "{", "[]", "{}"])
def test_a_folder_that_is_no_run_is_named(tmp_path, record):
    if record is not None:
        (tmp_path / "run.json").write_text(record)
    with pytest.raises(TrainingError, match=r"without a readable run.json"):
        load_run(tmp_path)


def test_what_cannot_work_is_refused_before_a_folder_is_made(
    watch, make_experiment, data, tmp_path
):
    out = tmp_path / "run"
    experiment = make_experiment()
    other = replace(experiment, representation=Melody(bars=4))
    for refused, error, message, settings in (
        (make_experiment(batch_size=41), DataError, "40 examples in the split 'train'", {}),
        (other, DataError, "Prepare the data again", {}),
        (
            make_experiment(learning_rate=1e9),
            TrainingError,
            "lower .training.learning_rate. of 1e",
            {},
        ),
        (experiment, DataError, "no manifest.json", {"data": tmp_path}),
    ):
        with pytest.raises(error, match=message):
            watch(refused, settings.get("data", data), out)
        assert not out.exists()


def test_a_split_that_is_missing_is_named(watch, make_experiment, make_data, tmp_path):
    data = make_data(tmp_path / "data", {"train": 30})
    with pytest.raises(DataError, match=r"no split 'validation'.*expected one of train"):
        watch(make_experiment(), data, tmp_path / "run")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has the device")
def test_a_device_that_is_not_there_is_named(make_experiment, data, tmp_path):
    settings = RunSettings(data=data, out=tmp_path / "run", accelerator="cuda")
    with pytest.raises(TrainingError, match=r"accelerator cuda .*Choose another `accelerator`"):
        train(make_experiment(), settings, Console(quiet=True))


@pytest.mark.parametrize("setting", [{"seed": -1}, {"seed": 2**63}, {"devices": 0}])
def test_settings_out_of_range_are_refused(tmp_path, setting):
    (name,) = setting
    with pytest.raises(SettingError, match=f"{name}=.*Give a number in that range"):
        RunSettings(data=tmp_path, out=tmp_path, **setting)


def test_tensorboard_shows_what_a_trainer_wants_to_see(whole_run):
    out, watched = whole_run
    events = EventAccumulator(str(out / "tensorboard"), size_guidance={"images": 0})
    events.Reload()
    tags = events.Tags()
    assert {
        "train/loss",
        "train/reconstruction_nats",
        "train/divergence_nats",
        "train/beta",
        "validation/reconstruction_nats",
        "validation/divergence_nats",
        "validation/elbo_nats",
        "validation/active_units",
        "validation/accuracy_teacher_forced",
        "validation/accuracy_sampled",
        "validation/accuracy_sampled_onsets",
        "validation/accuracy_sampled_from_draw",
    } <= set(tags["scalars"])
    assert set(tags["images"]) == {"samples", "interpolation"}
    assert tags["histograms"] == ["divergence_nats_by_dimension"]
    assert [each.step for each in events.Images("samples")] == watched.validations
    for name in ("samples", "interpolation"):
        image = events.Images(name)[0]
        assert image.width > 100
        assert image.encoded_image_string.startswith(b"\x89PNG")
    histogram = events.Histograms("divergence_nats_by_dimension")[-1].histogram_value
    assert histogram.num == 8
    assert histogram.sum == pytest.approx(
        events.Scalars("validation/divergence_nats")[-1].value, rel=1e-4
    )


def test_a_hierarchical_model_is_trained_with_scheduled_sampling(
    watch, make_experiment, make_data, tmp_path
):
    data = make_data(tmp_path / "data", {"train": 20, "validation": 8}, bars=4)
    tiny = make_experiment(steps=4, validate_every=4)
    experiment = replace(
        tiny,
        representation=Melody(bars=4),
        model=ModelConfig(
            latent="bars",
            latent_size=8,
            event_size=8,
            position_size=4,
            encoder_size=12,
            decoder_size=24,
            conductor_size=12,
            plan_size=8,
        ),
        objective=replace(tiny.objective, teacher_decay=1.0),
    )
    assert watch(experiment, data, tmp_path / "run").is_complete
    assert load_run(tmp_path / "run").step == 4


@pytest.mark.slow
def test_two_processes_share_the_steps(data, tmp_path):
    """The real command: Lightning runs it a second time, for the second process."""
    command = [
        sys.executable, "-m", "musicvae", "train", "melody-2bar-tiny", "--data", data,
        "--out", tmp_path / "run", "--accelerator", "cpu", "--devices", "2",
    ]  # fmt: skip
    small = ("steps=6", "batch_size=8", "validate_every=4", "validation_examples=8")
    for each in small:
        command += ["--set", f"training.{each}"]
    for each in ("encoder_size=12", "decoder_size=24", "latent_size=8"):
        command += ["--set", f"model.{each}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("6 steps of 16") == 1
    assert not done.stderr
    run = load_run(tmp_path / "run", checkpoint="last")
    assert (run.step, run.examples_seen) == (6, 96)
