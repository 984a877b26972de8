"""Cuts a piece into excerpts of its drums: as hits on the grid, or as they were played.

All drum parts of a piece are one kit: some files give each drum its own track. Hits go to the
nearest step; drums have no length, so an excerpt holds exactly the hits of its window.

Our rules beside the behaviour of Magenta::

    rule                   Magenta                     here
    kit                    all drum tracks together    the same
    drums without class    left out                    rejected and counted
    a silent bar           ends the drums, but goes    in no excerpt (`long_gap`)
                           on in GrooVAE
    fewest hits            1, or none in GrooVAE       4, so that count-ins are rejected
    fewest classes         1, or none in GrooVAE       2: one class is a click or a shaker
    timing                 any goes to the grid        the same for `groove`; for `drums` excerpts
                                                       with many hits between steps are rejected
    equal excerpts         one stays of each piece     one stays of the whole data set

A groove is a performance: two takes of one pattern are two excerpts.
"""

import numpy as np
from jaxtyping import Bool, Int, Int16, Int32, UInt64

from musicvae.data_pipeline.grid.grid import GridPart, GridPiece
from musicvae.data_pipeline.rejections import Rejection, merge_rejections
from musicvae.music.instruments import CLASS_OF_PITCH
from musicvae.representation import DrumHits, Drums, groove
from musicvae.representation.hits import join_hits, write_hits

from .candidates import Candidates
from .excerpts import CutPiece, CutSettings, Excerpts, digest
from .labels import Stretch, label
from .rules import Rules
from .windows import Windows, find_windows, reject_bars

_NO_DRUMS = "no_drum_track"
_NO_DRUMS_FOUND = "no part on channel 10; --drums names drums on other channels or tracks"


def cut_drums(piece: GridPiece, settings: CutSettings) -> CutPiece:
    """Cuts the hits of a piece's drums, for the representations `drums` and `drum_hits`."""
    representation = settings.representation
    assert isinstance(representation, Drums | DrumHits), representation
    rejections: list[Rejection] = []
    kit = join_kit(piece, rejections)
    if kit is None:
        return CutPiece(rejections=merge_rejections(rejections))
    rejections += reject_bars(piece, representation.bars)
    windows = find_windows([piece], representation.bars, settings.hop_bars)
    candidates = Candidates(windows.first_steps, representation.length_steps)
    hits = write_hits(kit.starts, kit.pitches, piece.length_steps)
    judge_hits(candidates, hits, piece.steps_per_bar, settings.rules)
    judge_timing(candidates, kit, piece, settings.rules)
    codes = join_hits(hits)
    shapes = digest(candidates.take(codes).astype(np.int32))
    events = candidates.take(representation.write_hits(hits))
    return _finish(piece, kit, windows, candidates, events, shapes, rejections)


def cut_grooves(piece: GridPiece, settings: CutSettings) -> CutPiece:
    """Cuts a piece's drums with their loudness and timing, for the representation `groove`."""
    representation = settings.representation
    rejections: list[Rejection] = []
    kit = join_kit(piece, rejections)
    if kit is None:
        return CutPiece(rejections=merge_rejections(rejections))
    rejections += reject_bars(piece, representation.bars)
    windows = find_windows([piece], representation.bars, settings.hop_bars)
    candidates = Candidates(windows.first_steps, representation.length_steps)
    whole = groove.write_hits(
        kit.starts, kit.pitches, kit.velocities, kit.offsets, piece.length_steps
    )
    judge_hits(candidates, whole[:, : groove.CLASSES] > 0, piece.steps_per_bar, settings.rules)
    events = candidates.take(whole)
    return _finish(piece, kit, windows, candidates, events, _digest_takes(events), rejections)


