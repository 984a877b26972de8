from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from musicvae.data import shards
from musicvae.data.batches import TrainingSet, training_data
from musicvae.data.manifest import load_manifest
from musicvae.data.shards import ExampleSet
from musicvae.errors import DataError, TrainingError
from musicvae.experiment.presets import melody_16bar
from musicvae.representation import Drums, Melody
from musicvae.runtime.model_config import ModelConfig
from musicvae.training.preflight import check_count, check_learning, check_representation


def stream_of(experiment, events):
    examples = ExampleSet(events=events, table=pa.table({}))
    one = TrainingSet(
        representation=experiment.representation, examples=examples, validation=examples
    )
    return training_data(experiment, [one], seed=0).sets(0, 1)[0]


@pytest.mark.parametrize("bars", [1, 2])
def test_data_of_its_kind_pass_and_longer_ones_too(data, bars):
    check_representation(Melody(bars=bars), load_manifest(data))


@pytest.mark.parametrize(
    "representation", [Melody(bars=4), Melody(bars=2, steps_per_quarter=12), Drums(bars=2)]
)
def test_data_of_another_kind_are_refused(data, representation):
    with pytest.raises(
        DataError, match=r"melody with bars 2, .*expected .* with bars \d, .*Prepare the data again"
    ):
        check_representation(representation, load_manifest(data))


def test_too_few_examples_are_counted(data):
    events = shards.load(data, "train").events
    check_count(events, 40, split="train")
    with pytest.raises(DataError, match=r"40 examples in the split 'train'; expected at least 41"):
        check_count(events, 41, split="train")


def test_a_model_that_learns_passes(make_experiment, melodies):
    experiment = make_experiment()
    check_learning(experiment, stream_of(experiment, melodies(20, seed=0)), seed=0)


def test_a_hierarchical_model_passes(make_experiment, melodies):
    experiment = replace(
        make_experiment(),
        representation=melody_16bar().representation,
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
    )
    events = melodies(8, seed=0, length_steps=256)
    check_learning(experiment, stream_of(experiment, events), seed=0)


def test_a_learning_rate_that_blows_up_is_found_at_once(make_experiment, melodies):
    experiment = make_experiment(learning_rate=1e9)
    with pytest.raises(TrainingError, match=r"lower `training.learning_rate` of 1e[+]09"):
        check_learning(experiment, stream_of(experiment, melodies(20, seed=0)), seed=0)


def test_a_model_too_narrow_for_its_data_is_found(make_experiment):
    # Noise, which can only be learnt by heart, and one number to do it with.
    events = np.random.default_rng(0).integers(0, 90, (64, 32, 1)).astype(np.int16)
    experiment = replace(
        make_experiment(batch_size=64, most_semitones=0),
        model=ModelConfig(
            latent_size=1, event_size=1, position_size=1, encoder_size=1, decoder_size=1
        ),
    )
    with pytest.raises(TrainingError, match=r"on one batch; expected a fall of at least 10%"):
        check_learning(experiment, stream_of(experiment, events), seed=0)
