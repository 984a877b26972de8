"""Cuts a piece into excerpts of its drums: as hits on the grid, or as they were played.

All drum parts of a piece are one kit: some files give each drum a track of its own. Hits go to the
step that they are nearest to; drums have no length, so an excerpt is exactly what stands in its
window.

What Magenta does, as its behaviour shows, and what is done here:

    rule                   Magenta                     here
    kit                    all drum tracks together    the same
    drums without class    left out                    left out, and counted
    a silent bar           ends the drums, but goes    no excerpt holds one (`long_gap`)
                           on in GrooVAE
    fewest hits            1, or none in GrooVAE       4, so that count-ins are left out
    fewest classes         1, or none in GrooVAE       2: one alone is a click or a shaker
    timing                 any goes to the grid        the same for `groove`; for `drums` no excerpt
                                                       of which much lies between the steps
    equal excerpts         one stays of each piece     one stays of the whole data set

A groove is a performance: two takes of one pattern are two excerpts.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Int, Int16, Int32, Int64, Shaped, UInt64

from musicvae.representation import groove
from musicvae.representation.drums import CLASS_OF_PITCH, Drums, join_hits, write_hits

from .excerpts import CutPiece, CutSettings, Excerpts, Tally, digest
from .filters import Reason, Rules
from .grid import GridPart, GridPiece
from .labels import label
from .windows import Windows, find_windows

NO_KIT = Reason("no_drum_track", "no part of General MIDI drums")


def cut_drums(piece: GridPiece, settings: CutSettings) -> CutPiece:
    """Cuts the hits of a piece's drums, for the representations `drums` and `drum_hits`."""
    representation = settings.representation
    assert isinstance(representation, Drums), representation
    tally = Tally()
    kit = join_kit(piece, tally)
    if kit is None:
        return CutPiece(left=tally.entries())
    windows = find_windows(piece, representation.bars, settings.hop_bars, tally)
    sieve = Sieve(windows.first_steps, representation.length_steps, tally)
    hits = write_hits(kit.starts, kit.pitches, piece.length_steps)
    judge_hits(sieve, hits, piece.steps_per_bar, settings.rules)
    judge_timing(sieve, kit, piece, settings.rules)
    codes = join_hits(hits)
    shapes = digest(sieve.take(codes).astype(np.int32))
    events = sieve.take(representation.write_events(hits))
    return _finish(piece, kit, windows, sieve, events, shapes)


def cut_grooves(piece: GridPiece, settings: CutSettings) -> CutPiece:
    """Cuts a piece's drums with their loudness and timing, for the representation `groove`."""
    representation = settings.representation
    tally = Tally()
    kit = join_kit(piece, tally)
    if kit is None:
        return CutPiece(left=tally.entries())
    windows = find_windows(piece, representation.bars, settings.hop_bars, tally)
    sieve = Sieve(windows.first_steps, representation.length_steps, tally)
    whole = groove.write_hits(
        kit.starts, kit.pitches, kit.velocities, kit.offsets, piece.length_steps
    )
    judge_hits(sieve, whole[:, : groove.CLASSES] > 0, piece.steps_per_bar, settings.rules)
    events = sieve.take(whole)
    return _finish(piece, kit, windows, sieve, events, _digest_takes(events))


def join_kit(piece: GridPiece, tally: Tally) -> GridPart | None:
    """Joins the drum parts of a piece to one, without the drums that have no class.

    Counts those drums. None, which is counted too, where no drum is left.
    """
    parts = [part for part in piece.parts if part.is_drum]
    if not parts:
        tally.add("piece", NO_KIT)
        return None
    kit = parts[0] if len(parts) == 1 else _join(parts)
    has_class = CLASS_OF_PITCH[kit.pitches] >= 0
    if not has_class.all():
        others = np.unique(kit.pitches[~has_class]).tolist()
        found = f"the drum {', '.join(map(str, others))} in {kit.name!r}"
        tally.add("note", Reason("unknown_drum", found), int(np.count_nonzero(~has_class)))
        if not has_class.any():
            tally.add("piece", Reason(NO_KIT.name, f"only unknown drums in {kit.name!r}"))
            return None
        kit = _choose(kit, has_class)
    return kit


def _join(parts: list[GridPart]) -> GridPart:
    starts = np.concatenate([part.starts for part in parts])
    joined = GridPart(
        name=" + ".join(part.name for part in parts),
        program=0,
        is_drum=True,
        starts=starts,
        ends=np.concatenate([part.ends for part in parts]),
        pitches=np.concatenate([part.pitches for part in parts]),
        velocities=np.concatenate([part.velocities for part in parts]),
        offsets=np.concatenate([part.offsets for part in parts]),
    )
    return _choose(joined, np.lexsort((joined.ends, joined.pitches, starts)))


def _choose(
    part: GridPart, notes: Bool[np.ndarray, " note"] | Int[np.ndarray, " note"]
) -> GridPart:
    return replace(
        part,
        starts=part.starts[notes],
        ends=part.ends[notes],
        pitches=part.pitches[notes],
        velocities=part.velocities[notes],
        offsets=part.offsets[notes],
    )


