import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from musicvae.data.manifest import load_manifest
from musicvae.errors import DataError
from musicvae.evaluation.evaluate import evaluate, find_tiles
from musicvae.evaluation.examples import play_examples
from musicvae.evaluation.figure_keys import ACCURACY, listener_key, overlap_key
from musicvae.evaluation.figures import to_figures
from musicvae.evaluation.listener.sets import PRIOR_DRAWS, SETS
from musicvae.evaluation.prior_samples import HELD_OUT, TRAINING, set_name
from musicvae.evaluation.reconstruction import reconstruct
from musicvae.evaluation.subject import load_data
from musicvae.evaluation.watch import unwatched
from musicvae.generation.requests import SampleRequest
from musicvae.report.evaluation_page import Reported, write_report
from musicvae.representation import Melody


def test_it_says_what_was_measured(evaluation, data):
    assert (evaluation.split, evaluation.seed) == ("test", 3)
    assert (evaluation.examples, evaluation.pieces) == (20, 10)
    assert evaluation.content_hash == load_manifest(data).content_hash


def test_it_measures_as_much_as_it_is_told(evaluation, sizes):
    assert evaluation.reconstruction.examples == 20
    assert (evaluation.likelihood.examples, evaluation.likelihood.draws) == (4, 3)
    assert evaluation.interpolation.pairs == sizes.pairs
    assert evaluation.attributes.examples == sizes.shifted
    assert [each.draws for each in evaluation.prior_samples.at] == [16, 16]


def test_figures_have_intervals_over_pieces(evaluation):
    assert evaluation.reconstruction.sampled.all_steps_interval is not None
    assert evaluation.likelihood.bound_nats.interval is not None


def test_draws_are_measured_as_the_model_has_them_and_as_they_are_played(evaluation):
    temperatures = [each.temperature for each in evaluation.prior_samples.at]
    assert temperatures == [1.0, SampleRequest(count=1).temperature]
    as_is, as_played = evaluation.prior_samples.at
    assert as_is.measures != as_played.measures


def test_two_bars_have_no_form_and_are_compared_with_the_training_split(evaluation):
    assert evaluation.structure == {}
    assert set(evaluation.novelty) == {"melody"}
    assert set(evaluation.novelty["melody"]) == {HELD_OUT, set_name(1.0), set_name(0.5)}


def test_it_is_plain_values_and_no_chance(subject, held_out, sizes, evaluation):
    text = json.dumps(asdict(evaluation), allow_nan=False)
    again = evaluate(subject, held_out, seed=3, sizes=sizes)
    assert json.dumps(asdict(again)) == text
    other = evaluate(subject, held_out, seed=4, sizes=sizes)
    assert json.dumps(asdict(other)) != text


def test_excerpts_in_common_with_training_have_a_figure_of_their_own(
    subject, make_data, evaluation, sizes, tmp_path
):
    assert evaluation.common is None
    splits = {"train": 12, "test": 6, "test_common": 5}
    data = load_data(make_data(tmp_path / "data", splits), "test")
    measured = evaluate(subject, data, seed=0, sizes=sizes)
    alone = reconstruct(subject.model, subject.representation, data.common.events[:], seed=0)
    assert measured.common.all_steps == pytest.approx(alone.sampled.all_steps)
    figures = {figure.key: figure for figure in to_figures(measured)}
    assert figures["common/accuracy/sampled"].value == measured.common.all_steps
    without = {figure.key for figure in to_figures(evaluation)}
    assert set(figures) - without == {"common/accuracy/sampled"}


def test_data_of_another_representation_are_refused(subject, make_data, sizes, tmp_path):
    data = load_data(make_data(tmp_path / "data", {"train": 4, "test": 4}, bars=4), "test")
    with pytest.raises(DataError, match="Prepare data with the model's representation"):
        evaluate(subject, data, seed=0, sizes=sizes)


