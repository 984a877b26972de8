"""Chooses the grooves of MMA's standard library that `musicvae accompany` plays.

Plays each groove over a progression of 64 bars, and keeps it where it is in 4/4, its bass is one
voice that plays in every bar and mostly tones of the chord, nearly all onsets lie on 16th notes,
two or more drums play, drums play in every bar, and the bars differ. Of grooves of one file that
play alike, the first is kept: most differ in instruments that are not used. Each groove goes with
the next groove of its file as its variant, and with the fill of its name; else with the fill of its
file, or of the library, whose drums are nearest.

    python benchmarks/grooves.py /usr/share/mma/lib/stdlib

prints the table of `data_pipeline/accompany/grooves.py`.
"""

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from musicvae.data_pipeline.accompany.accompaniment import mark_changes, start_chords
from musicvae.data_pipeline.accompany.mma import Groove, find_command, play, write_song
from musicvae.data_pipeline.rejections import Rejection
from musicvae.music.chords import QUALITIES, ParsedChord
from musicvae.music.instruments import CLASS_OF_PITCH, DRUM_CLASSES
from musicvae.music.notes import Note

BARS, BAR_STEPS = 64, 16
BASS = len(DRUM_CLASSES)
MOST_OFFSET = 0.25
"""In steps: the pipeline takes no melodic onset that is further from its step."""

MOST_OFF_GRID = 0.05
MOST_OVERLAPS = 0.02
FEWEST_KINDS_OF_BARS = 3
LEAST_DISTANCES = 0.1, 0.2
"""Grooves play alike where smaller shares of the onsets of drums and of bass differ, on the mean of
all bars; a bass counts by its interval above the root of the chord, too."""

MOST_FILL_DISTANCE = 0.6
"""The fill of another groove fits where no larger share of its drums differs."""

LEAST_CHORD_TONES = 0.75
"""On the first and third beats the bass plays so often a tone of the chord, once `accompany` has
moved the first note of each chord to its root."""

