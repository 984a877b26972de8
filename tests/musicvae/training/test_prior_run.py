"""A run that trains the prior over events, and bundles that draw from it."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from hand_made import table_of, write_set

from musicvae import bundle
from musicvae.bundle.export import export, load_prior, renew
from musicvae.data.relative import (
    LEAST_EXCERPTS,
    RelativeBatches,
    common_styles,
    keys_of,
    styles_of,
    weigh_keys,
)
from musicvae.data.shards import load
from musicvae.errors import DataError, SettingError, TrainingError
from musicvae.evaluation.evaluate import Sizes
from musicvae.experiment.experiment import TrainingConfig
from musicvae.generation.engine import Engine
from musicvae.generation.requests import SampleRequest
from musicvae.representation import Drums, LeadSheet, Melody
from musicvae.training import load_run
from musicvae.training.checkpoints import LAST, checkpoint_path
from musicvae.training.record import PRIOR

pytestmark = pytest.mark.filterwarnings("ignore")  # Lightning's advice
SIZES = Sizes(reconstructed=8, bounded=2, bound_draws=2, pairs=4, shifted=2, draws=8, compared=8)


@pytest.fixture(scope="module")
def experiment(make_experiment):
    experiment = make_experiment()
    return replace(
        experiment,
        prior=replace(experiment.prior, event_size=12, hidden_size=16),
        prior_training=TrainingConfig(
            steps=12, batch_size=8, warmup_steps=2, validate_every=5, validation_examples=8
        ),
    )


@pytest.fixture(scope="module")
def keyed(tmp_path_factory, melodies):
    """Melodies in D major and, every fourth, of no known key."""
    tables = {
        name: table_of(
            melodies(count, seed=number),
            piece=[f"{name}-{row}" for row in range(count)],
            source=["walks"] * count,
            tonic=[None if row % 4 == 3 else 2 for row in range(count)],
            is_minor=[None if row % 4 == 3 else False for row in range(count)],
        )
        for number, (name, count) in enumerate({"train": 40, "validation": 12, "test": 8}.items())
    }
    folder = tmp_path_factory.mktemp("keyed") / "walks"
    write_set(folder, Melody(bars=2), tables)
    return folder


@pytest.fixture(scope="module")
def prior_run(watch, experiment, keyed, tmp_path_factory):
    out = tmp_path_factory.mktemp("prior") / "run"
    return out, watch(experiment, data=keyed, out=out, part=PRIOR)


def test_a_prior_learns_and_keeps_the_keys_of_its_music(prior_run, experiment):
    out, watched = prior_run
    assert watched.is_complete and watched.validations == [5, 10, 12]
    run = load_run(out)
    assert run.part == PRIOR
    prior = load_prior(run, experiment)
    assert prior.key_weights[[2, 24]].tolist() == [0.75, 0.25]
    assert "validation -" in watched.said


def test_a_resumed_prior_is_the_prior_it_would_have_been(
    prior_run, watch, experiment, keyed, tmp_path
):
    whole, before = prior_run
    half = replace(experiment, prior_training=replace(experiment.prior_training, steps=7))
    out = tmp_path / "run"
    watch(half, data=keyed, out=out, part=PRIOR)
    after = watch(experiment, data=keyed, out=out, part=PRIOR, resume=True)
    assert {step: before.losses[step] for step in after.losses} == after.losses
    for name in ("last",):
        one, other = (
            torch.load(checkpoint_path(folder, name), weights_only=True)["state_dict"]
            for folder in (whole, out)
        )
        assert all(torch.equal(one[key], other[key]) for key in one)


def test_batches_are_in_c_where_the_key_is_told(experiment, keyed):
    examples = load(keyed, "train")
    stream = RelativeBatches(
        examples,
        Melody(),
        replace(experiment, training=experiment.prior_training),
        seed=1,
    )
    batch = stream.batch(3)
    again = stream.batch(3)
    assert torch.equal(batch.events, again.events) and torch.equal(
        batch.conditions.keys, again.conditions.keys
    )
    tonics = {key[0] for step in range(40) for key in stream.batch(step).conditions.keys.tolist()}
    assert 12 in tonics and len(tonics) > 8, "music is transposed, and some keys are not told"
    assert keys_of(examples)[:4].tolist() == [[2, 0], [2, 0], [2, 0], [12, 2]]
    assert weigh_keys(examples).tolist()[2] == 0.75


@pytest.fixture(scope="module")
def styled(tmp_path_factory):
    """Drums: mostly rock and its variants, a piece of funk, and some of no style."""
    random, tables = np.random.default_rng(5), {}
    for name, count in (("train", 160), ("validation", 12), ("test", 8)):
        styles = ["rock", "Rock/shuffle", None, "jazz", "rock"] * (count // 4)
        styles = ["funk"] * 50 + styles if name == "train" else styles
        pieces = [f"{name}-{0 if style == 'funk' else row % 7}" for row, style in enumerate(styles)]
        tables[name] = table_of(
            random.integers(1, 512, (count, 32, 1)), piece=pieces[:count], style=styles[:count]
        )
    folder = tmp_path_factory.mktemp("styled") / "drums"
    write_set(folder, Drums(bars=2), tables)
    return folder


def test_a_style_is_common_in_many_excerpts_of_several_pieces(styled):
    examples = load(styled, "train")
    names = Counter(
        style and style.partition("/")[0].lower() for style in examples.table["style"].to_pylist()
    )
    assert names["funk"] >= LEAST_EXCERPTS > names["jazz"], "funk is a single piece"
    assert common_styles(examples) == ("rock",)
    assert styles_of(examples, ("rock",))[49:54].tolist() == [1, 0, 0, 1, 1]


def test_a_prior_of_drums_hears_the_styles_of_its_data(watch, experiment, styled, tmp_path):
    drums = replace(experiment, representation=Drums(bars=2))
    watch(drums, data=styled, out=tmp_path / "prior", part=PRIOR)
    run = load_run(tmp_path / "prior")
    assert run.experiment.prior.styles == ("rock",)
    stream = RelativeBatches(load(styled, "train"), Drums(), run.experiment, seed=1)
    told = torch.cat([stream.batch(step).conditions.styles for step in range(20)])
    share = (styles_of(load(styled, "train"), ("rock",)) == 0).mean()
    assert 0.8 * share < (told == 0).float().mean() < share, "some styles are not told"
    watch(drums, data=styled, out=tmp_path / "model")
    export(load_run(tmp_path / "model"), tmp_path / "new", prior=run, sizes=SIZES)
    prior = bundle.load(tmp_path / "new").networks.draws
    assert prior.config.styles == ("rock",)
    assert prior.style_weights.tolist() == pytest.approx([share, 1 - share], abs=1e-3)


def test_chords_are_not_told_for_a_tenth_of_examples(experiment, tmp_path):
    sheets = LeadSheet(bars=2)
    events = np.ones((20, 32, 3), np.int16)
    write_set(tmp_path / "sheets", sheets, {"train": table_of(events)})
    preset = replace(
        experiment,
        representation=sheets,
        training=replace(experiment.prior_training, batch_size=20),
    )
    stream = RelativeBatches(load(tmp_path / "sheets", "train"), sheets, preset, seed=1)
    chords = torch.cat([stream.batch(step).conditions.streams for step in range(20)])
    unknown = torch.tensor([each.size for each in sheets.streams[1:]])
    is_dropped = (chords == unknown).all(-1)
    assert torch.equal(is_dropped.all(1), is_dropped.any(1)), "all of an excerpt's chords, or none"
    assert 0.05 < is_dropped.all(1).float().mean() < 0.16


def test_styles_that_are_set_must_be_in_the_data(watch, experiment, styled, tmp_path):
    settings = {"data": styled, "out": tmp_path / "prior", "part": PRIOR}
    drums = replace(experiment, representation=Drums(bars=2))
    with pytest.raises(SettingError, match=r"with polka; expected styles .*: funk, jazz, rock"):
        watch(replace(drums, prior=replace(drums.prior, styles=("jazz", "polka"))), **settings)
    watch(replace(drums, prior=replace(drums.prior, styles=("jazz",))), **settings)
    assert load_run(settings["out"]).experiment.prior.styles == ("jazz",)


def test_a_bundle_draws_from_its_prior(prior_run, watch, experiment, keyed, tmp_path):
    model_run = tmp_path / "model"
    watch(experiment, data=keyed, out=model_run)
    export(load_run(model_run), tmp_path / "new", prior=load_run(prior_run[0]), sizes=SIZES)
    new = bundle.load(tmp_path / "new")
    assert new.draws_events
    assert new.facts["prior"]["examples_seen"] == 12 * 8
    drawn = list(Engine([new]).sample(SampleRequest(count=3, seed=1)))
    assert len({clip.latent for clip in drawn}) == 3

    export(load_run(model_run), tmp_path / "old", licence="CC0 1.0", sizes=SIZES)
    renew(bundle.load(tmp_path / "old"), load_run(prior_run[0]), tmp_path / "renewed", sizes=SIZES)
    assert "The licence of the weights is CC0 1.0." in (tmp_path / "renewed/README.md").read_text()
    renewed = Engine([bundle.load(tmp_path / "renewed")])
    again = list(renewed.sample(SampleRequest(count=3, seed=1)))
    assert [clip.latent for clip in again] == [clip.latent for clip in drawn]


def test_a_run_of_the_other_part_is_told(prior_run, watch, experiment, keyed, tmp_path):
    out, _ = prior_run
    with pytest.raises(TrainingError, match="a run of a prior"):
        export(load_run(out), tmp_path / "b", sizes=SIZES)
    model_run = tmp_path / "model"
    watch(experiment, data=keyed, out=model_run)
    with pytest.raises(TrainingError, match="a run of a model"):
        load_prior(load_run(model_run, checkpoint=LAST), experiment)
    with pytest.raises(TrainingError, match="other settings"):
        watch(experiment, data=keyed, out=out, resume=True)


def test_a_prior_learns_no_slices_and_starts_from_no_model(
    watch, experiment, keyed, make_data, tmp_path
):
    longer = make_data(tmp_path / "longer", {"train": 20, "validation": 8}, bars=4)
    with pytest.raises(DataError, match="a data set of melody with bars 4"):
        watch(experiment, data=longer, out=tmp_path / "run", part=PRIOR)
    watch(experiment, data=keyed, out=tmp_path / "model")
    with pytest.raises(TrainingError, match="the weights of a model to start a prior from"):
        watch(
            experiment,
            data=keyed,
            out=tmp_path / "run",
            part=PRIOR,
            start_from=load_run(tmp_path / "model").origin,
        )
