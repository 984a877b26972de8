"""The figures of reconstruction: accuracies, hits and numbers, in all and by source."""

from collections.abc import Collection, Iterator
from dataclasses import fields

from musicvae.evaluation.accuracy import Accuracy, Decodings, Measure
from musicvae.evaluation.figure import Figure
from musicvae.evaluation.figure_keys import RECONSTRUCTION, SOURCES
from musicvae.evaluation.figures.captions import join_key, name_line, prefix, to_figure
from musicvae.evaluation.reconstruction import Reconstruction

_WAYS = {
    "teacher_forced": "teacher-forced",
    "sampled": "sampled, posterior's mean",
    "sampled_from_draw": "sampled, posterior's draw",
    "sampled_at_temperature_1": "sampled at temperature 1",
    "shuffled": "sampled, another excerpt's mean",
}
"""The caption of each decoding in `musicvae.evaluation.accuracy.Decodings`."""

_SHORT = {"sampled", "sampled_at_temperature_1"}
"""The decodings whose accuracies of onsets, and of single lines, belong in a short table."""

_UNITS = {"velocity": "of 127", "offset": "steps"}
"""The captions of the units in `musicvae.evaluation.accuracy.NUMBER_UNITS`."""


def reconstruction_figures(measured: Reconstruction) -> Iterator[Figure]:
    """Lists the figures."""
    for line, ways in measured.lines.items():
        named = name_line(line, measured.lines)
        keys = _SHORT if named else set(_WAYS)
        yield from _accuracies(named, prefix(named), ways, keys)
    yield from _drums(measured)
    yield from _numbers(measured)
    for source, by_line in measured.sources.items():
        for line, ways in by_line.items():
            named = name_line(line, measured.lines)
            yield from _accuracies(
                named, f"{source}, {prefix(named)}", ways, {"sampled"}, source=source
            )


def common_figures(common: Accuracy | None) -> Iterator[Figure]:
    """Lists the figure of the excerpts in common with training, where there are any."""
    if common is not None:
        yield Figure(
            section=RECONSTRUCTION,
            key="common/accuracy/sampled",
            name=f"accuracy on excerpts that training has, too, {_WAYS['sampled']}",
            value=common.all_steps,
            interval=common.all_steps_interval,
            form=".4f",
            is_key=True,
        )


def _drums(measured: Reconstruction) -> Iterator[Figure]:
    for line, hits in measured.hits.items():
        named = name_line(line, measured.lines)
        for way, estimate in _by_way(hits):
            yield to_figure(
                RECONSTRUCTION,
                join_key("reconstruction/f1", way, named),
                f"{prefix(named)}F1 of hits, {_WAYS[way]}",
                estimate,
                is_key=way == "sampled",
            )
    for line, recalls in measured.recalls.items():
        named = name_line(line, measured.lines)
        for drum, recall in recalls.items():
            for way, estimate in _by_way(recall):
                if way in _SHORT:
                    yield to_figure(
                        RECONSTRUCTION,
                        join_key("reconstruction/recall", way, named, drum),
                        f"{prefix(named)}recall of the {drum}, {_WAYS[way]}",
                        estimate,
                        is_key=way == "sampled",
                    )


def _numbers(measured: Reconstruction) -> Iterator[Figure]:
    for kind, errors in measured.numbers.items():
        for way, estimate in _by_way(errors):
            yield to_figure(
                RECONSTRUCTION,
                f"reconstruction/{kind}_error/{way}",
                f"error of the {kind} ({_UNITS[kind]}), {_WAYS[way]}",
                estimate,
                is_key=way == "sampled",
            )


def _accuracies(
    line: str, caption: str, ways: Decodings[Accuracy], keys: Collection[str], *, source: str = ""
) -> Iterator[Figure]:
    section, root = (SOURCES, f"sources/{source}") if source else (RECONSTRUCTION, "reconstruction")
    for way, accuracy in _by_way(ways):
        yield Figure(
            section=section,
            key=join_key(root, "accuracy", way, line),
            name=f"{caption}accuracy, {_WAYS[way]}",
            value=accuracy.all_steps,
            interval=accuracy.all_steps_interval,
            form=".4f",
            is_key=way in keys,
        )
        yield Figure(
            section=section,
            key=join_key(root, "onset_accuracy", way, line),
            name=f"{caption}accuracy of onsets, {_WAYS[way]}",
            value=accuracy.onsets,
            interval=accuracy.onsets_interval,
            form=".4f",
            is_key=way in keys and way in _SHORT,
        )


def _by_way(ways: Decodings[Measure]) -> Iterator[tuple[str, Measure]]:
    return zip((field.name for field in fields(ways)), ways, strict=True)
