"""An evaluation as plain values: what `report.json` and a bundle hold."""

from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from musicvae.evaluation.evaluate import Evaluation
from musicvae.evaluation.figure import HOW, Figure
from musicvae.evaluation.figures import to_figures
from musicvae.evaluation.subject import Data, Subject


def to_record(
    subjects: Sequence[Subject], data: Data, evaluations: Sequence[Evaluation]
) -> dict[str, Any]:
    """Everything that was measured of models on one data set, JSON's kinds of values only."""
    return {
        "musicvae": version("musicvae"),
        "data": {
            "content_hash": data.manifest.content_hash,
            "representation": dict(data.manifest.representation),
            "split": data.split,
            "examples": len(data.held_out),
            "pieces": data.pieces,
            "left_out": list(data.left_out),
            "sources": {source.name: source.excerpts for source in data.manifest.sources},
        },
        "how": HOW,
        "models": [
            {
                "name": subject.name,
                "version": subject.version,
                "weights": subject.weights,
                "steps": subject.steps,
                "examples_seen": subject.examples_seen,
                **to_facts(evaluation),
                "measured": asdict(evaluation),
            }
            for subject, evaluation in zip(subjects, evaluations, strict=True)
        ],
    }


def to_facts(evaluation: Evaluation) -> dict[str, Any]:
    """What a bundle says of its evaluation: on what it was, and the figures."""
    return {
        "split": evaluation.split,
        "content_hash": evaluation.content_hash,
        "examples": evaluation.examples,
        "pieces": evaluation.pieces,
        "seed": evaluation.seed,
        "figures": [_figure(each) for each in to_figures(evaluation)],
    }


def _figure(figure: Figure) -> dict[str, Any]:
    low, high = (
        (None, None) if figure.interval is None else (figure.interval.low, figure.interval.high)
    )
    return {
        "key": figure.key,
        "section": figure.section,
        "name": figure.name,
        "value": figure.value,
        "low": low,
        "high": high,
        "beside": figure.beside,
        "beside_name": figure.beside_name or None,
        "is_key": figure.is_key,
    }
