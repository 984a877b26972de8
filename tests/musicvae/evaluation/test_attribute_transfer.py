import numpy as np
import pytest
import torch

from musicvae.evaluation.attribute_transfer import transfer
from musicvae.music.attributes import ATTRIBUTES
from musicvae.representation import Drums, Melody

LOW, HIGH = np.full((1, 32, 1), 30, np.int16), np.full((1, 32, 1), 60, np.int16)


@pytest.fixture
def obedient(make_stubborn):
    """A model that repeats a C where the first dimension of the latent is above 0, else a C sharp.

    It encodes the excerpt `HIGH` to 2 and `LOW` to -2 in that dimension, and to 0 in all others.
    """
    model = make_stubborn(41, 42)
    decoder = model.decoder.bar_decoders[0]
    hidden = decoder.lstm.hidden_size
    with torch.no_grad():
        for layer, (inputs, states, biases, others) in enumerate(decoder.lstm.all_weights):
            for tensor in (inputs, states, biases, others):
                tensor.zero_()
            # The gates of input and output are open, that of the memory is shut.
            biases[:hidden], biases[hidden : 2 * hidden], biases[3 * hidden :] = 20, -20, 20
            inputs[2 * hidden, decoder.embedding.size if layer == 0 else 0] = 20
        decoder.output.weight[41, 0], decoder.output.weight[42, 0] = 50, -50
        low, high = model.encoder(torch.from_numpy(np.concatenate([LOW, HIGH]).astype(np.int64)))
        apart = (high - low) / (high - low).square().sum()
        model.posterior.weight.zero_()
        model.posterior.bias.zero_()
        model.posterior.weight[0] = 4 * apart
        model.posterior.bias[0] = -2 * apart @ (low + high)
    return model


def test_the_change_along_a_vector_is_measured(obedient):
    vectors = {"c_diatonic": np.zeros(8, np.float32), "note_density": np.zeros(8, np.float32)}
    vectors["c_diatonic"][0] = 3
    events = np.concatenate([LOW, HIGH, HIGH, HIGH])
    found = transfer(obedient, Melody(), events, vectors)
    assert found.examples == 4
    assert found.attributes == ("c_diatonic",)  # of all excerpts the density is the same
    assert found.before == (0.75,)
    assert found.added[0][0] == pytest.approx(100 / 3)  # 3 of 4 were in the key, and now all are
    assert found.subtracted == ((-100.0,),)


def test_the_matrix_has_a_row_a_vector_and_a_column_an_attribute(subject, held_out):
    events = held_out.held_out.events[:]
    found = transfer(subject.model, subject.representation, events, subject.attribute_vectors)
    count = len(found.attributes)
    assert set(found.attributes) <= set(ATTRIBUTES)
    assert count >= 2
    for matrix in (found.added, found.subtracted):
        assert len(matrix) == count
        assert all(len(row) == count for row in matrix)
    assert found.added != found.subtracted


def test_attributes_stand_in_their_own_order(subject, held_out):
    backwards = dict(reversed(subject.attribute_vectors.items()))
    events = held_out.held_out.events[:]
    found = transfer(subject.model, subject.representation, events, backwards)
    assert found == transfer(
        subject.model, subject.representation, events, subject.attribute_vectors
    )


def test_drums_have_no_key(make_model, make_events):
    representation = Drums(bars=4)
    vectors = {name: np.ones(8, np.float32) for name in ATTRIBUTES}
    found = transfer(
        make_model(representation), representation, make_events(representation, 10), vectors
    )
    assert not {"c_diatonic", "average_interval"} & set(found.attributes)


def test_a_change_of_nothing_is_none(make_stubborn):
    found = transfer(
        make_stubborn(41),
        Melody(),
        np.zeros((3, 32, 1), np.int16),
        {"note_density": np.ones(8, np.float32)},
    )
    assert found.attributes == ()
    assert found.added == ()
