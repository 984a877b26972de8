import json
from dataclasses import asdict

import numpy as np
import pytest
import torch

from musicvae.evaluation import prior_samples
from musicvae.evaluation.prior_samples import (
    BATCH_SIZE,
    MEASURES,
    compare_prior_samples,
    overlap,
)
from musicvae.notes import Note, NoteSequence
from musicvae.representation import Melody


def array(*values):
    return np.array(values, dtype=float)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (array(1, 2, 3), array(3, 2, 1), 1.0),
        (array(1, 2), array(2, 3), 0.5),
        (array(1, 1, 1, 2), array(1, 2, 2, 2), 0.5),
        (array(1), array(7), 0.0),
        (array(60, 62, 64, 65), array(60), 0.25),
        (array(5, 5), array(5), 1.0),
    ],
)
def test_the_overlap_of_whole_numbers(a, b, expected):
    assert overlap(a, b, is_whole=True) == pytest.approx(expected)
    assert overlap(b, a, is_whole=True) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (array(0, 0.5, 1), array(1, 0.5, 0), 1.0),
        (array(0, 0), array(1, 1), 0.0),
        (array(0, 0, 0, 1), array(0, 1, 1, 1), 0.5),
        (array(0.3), array(0.3, 0.3), 1.0),
    ],
)
def test_the_overlap_of_fractions(a, b, expected):
    assert overlap(a, b, is_whole=False) == pytest.approx(expected)


def test_the_overlap_of_two_sets_from_one_distribution_is_high():
    random = np.random.default_rng(0)
    a, b = random.normal(60, 5, (2, 5000)).round()
    assert overlap(a, b, is_whole=True) > 0.95
    assert 0.3 < overlap(a, b + 5, is_whole=True) < 0.7


TUNE = NoteSequence(
    notes=(Note(0, 60, 4), Note(4, 64, 6), Note(7, 62, 8), Note(16, 72, 32)), length_steps=32
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("notes", [4]),
        ("pitch", [60, 64, 62, 72]),
        ("pitch_class", [0, 4, 2, 0]),
        ("pitch_range", [12]),
        ("interval", [4, 2, 10]),
        ("duration_steps", [4, 2, 1, 16]),
        ("inter_onset_steps", [4, 3, 9]),
        ("on_beat_share", [0.75]),
    ],
)
def test_the_measures_of_a_known_tune(name, expected):
    assert MEASURES[name](TUNE) == expected


def test_silence_has_nothing_to_measure_but_its_count():
    silence = NoteSequence(notes=(), length_steps=32)
    measured = {name: measure(silence) for name, measure in MEASURES.items()}
    assert measured.pop("notes") == [0]
    assert not any(measured.values())


def test_every_measure_is_tested():
    assert len(MEASURES) == 8


def compare(model, events, **settings):
    return compare_prior_samples(model, Melody(), events, seed=0, **{"draws": 10, **settings})


def test_a_model_of_silence_is_found_out(make_stubborn, melodies):
    measured = compare(make_stubborn(0), melodies(20, seed=0))
    assert (measured.empty, measured.single_pitch) == (1.0, 0.0)
    assert (measured.empty_in_data, measured.single_pitch_in_data) == (0.0, 0.0)
    pitch = measured.measures["pitch"]
    assert (pitch.overlap, pitch.draws_mean) == (0.0, None)
    assert 40 < pitch.data_mean < 80
    notes = measured.measures["notes"]
    assert (notes.overlap, notes.draws_mean) == (0.0, 0.0)
    json.dumps(asdict(measured), allow_nan=False)


def test_a_model_of_one_note_is_found_out(make_stubborn, melodies):
    measured = compare(make_stubborn(41), melodies(20, seed=0))
    assert (measured.empty, measured.single_pitch) == (0.0, 1.0)
    assert measured.measures["notes"].draws_mean == 32
    assert measured.measures["pitch"].draws_mean == 60


def test_a_model_that_plays_the_data_overlaps_with_them(make_stubborn):
    events = np.full((4, 32, 1), 41, np.int16)
    measured = compare(make_stubborn(41), events)
    assert {name: each.overlap for name, each in measured.measures.items()} == dict.fromkeys(
        MEASURES, 1.0
    )
    assert measured.single_pitch_in_data == 1.0


def test_draws_come_in_batches_without_gradients(make_stubborn, melodies):
    model = make_stubborn(41)
    seen = []
    hook = model.decoder.register_forward_pre_hook(
        lambda _, inputs: seen.append((len(inputs[0]), torch.is_inference_mode_enabled()))
    )
    measured = compare(model, melodies(5, seed=0), draws=2 * BATCH_SIZE + 3)
    hook.remove()
    assert seen == [(BATCH_SIZE, True), (BATCH_SIZE, True), (3, True)]
    assert measured.draws == 2 * BATCH_SIZE + 3
    assert measured.measures["notes"].draws_mean == 32


def test_a_draw_is_the_same_in_any_batch(make_bundle, melodies, tmp_path, monkeypatch):
    model = make_bundle(tmp_path / "bundle").model
    whole = compare(model, melodies(20, seed=0), draws=20)
    monkeypatch.setattr(prior_samples, "BATCH_SIZE", 7)
    assert compare(model, melodies(20, seed=0), draws=20) == whole


def test_the_seed_decides_the_draws(make_bundle, melodies, tmp_path):
    model = make_bundle(tmp_path / "bundle").model
    first, again, other = (
        compare_prior_samples(model, Melody(), melodies(20, seed=0), seed=seed, draws=20)
        for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other
    assert first.draws == 20
