"""An evaluation as plain values, for `report.json` and for a bundle."""

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
    """Records the evaluations of models on a data set, as values that JSON can hold."""
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
    """Records an evaluation for a bundle: its data and its figures."""
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
