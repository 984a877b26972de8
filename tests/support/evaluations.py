"""Models whose playing is known, sets of every kind, and measures that take no time."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from hand_made import table_of, write_set

from musicvae.bundle.modules import modules_of
from musicvae.evaluation.evaluate import Evaluation, Sizes, evaluate
from musicvae.evaluation.subject import Data, Subject, load_data
from musicvae.experiment.build import build_model
from musicvae.music.attributes import ATTRIBUTES
from musicvae.representation import representation_from_config

KINDS = ("melody", "drums", "drum_hits", "groove", "trio", "lead_sheet")


@pytest.fixture(scope="session", params=KINDS)
def representation(request):
    """Each kind, of four bars."""
    return representation_from_config({"name": request.param, "bars": 4})


@pytest.fixture(scope="session")
def make_events():
    def make(representation, count, seed=0):
        """Excerpts of anything within the vocabulary, written in the one way there is."""
        random = np.random.default_rng(seed)
        shape = (count, representation.length_steps)
        columns = [
            np.where(random.random(shape) < 0.3, random.integers(0, size, shape), 0)
            for size in representation.vocabulary_sizes
        ]
        events = np.stack(columns, axis=-1).astype(np.int16)
        return np.stack([representation.to_tensor(representation.to_notes(e)) for e in events])

    return make


@pytest.fixture(scope="session")
def make_model(make_experiment):
    def make(representation, *, latent="gaussian", seed=0):
        """An untrained tiny model for any kind of music; it plays more than one thing."""
        experiment = make_experiment()
        experiment = replace(
            experiment,
            representation=representation,
            model=replace(
                experiment.model,
                latent=latent,
                conductor_size=12,
                plan_size=8,
            ),
        )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = build_model(experiment)
        with torch.no_grad():
            for tensor in model.parameters():
                tensor.mul_(4)
        return model.eval()

    return make


@pytest.fixture(scope="session")
def make_stubborn(make_experiment):
    def make(*events):
        """A model that plays one event at every step, or draws among some, whatever it is given."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            model = build_model(make_experiment())
        output = model.decoder.bar_decoders[0].output
        with torch.no_grad():
            output.weight.zero_()
            output.bias.fill_(-100)
            output.bias[list(events)] = 100
        return model

    return make


@pytest.fixture(scope="session")
def sizes():
    """Enough to measure, too little to know."""
    return Sizes(bounded=4, bound_draws=3, pairs=6, shifted=4, draws=16, compared=16)


@pytest.fixture(scope="session")
def subject(make_bundle, tmp_path_factory):
    """A tiny untrained bundle as it is measured."""
    loaded = make_bundle(tmp_path_factory.mktemp("measured") / "bundle")
    modules = modules_of(loaded)
    return Subject(
        name=loaded.name,
        version=loaded.version,
        experiment=loaded.experiment,
        model=modules.model,
        prior=modules.prior,
        attribute_vectors=loaded.attribute_vectors,
        steps=20,
        examples_seen=160,
    )


@pytest.fixture(scope="session")
def held_out(data):
    """The tiny data set's test split, and its training split."""
    return load_data(data, "test")


@dataclass(frozen=True)
class Member:
    """A model of one kind, what it is measured on, and its evaluation."""

    subject: Subject
    data: Data
    evaluation: Evaluation


@pytest.fixture(scope="session")
def member(representation, make_events, make_experiment, make_model, sizes, tmp_path_factory):
    """A tiny untrained model of each kind, measured on twelve excerpts of six pieces."""
    folder = tmp_path_factory.mktemp("sets") / representation.name
    tables = {
        split: table_of(
            make_events(representation, 12, seed),
            piece=[f"{split}-{row // 2}" for row in range(12)],
            source=["odd" if row % 3 else "even" for row in range(12)],
        )
        for seed, split in enumerate(("train", "test"))
    }
    write_set(folder, representation, tables)
    data = load_data(folder, "test")
    model = make_model(representation)
    subject = Subject(
        name="some",
        version=None,
        experiment=replace(make_experiment(), representation=representation),
        model=model,
        prior=model.latent.make_prior(),
        attribute_vectors={name: np.ones(model.latent_size, np.float32) for name in ATTRIBUTES},
        steps=None,
        examples_seen=None,
    )
    return Member(subject, data, evaluate(subject, data, seed=0, sizes=sizes))


@pytest.fixture(scope="session")
def evaluation(subject, held_out, sizes):
    """The tiny bundle measured."""
    return evaluate(subject, held_out, seed=3, sizes=sizes)
