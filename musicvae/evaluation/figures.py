"""The figures of an evaluation in order, each with its key and its caption."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields
from statistics import fmean

from musicvae.evaluation.accuracy import Accuracy, Decodings, Measure
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
    overlap_key,
)
from musicvae.evaluation.interpolation import Interpolation
from musicvae.evaluation.novelty import Novelty
from musicvae.evaluation.prior_samples import HELD_OUT, TRAINING, Comparison, PriorSamples
from musicvae.evaluation.reconstruction import Reconstruction
from musicvae.evaluation.self_similarity import SelfSimilarity
from musicvae.music.attributes import get_attribute

WAYS = {
    "teacher_forced": "teacher-forced",
    "sampled": "sampled, posterior's mean",
    "sampled_from_draw": "sampled, posterior's draw",
    "sampled_at_temperature_1": "sampled at temperature 1",
    "shuffled": "sampled, another excerpt's mean",
}
"""The caption of each decoding in `musicvae.evaluation.accuracy.Decodings`."""

_SHORT = {"sampled", "sampled_at_temperature_1"}
"""The decodings whose accuracies of onsets, and of single lines, belong in a short table."""

MOST_PERCENT = 300
"""A larger change is given in the attribute's unit: the mean before was near zero, and a share of
it says nothing."""

_UNITS = {"velocity": "of 127", "offset": "steps"}
"""The captions of the units in `musicvae.evaluation.accuracy.NUMBER_UNITS`."""


def to_figures(evaluation: Evaluation) -> tuple[Figure, ...]:
    """Lists all figures, section by section; no two share a key."""
    return (
        *_reconstruction(evaluation.reconstruction),
        *_likelihood(evaluation),
        *_interpolation(evaluation.interpolation),
        *_attributes(evaluation.attributes),
        *(figure for each in evaluation.prior_samples.at for figure in _samples(each)),
        *(
            figure
            for line, by_set in evaluation.structure.items()
            for figure in _structure(_named(line, evaluation.structure), by_set)
        ),
        *(
            figure
            for line, by_set in evaluation.novelty.items()
            for figure in _novelty(_named(line, evaluation.novelty), by_set)
        ),
    )


def _named(line: str, lines: Collection[str]) -> str:
    """Gives a line's name where there are several lines, else an empty text."""
    return line if len(lines) > 1 else ""


def _prefix(line: str) -> str:
    return f"{line}: " if line else ""


def _key(*names: str) -> str:
    return "/".join(name for name in names if name)


def _reconstruction(measured: Reconstruction) -> Iterator[Figure]:
    for line, ways in measured.lines.items():
        named = _named(line, measured.lines)
        keys = _SHORT if named else set(WAYS)
        yield from _accuracies(named, _prefix(named), ways, keys)
    for line, hits in measured.hits.items():
        named = _named(line, measured.lines)
        for way, estimate in _by_way(hits):
            yield _estimate(
                RECONSTRUCTION,
                _key("reconstruction/f1", way, named),
                f"{_prefix(named)}F1 of hits, {WAYS[way]}",
                estimate,
                is_key=way == "sampled",
            )
    for kind, errors in measured.numbers.items():
        for way, estimate in _by_way(errors):
            yield _estimate(
                RECONSTRUCTION,
                f"reconstruction/{kind}_error/{way}",
                f"error of the {kind} ({_UNITS[kind]}), {WAYS[way]}",
                estimate,
                is_key=way == "sampled",
            )
    for source, by_line in measured.sources.items():
        for line, ways in by_line.items():
            named = _named(line, measured.lines)
            yield from _accuracies(
                named, f"{source}, {_prefix(named)}", ways, {"sampled"}, source=source
            )


def _accuracies(
    line: str, prefix: str, ways: Decodings[Accuracy], keys: Collection[str], *, source: str = ""
) -> Iterator[Figure]:
    section, root = (SOURCES, f"sources/{source}") if source else (RECONSTRUCTION, "reconstruction")
    for way, accuracy in _by_way(ways):
        yield Figure(
            section=section,
            key=_key(root, "accuracy", way, line),
            name=f"{prefix}accuracy, {WAYS[way]}",
            value=accuracy.all_steps,
            interval=accuracy.all_steps_interval,
            form=".4f",
            is_key=way in keys,
        )
        yield Figure(
            section=section,
            key=_key(root, "onset_accuracy", way, line),
            name=f"{prefix}accuracy of onsets, {WAYS[way]}",
            value=accuracy.onsets,
            interval=accuracy.onsets_interval,
            form=".4f",
            is_key=way in keys and way in _SHORT,
        )


