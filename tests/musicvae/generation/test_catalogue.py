from dataclasses import replace

import numpy as np
import pytest

from musicvae import bundle
from musicvae.evaluation.figure_keys import ACCURACY, overlap_key
from musicvae.generation.catalogue import describe, usable_vectors
from musicvae.generation.replies import FigureInfo, SourceInfo
from musicvae.temperature import SAMPLE_TEMPERATURE

OVERLAP = overlap_key(SAMPLE_TEMPERATURE)


def test_the_accuracy_of_each_line_and_the_overlap_are_found_by_their_keys(family):
    figures = [
        {"key": "reconstruction/accuracy/teacher_forced", "name": "accuracy", "value": 0.9},
        {"key": f"{ACCURACY}/melody", "name": "any caption", "value": 0.8},
        {"key": f"{ACCURACY}/bass", "name": "", "value": 0.7},
        {"key": f"{ACCURACY}/drums", "value": None},
        {"key": "sources/folk/accuracy/sampled/bass", "value": 0.2},
        {"key": overlap_key(1.0), "value": 0.5},
        {"key": OVERLAP, "value": 0.4},
    ]
    described = describe(replace(family["trio-16bar"], facts={"evaluation": {"figures": figures}}))
    assert described.figures == (
        FigureInfo(name="melody: accuracy", value=0.8),
        FigureInfo(name="bass: accuracy", value=0.7),
        FigureInfo(name="overlap", value=0.4),
    )


@pytest.mark.parametrize("name", bundle.embedded())
def test_shipped_bundles_serve_their_figures(name):
    shipped = describe(bundle.load(name)).figures
    accuracies = 3 if name.startswith("trio") else 1
    assert [each.name.rpartition(" ")[2] for each in shipped] == ["accuracy"] * accuracies + [
        "overlap"
    ]


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"evaluation": {"reconstruction": {"sampled": {"all_steps": 0.9}}}},
        {"evaluation": {"figures": [{"key": OVERLAP, "value": None}, {}]}, "sources": []},
    ],
)
def test_bundle_without_figures_has_none(family, facts):
    info = describe(replace(family["melody-2bar"], facts=facts))
    assert (info.figures, info.sources) == ((), ())


def test_sources_are_named_with_their_licences(family):
    facts = {
        "sources": [{"name": "a", "licence": "MIT", "pieces": 3}, {"name": "b", "licence": None}]
    }
    assert describe(replace(family["melody-2bar"], facts=facts)).sources == (
        SourceInfo(name="a", licence="MIT"),
        SourceInfo(name="b", licence=""),
    )


def test_sources_of_the_prior_and_of_earlier_runs_are_named_too(family):
    def of(name):
        return [{"name": name, "licence": "MIT"}]

    facts = {
        "sources": of("a"),
        "start": {"sources": of("b")},
        "prior": {"sources": of("a") + of("c"), "start": {"sources": of("d")}},
        "touch": {"sources": of("e"), "start": None},
    }
    info = describe(replace(family["melody-2bar"], facts=facts))
    assert [each.name for each in info.sources] == ["a", "e", "c", "b", "d"]


def test_the_licence_of_the_weights_is_told(family):
    bundle = replace(family["melody-2bar"], facts={"licence": "Apache-2.0"})
    assert describe(bundle).licence == "Apache-2.0"
    assert describe(replace(bundle, facts={})).licence == ""


def test_size_is_that_of_the_weights_on_disk(bundle_folder, tiny):
    files = bundle_folder.glob("*.safetensors")
    on_disk = sum(path.stat().st_size for path in files)
    assert describe(tiny).size_bytes == pytest.approx(on_disk, abs=8000)
    assert describe(tiny).size_bytes < on_disk


def test_attribute_that_leads_nowhere_is_not_listed(family):
    bundle = family["melody-2bar"]
    vectors = {**bundle.attribute_vectors, "note_density": np.zeros(8, np.float32)}
    listed = describe(replace(bundle, attribute_vectors=vectors)).attributes
    assert "note_density" not in {each.name for each in listed}
    assert len(listed) == 4


def test_attribute_of_pitch_is_none_of_drums(family):
    bundle = family["drums-2bar"]
    vectors = {**bundle.attribute_vectors, "c_diatonic": np.ones(8, np.float32)}
    bundle = replace(bundle, attribute_vectors=vectors)
    assert set(usable_vectors(bundle)) == {"note_density", "syncopation_16th", "syncopation_8th"}
