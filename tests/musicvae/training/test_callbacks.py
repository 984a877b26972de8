import io
import os
import signal
from dataclasses import replace

import lightning
import pytest
import torch
from rich.console import Console

from musicvae.errors import TrainingError
from musicvae.experiment.objective import Objective
from musicvae.training.callbacks import CleanStop
from musicvae.training.checkpoints import checkpoint_path, read_checkpoint


def test_the_collapse_alarm_says_what_to_change(watch, make_experiment, data, tmp_path):
    # Any divergence costs a thousand times what it brings: no model would keep any.
    experiment = replace(
        make_experiment(steps=60, validate_every=20, learning_rate=0.03),
        objective=Objective(beta_max=1000.0, beta_rate=0.0, free_nats=0.0, history_hidden=0.0),
    )
    said = watch(experiment, data, tmp_path / "run").said
    assert said.count("Posterior collapse") == 1
    assert "Posterior collapse at step 40" in said
    assert "of 8 dimensions" in said
    assert "--set objective.free_nats=8 --set objective.beta_max=500" in said
    assert "--set objective.history_hidden=0.2" in said


def test_the_collapse_alarm_is_silent_while_the_latent_is_used(
    watch, make_experiment, data, tmp_path
):
    experiment = make_experiment(steps=60, validate_every=20, learning_rate=0.03)
    said = watch(experiment, data, tmp_path / "run").said
    assert "step 60 of 60" in said
    assert "collapse" not in said


def test_the_collapse_alarm_is_not_repeated_after_a_resume(
    watch, interrupt, make_experiment, data, tmp_path
):
    experiment = replace(
        make_experiment(steps=100, validate_every=20, learning_rate=0.03),
        objective=Objective(beta_max=1000.0, beta_rate=0.0, free_nats=0.0, history_hidden=0.0),
    )
    before = watch(experiment, data, tmp_path / "run", end=interrupt(45, signal.SIGINT))
    assert "Posterior collapse at step 40" in before.said
    assert "Posterior collapse" not in watch(experiment, data, tmp_path / "run", resume=True).said


class Devices(lightning.Trainer):
    """As much of a trainer as `CleanStop` looks at; another process was interrupted or not."""

    # In the place of the trainer's own properties.
    world_size = strategy = None
    max_steps, global_step = 1000, 0
    should_stop, limit_val_batches = False, 1

    def __init__(self, world_size, *, other_was_interrupted):
        self.world_size, self.strategy = world_size, self
        self.asked_at = []
        self._other = other_was_interrupted

    def reduce_boolean_decision(self, decision, *, all):  # noqa: A002 (Lightning's name)
        assert all is False
        self.asked_at.append(self.global_step)
        return decision or self._other

    def take_steps(self, callback, last):
        module = lightning.LightningModule()
        while self.global_step < last and not self.should_stop:
            self.global_step += 1
            callback.on_train_batch_end(self, module, None, None, 0)


@pytest.mark.parametrize("other_was_interrupted", [False, True])
def test_many_devices_ask_each_other_only_now_and_then(other_was_interrupted):
    devices = Devices(2, other_was_interrupted=other_was_interrupted)
    stop = CleanStop(Console(file=io.StringIO()), validate_every=20)
    devices.take_steps(stop, 120)
    assert devices.asked_at == ([50] if other_was_interrupted else [50, 100])
    assert devices.should_stop is other_was_interrupted
    assert devices.limit_val_batches == (0 if other_was_interrupted else 1)


def test_one_device_asks_nobody():
    devices = Devices(1, other_was_interrupted=False)
    devices.take_steps(CleanStop(Console(file=io.StringIO()), validate_every=20), 120)
    assert devices.asked_at == []


def test_a_loss_that_is_no_number_ends_the_run_and_keeps_the_last_good_checkpoint(
    watch, interrupt, make_experiment, data, tmp_path
):
    out = tmp_path / "run"
    watch(make_experiment(), data, out, end=interrupt(9, signal.SIGINT))
    path = checkpoint_path(out, "last")
    checkpoint = read_checkpoint(path)
    checkpoint["current_model_state"]["model.posterior.bias"][0] = torch.nan
    torch.save(checkpoint, path)
    before = path.read_bytes()
    with pytest.raises(TrainingError, match=r"nan nats at step 16; .*lower `training.learning_"):
        watch(make_experiment(), data, out, resume=True)
    assert path.read_bytes() == before


def test_between_validations_the_loss_is_looked_at_too(
    watch, interrupt, make_experiment, data, tmp_path
):
    experiment, out = make_experiment(steps=100, validate_every=90), tmp_path / "run"
    watch(experiment, data, out, end=interrupt(2, signal.SIGINT))
    path = checkpoint_path(out, "last")
    checkpoint = read_checkpoint(path)
    checkpoint["current_model_state"]["model.posterior.bias"][0] = torch.nan
    torch.save(checkpoint, path)
    with pytest.raises(TrainingError, match=r"a loss of nan nats at step 50"):
        watch(experiment, data, out, resume=True)


def test_a_second_signal_ends_the_run_at_once(watch, make_experiment, data, tmp_path):
    def end(step):
        if step == 5:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)

    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(SystemExit):
        watch(make_experiment(), data, tmp_path / "run", end=end)
    signal.signal(signal.SIGINT, handler)  # Lightning ignores the signal from then on
    assert not checkpoint_path(tmp_path / "run", "last").exists()
