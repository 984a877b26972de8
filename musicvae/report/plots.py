"""Pictures of music that a musician can read.

Conventions: a piano roll has time from left to right, counted in bars and beats from 1, and pitch
from bottom to top in the rows of a keyboard, the black keys shaded; C4 is middle C, MIDI number 60.
Drums have rows of their own below. A note starts where it was played, and the louder it is the
deeper its colour. All rolls of one picture show the same rows and the same length, so that they can
be compared.
"""

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from musicvae.files import new_file
from musicvae.music.chords import symbol
from musicvae.music.midi import PROGRAM_FAMILIES
from musicvae.music.notes import DEFAULT_VELOCITY, Note, NoteSequence
from musicvae.report.roll import Rows, find_beats, find_paleness, find_rows, find_span

MOST_ROLLS = 48
"""The most rolls in one picture; more can't be told apart on a screen."""

DOTS_PER_INCH = 120
IMAGE_DOTS_PER_INCH = 80

INK = "#1c2530"
FAINT_INK = "#6b7683"
BLACK_KEY_ROW = "#eef1f5"
ROW_LINE = "#e3e7ec"
BEAT_LINE = "#c9d0d8"
BAR_LINE = "#5b6672"
COLOURS = ("#2066a8", "#c4572b", "#3a8a54", "#8d4a9e", "#b08a1e", "#28909b", "#b23a63", "#66615c")
"""The colours of the parts, in order of their programs. They differ in lightness too, for readers
who do not see every hue."""


def piano_rolls(
    sequences: Sequence[NoteSequence],
    path: Path,
    *,
    titles: Sequence[str] = (),
    suptitle: str = "",
    part_names: Mapping[int, str] | None = None,
) -> None:
    """Draws each sequence as a piano roll, all into one PNG file.

    Equal music gives an equal file. The file appears whole or not at all.

    Args:
        sequences: The music, in the order of reading.
        path: The file to write, or to replace.
        titles: A title for each sequence, or none at all.
        suptitle: The title of the picture. It also says how many rolls are missing when there are
            more sequences than `MOST_ROLLS`.
        part_names: The name of each program in the legend; by default the name of its family.
    """
    figure = _draw(sequences, titles, suptitle, part_names or {})
    with new_file(path) as unfinished, _missing_glyphs_allowed():
        # The file names no version of matplotlib, so that equal music gives equal bytes everywhere.
        figure.savefig(unfinished, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})


def piano_roll_image(
    sequences: Sequence[NoteSequence], *, titles: Sequence[str] = (), suptitle: str = ""
) -> UInt8[np.ndarray, "3 _height _width"]:
    """Draws the same picture, smaller, as an array of red, green and blue: for TensorBoard."""
    figure = _draw(sequences, titles, suptitle, {})
    figure.set_dpi(IMAGE_DOTS_PER_INCH)
    canvas = FigureCanvasAgg(figure)
    with _missing_glyphs_allowed():
        canvas.draw()  # type: ignore[no-untyped-call]  # matplotlib has no type for it
    image = np.asarray(canvas.buffer_rgba(), dtype=np.uint8)  # type: ignore[no-untyped-call]  # nor for this
    return np.ascontiguousarray(image[..., :3].transpose(2, 0, 1))


@dataclass(frozen=True, kw_only=True)
class _Frame:
    """The common frame of all rolls of a picture.

    Attributes:
        rows: The rows of keys and drums.
        quarters: The length in quarter notes.
        loudest: The velocity that has the full colour.
        colours: The colour of each part: whether the part is the drums, and its program.
        has_chords: Whether any sequence has chords.
    """

    rows: Rows
    quarters: float
    loudest: int
    colours: dict[tuple[bool, int], str]
    has_chords: bool


def _frame(sequences: Sequence[NoteSequence]) -> _Frame:
    notes = [note for sequence in sequences for note in sequence.notes]
    parts = sorted({_part(note) for note in notes})
    return _Frame(
        rows=find_rows(notes),
        quarters=max((s.length_steps / s.steps_per_quarter for s in sequences), default=0.0) or 4.0,
        loudest=max([DEFAULT_VELOCITY, *(note.velocity for note in notes)]),
        colours={part: COLOURS[i % len(COLOURS)] for i, part in enumerate(parts)},
        has_chords=any(sequence.chords for sequence in sequences),
    )


