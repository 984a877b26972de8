import json
from dataclasses import asdict
from functools import partial

import numpy as np
import pytest

from musicvae.evaluation.lines import lines_of
from musicvae.evaluation.note_table import OF_PITCHES
from musicvae.evaluation.prior_samples import (
    HELD_OUT,
    TRAINING,
    compare_prior_samples,
    draw_new,
    set_name,
)
from musicvae.model.latent.flow_prior import FlowPrior
from musicvae.representation import Melody


def compare(drawn, held_out, training, representation=None):
    representation = representation or Melody()
    half = len(training) // 2
    compared = compare_prior_samples(
        representation, {1.0: drawn}, held_out, training[half:], training[:half]
    )
    return compared.at[0]


def play(model, count):
    like = np.zeros((count, 32, 1), np.int16)
    return draw_new(model, FlowPrior(8), Melody(), like, seed=0, temperature=1.0)


def test_a_model_of_silence_is_found_out(make_stubborn, melodies):
    found = compare(play(make_stubborn(0), 10), melodies(20, seed=0), melodies(20, seed=1))
    assert (found.flaws.empty, found.flaws.single_pitch) == (1.0, 0.0)
    assert (found.held_out_flaws.empty, found.held_out_flaws.single_pitch) == (0.0, 0.0)
    pitch = found.measures["melody"]["pitch"]
    assert (pitch.overlap, pitch.training_overlap, pitch.draws_mean) == (0.0, 0.0, None)
    assert 40 < pitch.held_out_mean < 80
    notes = found.measures["melody"]["notes"]
    assert (notes.overlap, notes.draws_mean) == (0.0, 0.0)
    json.dumps(asdict(found), allow_nan=False)


def test_a_model_of_one_note_is_found_out(make_stubborn, melodies):
    found = compare(play(make_stubborn(41), 10), melodies(20, seed=0), melodies(20, seed=1))
    assert (found.flaws.empty, found.flaws.single_pitch) == (0.0, 1.0)
    assert found.measures["melody"]["notes"].draws_mean == 32
    assert found.measures["melody"]["pitch"].draws_mean == 60


def test_a_model_that_plays_the_data_overlaps_with_them(make_stubborn):
    events = np.full((4, 32, 1), 41, np.int16)
    found = compare(play(make_stubborn(41), 4), events, events)
    for comparison in found.measures["melody"].values():
        assert comparison.overlap == comparison.training_overlap == 1
        assert comparison.ceiling == comparison.training_ceiling == 1
        assert comparison.divergence_nats == comparison.training_divergence_nats == 0
    assert found.held_out_flaws.single_pitch == 1.0


def test_the_ceiling_is_what_the_training_split_reaches(melodies):
    # The held-out tunes are in another key than those of the training split.
    training = melodies(400, seed=0)
    held_out = np.where(melodies(200, seed=1) >= 2, melodies(200, seed=1) + 20, 0)
    found = compare(training[:100], held_out.astype(np.int16), training).measures["melody"]
    assert found["pitch"].ceiling < 0.3
    assert found["pitch"].overlap == pytest.approx(found["pitch"].ceiling, abs=0.05)
    assert found["pitch"].training_ceiling > 0.85
    assert found["inter_onset"].ceiling > 0.9


def test_every_kind_is_compared(representation, make_events, make_model):
    events = [make_events(representation, 8, seed) for seed in range(3)]
    model = make_model(representation)
    drawn = {
        temperature: draw_new(
            model, FlowPrior(8), representation, events[0], seed=0, temperature=temperature
        )
        for temperature in (1.0, 0.5)
    }
    compared = compare_prior_samples(representation, drawn, *events)
    assert [each.temperature for each in compared.at] == [1.0, 0.5]
    assert [each.draws for each in compared.at] == [8, 8]
    lines = lines_of(representation)
    assert list(compared.histograms) == [line.name for line in lines]
    has_melody = any(line.is_pitched for line in lines)
    for found in compared.at:
        assert (found.flaws.single_pitch is not None) == has_melody
        for by_measure in found.measures.values():
            assert all(0 <= each.overlap <= 1 for each in by_measure.values())
    for by_measure in compared.histograms.values():
        for histogram in by_measure.values():
            assert {HELD_OUT, TRAINING, set_name(1.0), set_name(0.5)} <= set(histogram.counts)
    json.dumps(asdict(compared), allow_nan=False)


def test_the_seed_decides_the_draws(make_model):
    like = np.zeros((20, 32, 1), np.int16)
    play_all = partial(draw_new, make_model(Melody()), FlowPrior(8), Melody(), temperature=1.0)
    first, again, other = (play_all(like, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert np.array_equal(play_all(like[:5], seed=1), first[:5])


def test_the_measures_are_those_of_the_line():
    events = np.full((4, 32, 1), 41, np.int16)
    assert list(compare(events, events, events).measures["melody"]) == list(OF_PITCHES)