def test_long_excerpts_are_compared_bar_by_bar(
    subject, make_data, make_experiment, make_model, sizes, tmp_path
):
    data = load_data(make_data(tmp_path / "data", {"train": 8, "test": 6}, bars=4), "test")
    experiment = replace(make_experiment(), representation=Melody(bars=4))
    model = make_model(experiment.representation, latent="bars")
    longer = replace(
        subject,
        experiment=experiment,
        model=model,
        prior=model.latent.make_prior(),
        attribute_vectors={
            name: np.ones(model.latent_size, np.float32) for name in subject.attribute_vectors
        },
    )
    evaluation = evaluate(longer, data, seed=0, sizes=sizes)
    assert set(evaluation.structure["melody"]) == {
        HELD_OUT, TRAINING, set_name(1.0), set_name(0.5),
    }  # fmt: skip
    assert all(len(each.equal) == 3 for each in evaluation.structure["melody"].values())


def test_a_listener_hears_the_draws_of_the_default_temperature(evaluation):
    listener = evaluation.listener["melody"]
    assert {tuple(by_set) for by_set in listener.values()} == {SETS}
    notes = {n: c.draws_mean for n, c in evaluation.prior_samples.at[1].measures["melody"].items()}
    assert listener["interval"][PRIOR_DRAWS] == pytest.approx(notes["interval"])


def test_every_kind_is_measured(member):
    evaluation = member.evaluation
    assert evaluation.listener.keys() == evaluation.reconstruction.lines.keys()
    json.dumps(asdict(evaluation), allow_nan=False)
    assert evaluation.novelty.keys() == evaluation.reconstruction.lines.keys()
    assert evaluation.structure.keys() == evaluation.reconstruction.lines.keys()
    assert set(evaluation.reconstruction.sources) == {"odd", "even"}


def test_it_says_how_far_it_has_come(subject, held_out, sizes):
    titles = []

    def watch(parts, title):
        titles.append(title)
        return unwatched(parts, title)

    evaluate(subject, held_out, seed=0, sizes=sizes, watch=watch)
    assert len(titles) == 12
    assert titles[-1] == "looking for copies"


def test_a_set_for_measuring_alone_leaves_out_and_names_what_needs_training_data(
    subject, make_data, sizes, tmp_path
):
    data = load_data(make_data(tmp_path / "data", {"test": 20}), "test")
    assert "copies of training data" in data.left_out
    evaluation = evaluate(subject, data, seed=0, sizes=sizes)
    keys = {figure.key for figure in to_figures(evaluation)}
    assert {ACCURACY, "interpolation/distance_half_way", overlap_key(0.5, HELD_OUT)} <= keys
    assert {listener_key("in_key", name) for name in SETS} <= keys
    assert "interpolation/highest_cost" not in keys
    assert not any("training" in key or key.startswith("novelty") for key in keys)
    examples = play_examples(subject, data, seed=0)
    reported = Reported(subject=subject, evaluation=evaluation, examples=examples)
    json_path, page = write_report([reported], data, tmp_path / "out")
    assert json.loads(json_path.read_text())["data"]["left_out"] == list(data.left_out)
    assert "left out: overlap of draws with training data" in page.read_text()


def test_a_set_with_a_training_split_leaves_nothing_out(held_out):
    assert held_out.left_out == ()


@pytest.mark.parametrize("bars", [2, 16])
def test_tiles_hold_every_piece_and_no_bar_twice(bars):
    # Pieces with and without a pickup, one with two parts, one with a gap of excerpts.
    starts = {"plain": range(40), "pickup": range(1, 40), "parts": [*range(3, 40)] * 2, "one": [7]}
    starts["gap"] = [*range(1, 9), *range(20, 40)]
    pieces = np.array([name for name, own in starts.items() for _ in own], dtype=object)
    start_bars = np.array([bar for own in starts.values() for bar in own])
    tiles = find_tiles(pieces, start_bars, bars)
    assert set(pieces[tiles]) == set(starts)
    for name in starts:
        distances = np.diff(start_bars[tiles[pieces[tiles] == name]])
        assert (np.abs(distances) >= bars).all()
