"""The figures of an evaluation in order, each with a name: for tables, model cards and pages."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import fields
from statistics import fmean

from musicvae.evaluation.accuracy import Accuracy, Measure, Ways
from musicvae.evaluation.attribute_transfer import AttributeTransfer
from musicvae.evaluation.bootstrap import Estimate
from musicvae.evaluation.evaluate import Evaluation
from musicvae.evaluation.figure import (
    ATTRIBUTES,
    INTERPOLATION,
    LIKELIHOOD,
    NOVELTY,
    RECONSTRUCTION,
    SAMPLES,
    SOURCES,
    STRUCTURE,
    Figure,
)
from musicvae.evaluation.interpolation import Interpolation
from musicvae.evaluation.novelty import Novelty
from musicvae.evaluation.prior_samples import HELD_OUT, TRAINING, Comparison, PriorSamples
from musicvae.evaluation.reconstruction import Reconstruction
from musicvae.evaluation.self_similarity import SelfSimilarity

WAYS = {
    "teacher_forced": "teacher-forced",
    "sampled": "sampled, posterior's mean",
    "sampled_from_draw": "sampled, posterior's draw",
    "sampled_at_temperature_1": "sampled at temperature 1",
    "shuffled": "sampled, another excerpt's mean",
}
"""What each of `musicvae.evaluation.accuracy.Ways` is called."""

_SHORT = {WAYS["sampled"], WAYS["sampled_at_temperature_1"]}
"""Whose accuracies of onsets, and of the lines of several, belong in a short table."""

_UNITS = {"velocity": "of 127", "offset": "steps"}
"""Of `musicvae.evaluation.accuracy.NUMBER_UNITS`."""


def to_figures(evaluation: Evaluation) -> tuple[Figure, ...]:
    """All figures, section by section; those of one name stand in different sections."""
    return (
        *_reconstruction(evaluation.reconstruction),
        *_likelihood(evaluation),
        *_interpolation(evaluation.interpolation),
        *_attributes(evaluation.attributes),
        *(figure for each in evaluation.prior_samples.at for figure in _samples(each)),
        *(
            figure
            for line, by_set in evaluation.structure.items()
            for figure in _structure(_prefix(line, len(evaluation.structure)), by_set)
        ),
        *(
            figure
            for line, by_set in evaluation.novelty.items()
            for figure in _novelty(_prefix(line, len(evaluation.novelty)), by_set)
        ),
    )


def _prefix(line: str, lines: int) -> str:
    return f"{line}: " if lines > 1 else ""


def _reconstruction(measured: Reconstruction) -> Iterator[Figure]:
    lines = len(measured.lines)
    for line, ways in measured.lines.items():
        keys = set(WAYS.values()) if lines == 1 else _SHORT
        yield from _accuracies(_prefix(line, lines), ways, keys)
    for line, hits in measured.hits.items():
        for way, estimate in _named(hits):
            yield _estimate(
                RECONSTRUCTION,
                f"{_prefix(line, lines)}F1 of hits, {way}",
                estimate,
                is_key=way == WAYS["sampled"],
            )
    for kind, errors in measured.numbers.items():
        for way, estimate in _named(errors):
            yield _estimate(
                RECONSTRUCTION,
                f"error of the {kind} ({_UNITS[kind]}), {way}",
                estimate,
                is_key=way == WAYS["sampled"],
            )
    for source, by_line in measured.sources.items():
        for line, ways in by_line.items():
            prefix = f"{source}, {_prefix(line, lines)}"
            yield from _accuracies(prefix, ways, {WAYS["sampled"]}, section=SOURCES)


def _accuracies(
    prefix: str, ways: Ways[Accuracy], keys: AbstractSet[str], *, section: str = RECONSTRUCTION
) -> Iterator[Figure]:
    for way, accuracy in _named(ways):
        yield Figure(
            section=section,
            name=f"{prefix}accuracy, {way}",
            value=accuracy.all_steps,
            interval=accuracy.all_steps_interval,
            form=".4f",
            is_key=way in keys,
        )
        yield Figure(
            section=section,
            name=f"{prefix}accuracy of onsets, {way}",
            value=accuracy.onsets,
            interval=accuracy.onsets_interval,
            form=".4f",
            is_key=way in keys & _SHORT,
        )


def _named(ways: Ways[Measure]) -> Iterator[tuple[str, Measure]]:
    return zip((WAYS[field.name] for field in fields(ways)), ways, strict=True)


def _estimate(
    section: str, name: str, estimate: Estimate, *, form: str = ".3f", is_key: bool = True
) -> Figure:
    return Figure(
        section=section,
        name=name,
        value=estimate.value,
        interval=estimate.interval,
        form=form,
        is_key=is_key,
    )


def _likelihood(evaluation: Evaluation) -> Iterator[Figure]:
    bounds, measured = evaluation.likelihood, evaluation.reconstruction
    named = {
        "ELBO": (bounds.elbo_nats, bounds.elbo_bits_per_step),
        f"closer bound, {bounds.draws} draws": (bounds.bound_nats, bounds.bound_bits_per_step),
    }
    for name, (nats, bits) in named.items():
        yield _estimate(LIKELIHOOD, f"{name}, bits a step", bits)
        yield _estimate(LIKELIHOOD, f"{name}, nats an excerpt", nats, form=".2f", is_key=False)
    yield Figure(
        section=LIKELIHOOD,
        name="KL from the standard Gaussian, nats an excerpt",
        value=measured.divergence_nats,
        form=".2f",
    )
    yield Figure(
        section=LIKELIHOOD,
        name="active dimensions of the latent",
        value=float(measured.active_units),
        form=".0f",
        beside=float(measured.latent_size),
        beside_name="of",
    )


def _interpolation(measured: Interpolation) -> Iterator[Figure]:
    middle = len(measured.fractions) // 2
    yield Figure(
        section=INTERPOLATION,
        name="highest cost on the way",
        value=max(measured.cost),
        beside=max(measured.mixture_cost),
        beside_name="mixture",
    )
    yield Figure(
        section=INTERPOLATION,
        name="distance half way",
        value=measured.distance[middle],
        beside=measured.mixture_distance[middle],
        beside_name="mixture",
    )


def _attributes(measured: AttributeTransfer) -> Iterator[Figure]:
    for i, name in enumerate(measured.attributes):
        yield Figure(
            section=ATTRIBUTES,
            name=f"{name.replace('_', ' ')} along its own vector, %",
            value=measured.added[i][i],
            form="+.0f",
            beside=measured.subtracted[i][i],
            beside_name="subtracted",
        )


def _samples(measured: PriorSamples) -> Iterator[Figure]:
    at = f"at temperature {measured.temperature:g}"
    comparisons = {
        f"{_prefix(line, len(measured.measures))}{name.replace('_', ' ')}": comparison
        for line, by_name in measured.measures.items()
        for name, comparison in by_name.items()
    }
    yield from _flaws(measured, at)
    for split in (TRAINING, HELD_OUT):
        overlaps = {name: _overlap(each, split) for name, each in comparisons.items()}
        lowest = min(overlaps, key=lambda name: overlaps[name][0])
        yield Figure(
            section=SAMPLES,
            name=f"{at}: mean overlap with {split}",
            value=fmean(overlap for overlap, _ in overlaps.values()),
            beside=fmean(ceiling for _, ceiling in overlaps.values()),
            beside_name="ceiling",
            is_key=split == TRAINING,
        )
        yield Figure(
            section=SAMPLES,
            name=f"{at}: lowest overlap with {split}",
            value=overlaps[lowest][0],
            beside=overlaps[lowest][1],
            beside_name=f"{lowest}, ceiling",
            is_key=split == TRAINING,
        )
        for name, (overlap, ceiling) in overlaps.items():
            yield Figure(
                section=SAMPLES,
                name=f"{at}: {name}, overlap with {split}",
                value=overlap,
                beside=ceiling,
                beside_name="ceiling",
                is_key=False,
            )
    for name, each in comparisons.items():
        yield Figure(
            section=SAMPLES,
            name=f"{at}: {name}, KL from {HELD_OUT}, nats",
            value=each.divergence_nats,
            beside=each.training_divergence_nats,
            beside_name=f"from {TRAINING}",
            is_key=False,
        )
        yield Figure(
            section=SAMPLES,
            name=f"{at}: {name}, mean",
            value=each.draws_mean,
            form=".2f",
            beside=each.held_out_mean,
            beside_name=HELD_OUT,
            is_key=False,
        )


def _flaws(measured: PriorSamples, at: str) -> Iterator[Figure]:
    for name, ours, theirs in (
        ("empty", measured.flaws.empty, measured.held_out_flaws.empty),
        ("of a single pitch", measured.flaws.single_pitch, measured.held_out_flaws.single_pitch),
    ):
        if ours is not None:
            yield Figure(
                section=SAMPLES,
                name=f"{at}: {name}",
                value=ours,
                form=".2%",
                beside=theirs,
                beside_name=HELD_OUT,
                is_key=name == "empty",
            )


def _overlap(comparison: Comparison, split: str) -> tuple[float, float]:
    if split == TRAINING:
        return comparison.training_overlap, comparison.training_ceiling
    return comparison.overlap, comparison.ceiling


def _structure(prefix: str, by_set: Mapping[str, SelfSimilarity]) -> Iterator[Figure]:
    held_out = by_set[HELD_OUT]
    lag = held_out.equal.index(max(held_out.equal))
    for name, measured in by_set.items():
        if name == HELD_OUT:
            continue
        yield Figure(
            section=STRUCTURE,
            name=f"{prefix}{name}, equal bars {lag + 1} apart",
            value=measured.equal[lag],
            form=".2%",
            beside=held_out.equal[lag],
            beside_name=HELD_OUT,
        )
        yield Figure(
            section=STRUCTURE,
            name=f"{prefix}{name}, difference of the likeness of bars",
            value=measured.distance(held_out),
        )
        yield Figure(
            section=STRUCTURE,
            name=f"{prefix}{name}, likeness of two bars",
            value=fmean(measured.likeness),
            beside=fmean(held_out.likeness),
            beside_name=HELD_OUT,
            is_key=False,
        )
        yield Figure(
            section=STRUCTURE,
            name=f"{prefix}{name}, equal bars",
            value=fmean(measured.equal),
            form=".2%",
            beside=fmean(held_out.equal),
            beside_name=HELD_OUT,
            is_key=False,
        )


def _novelty(prefix: str, by_set: Mapping[str, Novelty]) -> Iterator[Figure]:
    held_out = by_set[HELD_OUT]
    for name, measured in by_set.items():
        if name == HELD_OUT:
            continue
        for what, ours, theirs, form in (
            ("with a long run", measured.long, held_out.long, ".2%"),
            ("copied as a whole", measured.whole, held_out.whole, ".2%"),
            ("longest run, mean of all", measured.mean, held_out.mean, ".2f"),
            ("longest run of all", float(measured.longest), float(held_out.longest), ".0f"),
        ):
            yield Figure(
                section=NOVELTY,
                name=f"{prefix}{name}, {what}",
                value=ours,
                form=form,
                beside=theirs,
                beside_name=HELD_OUT,
                is_key=form == ".2%",
            )
