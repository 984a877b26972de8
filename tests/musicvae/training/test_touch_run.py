"""A run that trains touch, and bundles that play with it."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hand_made import table_of, write_set

from musicvae import bundle
from musicvae.bundle.modules import modules_of
from musicvae.bundle.touch import add_touch, with_section
from musicvae.data import shards
from musicvae.data.lines import PlayedLines
from musicvae.data.manifest import Source
from musicvae.errors import BundleError, DataError, TrainingError
from musicvae.evaluation.touch import measure_touch
from musicvae.experiment.experiment import TrainingConfig
from musicvae.generation.engine import Engine
from musicvae.generation.requests import SampleRequest
from musicvae.representation import Melody
from musicvae.representation.melody import FIRST_PITCH_EVENT
from musicvae.training import load_run
from musicvae.training.checkpoints import LAST, checkpoint_path
from musicvae.training.record import TOUCH

pytestmark = pytest.mark.filterwarnings("ignore")  # Lightning's advice
SPLITS = {"train": 64, "validation": 16, "test": 16}


@pytest.fixture(scope="module")
def experiment(make_experiment):
    return replace(
        make_experiment(),
        touch_training=TrainingConfig(
            steps=60, batch_size=16, learning_rate=1e-2, warmup_steps=5, validate_every=25,
            validation_examples=16,
        ),
    )  # fmt: skip


@pytest.fixture(scope="module")
def played(tmp_path_factory, melodies):
    """Melodies whose higher notes are louder; every fourth has no dynamics."""
    tables = {}
    for number, (name, count) in enumerate(SPLITS.items()):
        events = melodies(count, seed=number)
        velocities = np.where(events >= FIRST_PITCH_EVENT, 2 * events - 30, 0)[..., 0]
        velocities[::4] = 0
        tables[name] = table_of(
            events,
            velocities=velocities.clip(0, 127),
            piece=[f"{name}-{row}" for row in range(count)],
            source=["walks"] * count,
        )
    folder = tmp_path_factory.mktemp("played") / "walks"
    walks = Source(name="walks", licence="CC0", pieces=96, pieces_used=96, excerpts=SPLITS)
    write_set(folder, Melody(bars=2), tables, sources=[walks])
    return folder


@pytest.fixture(scope="module")
def touch_run(watch, experiment, played, tmp_path_factory):
    out = tmp_path_factory.mktemp("touch") / "run"
    return out, watch(experiment, data=played, out=out, part=TOUCH)


@pytest.fixture(scope="module")
def touched(touch_run, tmp_path_factory, make_bundle):
    old = make_bundle(tmp_path_factory.mktemp("plain") / "tiny")
    out = tmp_path_factory.mktemp("touched") / "tiny"
    add_touch(old, load_run(touch_run[0]), out)
    return old, bundle.load(out)


def test_touch_learns_from_the_excerpts_with_dynamics(touch_run):
    out, watched = touch_run
    assert watched.is_complete and watched.validations == [25, 50, 60]
    assert "48 examples" in watched.said
    assert watched.losses[59] < watched.losses[0] - 0.2
    assert load_run(out).part == TOUCH


def test_a_resumed_run_is_the_run_it_would_have_been(
    touch_run, watch, experiment, played, tmp_path
):
    half = replace(experiment, touch_training=replace(experiment.touch_training, steps=30))
    out = tmp_path / "run"
    watch(half, data=played, out=out, part=TOUCH)
    watch(experiment, data=played, out=out, part=TOUCH, resume=True)
    one, other = (
        torch.load(checkpoint_path(folder, LAST), weights_only=True)["state_dict"]
        for folder in (touch_run[0], out)
    )
    assert all(torch.equal(one[key], other[key]) for key in one)


def test_music_without_dynamics_is_refused(watch, experiment, data, tmp_path):
    with pytest.raises(DataError, match="no excerpt with dynamics"):
        watch(experiment, data=data, out=tmp_path / "run", part=TOUCH)


def test_touch_beats_both_rules(touched, played, experiment):
    training, held_out = (
        PlayedLines(shards.load(played, split), experiment.representation)
        for split in ("train", "test")
    )
    figures = measure_touch(modules_of(touched[1]).touch, training, held_out)
    mean, place, touch = (
        figures[name] for name in ("mean of the part", "place in the bar", "touch")
    )
    assert mean.correlation == 0 and touch.correlation > 0.7 > place.correlation
    assert touch.nats < mean.nats - 0.2
    assert touch.error < mean.error


def test_a_bundle_gets_touch_and_nothing_else_changes(touched):
    old, new = touched
    assert new.version != old.version
    for name, values in old.weights.items():
        assert np.array_equal(values, new.weights[name])
    assert new.card.count("## Touch") == with_section(new.card, new.facts).count("## Touch") == 1
    assert new.card.startswith(old.card.rstrip())
    request = SampleRequest(count=4, seed=5, temperature=1.0)
    for before, after in zip(*(Engine([each]).sample(request) for each in touched), strict=True):
        flat = tuple(replace(note, velocity=80) for note in after.notes.notes)
        assert flat == before.notes.notes
        assert after.attributes == before.attributes
        assert len({note.velocity for note in after.notes.notes}) > 1 or len(flat) < 4


def test_touch_of_drums_and_of_other_runs_is_refused(touch_run, family, tmp_path):
    run = load_run(touch_run[0])
    with pytest.raises(TrainingError, match="a model of melodies"):
        add_touch(family["drums-2bar"], run, tmp_path / "drums")
    with pytest.raises(TrainingError, match="train --touch"):
        add_touch(family["melody-2bar"], replace(run, part="model"), tmp_path / "melody")


def test_a_bundle_whose_touch_is_lost_is_damaged(touched, tmp_path):
    bundle.save(tmp_path / "lost", touched[1])
    (tmp_path / "lost" / "touch.safetensors").unlink()
    with pytest.raises(BundleError, match="not those of version"):
        bundle.load(tmp_path / "lost")


def test_the_sources_of_touch_are_sources_of_the_bundle(touched):
    _, new = touched
    (source,) = new.facts["touch"]["sources"]
    before, after = (Engine([each]).model("") for each in touched)
    assert (before.sources, [each.name for each in after.sources]) == ((), [source["name"]])
    assert after.size_bytes > before.size_bytes
    assert Engine([replace(new, facts={**new.facts, "sources": [source]})]).model("").sources == (
        after.sources
    )