def _by_way(ways: Decodings[Measure]) -> Iterator[tuple[str, Measure]]:
    return zip((field.name for field in fields(ways)), ways, strict=True)


def _estimate(
    section: str, key: str, name: str, estimate: Estimate, *, form: str = ".3f", is_key: bool = True
) -> Figure:
    return Figure(
        section=section,
        key=key,
        name=name,
        value=estimate.value,
        interval=estimate.interval,
        form=form,
        is_key=is_key,
    )


def _likelihood(evaluation: Evaluation) -> Iterator[Figure]:
    bounds, measured = evaluation.likelihood, evaluation.reconstruction
    for key, name, nats, bits in (
        ("elbo", "ELBO", bounds.elbo_nats, bounds.elbo_bits_per_step),
        (
            "closer_bound",
            f"closer bound, {bounds.draws} draws",
            bounds.bound_nats,
            bounds.bound_bits_per_step,
        ),
    ):
        yield _estimate(LIKELIHOOD, f"likelihood/{key}/bits", f"{name}, bits a step", bits)
        yield _estimate(
            LIKELIHOOD,
            f"likelihood/{key}/nats",
            f"{name}, nats an excerpt",
            nats,
            form=".2f",
            is_key=False,
        )
    yield Figure(
        section=LIKELIHOOD,
        key="likelihood/kl",
        name="KL from the standard Gaussian, nats an excerpt",
        value=measured.divergence_nats,
        form=".2f",
    )
    yield Figure(
        section=LIKELIHOOD,
        key="likelihood/active_dimensions",
        name="active dimensions of the latent",
        value=float(measured.active_units),
        form=".0f",
        beside=float(measured.latent_size),
        beside_name="of",
    )


def _interpolation(measured: Interpolation) -> Iterator[Figure]:
    middle = len(measured.fractions) // 2
    if measured.cost is not None and measured.mixture_cost is not None:
        yield Figure(
            section=INTERPOLATION,
            key="interpolation/highest_cost",
            name="highest cost on the way",
            value=max(measured.cost),
            beside=max(measured.mixture_cost),
            beside_name="mixture",
        )
    yield Figure(
        section=INTERPOLATION,
        key="interpolation/distance_half_way",
        name="distance half way",
        value=measured.distance[middle],
        beside=measured.mixture_distance[middle],
        beside_name="mixture",
    )


def _attributes(measured: AttributeTransfer) -> Iterator[Figure]:
    for i, name in enumerate(measured.attributes):
        added, subtracted = measured.added[i][i], measured.subtracted[i][i]
        unit, form = "%", "+.0f"
        if max(abs(added or 0), abs(subtracted or 0)) > MOST_PERCENT:
            unit, form = get_attribute(name).unit, "+.3f"
            added, subtracted = (
                None if change is None else change / 100 * measured.before[i]
                for change in (added, subtracted)
            )
        yield Figure(
            section=ATTRIBUTES,
            key=f"attributes/{name}",
            name=f"{name.replace('_', ' ')} along its own vector, {unit}",
            value=added,
            form=form,
            beside=subtracted,
            beside_name="subtracted",
        )


def _samples(measured: PriorSamples) -> Iterator[Figure]:
    at = f"at temperature {measured.temperature:g}"
    root = f"samples/{measured.temperature:g}"
    comparisons = {
        f"{_prefix(_named(line, measured.measures))}{name.replace('_', ' ')}": comparison
        for line, by_name in measured.measures.items()
        for name, comparison in by_name.items()
    }
    yield from _flaws(measured, at, root)
    has_training = next(iter(comparisons.values())).training_overlap is not None
    for split in (TRAINING, HELD_OUT) if has_training else (HELD_OUT,):
        overlaps = {name: _overlap(each, split) for name, each in comparisons.items()}
        lowest = min(overlaps, key=lambda name: overlaps[name].value)
        ceilings = [each.ceiling for each in overlaps.values() if each.ceiling is not None]
        is_key = split == TRAINING or not has_training
        yield Figure(
            section=SAMPLES,
            key=overlap_key(measured.temperature, split),
            name=f"{at}: mean overlap with {split}",
            value=fmean(each.value for each in overlaps.values()),
            beside=fmean(ceilings) if ceilings else None,
            beside_name="ceiling",
            is_key=is_key,
        )
        yield Figure(
            section=SAMPLES,
            key=f"{root}/lowest_overlap/{split}",
            name=f"{at}: lowest overlap with {split}",
            value=overlaps[lowest].value,
            beside=overlaps[lowest].ceiling,
            beside_name=f"{lowest}, ceiling",
            is_key=is_key,
        )
        for name, overlap in overlaps.items():
            yield Figure(
                section=SAMPLES,
                key=f"{root}/overlap_of/{name}/{split}",
                name=f"{at}: {name}, overlap with {split}",
                value=overlap.value,
                beside=overlap.ceiling,
                beside_name="ceiling",
                is_key=False,
            )
    for name, each in comparisons.items():
        yield Figure(
            section=SAMPLES,
            key=f"{root}/kl_of/{name}",
            name=f"{at}: {name}, KL from {HELD_OUT}, nats",
            value=each.divergence_nats,
            beside=each.training_divergence_nats,
            beside_name=f"from {TRAINING}",
            is_key=False,
        )
        yield Figure(
            section=SAMPLES,
            key=f"{root}/mean_of/{name}",
            name=f"{at}: {name}, mean",
            value=each.draws_mean,
            form=".2f",
            beside=each.held_out_mean,
            beside_name=HELD_OUT,
            is_key=False,
        )