class Sieve:
    """Windows of one length, of which each rule takes out those that break it.

    A window is counted by the first rule that it breaks; the reason is named after the stream too
    where there are several.
    """

    def __init__(
        self,
        first_steps: Int64[np.ndarray, " batch"],
        length_steps: int,
        tally: Tally,
        stream: str = "",
    ) -> None:
        self.first_steps = first_steps
        self.length_steps = length_steps
        self.is_kept = np.ones(len(first_steps), bool)
        self.tally = tally
        self._prefix = f"{stream}_" if stream else ""

    def drop(
        self, name: str, is_broken: Bool[np.ndarray, " batch"], tell: Callable[[int], str]
    ) -> None:
        """Takes out the windows that break a rule.

        Args:
            name: The reason's.
            is_broken: Which windows break it.
            tell: Says what was found in the window that starts at a step.
        """
        is_dropped = is_broken & self.is_kept
        if is_dropped.any():
            first = int(self.first_steps[is_dropped.argmax()])
            reason = Reason(self._prefix + name, tell(first))
            self.tally.add("excerpt", reason, int(np.count_nonzero(is_dropped)))
            self.is_kept &= ~is_dropped

    def sums(self, counts: Shaped[np.ndarray, " step"]) -> Int64[np.ndarray, " batch"]:
        """The sum over each window of whole numbers, one a step."""
        sums = np.zeros(len(counts) + 1, np.int64)
        np.cumsum(counts, out=sums[1:])
        within: Int64[np.ndarray, " batch"] = (
            sums[self.first_steps + self.length_steps] - sums[self.first_steps]
        )
        return within

    def have_silence(
        self, sounds: Bool[np.ndarray, " step"], silence_steps: int
    ) -> Bool[np.ndarray, " batch"]:
        """Whether each window holds a silence of so many steps."""
        if silence_steps > self.length_steps:
            return np.zeros(len(self.first_steps), bool)
        sums = np.zeros(len(sounds) + 1, np.int64)
        np.cumsum(sounds, out=sums[1:])
        silences = np.zeros(len(sounds) + 1, np.int64)
        np.cumsum(sums[silence_steps:] == sums[:-silence_steps], out=silences[silence_steps:])
        # The last step of a silence that is as long is within the window from here on.
        low = self.first_steps + silence_steps - 1
        have_silence: Bool[np.ndarray, " batch"] = (
            silences[self.first_steps + self.length_steps] > silences[low]
        )
        return have_silence

    def take(self, rows: Int16[np.ndarray, "step *any"]) -> Int16[np.ndarray, "batch _ *any"]:
        """The rows of the windows that are kept."""
        return rows[self.first_steps[self.is_kept][:, None] + np.arange(self.length_steps)]


def longest_silence(sounds: Bool[np.ndarray, " step"]) -> int:
    """The length of the longest run of silent steps."""
    sounding = np.flatnonzero(np.concatenate([[True], sounds, [True]]))
    return int(np.diff(sounding).max()) - 1


def judge_hits(
    sieve: Sieve, hits: Bool[np.ndarray, "step 9"], steps_per_bar: int, rules: Rules
) -> None:
    """Drops the windows whose hits are no beat."""
    length = sieve.length_steps
    counts = hits.sum(axis=1)
    totals = sieve.sums(counts)
    sieve.drop("silent", totals == 0, lambda _: "no notes")
    is_hit = counts > 0
    gap_steps = max(1, int(np.ceil(rules.longest_gap_bars * steps_per_bar)))
    sieve.drop(
        "long_gap",
        sieve.have_silence(is_hit, gap_steps),
        lambda at: f"{longest_silence(is_hit[at : at + length])} steps of silence",
    )
    sieve.drop(
        "few_hits",
        totals < rules.fewest_hits,
        lambda at: f"{int(counts[at : at + length].sum())} hits",
    )
    kinds = np.sum([sieve.sums(column) > 0 for column in hits.T], axis=0)
    sieve.drop(
        "few_drums",
        kinds < rules.fewest_drums,
        lambda at: f"{int(hits[at : at + length].any(axis=0).sum())} of the nine classes",
    )


def judge_timing(sieve: Sieve, kit: GridPart, piece: GridPiece, rules: Rules) -> None:
    """Drops the windows of which too many hits lie between the steps."""
    most = rules.most_offset_quarters * piece.steps_per_quarter
    length = piece.length_steps
    is_off = np.abs(kit.offsets) > most
    if not is_off.any():
        return
    off = np.bincount(kit.starts[is_off], minlength=length)
    all_hits = np.bincount(kit.starts, minlength=length)

    def tell(at: int) -> str:
        window = slice(at, at + sieve.length_steps)
        return f"{off[window].sum()} of {all_hits[window].sum()} hits off the grid"

    sieve.drop("off_grid", sieve.sums(off) > rules.most_off_grid * sieve.sums(all_hits), tell)


def _digest_takes(events: Int16[np.ndarray, "batch step 27"]) -> UInt64[np.ndarray, " batch"]:
    """A digest that is the same for equal performances alone."""
    hits, velocities, offsets = np.split(events.astype(np.int32), 3, axis=2)
    packed: Int32[np.ndarray, "batch step 9"] = (hits << 18) | (velocities << 11) | offsets
    return digest(packed.reshape(len(packed), packed.shape[1] * packed.shape[2]))


def _finish(
    piece: GridPiece,
    kit: GridPart,
    windows: Windows,
    sieve: Sieve,
    events: Int16[np.ndarray, "batch step stream"],
    shapes: UInt64[np.ndarray, " batch"],
) -> CutPiece:
    if not len(events):
        return CutPiece(left=sieve.tally.entries())
    excerpts = Excerpts(
        part=kit.name,
        program=0,
        start_bars=windows.start_bars[sieve.is_kept],
        events=events,
        shapes=shapes,
        labels=label(
            piece,
            kit.starts,
            kit.pitches,
            is_drum=True,
            first_steps=windows.first_steps[sieve.is_kept],
            length_steps=sieve.length_steps,
        ),
    )
    return CutPiece(excerpts=(excerpts,), left=sieve.tally.entries())
