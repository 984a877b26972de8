"""The charts of an evaluation's page, section by section; models share a chart where they can."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from musicvae.evaluation import figure_keys
from musicvae.evaluation.evaluate import TEMPERATURES, Evaluation
from musicvae.evaluation.histogram import Histogram
from musicvae.evaluation.note_table import OF_PITCHES, OF_PLAYED_DRUMS
from musicvae.evaluation.prior_samples import CEILING, HELD_OUT, TRAINING, set_name
from musicvae.music.instruments import DRUM_CLASSES
from musicvae.report.charts import Bars, Chart, Curves, Matrix, Series
from musicvae.report.names import NAMES, pitch_name
from musicvae.temperature import SAMPLE_TEMPERATURE

_MEASURES = {**OF_PITCHES, **OF_PLAYED_DRUMS}


@dataclass(frozen=True, kw_only=True)
class Group:
    """Charts that share a legend.

    Attributes:
        title: The heading; empty for none.
        series: The names in the legend; empty where the charts need none.
        has_bars: Whether the area under the first series is filled.
        charts: The charts.
    """

    title: str
    series: tuple[str, ...] = ()
    has_bars: bool = False
    charts: tuple[Chart, ...]


def draw_section(section: str, named: Mapping[str, Evaluation]) -> tuple[Group, ...]:
    """Makes the charts of a section.

    Args:
        section: A key of `musicvae.evaluation.figure.HOW`.
        named: The evaluations by their models' names.
    """
    draw = {
        figure_keys.LIKELIHOOD: _divergences,
        figure_keys.INTERPOLATION: _interpolations,
        figure_keys.ATTRIBUTES: _attributes,
        figure_keys.SAMPLES: _samples,
        figure_keys.STRUCTURE: _structures,
        figure_keys.NOVELTY: _copies,
    }.get(section)
    return () if draw is None else tuple(draw(named))


def _divergences(named: Mapping[str, Evaluation]) -> Iterator[Group]:
    for name, evaluation in named.items():
        ordered = sorted(evaluation.reconstruction.divergence_by_dimension, reverse=True)
        curves = Curves(
            title="KL by dimension",
            about="Nats of each dimension of the latent, the largest first; the model does not use "
            "dimensions near 0.",
            x_name="dimension",
            x=tuple(float(number) for number in range(1, len(ordered) + 1)),
            series=(Series(name=name, values=tuple(ordered)),),
        )
        title = name if len(named) > 1 else ""
        yield Group(title=title, charts=(curves,))


def _interpolations(named: Mapping[str, Evaluation]) -> Iterator[Group]:
    first = next(iter(named.values())).interpolation
    plots = [
        Curves(
            title="Distance to the first excerpt",
            about="Share of steps that differ from the first excerpt.",
            x_name="way from the first to the second",
            x=first.fractions,
            series=(
                *(Series(name=n, values=e.interpolation.distance) for n, e in named.items()),
                Series(name="mixture", values=first.mixture_distance),
            ),
        ),
    ]
    costs = {name: each.interpolation.cost for name, each in named.items()}
    costs["mixture"] = first.mixture_cost
    if first.cost is not None:
        plots.append(
            Curves(
                title="Cost under the language model",
                about="Music as usual as the two ends costs 1.",
                x_name="way from the first to the second",
                x=first.fractions,
                series=tuple(
                    Series(name=name, values=values)
                    for name, values in costs.items()
                    if values is not None
                ),
            )
        )
    yield Group(title="", series=(*named, "mixture"), charts=tuple(plots))


def _attributes(named: Mapping[str, Evaluation]) -> Iterator[Group]:
    for name, evaluation in named.items():
        measured = evaluation.attributes
        names = tuple(each.replace("_", " ") for each in measured.attributes)
        matrices = tuple(
            Matrix(
                title=f"Vector {verb}",
                about="Change in %: a row for each vector, a column for each measured attribute.",
                names=names,
                cells=cells,
            )
            for verb, cells in (("added", measured.added), ("subtracted", measured.subtracted))
        )
        title = name if len(named) > 1 else ""
        yield Group(title=title, charts=matrices)


def _samples(named: Mapping[str, Evaluation]) -> Iterator[Group]:
    for name, evaluation in named.items():
        lines = evaluation.prior_samples.histograms
        first = next(iter(next(iter(lines.values())).values()))
        sets = [each for each in first.counts if each != CEILING]
        charts = tuple(
            _histogram(measure, line if len(lines) > 1 else "", histogram)
            for line, by_measure in lines.items()
            for measure, histogram in by_measure.items()
        )
        title = name if len(named) > 1 else ""
        yield Group(title=title, series=tuple(sets), has_bars=True, charts=charts)


def _histogram(measure: str, line: str, histogram: Histogram) -> Bars:
    bins = len(next(iter(histogram.counts.values())))
    starts = [histogram.start + histogram.width * number for number in range(bins)]
    title = measure.replace("_", " ").capitalize()
    return Bars(
        title=f"{line.capitalize()}: {title.lower()}" if line else title,
        about=_MEASURES[measure].about,
        bins=tuple(_name_bin(measure, start, histogram.width) for start in starts),
        series=tuple(
            Series(name=name, values=tuple(map(float, counts)))
            for name, counts in histogram.counts.items()
            if name != CEILING
        ),
    )


def _name_bin(measure: str, start: float, width: float) -> str:
    """Names a bin, for the text under its bar."""
    if measure == "pitch":
        return pitch_name(round(start))
    if measure == "pitch_class":
        return NAMES[round(start)]
    if measure == "drum":
        return DRUM_CLASSES[round(start)].name
    if width < 1:
        return f"{start:.2f}"
    return f"{start:.0f}" if width == 1 else f"{start:.0f} to {start + width - 1:.0f}"


def _structures(named: Mapping[str, Evaluation]) -> Iterator[Group]:
    lines = next(iter(named.values())).structure
    sources = _sources(named)
    plots = []
    for line in lines:
        by_name = {
            name: named[model].structure[line][which] for name, (model, which) in sources.items()
        }
        prefix = f"{line.capitalize()}: " if len(lines) > 1 else ""
        lags = tuple(float(lag) for lag in range(1, len(by_name[HELD_OUT].equal) + 1))
        for title, about, values in (
            (
                "likeness of two bars",
                "Share of onsets that both have.",
                {name: each.likeness for name, each in by_name.items()},
            ),
            (
                "equal bars",
                "Share of pairs of bars that are equal.",
                {name: each.equal for name, each in by_name.items()},
            ),
        ):
            plots.append(
                Curves(
                    title=f"{prefix}{title}" if prefix else title.capitalize(),
                    about=about,
                    x_name="bars from the first to the second",
                    x=lags,
                    series=tuple(Series(name=n, values=each) for n, each in values.items()),
                )
            )
    yield Group(title="", series=tuple(sources), charts=tuple(plots))


def _copies(named: Mapping[str, Evaluation]) -> Iterator[Group]:
    lines = next(iter(named.values())).novelty
    sources = {name: place for name, place in _sources(named).items() if place[1] != TRAINING}
    charts = []
    for line in lines:
        lengths = {
            name: named[model].novelty[line][which].lengths
            for name, (model, which) in sources.items()
        }
        longest = max(map(len, lengths.values()))
        charts.append(
            Bars(
                title=f"{line.capitalize()}: longest run" if len(lines) > 1 else "Longest run",
                about="Excerpts by the onsets of their longest run.",
                bins=tuple(map(str, range(longest))),
                series=tuple(
                    Series(name=name, values=tuple(map(float, (*each, *[0] * longest)[:longest])))
                    for name, each in lengths.items()
                ),
            )
        )
    yield Group(title="", series=tuple(sources), has_bars=True, charts=tuple(charts))


def _sources(named: Mapping[str, Evaluation]) -> dict[str, tuple[str, str]]:
    """Names the sets in a chart, each with the model and the set of its evaluation.

    A single model has its draws at all temperatures; several models have their draws at the default
    temperature.
    """
    first = next(iter(named))
    if len(named) == 1:
        draws = {set_name(each): (first, set_name(each)) for each in TEMPERATURES}
    else:
        draws = {name: (name, set_name(SAMPLE_TEMPERATURE)) for name in named}
    has_training = bool(named[first].novelty)
    training = {TRAINING: (first, TRAINING)} if has_training else {}
    return {HELD_OUT: (first, HELD_OUT), **training, **draws}
