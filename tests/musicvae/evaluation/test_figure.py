import io
from collections import Counter
from dataclasses import replace

import pytest
from rich.console import Console

from musicvae.evaluation.bootstrap import Interval
from musicvae.evaluation.figure import Figure, to_table
from musicvae.evaluation.figure_keys import NOVELTY
from musicvae.evaluation.figures import to_figures


@pytest.mark.parametrize(
    ("figure", "expected"),
    [
        ({"value": 0.12345}, "0.123"),
        ({"value": None}, "none"),
        ({"value": 3.0, "form": ".0f", "beside": 8.0, "beside_name": "of"}, "3 (of 8)"),
        ({"value": 0.5, "form": ".2%", "beside": 0.25, "beside_name": "data"},
         "50.00% (data 25.00%)"),
        ({"value": 0.5, "interval": Interval(low=0.4, high=0.6)}, "0.500 [0.400 to 0.600]"),
        ({"value": 2.5, "form": "+.0f", "beside": -31.0, "beside_name": "subtracted"},
         "+2 (subtracted -31)"),
    ],
)  # fmt: skip
def test_a_figure_is_read_with_what_belongs_to_it(figure, expected):
    assert Figure(section=NOVELTY, key="a", name="a", **figure).text == expected


def test_models_stand_side_by_side(evaluation):
    ours = to_figures(evaluation)
    theirs = tuple(replace(each, value=0.125, form=".3f") for each in ours[:-1])
    console = Console(file=io.StringIO(), width=300)
    console.print(to_table({"ours": ours, "theirs": theirs}, "test split"))
    text = console.file.getvalue()
    assert "test split" in text
    counts = Counter(line.count("0.125") for line in text.splitlines())
    assert counts[1] == sum(each.is_key for each in theirs)


def test_a_figure_that_only_one_model_has_stands_in_its_section(evaluation):
    ours = to_figures(evaluation)
    more = Figure(section="Reconstruction", key="f1", name="F1 of hits", value=0.9)
    table = to_table({"ours": ours, "theirs": (*ours, more)}, "")
    names = list(table.columns[0].cells)
    assert names.index("F1 of hits") < names.index("ELBO, bits a step")
