from dataclasses import replace

import pytest
import torch

from musicvae.evaluation.figures import RECONSTRUCTION, SAMPLES, SOURCES, WAYS
from musicvae.evaluation.prior_samples import TRAINING
from musicvae.generation.catalogue import describe, usable_vectors
from musicvae.model.event_distribution import SAMPLE_TEMPERATURE

ACCURACY = f"accuracy, {WAYS['sampled']}"
OVERLAP = f"at temperature {SAMPLE_TEMPERATURE:g}: mean overlap with {TRAINING}"


def figure(section, name, value, *, is_key=True):
    return {"section": section, "name": name, "value": value, "is_key": is_key}


def test_key_figures_are_found_among_the_facts(family):
    figures = [
        figure(RECONSTRUCTION, f"accuracy, {WAYS['teacher_forced']}", 0.9),
        figure(RECONSTRUCTION, f"melody: {ACCURACY}", 0.8),
        figure(RECONSTRUCTION, f"bass: {ACCURACY}", 0.7),
        figure(RECONSTRUCTION, f"drums: {ACCURACY}", 0.1, is_key=False),
        figure(SOURCES, f"freedoom, bass: {ACCURACY}", 0.2),
        figure(RECONSTRUCTION, f"accuracy of onsets, {WAYS['sampled']}", 0.6),
        figure(SAMPLES, f"at temperature 1: mean overlap with {TRAINING}", 0.5),
        figure(SAMPLES, OVERLAP, 0.4),
    ]
    bundle = replace(family["trio-16bar"], facts={"evaluation": {"figures": figures}})
    assert describe(bundle).figures == (
        FigureInfo(name="melody: accuracy", value=0.8),
        FigureInfo(name="bass: accuracy", value=0.7),
        FigureInfo(name="overlap", value=0.4),
    )


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"evaluation": {"reconstruction": {"sampled": {"all_steps": 0.9}}}},
        {"evaluation": {"figures": [figure(SAMPLES, OVERLAP, None), {}]}, "sources": []},
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


def test_size_is_that_of_the_weights_on_disk(bundle_folder, tiny):
    files = bundle_folder.glob("*.safetensors")
    on_disk = sum(path.stat().st_size for path in files)
    assert describe(tiny).size_bytes == pytest.approx(on_disk, abs=8000)
    assert describe(tiny).size_bytes < on_disk


def test_attribute_that_leads_nowhere_is_not_listed(family):
    bundle = family["melody-2bar"]
    vectors = {**bundle.attribute_vectors, "note_density": torch.zeros(8)}
    listed = describe(replace(bundle, attribute_vectors=vectors)).attributes
    assert "note_density" not in {each.name for each in listed}
    assert len(listed) == 4


def test_attribute_of_pitch_is_none_of_drums(family):
    bundle = family["drums-2bar"]
    vectors = {**bundle.attribute_vectors, "c_diatonic": torch.ones(8)}
    bundle = replace(bundle, attribute_vectors=vectors)
    assert set(usable_vectors(bundle)) == {"note_density", "syncopation_16th", "syncopation_8th"}
