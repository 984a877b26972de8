"""The plots of an evaluation's page, section by section; models share a plot where they can."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from musicvae.evaluation import figure
from musicvae.evaluation.evaluate import TEMPERATURES, Evaluation
from musicvae.evaluation.histogram import Histogram
from musicvae.evaluation.note_table import OF_PITCHES, OF_PLAYED_DRUMS
from musicvae.evaluation.prior_samples import CEILING, HELD_OUT, TRAINING, set_name
from musicvae.model.decoding_loop import SAMPLE_TEMPERATURE
from musicvae.music.instruments import DRUM_CLASSES
from musicvae.report.charts import Chart, Series, to_svg
from musicvae.report.curves import Curve, Curves, draw_curves
from musicvae.report.matrix import Matrix, draw_matrix
from musicvae.report.plots import NAMES, pitch_name

_MEASURES = {**OF_PITCHES, **OF_PLAYED_DRUMS}


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """One plot as it stands on the page.

    Attributes:
        chart: What it shows.
        svg: Its picture.
        columns: What the columns of its table of figures are called.
    """

    chart: Chart | Curves | Matrix
    svg: Markup
    columns: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Group:
    """Plots with the same lines.

    Attributes:
        title: Over them; empty for none.
        series: What the lines are called, in their order; empty where there is no need to.
        has_bars: Whether the first line is filled.
        drawn: The plots.
    """

    title: str
    series: tuple[str, ...]
    has_bars: bool
    drawn: tuple[Drawn, ...]


def draw_section(section: str, named: Mapping[str, Evaluation]) -> tuple[Group, ...]:
    """The plots of a section.

    Args:
        section: A key of `musicvae.evaluation.figure.HOW`.
        named: The evaluations by their models' names.
    """
    draw = {
        figure.LIKELIHOOD: _divergences,
        figure.INTERPOLATION: _interpolations,
        figure.ATTRIBUTES: _attributes,
        figure.SAMPLES: _samples,
        figure.STRUCTURE: _structures,
        figure.NOVELTY: _copies,
    }.get(section)
    return () if draw is None else tuple(draw(named))


def _divergences(named: Mapping[str, Evaluation]) -> Iterator[Group]:
    for name, evaluation in named.items():
        ordered = sorted(evaluation.reconstruction.divergence_by_dimension, reverse=True)
        curves = Curves(
            title="KL by dimension",
            about="Nats of each dimension of the latent, the fullest first: those near 0 are not "
            "used.",
            x_name="dimension",
            x=tuple(float(number) for number in range(1, len(ordered) + 1)),
            curves=(Curve(name=name, values=tuple(ordered)),),
        )
        title = name if len(named) > 1 else ""
        yield _group(title, [curves], series=(), prefix=f"divergence-{name}")


def _interpolations(named: Mapping[str, Evaluation]) -> Iterator[Group]:
    first = next(iter(named.values())).interpolation
    plots = [
        Curves(
            title="Distance to the first excerpt",
            about="Share of steps that differ from it.",
            x_name="way from the first to the second",
            x=first.fractions,
            curves=(
                *(Curve(name=n, values=e.interpolation.distance) for n, e in named.items()),
                Curve(name="mixture", values=first.mixture_distance),
            ),
        ),
    ]
    costs = {name: each.interpolation.cost for name, each in named.items()}
    costs["mixture"] = first.mixture_cost
    if first.cost is not None:
        plots.append(
            Curves(
                title="Cost under the language model",
                about="1 is as usual as the two ends are.",
                x_name="way from the first to the second",
                x=first.fractions,
                curves=tuple(
                    Curve(name=name, values=values)
                    for name, values in costs.items()
                    if values is not None
                ),
            )
        )
    yield _group("", plots, series=(*named, "mixture"), prefix="interpolation")


def _attributes(named: Mapping[str, Evaluation]) -> Iterator[Group]:
    for name, evaluation in named.items():
        measured = evaluation.attributes
        names = tuple(each.replace("_", " ") for each in measured.attributes)
        matrices = [
            Matrix(
                title=f"Vector {verb}",
                about="A row for the vector, a column for the attribute that was measured; change "
                "in %.",
                names=names,
                cells=cells,
            )
            for verb, cells in (("added", measured.added), ("subtracted", measured.subtracted))
        ]
        title = name if len(named) > 1 else ""
        yield _group(title, matrices, series=(), prefix=f"attributes-{name}")


def _samples(named: Mapping[str, Evaluation]) -> Iterator[Group]:
    for name, evaluation in named.items():
        lines = evaluation.prior_samples.histograms
        first = next(iter(next(iter(lines.values())).values()))
        sets = [each for each in first.counts if each != CEILING]
        charts = [
            _histogram(measure, line if len(lines) > 1 else "", histogram)
            for line, by_measure in lines.items()
            for measure, histogram in by_measure.items()
        ]
        title = name if len(named) > 1 else ""
        yield _group(title, charts, series=tuple(sets), prefix=f"samples-{name}", has_bars=True)


def _histogram(measure: str, line: str, histogram: Histogram) -> Chart:
    bins = len(next(iter(histogram.counts.values())))
    starts = [histogram.start + histogram.width * number for number in range(bins)]
    title = measure.replace("_", " ").capitalize()
    return Chart(
        title=f"{line.capitalize()}: {title.lower()}" if line else title,
        about=_MEASURES[measure].about,
        bins=tuple(_name_bin(measure, start, histogram.width) for start in starts),
        series=tuple(
            Series(name=name, counts=tuple(map(float, counts)))
            for name, counts in histogram.counts.items()
            if name != CEILING
        ),
    )


def _name_bin(measure: str, start: float, width: float) -> str:
    """What stands under a bar."""
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
                    x_name="bars from one to the other",
                    x=lags,
                    curves=tuple(Curve(name=n, values=each) for n, each in values.items()),
                )
            )
    yield _group("", plots, series=tuple(sources), prefix="structure")


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
            Chart(
                title=f"{line.capitalize()}: longest run" if len(lines) > 1 else "Longest run",
                about="Excerpts by the onsets of their longest run.",
                bins=tuple(map(str, range(longest))),
                series=tuple(
                    Series(name=name, counts=tuple(map(float, (*each, *[0] * longest)[:longest])))
                    for name, each in lengths.items()
                ),
            )
        )
    yield _group("", charts, series=tuple(sources), prefix="copies", has_bars=True)


def _sources(named: Mapping[str, Evaluation]) -> dict[str, tuple[str, str]]:
    """What is compared in one plot, by its name there: whose evaluation, and which set of it.

    One model stands beside the data at every temperature, several at the one that users get.
    """
    first = next(iter(named))
    if len(named) == 1:
        draws = {set_name(each): (first, set_name(each)) for each in TEMPERATURES}
    else:
        draws = {name: (name, set_name(SAMPLE_TEMPERATURE)) for name in named}
    has_training = bool(named[first].novelty)
    training = {TRAINING: (first, TRAINING)} if has_training else {}
    return {HELD_OUT: (first, HELD_OUT), **training, **draws}


def _group(
    title: str,
    charts: Sequence[Chart | Curves | Matrix],
    *,
    series: tuple[str, ...],
    prefix: str,
    has_bars: bool = False,
) -> Group:
    return Group(
        title=title,
        series=series,
        has_bars=has_bars,
        drawn=tuple(
            _draw(chart, f"{prefix}-{number}".replace(" ", "-"))
            for number, chart in enumerate(charts)
        ),
    )


def _draw(chart: Chart | Curves | Matrix, identity: str) -> Drawn:
    if isinstance(chart, Chart):
        columns = tuple(each.name for each in chart.series)
        return Drawn(chart=chart, svg=to_svg(chart, identity), columns=columns)
    if isinstance(chart, Curves):
        columns = tuple(each.name for each in chart.curves)
        return Drawn(chart=chart, svg=draw_curves(chart, identity), columns=columns)
    return Drawn(chart=chart, svg=draw_matrix(chart, identity), columns=chart.names)
