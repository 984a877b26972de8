from dataclasses import replace

import pytest

from musicvae import shards
from musicvae.errors import DataError
from musicvae.evaluation.evaluate import evaluate, to_rows, to_table
from musicvae.representation import Melody


@pytest.fixture(scope="module")
def evaluation(make_bundle, data, tmp_path_factory):
    loaded = make_bundle(tmp_path_factory.mktemp("evaluated") / "bundle")
    return evaluate(
        loaded.model,
        loaded.representation,
        shards.load_manifest(data),
        shards.load(data, "test"),
        split="test",
        seed=3,
    )


def test_it_says_what_was_measured(evaluation, data):
    assert evaluation.split == "test"
    assert evaluation.seed == 3
    assert evaluation.pieces == 10
    assert evaluation.reconstruction.examples == 20
    assert evaluation.content_hash == shards.load_manifest(data).content_hash
    assert evaluation.prior_samples.draws == 1024


def test_data_of_another_representation_are_refused(make_bundle, data, tmp_path):
    loaded = make_bundle(tmp_path / "bundle")
    with pytest.raises(DataError, match=r"expected .*'bars': 16.*Prepare data"):
        evaluate(
            loaded.model,
            Melody(bars=16),
            shards.load_manifest(data),
            shards.load(data, "test"),
            split="test",
            seed=0,
        )


def test_the_rows_give_every_figure(evaluation):
    rows = dict(to_rows(evaluation))
    measured = evaluation.reconstruction
    assert rows["examples"] == ("20 of 10 pieces",)
    assert rows["accuracy, teacher-forced"] == (
        f"{measured.teacher_forced.all_steps:.4f}",
        f"{measured.teacher_forced.onsets:.4f}",
    )
    assert rows["ELBO, nats an excerpt"] == (f"{measured.elbo_nats:.2f}",)
    assert rows["active units"] == (f"{measured.active_units} of 8",)
    assert sum(name.startswith("… ") for name in rows) == 10


def test_a_measure_without_values_is_written_as_none(evaluation):
    draws = evaluation.prior_samples
    silent = replace(draws.measures["pitch"], draws_mean=None)
    measures = {**draws.measures, "pitch": silent}
    changed = replace(evaluation, prior_samples=replace(draws, measures=measures))
    assert dict(to_rows(changed))["… pitch: mean (in the data), overlap"][0].startswith("none (")


def test_the_table_is_named_after_the_split(evaluation):
    table = to_table(evaluation)
    assert table.title == "test split"
    assert table.row_count == len(to_rows(evaluation))
