"""A figure of an evaluation, how figures are measured, and a table of figures for a terminal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.table import Table

from musicvae.evaluation.bootstrap import Interval
from musicvae.evaluation.figure_keys import (
    ATTRIBUTES,
    INTERPOLATION,
    LIKELIHOOD,
    LISTENER,
    NOVELTY,
    RECONSTRUCTION,
    SAMPLES,
    SOURCES,
    STRUCTURE,
)
from musicvae.evaluation.novelty import LONG_RUN
from musicvae.temperature import SAMPLE_TEMPERATURE

HOW = {
    RECONSTRUCTION: "Accuracy: the share of steps at which the model plays the true event. A step "
    "of drums is right where all its hits are right; F1 counts single hits; recall is "
    "the share of a drum's true hits that the model plays. Teacher-forced: each "
    "step reads the true event before it. Sampled: each step reads the events that the model "
    "played before it and takes the likeliest event; at temperature 1 it draws the event, as the "
    "paper does. Decoded from another excerpt's mean the accuracy must be low; a high accuracy "
    "would mean that the model ignores the latent. Intervals: 95 %, from 1,000 draws of the "
    "pieces.",
    SOURCES: "The same measures for the excerpts of each source, if the data have several.",
    LISTENER: "Measures of key, motion, form and harmony, for four sets of excerpts: held-out "
    "music; draws from the posteriors of the same excerpts; the means of these posteriors; draws "
    f"from the prior. The model plays at temperature {SAMPLE_TEMPERATURE:g}. Excerpts with nothing "
    "to measure, as in silence, do not count; shares are 0 to 1. A short excerpt often suggests "
    "another key than its piece has, so real music is not wholly in key either: compare the "
    "model's music with held-out music, not with 1.",
    LIKELIHOOD: "Bounds on the log likelihood of held-out music; fewer bits are better. The ELBO "
    "is the mean over all draws of the posterior; the closer bound weighs the draws by importance. "
    "Both use the standard Gaussian that the model was trained with, not its fitted prior. A "
    "dimension is active if its posterior mean differs between excerpts (variance above 0.01).",
    INTERPOLATION: "Pairs of held-out excerpts of different pieces. The model walks in the latent "
    "space along the great circle between their posterior means; a mixture takes each step from "
    "one excerpt or the other at random. Distance: the share of steps that differ from the first "
    "excerpt. Cost: how unusual the music is under a 5-gram model of the training split; music as "
    "usual as the two excerpts costs 1.",
    ATTRIBUTES: "The change of an attribute's mean, in per cent, when its vector is added once to "
    "the latents of held-out excerpts, and when it is subtracted. Where the mean before is near "
    "zero, the change is in the attribute's own unit.",
    SAMPLES: "Latents are drawn from the fitted prior. Overlap: the area that the histograms of "
    "draws and of data share; equal histograms share 1. The training split is transposed as in "
    "training. Ceiling: the overlap of another sample of the training split with the same data; a "
    "perfect model of the training split would reach it. KL: the divergence of the draws from the "
    "data, with half a value added to every bin.",
    STRUCTURE: "Likeness of two bars: of all onsets in either bar, the share that both bars have. "
    "Difference: how far the mean likeness is from the mean likeness in held-out music, averaged "
    "over all distances between two bars. Equal bars are counted at the distance at which most "
    "bars of held-out music come back.",
    NOVELTY: "The longest run of onsets that also stands in an excerpt of the training split, in "
    f"the same rhythm, transposed or not. A run of {LONG_RUN} onsets or more is long.",
}
"""How the figures of each section are measured."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A figure.

    Attributes:
        section: The section that the figure stands in; a key of `HOW`.
        key: Names the figure for programs, whatever its caption says: a path such as
            `reconstruction/accuracy/sampled/bass`. No two figures of an evaluation share a key.
        name: The caption.
        value: The value; None where there was nothing to measure.
        form: The format of the value.
        interval: The interval of the value, if known.
        beside: A value to compare with, if there is one.
        beside_name: The caption of the value to compare with.
        is_key: Whether the figure belongs in a short table.
    """

    section: str
    key: str
    name: str
    value: float | None
    form: str = ".3f"
    interval: Interval | None = None
    beside: float | None = None
    beside_name: str = ""
    is_key: bool = True

    @property
    def text(self) -> str:
        """The value, its interval, and the value to compare with, as text."""
        parts = ["none" if self.value is None else f"{self.value:{self.form}}"]
        if self.interval is not None:
            low, high = self.interval.low, self.interval.high
            parts.append(f"[{low:{self.form}} to {high:{self.form}}]")
        if self.beside is not None:
            parts.append(f"({self.beside_name} {self.beside:{self.form}})")
        return " ".join(parts)


def to_table(named: Mapping[str, Sequence[Figure]], title: str) -> Table:
    """Puts the key figures of models into a table, a column a model."""
    table = Table("measure", *named, title=title)
    columns = [{f.key: f.text for f in figures} for figures in named.values()]
    rows = {f.key: f for each in named.values() for f in each if f.is_key}
    section = ""
    for row in sorted(rows.values(), key=lambda row: list(HOW).index(row.section)):
        if row.section != section:
            section = row.section
            table.add_section()
        table.add_row(row.name, *(column.get(row.key, "") for column in columns))
    return table
