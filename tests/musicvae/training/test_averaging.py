import pytest
import torch

from musicvae.training.averaging import AveragedWeights
from musicvae.training.checkpoints import checkpoint_path, read_checkpoint
from musicvae.training.module import TrainingModule


@pytest.mark.parametrize("power", [0.0, 2.0])
def test_the_weight_of_a_step_is_a_power_of_its_number(power):
    average = AveragedWeights(power)._kwargs["multi_avg_fn"]
    averaged = [torch.tensor([1.0])]  # after the first step
    for step in range(2, 21):
        average(averaged, [torch.tensor([float(step)])], step - 1)
    steps = torch.arange(1.0, 21.0)
    # t ** power up to terms of lower order: t * (t + 1) for the square.
    weights = torch.ones(20) if power == 0 else steps * (steps + 1)
    expected = (weights * steps).sum() / weights.sum()
    assert averaged[0].item() == pytest.approx(expected.item(), rel=1e-4)


def test_a_checkpoint_holds_the_average_and_the_weights_to_go_on_with(whole_run):
    saved = read_checkpoint(checkpoint_path(whole_run[0], "last"))
    assert saved["averaging_state"]["n_averaged"] == saved["global_step"]
    for name, averaged in saved["state_dict"].items():
        now = saved["current_model_state"][name]
        if averaged.is_floating_point():
            assert not torch.equal(averaged, now), name
            assert (averaged - now).abs().max() < 0.2


def test_what_is_validated_is_the_average(watch, make_experiment, data, tmp_path, monkeypatch):
    seen = {}
    validate = TrainingModule.validation_step

    def look(self, events, index):
        validate(self, events, index)
        seen[self.global_step] = self.state_dict()["model.posterior.weight"].clone()

    monkeypatch.setattr(TrainingModule, "validation_step", look)
    watch(make_experiment(steps=8), data, tmp_path / "run")
    saved = read_checkpoint(checkpoint_path(tmp_path / "run", "last"))
    assert torch.equal(seen[8], saved["state_dict"]["model.posterior.weight"])