@dataclass(frozen=True, kw_only=True)
class _Layout:
    """The places of the rolls, in inches, so that text and rows have one size in all pictures.

    Attributes:
        columns: The number of rolls side by side.
        lines: The number of lines of rolls.
        width: The width of a roll.
        height: The height of a roll.
        head: The room over each line of rolls, for their titles.
        top: The room over all rolls.
        bottom: The room under all rolls.
        left: The room beside the rolls, for the names of the rows.
    """

    columns: int
    lines: int
    width: float
    height: float
    head: float
    top: float
    bottom: float
    left: float
    right: float = 0.2
    gap: float = 0.22

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the whole picture."""
        return (
            self.left + self.columns * (self.width + self.gap) - self.gap + self.right,
            self.top + self.lines * (self.head + self.height + self.gap) - self.gap + self.bottom,
        )

    def place(self, index: int) -> tuple[float, float, float, float]:
        """Finds left, bottom, width and height of a roll, as shares of the picture."""
        line, column = divmod(index, self.columns)
        whole_width, whole_height = self.size
        x = self.left + column * (self.width + self.gap)
        y = self.top + (line + 1) * (self.head + self.height) + line * self.gap
        return (
            x / whole_width,
            1 - y / whole_height,
            self.width / whole_width,
            self.height / whole_height,
        )


def _layout(count: int, frame: _Frame, *, has_titles: bool, has_suptitle: bool) -> _Layout:
    bars = max(1.0, frame.quarters / 4)
    lines = max(1, math.ceil(count / max(1, min(4, round(8 / bars)))))
    return _Layout(
        columns=max(1, math.ceil(count / lines)),
        lines=lines,
        width=min(max(1.8 * bars, 3.4), 13.0),
        height=min(0.13 * frame.rows.count, 4.5),
        head=(0.3 if has_titles else 0.12) + (0.16 if frame.has_chords else 0.0),
        top=0.4 if has_suptitle else 0.12,
        bottom=0.85 if len(frame.colours) > 1 else 0.5,
        left=0.95 if frame.rows.drums else 0.55,
    )


def _draw(
    sequences: Sequence[NoteSequence],
    titles: Sequence[str],
    suptitle: str,
    part_names: Mapping[int, str],
) -> Figure:
    assert not titles or len(titles) == len(sequences), f"{len(titles)} of {len(sequences)} titles"
    shown = sequences[:MOST_ROLLS]
    if len(shown) < len(sequences):
        suptitle = f"{suptitle} (the first {len(shown)} of {len(sequences)})".strip()
    frame = _frame(shown)
    layout = _layout(len(shown), frame, has_titles=bool(titles), has_suptitle=bool(suptitle))
    width, height = layout.size
    figure = Figure(figsize=(width, height), facecolor="white")
    for index, sequence in enumerate(shown):
        axes = figure.add_axes(layout.place(index))
        is_lowest = index + layout.columns >= len(shown)
        _draw_rows(axes, frame.rows, has_names=index % layout.columns == 0)
        _draw_beats(axes, sequence, frame, layout.width, has_numbers=is_lowest)
        _draw_notes(axes, sequence, frame)
        _draw_chords(axes, sequence)
        if titles:
            pad = 15 if frame.has_chords else 4
            title = axes.set_title(_printable(titles[index]), loc="left", fontsize=8.5, pad=pad)
            title.set(color=INK, parse_math=False)
    if suptitle:
        heading = figure.text(layout.left / width, 1 - 0.12 / height, _printable(suptitle))
        heading.set(fontsize=12, fontweight="bold", color=INK, va="top", parse_math=False)
    if len(frame.colours) > 1:
        handles = [
            Patch(color=c, label=_printable(_part_name(part, part_names)))
            for part, c in frame.colours.items()
        ]
        legend = figure.legend(
            handles=handles, loc="lower right", ncols=len(handles), frameon=False, fontsize=8
        )
        for text in legend.get_texts():
            text.set_parse_math(False)
    return figure


def _printable(text: str) -> str:
    """Replaces bytes that are no Unicode, which names of files may hold, by "?"."""
    return text.encode(errors="replace").decode()


@contextmanager
def _missing_glyphs_allowed() -> Iterator[None]:
    """Draws boxes for characters that the font lacks, without warnings."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        yield


