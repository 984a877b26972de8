"""What a figure is, the sections that figures stand in, and a table of them for a terminal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.table import Table

from musicvae.evaluation.bootstrap import Interval
from musicvae.evaluation.novelty import LONG_RUN

RECONSTRUCTION = "Reconstruction"
SOURCES = "Reconstruction by source"
LIKELIHOOD = "Likelihood"
INTERPOLATION = "Interpolation"
ATTRIBUTES = "Attributes"
SAMPLES = "Draws from the prior"
STRUCTURE = "Repeated bars"
NOVELTY = "Copies of the training split"

HOW = {
    RECONSTRUCTION: "Share of steps at which what is played is what was given; drums are right "
    "where all hits of a step are, and their F1 counts single hits. Teacher-forced: each step is "
    "told the true event before it. Sampled: each step hears only its own past and takes the "
    "likeliest event; at temperature 1 it draws, as the paper does. With another excerpt's mean it "
    "must fail, else the latent is not used. Intervals: 95 %, from 1,000 draws of the pieces.",
    SOURCES: "The same for the excerpts of each source of the data, where there are several.",
    LIKELIHOOD: "Bounds on the log likelihood of held-out music; fewer bits are better. The ELBO "
    "is the mean of all draws of the posterior, the closer bound weighs them by importance; both "
    "are under the standard Gaussian that the model was trained with, not its fitted prior. "
    "Active are the dimensions whose posterior mean differs between excerpts (variance above "
    "0.01).",
    INTERPOLATION: "Pairs of held-out excerpts of different pieces, joined in the latent space by "
    "the great circle between their posterior means, against a mixture that takes each step from "
    "one or the other by chance. Distance: share of steps that differ from the first. Cost: under "
    "a 5-gram model of the training split, 1 for what is as usual as the two ends.",
    ATTRIBUTES: "Change of the mean of each attribute, in per cent, when a vector is added to the "
    "latents of held-out excerpts once, and when it is subtracted; in the attribute's own unit "
    "where its mean before was near zero.",
    SAMPLES: "Latents are drawn from the fitted prior. Overlap: the area that the histograms of "
    "draws and of data share, 1 for the same. The training split is transposed as in training. "
    "Ceiling: what another sample of the training split shares with the same data; a perfect model "
    "of it would get as much. KL: of the draws from the data, half a value added to every bin.",
    STRUCTURE: "Likeness of two bars: share of onsets that both have among those that either has. "
    "Difference: of the mean likeness from that in held-out music, the mean over all distances "
    "between two bars. So many apart: where most bars of held-out music come back.",
    NOVELTY: "Longest run of onsets, transposed or not and in the same rhythm, that also stands in "
    f"an excerpt of the training split; {LONG_RUN} onsets or more are a long run.",
}
"""How the figures of each section are measured."""

ACCURACY = "reconstruction/accuracy/sampled"
"""The key of the accuracy of what is decoded from the posterior's mean. Where there are several
lines there is an accuracy of each, whose key goes on with the line's name: `ACCURACY/bass`."""


def overlap_key(temperature: float, split: str = "training") -> str:
    """The key of the mean overlap of draws at a temperature with a split."""
    return f"samples/{temperature:g}/overlap/{split}"


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure.

    Attributes:
        section: The section that the figure stands in; a key of `HOW`.
        key: Names the figure for programs, whatever its caption says: a path such as
            `reconstruction/accuracy/sampled/bass`. No two figures of an evaluation share a key.
        name: The caption: what was measured.
        value: The figure; None where there was nothing to measure.
        form: How it is written.
        interval: Its interval, if it has one.
        beside: What it is to be compared with, if anything.
        beside_name: What that is.
        is_key: Whether it belongs in a short table.
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
        """The figure as it is read: the value, its interval, and what it is compared with."""
        parts = ["none" if self.value is None else f"{self.value:{self.form}}"]
        if self.interval is not None:
            low, high = self.interval.low, self.interval.high
            parts.append(f"[{low:{self.form}} to {high:{self.form}}]")
        if self.beside is not None:
            parts.append(f"({self.beside_name} {self.beside:{self.form}})")
        return " ".join(parts)


def to_table(named: Mapping[str, Sequence[Figure]], title: str) -> Table:
    """The key figures of models, a column a model, for a terminal."""
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
