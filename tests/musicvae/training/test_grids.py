"""Runs on a data set for each grid: a meter, or a finer grid of the same meter."""

from dataclasses import replace

import pytest
import torch

from musicvae import bundle
from musicvae.bundle.export import export, load_prior
from musicvae.bundle.modules import modules_of
from musicvae.errors import DataError, SettingError, TrainingError
from musicvae.evaluation.evaluate import Sizes, evaluate
from musicvae.evaluation.record import to_facts
from musicvae.evaluation.subject import Subject, load_data
from musicvae.experiment.experiment import overlay
from musicvae.generation.engine import Engine
from musicvae.generation.requests import SampleRequest
from musicvae.music.notes import Meter, TimeGrid
from musicvae.training.record import PRIOR, load_run

pytestmark = pytest.mark.filterwarnings("ignore")  # Lightning's advice
THREE, BY_12 = TimeGrid(Meter(3, 4)), TimeGrid(Meter(), 12)
SIZES = Sizes(reconstructed=8, bounded=2, bound_draws=2, pairs=4, shifted=2, draws=8, compared=8)


@pytest.fixture(scope="module")
def further(make_data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("grids")
    sizes = {"train": 20, "validation": 8, "test": 8}
    return tuple(
        make_data(folder / str(number), sizes, grid=grid)
        for number, grid in enumerate((THREE, BY_12))
    )


@pytest.fixture(scope="module")
def run(watch, make_experiment, data, further, tmp_path_factory):
    out = tmp_path_factory.mktemp("run") / "whole"
    return out, watch(make_experiment(), data, out, further_data=further)


def test_a_run_learns_all_grids_and_validates_each(run, further):
    out, watched = run
    assert watched.is_complete
    assert "4/4: 40 examples, 41 of 100 steps" in watched.said
    assert "sampled accuracy" in watched.said and " · 4/4 by 12 0." in watched.said
    loaded = load_run(out)
    assert loaded.experiment.grids == (THREE, BY_12)
    assert [each.data for each in loaded.further_sets] == list(further)
    assert loaded.weights["encoder.embedding.positions.weight"].shape[0] == 16 + 12 + 48


def test_a_resumed_run_takes_the_steps_of_a_whole_one(
    run, watch, make_experiment, data, further, tmp_path
):
    _, whole = run
    out = tmp_path / "run"
    watch(make_experiment(steps=11), data, out, further_data=further)
    again = watch(make_experiment(), data, out, further_data=further, resume=True)
    assert {step: whole.losses[step] for step in again.losses} == again.losses
    with pytest.raises(TrainingError, match="other settings"):
        watch(make_experiment(), data, out, further_data=further[:1], resume=True)


def test_a_run_takes_over_a_model_of_fewer_grids(watch, make_experiment, data, further, tmp_path):
    experiment = make_experiment(steps=1, validate_every=1, learning_rate=1e-9)
    watch(experiment, data, tmp_path / "one")
    before = load_run(tmp_path / "one")
    out = tmp_path / "three"
    watched = watch(experiment, data, out, further_data=further, start_from=before.origin)
    assert "100% of the weights" not in watched.said
    after = load_run(out)
    assert 0.9 < after.start.share_taken < 1
    for name, tensor in before.weights.items():
        assert torch.allclose(after.weights[name][: len(tensor)], tensor, atol=1e-6), name


@pytest.fixture(scope="module")
def prior(watch, make_experiment, data, further, tmp_path_factory):
    experiment = make_experiment()
    experiment = replace(experiment, prior_training=experiment.training)
    out = tmp_path_factory.mktemp("prior") / "run"
    assert watch(experiment, data, out, further_data=further, part=PRIOR).is_complete
    return load_run(out)


def test_a_prior_learns_all_grids_and_their_keys(prior):
    assert prior.experiment.grids == (THREE, BY_12)
    assert prior.weights["key_weights"].shape == (3, 25)
    assert prior.weights["key_weights"].sum(1).tolist() == pytest.approx([1, 1, 1])


def test_a_bundle_plays_and_is_measured_on_all_grids(run, prior, further, tmp_path):
    model = load_run(run[0])
    with pytest.raises(TrainingError, match="in 4/4, 3/4, 4/4 by 12 without a prior"):
        export(model, tmp_path / "none", sizes=SIZES)
    export(model, tmp_path / "bundle", prior=prior, sizes=SIZES)
    loaded = bundle.load(tmp_path / "bundle")
    assert loaded.experiment.all_grids == (TimeGrid(), THREE, BY_12)
    assert set(loaded.facts["meters"]) == {"3/4", "4/4 by 12"}
    assert [each["excerpts"] for each in loaded.facts["further_sets"]] == [20, 20]
    (source,) = loaded.facts["sources"]
    assert source["excerpts"]["train"] == 80
    assert "in 4/4 or 3/4 or 4/4 by 12" in loaded.card.replace("\n", " ")
    assert "## In 3/4\n\nSampled accuracy 0." in loaded.card
    (clip,) = Engine([loaded]).sample(SampleRequest(seed=1, steps_per_quarter=12))
    assert clip.notes.grid == BY_12

    modules = modules_of(loaded)
    subject = Subject(
        name="tiny",
        version=None,
        experiment=loaded.experiment,
        model=modules.model,
        prior=modules.prior,
        attribute_vectors=loaded.attribute_vectors,
        steps=None,
        examples_seen=None,
    )
    music = load_data(further[0], "test")
    with pytest.raises(DataError, match="a data set of melody with bars 2, meter 3/4"):
        evaluate(subject, music, seed=0, sizes=SIZES)
    measured = evaluate(subject.on_grid(music.grid), music, seed=0, sizes=SIZES)
    assert to_facts(measured) == loaded.facts["meters"]["3/4"]


def test_a_prior_of_other_grids_is_refused(run, watch, make_experiment, data, tmp_path):
    experiment = make_experiment()
    experiment = replace(experiment, prior_training=experiment.training)
    watch(experiment, data, tmp_path / "prior", part=PRIOR)
    with pytest.raises(TrainingError, match=r"a prior of .*expected .* and 3/4 and 4/4 by 12"):
        load_prior(load_run(tmp_path / "prior"), load_run(run[0]).experiment)


def test_sets_on_one_grid_and_grids_without_sets_are_refused(
    watch, make_experiment, data, further, tmp_path
):
    experiment = make_experiment()
    with pytest.raises(DataError, match="data sets in 4/4, 3/4, 3/4; expected a data set for each"):
        watch(experiment, data, tmp_path / "a", further_data=further[:1] * 2)
    asked = overlay(experiment, settings=["grids=[3/4]"])
    with pytest.raises(SettingError, match="grids=3/4; expected none, as there is one data set"):
        watch(asked, data, tmp_path / "b")
