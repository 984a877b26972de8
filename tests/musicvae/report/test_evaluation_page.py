import html
import json
import re
from dataclasses import replace

import pytest
from outline import Outline

from musicvae.errors import DataError
from musicvae.evaluation.examples import play_examples
from musicvae.evaluation.figure import HOW
from musicvae.evaluation.figures import side_by_side, to_figures
from musicvae.report.evaluation_page import Reported, write_report


@pytest.fixture(scope="module")
def reported(subject, held_out, evaluation):
    examples = play_examples(subject, held_out, seed=3)
    return Reported(subject=subject, evaluation=evaluation, examples=examples)


@pytest.fixture(scope="module")
def written(reported, held_out, tmp_path_factory):
    return write_report([reported], held_out, tmp_path_factory.mktemp("report") / "new" / "out")


def test_two_files_are_written_and_nothing_is_left_behind(written):
    assert [path.name for path in written] == ["report.json", "report.html"]
    assert set(written[0].parent.iterdir()) == set(written)
    record = json.loads(written[0].read_text())
    assert [model["name"] for model in record["models"]] == ["tiny"]


def test_the_page_is_whole_and_needs_nothing_else(written):
    text = written[1].read_text()
    Outline(text)
    assert not re.search(r"(?:src|href)=\"(?!#)", text)
    assert "url(" not in text
    assert "default-src &#39;none&#39;" in text or "default-src 'none'" in text


def test_the_page_has_every_figure_and_how_it_is_measured(written, evaluation):
    text = re.sub(r"&#39;", "'", written[1].read_text())
    sections = {each.section for each in to_figures(evaluation)}
    for section, how in HOW.items():
        assert (how in text) == (section in sections)
    for figure in to_figures(evaluation):
        assert f'<th scope="row">{figure.name}</th><td class="number">{figure.text}</td>' in text


def test_four_sets_stand_side_by_side_with_definitions(written, evaluation):
    text = html.unescape(written[1].read_text())
    for row in side_by_side(evaluation.listener).rows:
        cells = "".join(f'<td class="number">{cell}</td>' for cell in row.cells)
        assert f'{row.name}<span class="faint">{row.about}</span></th>{cells}' in text


def test_the_music_can_be_heard(written, reported):
    text = written[1].read_text()
    music = json.loads(re.search(r'id="music">(.*?)</script>', text)[1])
    assert len(music) == text.count("<article") == 4 + 4 + 8 + 9
    first = reported.examples.inputs[0]
    assert len(music[0]["notes"]) == len(first.notes.notes)
    assert first.title in text


def test_models_stand_side_by_side(reported, held_out, tmp_path):
    other = replace(
        reported,
        subject=replace(reported.subject, name="other"),
        evaluation=replace(reported.evaluation, seed=9),
    )
    _, page = write_report([reported, other], held_out, tmp_path)
    text = page.read_text()
    Outline(text)
    assert "<h1>tiny and other</h1>" in text
    assert text.count("<article") == 4 * 3 + 2 * (8 + 9)
    figure = next(iter(to_figures(reported.evaluation)))
    cell = f'<td class="number">{figure.text}</td>'
    assert f'<th scope="row">{figure.name}</th>{cell}{cell}' in text


def test_two_bundles_of_one_name_are_told_apart(reported, held_out, tmp_path):
    again = replace(reported, subject=replace(reported.subject, version="0123456789ab"))
    _, page = write_report([reported, again], held_out, tmp_path)
    Outline(page.read_text())
    assert "tiny 0123456789ab" in page.read_text()


def test_every_kind_has_a_page(member, tmp_path):
    reported = Reported(
        subject=member.subject,
        evaluation=member.evaluation,
        examples=play_examples(member.subject, member.data, seed=0),
    )
    _, page = write_report([reported], member.data, tmp_path)
    text = page.read_text()
    Outline(text)
    assert "Repeated bars" in text
    assert f"4 bars of {member.subject.representation.name.replace('_', ' ')} in" in text


def test_a_place_that_can_not_be_written_to_is_named(reported, held_out, tmp_path):
    (tmp_path / "report.json").mkdir()
    with pytest.raises(DataError, match=r"report.json can't be written.*another place"):
        write_report([reported], held_out, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]
