import json

from musicvae.evaluation.figure import HOW
from musicvae.evaluation.figures import to_figures
from musicvae.evaluation.record import to_facts, to_record


def test_a_record_says_what_was_measured_on_what(subject, held_out, evaluation):
    record = json.loads(
        json.dumps(to_record([subject, subject], held_out, [evaluation] * 2), allow_nan=False)
    )
    data = record["data"]
    assert (data["split"], data["examples"], data["pieces"]) == ("test", 20, 10)
    assert data["sources"] == {"walks": {"train": 40, "validation": 12, "test": 20}}
    assert record["how"] == HOW
    first, second = record["models"]
    assert first == second
    assert (first["name"], first["version"]) == (subject.name, subject.version)
    assert (first["weights"], first["examples_seen"]) == (subject.weights, 160)
    sampled = first["measured"]["reconstruction"]["sampled"]["all_steps"]
    assert sampled == evaluation.reconstruction.sampled.all_steps


def test_facts_are_the_figures(evaluation):
    facts = to_facts(evaluation)
    assert (facts["split"], facts["seed"]) == ("test", 3)
    for written, figure in zip(facts["figures"], to_figures(evaluation), strict=True):
        assert (written["key"], written["name"]) == (figure.key, figure.name)
        assert written["value"] == figure.value
        assert written["is_key"] == figure.is_key
    intervals = [each for each in facts["figures"] if each["low"] is not None]
    assert all(each["low"] <= each["high"] for each in intervals)
    assert len(intervals) > 10