def join_kit(piece: GridPiece, rejections: list[Rejection]) -> GridPart | None:
    """Joins the drum parts of a piece, and rejects the drums without a class.

    Returns:
        The kit; None, with a rejection of the piece, if no drum is left.
    """
    parts = [part for part in piece.parts if part.is_drum]
    if not parts:
        rejections.append(Rejection("piece", _NO_DRUMS, _NO_DRUMS_FOUND))
        return None
    kit = parts[0] if len(parts) == 1 else _join(parts)
    has_class = CLASS_OF_PITCH[kit.pitches] >= 0
    if not has_class.all():
        others = np.unique(kit.pitches[~has_class]).tolist()
        found = f"the drum {', '.join(map(str, others))} in {kit.name!r}"
        count = int(np.count_nonzero(~has_class))
        rejections.append(Rejection("note", "unknown_drum", found, count))
        if not has_class.any():
            found = f"only unknown drums in {kit.name!r}"
            rejections.append(Rejection("piece", _NO_DRUMS, found))
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
    candidates: Candidates, hits: Bool[np.ndarray, "step 9"], steps_per_bar: int, rules: Rules
) -> None:
    """Rejects the windows whose hits are no beat."""
    first, length = candidates.first_steps, candidates.length_steps
    counts = hits.sum(axis=1)
    totals = candidates.sums(counts)
    candidates.reject("silent", totals == 0, lambda _: "no notes")
    is_hit = counts > 0
    gap_steps = max(1, int(np.ceil(rules.longest_gap_bars * steps_per_bar)))

    def tell_silence(window: int) -> str:
        at = first[window]
        return f"{longest_silence(is_hit[at : at + length])} steps of silence"

    candidates.reject("long_gap", candidates.have_silence(is_hit, gap_steps), tell_silence)
    candidates.reject("few_hits", totals < rules.fewest_hits, lambda at: f"{totals[at]} hits")
    kinds = np.sum([candidates.sums(column) > 0 for column in hits.T], axis=0)
    candidates.reject(
        "few_drums", kinds < rules.fewest_drums, lambda at: f"{kinds[at]} of the nine classes"
    )


def judge_timing(candidates: Candidates, kit: GridPart, piece: GridPiece, rules: Rules) -> None:
    """Rejects the windows with too many hits between the steps."""
    most = rules.most_offset_quarters * piece.steps_per_quarter
    is_off = np.abs(kit.offsets) > most
    if not is_off.any():
        return
    length = piece.length_steps
    off = candidates.sums(np.bincount(kit.starts[is_off], minlength=length))
    hits = candidates.sums(np.bincount(kit.starts, minlength=length))
    candidates.reject(
        "off_grid",
        off > rules.most_off_grid * hits,
        lambda at: f"{off[at]} of {hits[at]} hits off the grid",
    )


def _digest_takes(events: Int16[np.ndarray, "batch step 27"]) -> UInt64[np.ndarray, " batch"]:
    """A digest that is equal only for equal performances."""
    hits, velocities, offsets = np.split(events.astype(np.int32), 3, axis=2)
    packed: Int32[np.ndarray, "batch step 9"] = (hits << 18) | (velocities << 11) | offsets
    return digest(packed.reshape(len(packed), packed.shape[1] * packed.shape[2]))


def _finish(
    piece: GridPiece,
    kit: GridPart,
    windows: Windows,
    candidates: Candidates,
    events: Int16[np.ndarray, "batch step stream"],
    shapes: UInt64[np.ndarray, " batch"],
    rejections: list[Rejection],
) -> CutPiece:
    merged = merge_rejections([*rejections, *candidates.rejections[0]])
    if not len(events):
        return CutPiece(rejections=merged)
    excerpts = Excerpts(
        part=kit.name,
        program=0,
        start_bars=windows.start_bars[candidates.is_kept],
        events=events,
        shapes=shapes,
        labels=label(
            [Stretch(piece, windows.first_steps[candidates.is_kept])],
            kit.starts,
            kit.pitches,
            is_drum=True,
            length_steps=candidates.length_steps,
        ),
    )
    return CutPiece(excerpts=(excerpts,), rejections=merged)
