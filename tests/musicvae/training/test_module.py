import json

import lightning
import numpy as np
import pytest
import torch

from musicvae.data.mix import OneBatch
from musicvae.evaluation.reconstruction import reconstruct
from musicvae.experiment.build import build_model
from musicvae.experiment.experiment import from_dict
from musicvae.model.conditions import to_batch
from musicvae.representation import Melody
from musicvae.training.module import TrainingModule, learning_rate_share


def test_the_seed_decides_the_weights_and_leaves_the_global_state(make_experiment):
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    first = TrainingModule(make_experiment(), seed=1)
    assert torch.equal(torch.rand(3), expected)
    again, other = (TrainingModule(make_experiment(), seed=seed) for seed in (1, 2))
    name = "model.posterior.weight"
    assert torch.equal(first.state_dict()[name], again.state_dict()[name])
    assert not torch.equal(first.state_dict()[name], other.state_dict()[name])


def test_its_weights_are_the_models_by_a_prefix(make_experiment):
    module = TrainingModule(make_experiment(), seed=0)
    names = {f"model.{name}" for name in build_model(make_experiment()).state_dict()}
    assert set(module.state_dict()) == names


def test_the_rate_rises_stays_level_and_falls_with_the_root_of_the_steps(make_experiment):
    config = make_experiment(warmup_steps=10, level_steps=20).training
    shares = [learning_rate_share(config, step) for step in (*range(21), 80, 2000)]
    assert shares[:10] == pytest.approx(np.arange(1, 11) / 10)
    assert shares[10:21] == [1.0] * 11
    assert shares[21:] == pytest.approx([0.5, 0.1])


def test_the_rate_does_not_depend_on_where_the_run_ends(make_experiment):
    short, long = (make_experiment(steps=steps, level_steps=4).training for steps in (10, 1000))
    assert [learning_rate_share(short, step) for step in range(12)] == [
        learning_rate_share(long, step) for step in range(12)
    ]


def test_the_rate_without_a_warm_up_starts_at_its_highest(make_experiment):
    config = make_experiment(warmup_steps=0, level_steps=1).training
    assert [learning_rate_share(config, step) for step in (0, 4)] == [1, 0.5]


def test_a_checkpoint_says_what_its_weights_belong_to(make_experiment):
    checkpoint = {}
    TrainingModule(make_experiment(), seed=5).on_save_checkpoint(checkpoint)
    assert from_dict(json.loads(json.dumps(checkpoint["experiment"]))) == make_experiment()
    assert checkpoint["seed"] == 5


def test_the_noise_of_a_step_depends_on_seed_step_and_rank_alone(make_experiment, monkeypatch):
    def noise(seed, step, rank=0):
        module = TrainingModule(make_experiment(), seed=seed)
        monkeypatch.setattr(TrainingModule, "global_rank", rank)
        return module.step_seed(step)

    assert noise(1, 3) == noise(1, 3)
    assert len({noise(*key) for key in ((1, 3), (2, 3), (1, 4), (1, 3, 1), (3, 1))}) == 5


@pytest.mark.filterwarnings("ignore")  # Lightning's advice
def test_a_validation_in_mixed_precision_gives_the_numbers_of_an_evaluation(
    make_experiment, melodies, tmp_path
):
    module, events = TrainingModule(make_experiment(), seed=3), melodies(20, seed=1)
    trainer = lightning.Trainer(
        accelerator="cpu",
        precision="bf16-mixed",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=tmp_path,
    )
    trainer.validate(module, OneBatch([to_batch(Melody(), events)]), verbose=False)
    assert module.last_reconstruction == reconstruct(module.model, Melody(), events, seed=3)
