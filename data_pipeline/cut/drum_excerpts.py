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

import numpy as np
from jaxtyping import Bool, Int, Int16, Int32, UInt64

from musicvae.data_pipeline.grid.grid import GridPart, GridPiece
from musicvae.music.instruments import CLASS_OF_PITCH
from musicvae.representation import groove
from musicvae.representation.drums import Drums, join_hits, write_hits

from .excerpts import CutPiece, CutSettings, Excerpts, Tally, digest
from .labels import label
from .rules import Reason, Rules
from .sieve import Sieve
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
    return part._replace(
        starts=part.starts[notes],
        ends=part.ends[notes],
        pitches=part.pitches[notes],
        velocities=part.velocities[notes],
        offsets=part.offsets[notes],
    )


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
