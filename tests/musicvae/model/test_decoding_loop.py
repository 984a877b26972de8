"""The loop over a decoder of another runtime: here one that passes plain arrays, as ONNX does."""

import numpy as np
import pytest
import torch

from musicvae.model.bar_decoder import Stepped
from musicvae.model.conditions import split_streams
from musicvae.model.decoding_loop import UNKNOWN, DecodingLoop
from musicvae.representation.streams import Stream

STREAMS = (
    Stream(name="melody", size=9),
    Stream(name="bass", size=4),
    Stream(name="chord", size=7, is_condition=True),
)


class ArraySession:
    """A decoder whose inputs and outputs are arrays of numpy, never tensors of torch."""

    def __init__(self, decoder):
        self._decoder = decoder

    def start(self, plans):
        return tuple(torch.from_numpy(each.numpy()) for each in self._decoder.start(plans))

    def step(self, state, plans, previous, condition, number, meter):
        arrays = [each.numpy().copy() for each in (*state, plans, previous, condition)]
        *state, plans, previous, condition = (torch.from_numpy(each) for each in arrays)
        now, after = self._decoder.step(tuple(state), plans, previous, condition, number, meter)
        return Stepped(torch.from_numpy(now.numpy()), tuple(after))


@pytest.mark.parametrize("temperature", [0.0, 1.0])
@pytest.mark.parametrize("has_decoder_per_stream", [False, True])
def test_another_runtime_draws_the_same_by_the_same_loop(
    make_model, make_events, make_z, temperature, has_decoder_per_stream
):
    model = make_model(
        latent="bars", bars=3, streams=STREAMS, has_decoder_per_stream=has_decoder_per_stream
    ).requires_grad_(requires_grad=False)
    z = make_z(4, size=model.latent_size)
    batch = split_streams(make_events(4, 48, (9, 4, 7)), STREAMS)
    known = torch.where(batch.events % 3 == 0, batch.events, UNKNOWN)
    how = {"temperature": temperature, "top_p": 0.9, "randomness": range(4), "known": known}
    expected = model.decode(z, batch.conditions).sample(**how)
    plans = model.decoder.plan(model.latent.shares(z))
    session = ArraySession(model.decoder)
    loop = DecodingLoop(session, model.decoder.heads, plans, batch.conditions, 48)
    drawn = loop.sample(**how)
    assert torch.equal(drawn, expected)
    assert np.array_equal(drawn[known != UNKNOWN], known[known != UNKNOWN])
    assert (drawn != batch.events).any()


def test_a_step_leaves_its_state_as_it_is(make_model, make_z):
    decoder = make_model(vocabulary_sizes=(9,)).decoder
    plans = make_z(2)
    state = decoder.start(plans)
    before = [each.clone() for each in state]
    nothing = torch.zeros(2, 0, dtype=torch.long)
    first = decoder.step(state, plans, torch.tensor([[3], [4]]), nothing, 0)
    again = decoder.step(state, plans, torch.tensor([[3], [4]]), nothing, 0)
    assert torch.equal(first.parameters, again.parameters)
    assert all(torch.equal(*each) for each in zip(state, before, strict=True))