_NO_MAIN = re.compile(r"Intro|End|Fill|Sus")
_PROGRESSION = [
    *[ParsedChord(0, "maj")] * 4, *[ParsedChord(9, "min")] * 4, *[ParsedChord(5, "maj7")] * 2,
    *[ParsedChord(2, "min7")] * 2, *[ParsedChord(7, "7")] * 4,
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Played:
    """A groove that fits.

    Attributes:
        name: The groove's name.
        drums: How often each drum class plays at each step of a bar.
        bass: How often the bass plays each interval above the root at each step of a bar.
    """

    name: str
    drums: Float64[np.ndarray, "step class"]
    bass: Float64[np.ndarray, "step 12"]


def main() -> None:
    """Prints the grooves that fit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("library", type=Path, help="the folder of MMA's standard library")
    command = find_command()
    files = [_names_of(path) for path in sorted(parser.parse_args().library.glob("*.mma"))]
    kept = [choose(names, command) for names in files]
    fills = {
        name: played
        for names in files
        for name in names
        if name.endswith("Fill") and "Sus" not in name
        if (played := judge(name, command, is_fill=True)) is not None
    }
    for own, names in zip(kept, files, strict=True):
        near = {name: fills[name] for name in names if name in fills} or fills
        for number, groove in enumerate(own):
            variant = own[(number + 1) % len(own)].name
            fill = f"{groove.name}Fill"
            if fill not in near:
                apart, fill = min((_distance(near[n].drums, groove.drums), n) for n in near)
                fill = fill if apart < MOST_FILL_DISTANCE else ""
            print(f"    {groove.name:17}{variant:19}{fill}".rstrip())


def choose(names: Sequence[str], command: str) -> list[Played]:
    """The grooves of a file that fit and differ."""
    kept: list[Played] = []
    for name in names:
        if _NO_MAIN.search(name):
            continue
        played = judge(name, command)
        if played is not None and all(_differ(played, each) for each in kept):
            kept.append(played)
    return kept


def _names_of(path: Path) -> list[str]:
    """The grooves of a file of four beats a bar; none of any other file."""
    text = path.read_text("latin-1")
    beats = {match.lower() for match in re.findall(r"(?im)^\s*time\s+(\S+)", text)}
    return re.findall(r"(?im)^\s*defgroove\s+(\S+)", text) if beats <= {"4"} else []


def judge(name: str, command: str, *, is_fill: bool = False) -> Played | None:
    """Plays a groove; None if it does not fit. A fill is one bar, and need not change."""
    beats = _PROGRESSION * (BARS * 4 // len(_PROGRESSION))
    song = write_song(beats, Groove(name, name), seed=1)
    notes = play(song, command, length_steps=BARS * BAR_STEPS)
    if isinstance(notes, Rejection):
        return None
    bass = [note for note in notes if not note.is_drum]
    drums = [note for note in notes if note.is_drum and CLASS_OF_PITCH[note.pitch] >= 0]
    fits = (
        _plays_on_grid(bass)
        and _plays_on_grid(drums)
        and all(24 <= note.pitch <= 60 for note in bass)
        and _overlaps(bass) <= MOST_OVERLAPS
        and len({int(CLASS_OF_PITCH[note.pitch]) for note in drums}) >= 2
    )
    if not fits:
        return None
    bars = np.zeros((BARS, BAR_STEPS, BASS + 12))
    for note in bass:
        root = beats[note.start_step // 4].root
        assert root is not None
        bars[*divmod(note.start_step, BAR_STEPS), BASS + (note.pitch - root) % 12] = 1
    for note in drums:
        bars[*divmod(note.start_step, BAR_STEPS), CLASS_OF_PITCH[note.pitch]] = 1
    rhythms = np.concatenate([bars[..., :BASS], bars[..., BASS:].any(-1, keepdims=True)], axis=-1)
    kinds = len(np.unique(rhythms.reshape(BARS, -1), axis=0))
    if not is_fill and (
        kinds < FEWEST_KINDS_OF_BARS or _chord_tones(bass, beats) < LEAST_CHORD_TONES
    ):
        return None
    means = bars.mean(0)
    return Played(name=name, drums=means[:, :BASS], bass=means[:, BASS:])


def _plays_on_grid(part: Sequence[Note]) -> bool:
    """Whether a part plays in every bar, and nearly always on a step."""
    off = sum(abs(note.offset) > MOST_OFFSET for note in part)
    played = {note.start_step // BAR_STEPS for note in part}
    return len(played) == BARS and off <= MOST_OFF_GRID * len(part)


def _chord_tones(bass: Sequence[Note], beats: Sequence[ParsedChord]) -> float:
    """The share of bass notes on strong beats that are tones of the chord."""
    are_tones = [
        (note.pitch - chord.root) % 12 in QUALITIES[chord.quality]
        for note in start_chords(bass, tuple(mark_changes(beats)))
        if note.start_step % (BAR_STEPS // 2) == 0
        for chord in [beats[note.start_step // 4]]
        if chord.root is not None
    ]
    return sum(are_tones) / max(1, len(are_tones))


def _overlaps(bass: Sequence[Note]) -> float:
    """The share of bass notes that sound more than a step into the next note."""
    overlaps = [note.end_step > after.start_step + 1 for note, after in pairwise(bass)]
    return sum(overlaps) / len(bass)


def _differ(first: Played, second: Played) -> bool:
    distances = _distance(first.drums, second.drums), _distance(first.bass, second.bass)
    return any(apart >= least for apart, least in zip(distances, LEAST_DISTANCES, strict=True))


def _distance(one: Float64[np.ndarray, "step _"], two: Float64[np.ndarray, "step _"]) -> float:
    """The share of onsets that differ."""
    return float(np.abs(one - two).sum() / (one + two).sum())


if __name__ == "__main__":
    main()
