import pytest
import torch

from musicvae.evaluation.decoding import to_batch
from musicvae.evaluation.examples import RECONSTRUCTIONS, SAMPLES, STATIONS, play_examples
from musicvae.runtime.moves import path
from musicvae.runtime.noise import latent_noise, row_seed
from musicvae.temperature import SAMPLE_TEMPERATURE


@pytest.fixture(scope="module")
def examples(subject, held_out):
    return play_examples(subject, held_out, seed=5)


def batch_of(subject, held_out, examples):
    """The held-out excerpts that have these notes."""
    events = held_out.held_out.events[:]
    notes = [subject.representation.to_notes(each) for each in events]
    rows = [notes.index(each.notes) for each in examples]
    return to_batch(subject.model, subject.representation, events[rows])


def music_of(subject, z):
    return [
        subject.representation.to_notes(each) for each in subject.model.decode(z).mode().numpy()
    ]


def test_there_is_something_of_everything(examples):
    assert len(examples.inputs) == len(examples.reconstructions) == RECONSTRUCTIONS
    assert len(examples.samples) == SAMPLES
    assert len(examples.interpolation) == STATIONS + 2


def test_inputs_are_of_different_pieces(examples, held_out):
    pieces = [each.title for each in examples.inputs]
    assert len(set(pieces)) == RECONSTRUCTIONS
    assert set(pieces) <= set(held_out.held_out.pieces)


def test_a_reconstruction_is_what_the_model_makes_of_its_input(examples, subject, held_out):
    z = subject.model.encode(batch_of(subject, held_out, examples.inputs)).mean
    assert [each.notes for each in examples.reconstructions] == music_of(subject, z)


def test_samples_are_those_that_users_get(examples, subject):
    z = subject.prior(torch.from_numpy(latent_noise(5, range(SAMPLES), subject.prior.noise_size)))
    seeds = [row_seed(5, row, "events") for row in range(SAMPLES)]
    drawn = subject.model.decode(z).sample(temperature=SAMPLE_TEMPERATURE, randomness=seeds)
    assert [each.notes for each in examples.samples] == [
        subject.representation.to_notes(each) for each in drawn.numpy()
    ]


def test_an_interpolation_leads_from_one_excerpt_to_the_other(examples, subject, held_out):
    start, *stations, end = examples.interpolation
    assert start.title != end.title
    means = subject.model.encode(batch_of(subject, held_out, (start, end))).mean
    z = torch.from_numpy(path(means.numpy(), STATIONS))
    assert [each.notes for each in stations] == music_of(subject, z)


def test_every_kind_can_be_heard(member):
    examples = play_examples(member.subject, member.data, seed=0)
    representation = member.subject.representation
    for each in (*examples.samples, *examples.reconstructions, *examples.interpolation):
        assert representation.check(each.notes) is None
    for given, played in zip(examples.inputs, examples.reconstructions, strict=True):
        assert played.notes.chords == given.notes.chords
