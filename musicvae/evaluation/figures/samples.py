"""The figures of draws from the prior: overlaps with the data, repeated bars, and copies."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import fmean

from musicvae.evaluation.figure import Figure
from musicvae.evaluation.figure_keys import NOVELTY, SAMPLES, STRUCTURE, overlap_key
from musicvae.evaluation.figures.captions import join_key, name_line, prefix
from musicvae.evaluation.novelty import Novelty
from musicvae.evaluation.prior_samples import HELD_OUT, TRAINING, Comparison, PriorSamples
from musicvae.evaluation.self_similarity import SelfSimilarity


def sample_figures(measured: PriorSamples) -> Iterator[Figure]:
    """Lists the figures."""
    at = f"at temperature {measured.temperature:g}"
    root = f"samples/{measured.temperature:g}"
    comparisons = {
        f"{prefix(name_line(line, measured.measures))}{name.replace('_', ' ')}": comparison
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


def structure_figures(line: str, by_set: Mapping[str, SelfSimilarity]) -> Iterator[Figure]:
    """Lists the figures."""
    held_out = by_set[HELD_OUT]
    lag = held_out.equal.index(max(held_out.equal))
    for name, measured in by_set.items():
        if name == HELD_OUT:
            continue
        yield Figure(
            section=STRUCTURE,
            key=join_key("structure", name, "equal_apart", line),
            name=f"{prefix(line)}{name}, equal bars {lag + 1} apart",
            value=measured.equal[lag],
            form=".2%",
            beside=held_out.equal[lag],
            beside_name=HELD_OUT,
        )
        yield Figure(
            section=STRUCTURE,
            key=join_key("structure", name, "difference", line),
            name=f"{prefix(line)}{name}, difference of the likeness of bars",
            value=measured.distance(held_out),
        )
        yield Figure(
            section=STRUCTURE,
            key=join_key("structure", name, "likeness", line),
            name=f"{prefix(line)}{name}, likeness of two bars",
            value=fmean(measured.likeness),
            beside=fmean(held_out.likeness),
            beside_name=HELD_OUT,
            is_key=False,
        )
        yield Figure(
            section=STRUCTURE,
            key=join_key("structure", name, "equal", line),
            name=f"{prefix(line)}{name}, equal bars",
            value=fmean(measured.equal),
            form=".2%",
            beside=fmean(held_out.equal),
            beside_name=HELD_OUT,
            is_key=False,
        )


def novelty_figures(line: str, by_set: Mapping[str, Novelty]) -> Iterator[Figure]:
    """Lists the figures."""
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
                key=join_key("novelty", name, key, line),
                name=f"{prefix(line)}{name}, {what}",
                value=ours,
                form=form,
                beside=theirs,
                beside_name=HELD_OUT,
                is_key=form == ".2%",
            )