def _draw_rows(axes: Axes, rows: Rows, *, has_names: bool) -> None:
    axes.set_ylim(-0.5, rows.count - 0.5)
    axes.set_facecolor("white")
    for row in rows.shaded:
        axes.axhspan(row - 0.5, row + 0.5, color=BLACK_KEY_ROW, linewidth=0, zorder=0)
    for row in rows.ruled:
        axes.axhline(row - 0.5, color=ROW_LINE, linewidth=0.7, zorder=0.5)
    names = rows.names(only_c=rows.count > 30)  # low rows have no room for all names
    size = 7 if rows.count <= 40 else 5.5  # low rows need small names
    labels = names.values() if has_names else [""] * len(names)
    axes.set_yticks(list(names), list(labels), fontsize=size)
    axes.tick_params(axis="y", length=0, pad=3, colors=FAINT_INK)
    octaves = {row for row in rows.names(only_c=True) if row >= rows.first_key}
    for row, label in zip(names, axes.get_yticklabels(), strict=True):
        if row in octaves:
            label.set(color=INK, fontweight="bold")


def _draw_beats(
    axes: Axes, sequence: NoteSequence, frame: _Frame, width: float, *, has_numbers: bool
) -> None:
    grid = find_beats(sequence, frame.quarters)
    counts = {start: grid.count(start) for start in grid.starts}
    axes.set_xlim(0, frame.quarters)
    beat_width, bar_width = width * grid.beat / frame.quarters, width * grid.bar / frame.quarters
    bars = [start for start, (_, beat) in counts.items() if beat == 0]
    if beat_width > 0.06:
        axes.vlines(grid.starts, *axes.get_ylim(), color=BEAT_LINE, linewidth=0.6, zorder=1)
    if bar_width > 0.03:
        axes.vlines(bars, *axes.get_ylim(), color=BAR_LINE, linewidth=1.1, zorder=1.5)
    for side, spine in axes.spines.items():
        spine.set(visible=side in {"left", "right"}, color=BAR_LINE, linewidth=1.1)

    within = [start for start in grid.starts if start < frame.quarters - 1e-9]
    is_roomy = beat_width > 0.25
    starts = [start for start in within if counts[start][1] == 0][:: math.ceil(0.25 / bar_width)]
    axes.set_xticks(starts)
    axes.tick_params(axis="x", which="both", length=0, pad=3, labelsize=7, colors=FAINT_INK)
    if not has_numbers:
        axes.set_xticklabels([])
        return
    axes.set_xticklabels([f"{counts[start][0] + 1}" for start in starts])
    for label in axes.get_xticklabels():
        label.set(color=INK, fontweight="bold", fontsize=8)
    if is_roomy:
        beats = [start for start in within if counts[start][1]]
        axes.set_xticks(beats, [f"{counts[start][1] + 1}" for start in beats], minor=True)
    axes.set_xlabel("bar and beat" if is_roomy else "bar", fontsize=7, color=FAINT_INK, labelpad=2)


def _draw_notes(axes: Axes, sequence: NoteSequence, frame: _Frame) -> None:
    if not sequence.notes:
        silence = axes.text(0.5, 0.5, "silence", transform=axes.transAxes)
        silence.set(ha="center", va="center", color=FAINT_INK, fontsize=8, fontstyle="italic")
        silence.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 2})
        return
    notes = sequence.notes
    spans = np.array([find_span(note, sequence.steps_per_quarter) for note in notes])
    starts, ends = spans.T
    rows = [frame.rows.row_of(note.pitch, is_drum=note.is_drum) for note in notes]
    bottoms = np.array(rows) - 0.42
    tops = bottoms + 0.84
    corners = np.array([[starts, bottoms], [starts, tops], [ends, tops], [ends, bottoms]])
    faces = np.array([to_rgb(frame.colours[_part(n)]) for n in notes])
    paleness = np.array([find_paleness(note.velocity, frame.loudest) for note in notes])
    faces += (1 - faces) * paleness[:, None]
    axes.add_collection(
        PolyCollection(
            list(corners.transpose(2, 0, 1)),
            facecolors=faces,
            edgecolors="white",
            linewidths=0.8,
            zorder=3,
        )
    )


def _draw_chords(axes: Axes, sequence: NoteSequence) -> None:
    for chord in sequence.chords:
        place = chord.start_step / sequence.steps_per_quarter
        name = axes.text(place, 1.0, symbol(chord), transform=axes.get_xaxis_transform())
        name.set(va="bottom", fontsize=7.5, color=INK, fontweight="bold")


def _part(note: Note) -> tuple[bool, int]:
    return note.is_drum, 0 if note.is_drum else note.program


def _part_name(part: tuple[bool, int], names: Mapping[int, str]) -> str:
    is_drum, program = part
    if is_drum:
        return "Drums"
    return names.get(program, f"{PROGRAM_FAMILIES[program // 8]} ({program + 1})")
