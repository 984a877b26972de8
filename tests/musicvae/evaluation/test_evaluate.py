from dataclasses import replace

import pytest

from musicvae import shards
from musicvae.errors import DataError
from musicvae.evaluation.evaluate import evaluate, to_rows, to_table
from musicvae.manifest import load_manifest
from musicvae.representation import Melody
from musicvae.requests import SampleRequest


@pytest.fixture(scope="module")
def evaluation(make_bundle, data, tmp_path_factory):
    loaded = make_bundle(tmp_path_factory.mktemp("evaluated") / "bundle")
    return evaluate(
        loaded.model,
        loaded.representation,
        load_manifest(data),
        shards.load(data, "test"),
        split="test",
        seed=3,
    )


def test_it_says_what_was_measured(evaluation, data):
    assert evaluation.split == "test"
    assert evaluation.seed == 3
    assert evaluation.pieces == 10
    assert evaluation.reconstruction.examples == 20
    assert evaluation.content_hash == load_manifest(data).content_hash
    assert [each.draws for each in evaluation.prior_samples] == [1024, 1024]


def test_draws_are_measured_as_the_model_has_them_and_as_they_are_played(evaluation):
    temperatures = [each.temperature for each in evaluation.prior_samples]
    assert temperatures == [1.0, SampleRequest(count=1).temperature]
    as_is, as_played = evaluation.prior_samples
    assert as_is.measures != as_played.measures


def test_data_of_another_representation_are_refused(make_bundle, data, tmp_path):
    loaded = make_bundle(tmp_path / "bundle")
    with pytest.raises(DataError, match=r"expected .*'bars': 16.*Prepare data"):
        evaluate(
            loaded.model,
            Melody(bars=16),
            load_manifest(data),
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
    at_1 = measured.sampled_at_temperature_1
    assert rows["accuracy, sampled (draw of the posterior, temperature 1)"] == (
        f"{at_1.all_steps:.4f}",
        f"{at_1.onsets:.4f}",
    )
    for temperature in ("1", "0.5"):
        assert rows[f"draws from the prior at temperature {temperature}"] == ("1,024",)
        assert sum(name.startswith(f"… at {temperature}: ") for name in rows) == 10
    assert len(rows) == len(to_rows(evaluation))


def test_a_measure_without_values_is_written_as_none(evaluation):
    draws, other = evaluation.prior_samples
    silent = replace(draws.measures["pitch"], draws_mean=None)
    measures = {**draws.measures, "pitch": silent}
    changed = replace(evaluation, prior_samples=(replace(draws, measures=measures), other))
    row = dict(to_rows(changed))["… at 1: pitch, mean (in the data), overlap"]
    assert row[0].startswith("none (")


def test_the_table_is_named_after_the_split(evaluation):
    table = to_table(evaluation)
    assert table.title == "test split"
    assert table.row_count == len(to_rows(evaluation))
