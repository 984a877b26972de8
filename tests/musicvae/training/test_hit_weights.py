from dataclasses import replace

import numpy as np
import pytest
import torch
from hand_made import table_of, write_set

from musicvae.data.manifest import Source
from musicvae.experiment.build import build_model
from musicvae.experiment.presets import get_preset, tiny
from musicvae.model.conditions import to_batch
from musicvae.representation import Groove, Melody
from musicvae.training.hit_weights import weigh_events, weigh_hits

STREAMS = Groove().streams


def _grooves(count, *, tom_every):
    """Grooves with a hi-hat at each step, and a high tom in one of `tom_every` grooves."""
    events = np.zeros((count, 32, 27), np.int16)
    events[..., 18:] = 512
    events[..., 2] = 1
    events[::tom_every, 0, 6] = 1
    return events


def test_a_hit_weighs_as_the_power_of_its_rarity():
    weights = weigh_hits(_grooves(8, tom_every=2), STREAMS, power=0.25)
    assert weights[2] == 1
    assert weights[6] == pytest.approx((8 * 32 / 4) ** 0.25)


def test_a_weight_is_bounded_and_drums_without_hits_and_numbers_weigh_one():
    weights = weigh_hits(_grooves(8, tom_every=8), STREAMS, power=1.0)
    assert weights[6] == 12
    assert (np.delete(weights.numpy(), 6) == 1).all()


def test_many_examples_weigh_as_their_parts_together():
    events = _grooves(5000, tom_every=7)
    assert weigh_hits(events, STREAMS, power=0.5)[6] == pytest.approx(
        min(12, (5000 * 32 / np.count_nonzero(events[..., 6])) ** 0.5)
    )


def test_melodies_have_no_hits_to_weigh():
    assert not any(stream.size == 2 for stream in Melody().streams)


def test_only_hits_take_the_weight_of_their_stream():
    events = torch.tensor([[[0, 1, 0], [1, 0, 0]]])
    weights = weigh_events(events, torch.tensor([2.0, 3.0, 1.0]))
    assert weights.tolist() == [[[1, 3, 1], [2, 1, 1]]]


def test_weights_multiply_the_likelihood_of_each_event():
    experiment = tiny(get_preset("groove-2bar"))
    model, batch = build_model(experiment), to_batch(Groove(), _grooves(4, tom_every=1))
    decoded = model.decode(model.encode(batch).mean, batch.conditions)
    plain = decoded.log_prob(batch.events)
    ones = torch.ones(batch.events.shape)
    assert torch.equal(decoded.log_prob(batch.events, weights=ones), plain)
    twice = decoded.log_prob(batch.events, weights=2 * ones)
    assert twice.tolist() == pytest.approx((2 * plain).tolist())


def test_a_run_weighs_the_hits_of_its_data(watch, tmp_path):
    preset = tiny(get_preset("groove-2bar"))
    training = replace(preset.training, steps=1, batch_size=16, recombined_share=0.0)
    plain = replace(preset.objective, rare_hit_power=0.0)
    experiment = replace(preset, training=training, objective=plain)
    tables = {
        split: table_of(_grooves(16, tom_every=16), piece=[split] * 16, source=["kit"] * 16)
        for split in ("train", "validation", "test")
    }
    source = Source(
        name="kit",
        licence="none needed",
        pieces=3,
        pieces_used=3,
        excerpts=dict.fromkeys(tables, 16),
    )
    data = tmp_path / "data"
    write_set(data, Groove(), tables, sources=[source])
    weighed = replace(experiment, objective=replace(plain, rare_hit_power=1.0))
    plain, more = (
        watch(each, data, tmp_path / name).losses[0]
        for name, each in (("plain", experiment), ("more", weighed))
    )
    assert plain < more