def _flaws(measured: PriorSamples, at: str, root: str) -> Iterator[Figure]:
    for name, ours, theirs in (
        ("empty", measured.flaws.empty, measured.held_out_flaws.empty),
        ("of a single pitch", measured.flaws.single_pitch, measured.held_out_flaws.single_pitch),
    ):
        if ours is not None:
            yield Figure(
                section=SAMPLES,
                key=f"{root}/{name.replace(' ', '_')}",
                name=f"{at}: {name}",
                value=ours,
                form=".2%",
                beside=theirs,
                beside_name=HELD_OUT,
                is_key=name == "empty",
            )


@dataclass(frozen=True)
class _Overlap:
    """An overlap, and the overlap of a perfect model of the training split, if there is one."""

    value: float
    ceiling: float | None


def _overlap(comparison: Comparison, split: str) -> _Overlap:
    if split == TRAINING:
        assert comparison.training_overlap is not None
        return _Overlap(comparison.training_overlap, comparison.training_ceiling)
    return _Overlap(comparison.overlap, comparison.ceiling)


def _structure(line: str, by_set: Mapping[str, SelfSimilarity]) -> Iterator[Figure]:
    held_out = by_set[HELD_OUT]
    lag = held_out.equal.index(max(held_out.equal))
    for name, measured in by_set.items():
        if name == HELD_OUT:
            continue
        yield Figure(
            section=STRUCTURE,
            key=_key("structure", name, "equal_apart", line),
            name=f"{_prefix(line)}{name}, equal bars {lag + 1} apart",
            value=measured.equal[lag],
            form=".2%",
            beside=held_out.equal[lag],
            beside_name=HELD_OUT,
        )
        yield Figure(
            section=STRUCTURE,
            key=_key("structure", name, "difference", line),
            name=f"{_prefix(line)}{name}, difference of the likeness of bars",
            value=measured.distance(held_out),
        )
        yield Figure(
            section=STRUCTURE,
            key=_key("structure", name, "likeness", line),
            name=f"{_prefix(line)}{name}, likeness of two bars",
            value=fmean(measured.likeness),
            beside=fmean(held_out.likeness),
            beside_name=HELD_OUT,
            is_key=False,
        )
        yield Figure(
            section=STRUCTURE,
            key=_key("structure", name, "equal", line),
            name=f"{_prefix(line)}{name}, equal bars",
            value=fmean(measured.equal),
            form=".2%",
            beside=fmean(held_out.equal),
            beside_name=HELD_OUT,
            is_key=False,
        )


def _novelty(line: str, by_set: Mapping[str, Novelty]) -> Iterator[Figure]:
    held_out = by_set[HELD_OUT]
    for name, measured in by_set.items():
        if name == HELD_OUT:
            continue
        longest = float(measured.longest), float(held_out.longest)
        for key, what, ours, theirs, form in (
            ("long", "with a long run", measured.long, held_out.long, ".2%"),
            ("whole", "copied as a whole", measured.whole, held_out.whole, ".2%"),
            ("mean", "longest run, mean of all", measured.mean, held_out.mean, ".2f"),
            ("longest", "longest run of all", *longest, ".0f"),
        ):
            yield Figure(
                section=NOVELTY,
                key=_key("novelty", name, key, line),
                name=f"{_prefix(line)}{name}, {what}",
                value=ours,
                form=form,
                beside=theirs,
                beside_name=HELD_OUT,
                is_key=form == ".2%",
            )
