import re
from dataclasses import replace

import pytest

from musicvae import bundle
from musicvae.bundle.model_card import write_card
from musicvae.bundle.modules import modules_of
from musicvae.evaluation.evaluate import Sizes, evaluate
from musicvae.evaluation.figures import side_by_side, to_figures
from musicvae.evaluation.subject import Subject, load_data
from musicvae.experiment.presets import get_preset
from musicvae.representation import REPRESENTATIONS, representation_from_config


@pytest.fixture(scope="module")
def evaluation(bundle_folder, data):
    loaded = bundle.load(bundle_folder)
    modules = modules_of(loaded)
    subject = Subject(
        name=loaded.name,
        version=loaded.version,
        experiment=loaded.experiment,
        model=modules.model,
        prior=modules.prior,
        attribute_vectors=loaded.attribute_vectors,
        steps=None,
        examples_seen=None,
    )
    sizes = Sizes(bounded=4, bound_draws=3, pairs=6, shifted=4, draws=16, compared=16)
    return evaluate(subject, load_data(data, "test"), seed=0, sizes=sizes)


def card(experiment, evaluation, **facts):
    """A card of a run of 20 steps."""
    known = {
        "seed": 7,
        "steps": 20,
        "examples_seen": 160,
        "start": None,
        "weights": 1_234_567,
        "content_hash": "0123",
        "sources": [
            {"name": "walks", "licence": None, "pieces_used": 36, "excerpts": {"train": 40}}
        ],
    }
    return write_card(experiment, {**known, **facts}, evaluation)


def test_its_figures_are_the_key_figures(make_experiment, evaluation):
    text = card(make_experiment(), evaluation)
    table = text[text.index("## Figures") : text.index("## Limits")]
    written = re.findall(r"^\| ([^*|]+) \| ([^|]+) \|$", table, re.MULTILINE)
    keys = [(each.name, each.text) for each in to_figures(evaluation) if each.is_key]
    assert [each for each in written if each in keys] == keys
    assert len(written) - len(keys) == 2  # the head of the table and the line under it


def test_it_puts_real_music_beside_draws(make_experiment, evaluation):
    text = card(make_experiment(), evaluation)
    assert "| measure | held-out | posterior draws | posterior means | prior draws |" in text
    for row in side_by_side(evaluation.listener).rows:
        assert f"| {row.name} | {' | '.join(row.cells)} |" in text


def test_it_says_what_a_run_saw(make_experiment, evaluation):
    text = card(make_experiment(), evaluation)
    assert "1.2 million weights" in text
    assert "160 examples seen." in text
    assert "| walks | not stated | 36 | 40 |" in text
    start = {"name": "melody-2bar", "share_taken": 0.75, "examples_seen": 9000}
    assert "begun with 75% of its weights from melody-2bar, which had seen 9,000" in card(
        make_experiment(), evaluation, start=start
    )
    start["sources"] = [{"name": "a", "licence": "MIT"}, {"name": "b", "licence": None}]
    assert "had seen 9,000 of a (MIT), b (licence not stated)." in card(
        make_experiment(), evaluation, start=start
    )


def test_a_bar_in_a_licence_ends_no_column(make_experiment, evaluation):
    source = {"name": "tunes", "licence": "MIT | BSD", "pieces_used": 1, "excerpts": {"train": 2}}
    text = card(make_experiment(), evaluation, sources=[source])
    assert r"| tunes | MIT \| BSD | 1 | 2 |" in text


@pytest.mark.parametrize("name", REPRESENTATIONS)
def test_it_speaks_of_its_own_music(name, make_experiment, evaluation):
    representation = representation_from_config({"name": name})
    text = card(replace(make_experiment(), representation=representation), evaluation)
    assert representation.kind.content in text
    assert f"{representation.bars} bars of {name.replace('_', ' ')} in" in text
    contents = {each.kind.content for each in REPRESENTATIONS.values()}
    assert not any(other in text for other in contents - {representation.kind.content})
    is_transposed = "Training excerpts were transposed by up to\n5" in text.replace("to 5", "to\n5")
    assert is_transposed == (name in {"melody", "trio", "lead_sheet", "chords"})


def test_its_grid_is_the_representations(make_experiment, evaluation):
    fine = representation_from_config({"name": "melody", "steps_per_quarter": 12})
    assert "16th notes and no triplets" in card(make_experiment(), evaluation)
    text = card(replace(make_experiment(), representation=fine), evaluation)
    assert "12 steps to a quarter note" in text
    assert "16th" not in text.split("## Limits")[1]


@pytest.mark.parametrize(
    ("preset", "drawn"),
    [("melody-16bar-flat", "drawn from a flow,"), ("melody-16bar", "drawn bar after bar (32 ")],
)
def test_it_says_how_new_music_is_drawn(evaluation, preset, drawn):
    assert drawn in card(get_preset(preset), evaluation)


@pytest.mark.parametrize("name", REPRESENTATIONS)
def test_its_limits_are_those_of_its_music(name, make_experiment, evaluation):
    representation = representation_from_config({"name": name})
    limits = card(replace(make_experiment(), representation=representation), evaluation)
    limits = limits[limits.index("## Limits") : limits.index("## Settings")]
    assert ("Not every attribute vector works" in limits) == (name != "chords")
    has_melody = name in {"melody", "trio", "lead_sheet"}
    assert ("how often draws leave their key, or leap" in " ".join(limits.split())) == has_melody
