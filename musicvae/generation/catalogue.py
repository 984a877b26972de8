"""Describes bundles, so that users can choose a model."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard

import numpy as np
from jaxtyping import Float

from musicvae.bundle.format import Bundle
from musicvae.evaluation.figure_keys import ACCURACY, overlap_key
from musicvae.generation.harmony import draws_chords, takes_chords
from musicvae.generation.replies import AttributeInfo, FigureInfo, ModelInfo, SourceInfo
from musicvae.generation.styles import known_styles
from musicvae.temperature import SAMPLE_TEMPERATURE

_BYTES_PER_WEIGHT = 2  # half precision


def describe(bundle: Bundle) -> ModelInfo:
    """Describes a model, with its card."""
    representation, vectors = bundle.representation, usable_vectors(bundle)
    parts = (bundle.weights, bundle.prior_weights, bundle.touch_weights, bundle.attribute_vectors)
    weights = sum(values.size for part in parts for values in part.values())
    return ModelInfo(
        name=bundle.name,
        version=bundle.version,
        representation=representation.name,
        bars=representation.bars,
        meter=representation.meter,
        meters=tuple(dict.fromkeys(grid.meter for grid in bundle.experiment.all_grids)),
        grids=bundle.experiment.all_grids,
        length_steps=representation.length_steps,
        latent_size=bundle.latent_size,
        attributes=tuple(
            AttributeInfo(name=each.name, unit=each.unit, description=each.definition)
            for each in representation.kind.attributes
            if each.name in vectors
        ),
        needs_chords=takes_chords(representation) and not draws_chords(bundle),
        takes_chords=takes_chords(representation),
        size_bytes=weights * _BYTES_PER_WEIGHT,
        figures=tuple(_figures(bundle.facts)),
        sources=tuple(_sources(bundle.facts)),
        licence=str(bundle.facts.get("licence") or ""),
        styles=known_styles(bundle),
        card=bundle.card,
    )


def usable_vectors(bundle: Bundle) -> dict[str, Float[np.ndarray, " latent"]]:
    """The attribute vectors that can move music.

    Left out are attributes that make no sense for the model's music, and attributes with one value
    in all of its data.
    """
    known = {each.name for each in bundle.representation.kind.attributes}
    return {
        name: vector
        for name, vector in bundle.attribute_vectors.items()
        if name in known and bool(vector.any())
    }


def _figures(facts: Mapping[str, object]) -> Iterator[FigureInfo]:
    """The accuracy of every line and the overlap of draws, as far as the facts have them."""
    evaluation = facts.get("evaluation")
    figures = evaluation.get("figures") if isinstance(evaluation, Mapping) else None
    for figure in figures if isinstance(figures, list) else []:
        key, value = str(figure.get("key")), figure.get("value")
        if not isinstance(value, int | float):
            continue
        if key == overlap_key(SAMPLE_TEMPERATURE):
            yield FigureInfo(name="overlap", value=float(value))
        elif key == ACCURACY:
            yield FigureInfo(name="accuracy", value=float(value))
        elif key.startswith(f"{ACCURACY}/"):
            line = key.removeprefix(f"{ACCURACY}/")
            yield FigureInfo(name=f"{line}: accuracy", value=float(value))


def _sources(facts: Mapping[str, object]) -> Iterator[SourceInfo]:
    """The sources of the model, its touch and its prior, then those of the runs they began with.

    Each is listed once.
    """
    parts = [each for each in (facts, facts.get("touch"), facts.get("prior")) if _is_map(each)]
    starts = [each["start"] for each in parts if _is_map(each.get("start"))]
    lists = [each.get("sources") for each in (*parts, *starts)]
    known = set()
    for source in [each for sources in lists if isinstance(sources, list) for each in sources]:
        info = SourceInfo(name=str(source.get("name")), licence=str(source.get("licence") or ""))
        if info not in known:
            known.add(info)
            yield info


def _is_map(value: object) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, Mapping)
