"""Runs over chords that start from runs without chords."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from hand_made import table_of, write_set

from musicvae import bundle
from musicvae.bundle.export import export
from musicvae.evaluation.evaluate import Sizes
from musicvae.experiment.build import build_model, build_prior
from musicvae.experiment.experiment import TrainingConfig, overlay
from musicvae.experiment.presets import get_preset
from musicvae.generation.engine import Engine
from musicvae.generation.requests import SampleRequest
from musicvae.model.conditions import to_batch
from musicvae.music.chords import QUALITIES
from musicvae.representation import Trio
from musicvae.training.record import MODEL, PRIOR, load_run

pytestmark = pytest.mark.filterwarnings("ignore")  # Lightning's advice
SIZES = Sizes(reconstructed=4, bounded=2, bound_draws=2, pairs=2, shifted=2, draws=4, compared=4)
BARE, OVER_CHORDS = Trio(bars=2), Trio(bars=2, chords=True)


def music(representation, count):
    random = np.random.default_rng(8)
    columns = [
        random.integers(3, size=(count, 32)) * (size // 3)
        for size in representation.vocabulary_sizes
    ]
    if representation.chords:
        roots = random.choice([0, 5, 7], size=(count, 4)).repeat(8, axis=1)
        roots[:, :8], roots[:, -8:] = 0, 0
        columns[3:] = 1 + len(QUALITIES) * roots, np.zeros_like(roots)
    return np.stack(columns, axis=-1).astype(np.int16)


@pytest.fixture(scope="module")
def start(watch, tmp_path_factory):
    """Runs a part for trios, over chords from the weights of the run without."""
    folder = tmp_path_factory.mktemp("trios")

    @cache
    def run(representation, part):
        origin = run(BARE, part)[0].origin if representation.chords else None
        preset = get_preset("trio-16bar-tiny")
        training = TrainingConfig(
            steps=2, batch_size=4, learning_rate=1e-9, validate_every=1, validation_examples=4
        )
        experiment = replace(
            preset,
            representation=representation,
            model=replace(preset.model, encoder_size=8, decoder_size=8, conductor_size=8),
            prior=replace(preset.prior, lags=(1,), hidden_size=8),
            training=training,
            prior_training=training,
        )
        name = f"{part}-{representation.chords}"
        data = folder / f"{name}-data"
        sizes = {"train": 8, "validation": 4, "test": 4}
        tables = {
            split: table_of(
                music(representation, count), tonic=[0] * count, is_minor=[False] * count
            )
            for split, count in sizes.items()
        }
        write_set(data, representation, tables)
        watched = watch(experiment, data, folder / name, part=part, start_from=origin)
        return load_run(folder / name), watched.said

    return run


@pytest.mark.parametrize("part", [MODEL, PRIOR])
def test_new_chords_change_nothing_at_first(start, part):
    before, _ = start(BARE, part)
    after, said = start(OVER_CHORDS, part)
    assert "of the weights are those of trio-16bar-tiny" in said
    batches = [
        to_batch(BARE, music(OVER_CHORDS, 4)[..., :3]),
        to_batch(OVER_CHORDS, music(OVER_CHORDS, 4)),
        to_batch(OVER_CHORDS, np.roll(music(OVER_CHORDS, 4), 5, axis=0)),
    ]
    batches[2] = replace(batches[1], conditions=batches[2].conditions)
    build = build_model if part == MODEL else build_prior
    found = []
    for run, batch in zip((before, after, after), batches, strict=True):
        part_of_run = build(run.experiment)
        part_of_run.load_state_dict(run.weights)
        part_of_run.eval()
        if part == PRIOR:
            found.append(part_of_run.log_prob(batch.events, batch.conditions))
        else:
            z = part_of_run.encode(batch).mean
            distribution = part_of_run.decode(z, batch.conditions)
            found.append(distribution.log_prob(batch.events))
    torch.testing.assert_close(found[0], found[1], rtol=1e-5, atol=1e-3)
    torch.testing.assert_close(found[1], found[2], rtol=1e-5, atol=1e-3)


def test_a_bundle_keeps_progressions_and_draws_from_them(start, tmp_path):
    model, prior = (start(OVER_CHORDS, part)[0] for part in (MODEL, PRIOR))
    export(model, tmp_path / "bundle", prior=prior, sizes=SIZES)
    loaded = bundle.load(tmp_path / "bundle")
    assert len(loaded.networks.draws.progressions) >= 1
    clips = list(Engine([loaded]).sample(SampleRequest(count=3, seed=1)))
    assert all(chord.quality == "maj" for clip in clips for chord in clip.notes.chords)


def test_chords_are_a_setting_of_trios():
    preset = get_preset("trio-16bar")
    for value in (True, False):
        changed = overlay(preset, settings=[f"representation.chords={str(value).lower()}"])
        assert changed.representation == Trio(bars=16, chords=value)


def test_a_table_of_other_streams_is_not_taken():
    table = build_prior(get_preset("trio-16bar-tiny")).embedding
    before = table.events.weight.clone()
    assert table.take_events(torch.zeros(7, before.shape[1])) == 0
    assert torch.equal(before, table.events.weight)
