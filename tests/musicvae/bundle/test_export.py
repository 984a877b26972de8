import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from musicvae import bundle
from musicvae.bundle.attribute_vectors import fit_vectors
from musicvae.bundle.export import export
from musicvae.bundle.modules import modules_of
from musicvae.data import shards
from musicvae.data.manifest import load_manifest
from musicvae.errors import BundleError, DataError
from musicvae.evaluation.decoding import encode
from musicvae.evaluation.evaluate import Sizes
from musicvae.evaluation.record import to_facts
from musicvae.experiment.build import build_model
from musicvae.music.attributes import ATTRIBUTES
from musicvae.training import Run
from musicvae.training.record import MODEL


@pytest.fixture(scope="module")
def run(make_experiment, data):
    """A run read back, of a model that has learnt nothing."""
    experiment = make_experiment()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        weights = {name: 3 * each for name, each in build_model(experiment).state_dict().items()}
    return Run(
        experiment=experiment,
        seed=7,
        data=data,
        content_hash=load_manifest(data).content_hash,
        step=20,
        examples_seen=160,
        further_sets=(),
        start=None,
        part=MODEL,
        weights=weights,
    )


SIZES = Sizes(bounded=4, bound_draws=3, pairs=6, shifted=4, draws=16, compared=16)
"""Enough to measure, too little to know."""


@pytest.fixture(scope="module")
def exported(run, tmp_path_factory):
    out = tmp_path_factory.mktemp("exported") / "bundle"
    return out, export(run, out, sizes=SIZES)


def test_the_bundle_has_the_runs_weights(run, exported):
    loaded = bundle.load(exported[0])
    assert loaded.name == "tiny"
    assert loaded.experiment == run.experiment
    for name, values in loaded.weights.items():
        assert np.array_equal(values, run.weights[name].half().numpy())


def test_attribute_vectors_are_fitted_from_the_training_data(exported, data):
    loaded = bundle.load(exported[0])
    events = shards.load(data, "train").events
    means = encode(modules_of(loaded).model, loaded.representation, events).mean.numpy()
    music = [
        loaded.representation.kind.measure(loaded.representation.to_notes(each)) for each in events
    ]
    values = {name: np.array([each[name] for each in music]) for name in ATTRIBUTES}
    expected = fit_vectors(means, values)
    assert loaded.attribute_vectors.keys() == ATTRIBUTES.keys()
    for name, vector in loaded.attribute_vectors.items():
        assert np.allclose(vector, expected[name], atol=2e-3)
    assert np.linalg.norm(loaded.attribute_vectors["note_density"]) > 0.01


def test_the_measures_are_of_the_test_split_and_of_the_weights_as_shipped(exported):
    out, evaluation = exported
    assert evaluation.split == "test"
    assert evaluation.reconstruction.examples == 20
    facts = json.loads((out / "config.json").read_text())["facts"]
    assert facts["evaluation"] == to_facts(evaluation)
    assert facts["seed"] == 7
    assert facts["weights"] == sum(each.size for each in exported_weights(out).values())


def exported_weights(out):
    return bundle.load(out).weights


def test_the_config_is_strict_json(exported):
    def refuse(name):
        raise AssertionError(name)

    json.loads((exported[0] / "config.json").read_text(), parse_constant=refuse)


def test_without_a_test_split_it_measures_the_validation_split(run, make_data, tmp_path):
    data = make_data(tmp_path / "data", {"train": 10, "validation": 6})
    content_hash = load_manifest(data).content_hash
    there = replace(run, data=data, content_hash=content_hash)
    evaluation = export(there, tmp_path / "bundle", sizes=SIZES)
    assert (evaluation.split, evaluation.reconstruction.examples) == ("validation", 6)
    assert "the figures are somewhat too good" in (tmp_path / "bundle" / "README.md").read_text()


def test_the_card_says_what_it_is_and_what_it_saw(run, exported):
    card = bundle.load(exported[0]).card
    weights = sum(tensor.numel() for tensor in run.weights.values())
    for expected in (
        "# tiny\n",
        "2 bars of melody in\n4/4",
        f"{weights / 1e6:.1f} million weights",
        "seed 7",
        "20 optimiser steps",
        "160 examples seen",
        "| walks | none needed | 36 | 40 |",
        f"`{run.content_hash}`",
        "On the test split",
        "| active dimensions of the latent | ",
        "| `training.learning_rate` | 0.003 |",
        "| `representation.bars` | 2 |",
    ):
        assert expected in card
    assert "None" not in card.split("## Settings")[0]


def test_data_that_have_changed_are_refused(run, tmp_path):
    with pytest.raises(DataError, match=r"has changed since the run.*Prepare it again as it was"):
        export(replace(run, content_hash="0" * 64), tmp_path / "bundle", sizes=SIZES)
    with pytest.raises(DataError, match=r"no manifest.json"):
        export(replace(run, data=tmp_path), tmp_path / "bundle", sizes=SIZES)
    assert not (tmp_path / "bundle").exists()


def test_a_folder_with_something_else_is_left_alone(run, tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(BundleError, match=r"with something else in it"):
        export(run, tmp_path, sizes=SIZES)


def test_exporting_again_gives_the_same_bundle(run, exported, tmp_path):
    out, _ = exported
    export(run, tmp_path / "again", sizes=SIZES)
    for name in ("config.json", "model.safetensors", "prior.safetensors", "README.md"):
        assert (tmp_path / "again" / name).read_bytes() == (out / name).read_bytes()
