"""Models of many shapes in ONNX Runtime and in torch."""

import pytest
import torch

from musicvae.bundle.modules import weights_of
from musicvae.model.conditions import join_streams, split_streams
from musicvae.music.notes import Meter, TimeGrid
from musicvae.representation.streams import Stream
from musicvae.runtime.decoding import UNKNOWN
from musicvae.runtime.networks import Networks

STREAMS = (
    Stream(name="hit", size=5),
    Stream(name="kind", size=4),
    Stream(name="loudness", size=9, is_number=True, gate=0),
    Stream(name="chord", size=7, is_condition=True),
)
GRIDS = {TimeGrid(): 16, TimeGrid(Meter(7, 8)): 14, TimeGrid(Meter(), 12): 48}
SHAPES = {
    "flat": {"latent": "gaussian", "bars": 2},
    "hierarchical": {"latent": "bars", "bars": 3},
    "deep": {
        "latent": "bars", "bars": 2, "encoder_layers": 2, "conductor_layers": 3, "decoder_layers": 1
    },
    "with a decoder for each stream": {"latent": "gaussian", "has_decoder_per_stream": True},
}  # fmt: skip


def networks_of(model, bars):
    return Networks(
        weights_of(model),
        {},
        {},
        config=model.config,
        prior_config=None,
        streams=STREAMS,
        bars=bars,
        steps_per_bar=GRIDS,
    )


@pytest.mark.parametrize("grid", GRIDS, ids=str)
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_both_runtimes_encode_and_draw_the_same(make_model, make_events, make_z, shape, grid):
    shape = {"bars": 2, **shape}
    further = dict(list(GRIDS.items())[1:])
    model = make_model(streams=STREAMS, further_grids=further, **shape)
    model.requires_grad_(requires_grad=False)
    networks = networks_of(model, shape["bars"])
    steps = shape["bars"] * GRIDS[grid]
    batch = split_streams(make_events(4, steps, (5, 4, 9, 7)), STREAMS, grid)
    expected = model.encode(batch)
    found = networks.encode(join_streams(batch.events, batch.conditions).numpy(), grid)
    for name in ("mean", "stddev"):
        own, other = torch.from_numpy(getattr(found, name)), getattr(expected, name)
        torch.testing.assert_close(own, other, atol=1e-4, rtol=1e-4)

    z = make_z(4, size=model.latent_size)
    known = torch.where(batch.events % 3 == 0, batch.events, UNKNOWN)
    for temperature in (0.0, 1.0):
        how = {"temperature": temperature, "top_p": 0.9}
        drawn = networks.decode(
            z.numpy(), batch.conditions.to_arrays(), seeds=range(4), known=known.numpy(), **how
        )
        found = torch.from_numpy(drawn.events)
        decoded = model.decode(z, batch.conditions)
        assert torch.equal(decoded.sample(randomness=range(4), known=known, **how), found)
        assert torch.equal(found[known != UNKNOWN], known[known != UNKNOWN])
        assert (found != batch.events).any()
