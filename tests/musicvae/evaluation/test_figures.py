import io
from dataclasses import replace

import pytest
from rich.console import Console

from musicvae.evaluation.figure import HOW
from musicvae.evaluation.figure_keys import (
    ACCURACY,
    ATTRIBUTES,
    SOURCES,
    STRUCTURE,
    listener_key,
    overlap_key,
)
from musicvae.evaluation.figures import side_by_side, to_figures
from musicvae.evaluation.listener.sets import PRIOR_DRAWS, SETS
from musicvae.evaluation.prior_samples import HELD_OUT, set_name
from musicvae.evaluation.self_similarity import SelfSimilarity
from musicvae.music.attributes import get_attribute
from musicvae.music.instruments import DRUM_CLASSES
from musicvae.temperature import SAMPLE_TEMPERATURE


@pytest.fixture(scope="module")
def figures(evaluation):
    return {each.key: each for each in to_figures(evaluation)}


def test_every_figure_has_a_key_of_its_own(evaluation, figures):
    assert len(figures) == len(to_figures(evaluation)) > 100


def test_sections_stand_in_order_and_are_explained(evaluation):
    sections = list(dict.fromkeys(each.section for each in to_figures(evaluation)))
    assert sections == [section for section in HOW if section in sections]
    assert set(HOW) - set(sections) == {SOURCES, STRUCTURE}  # one source, two bars


def test_figures_are_what_was_measured(evaluation, figures):
    measured = evaluation.reconstruction
    sampled = figures[ACCURACY]
    assert sampled.value == measured.sampled.all_steps
    assert sampled.interval == measured.sampled.all_steps_interval
    onsets = figures["reconstruction/onset_accuracy/sampled_at_temperature_1"]
    assert onsets.value == measured.sampled_at_temperature_1.onsets
    active = figures["likelihood/active_dimensions"]
    assert active.text == f"{measured.active_units} (of 8)"
    at_1 = evaluation.prior_samples.at[0]
    overlaps = {n: c.training_overlap for n, c in at_1.measures["melody"].items()}
    lowest = figures["samples/1/lowest_overlap/training"]
    assert lowest.value == min(overlaps.values())
    name = min(overlaps, key=overlaps.get).replace("_", " ")
    assert lowest.beside_name == f"{name}, ceiling"
    copies = figures[f"novelty/{set_name(1.0)}/long"]
    assert copies.value == evaluation.novelty["melody"][set_name(1.0)].long


def test_each_set_has_its_figures_beside_real_music(evaluation, figures):
    by_set = evaluation.listener["melody"]["stepwise"]
    assert {figures[listener_key("stepwise", each)].value for each in SETS} == {*by_set.values()}
    drawn = figures[listener_key("stepwise")]
    assert (drawn.value, drawn.beside) == (by_set[PRIOR_DRAWS], by_set[HELD_OUT])
    assert figures[listener_key("stepwise", HELD_OUT)].beside is None


def test_the_four_sets_stand_side_by_side(evaluation):
    table = side_by_side(evaluation.listener)
    assert table.columns == SETS
    rows = {row.name: row.cells for row in table.rows}
    values = evaluation.listener["melody"]["interval"].values()
    assert rows["mean interval, semitones"] == tuple(f"{value:.2f}" for value in values)
    console = Console(file=io.StringIO(), width=120)
    console.print(table.to_table("heard"))
    text = console.file.getvalue()
    for row in table.rows:
        words = [cell.strip() for line in text.splitlines() for cell in line.split("│")]
        assert words[words.index(row.name) :][1:5] == list(row.cells)


def test_every_drum_that_is_hit_has_its_recall(member):
    recalls = member.evaluation.reconstruction.recalls
    figures = {each.key: each for each in to_figures(member.evaluation)}
    lines = member.evaluation.reconstruction.lines
    for line, by_drum in recalls.items():
        assert set(by_drum) == {drum.name for drum in DRUM_CLASSES}
        for drum, ways in by_drum.items():
            named = f"/{line}" if len(lines) > 1 else ""
            figure = figures[f"reconstruction/recall/sampled{named}/{drum}"]
            assert figure.value == ways.sampled.value
            assert figure.is_key
    found = any(key.startswith("reconstruction/recall") for key in figures)
    assert found == bool(recalls)


def test_a_short_table_is_short(evaluation):
    keys = [each for each in to_figures(evaluation) if each.is_key]
    assert 20 < len(keys) < 40
    assert not any("KL from held-out" in each.name for each in keys)


def test_bars_of_long_excerpts_have_figures(evaluation):
    same = SelfSimilarity(equal=(0.1, 0.5), likeness=(0.6, 0.2))
    ours = SelfSimilarity(equal=(0.0, 0.04), likeness=(0.5, 0.5))
    structure = {"melody": {"held-out": same, "training": same, "draws": ours}}
    figures = {
        each.name: each
        for each in to_figures(replace(evaluation, structure=structure))
        if each.section == STRUCTURE
    }
    assert len(figures) == 8
    assert figures["draws, difference of the likeness of bars"].text == "0.200"
    assert figures["training, difference of the likeness of bars"].text == "0.000"
    assert figures["draws, equal bars"].text == "2.00% (held-out 30.00%)"
    # The distance at which most of the held-out bars come back
    assert figures["draws, equal bars 2 apart"].text == "4.00% (held-out 50.00%)"


def test_every_kind_has_figures(member):
    figures = to_figures(member.evaluation)
    assert len({each.key for each in figures}) == len(figures)
    assert len({(each.section, each.name) for each in figures}) == len(figures)
    # An untrained model may do the same at every step: then no attribute differs.
    assert {each.section for each in figures} >= set(HOW) - {ATTRIBUTES}
    lines = member.evaluation.reconstruction.lines
    served = {f"{ACCURACY}/{line}" for line in lines} if len(lines) > 1 else {ACCURACY}
    assert {*served, overlap_key(SAMPLE_TEMPERATURE)} <= {each.key for each in figures}
    names = {each.name for each in figures}
    kind = member.subject.representation.name
    assert any("F1 of hits" in name for name in names) == (kind not in ("melody", "lead_sheet"))
    assert any("velocity (of 127)" in name for name in names) == (kind == "groove")
    by_source = [each for each in figures if each.section == SOURCES and each.is_key]
    assert len(by_source) == 2 * 2 * len(lines)  # two sources; all steps, and onsets
    assert all(each.text for each in figures)


def test_a_change_from_near_zero_is_told_in_the_attributes_unit(evaluation, figures):
    measured = evaluation.attributes
    key = f"attributes/{measured.attributes[0]}"
    assert figures[key].name.endswith("%")
    count = len(measured.attributes)
    huge = replace(
        measured,
        before=(0.002,) * count,
        added=((10_635.0,) * count,) * count,
        subtracted=((-50.0,) * count,) * count,
    )
    changed = to_figures(replace(evaluation, attributes=huge))
    (figure,) = (each for each in changed if each.key == key)
    assert figure.name.endswith(get_attribute(measured.attributes[0]).unit)
    assert figure.text == "+0.213 (subtracted -0.001)"
