"""Bundles whose weights another run begins with."""

import numpy as np
import pytest

from musicvae import bundle
from musicvae.bundle.origin import load_origin
from musicvae.errors import ModelNotFoundError, TrainingError
from musicvae.training.record import MODEL, PRIOR


@pytest.mark.parametrize("part", [MODEL, PRIOR])
def test_a_bundle_gives_the_weights_of_each_of_its_parts(part):
    whole = bundle.load("melody-2bar")
    origin = load_origin("melody-2bar", part)
    own = whole.weights if part == MODEL else whole.prior_weights
    assert origin.part == part and origin.name == "melody-2bar"
    assert origin.weights.keys() == own.keys()
    assert all(np.array_equal(each, own[name]) for name, each in origin.weights.items())


def test_the_examples_of_all_earlier_runs_count():
    facts = bundle.load("melody-2bar").facts
    seen = facts["examples_seen"] + facts["start"]["examples_seen"]
    assert load_origin("melody-2bar", MODEL).examples_seen == seen


def test_the_sources_of_all_earlier_runs_are_told():
    facts = bundle.load("melody-2bar").facts
    names = {each["name"] for each in facts["sources"]}
    assert {each["name"] for each in load_origin("melody-2bar", MODEL).sources} >= names


def test_a_bundle_without_a_prior_over_events_starts_no_prior():
    with pytest.raises(TrainingError, match="groove-2bar, which has no prior over events"):
        load_origin("groove-2bar", PRIOR)


def test_neither_a_run_nor_a_bundle_starts_nothing(tmp_path):
    with pytest.raises(ModelNotFoundError, match="no bundle"):
        load_origin(tmp_path, MODEL)
