"""Drums as a person plays them: hits with loudness and timing, for GrooVAE's models.

Conventions: nine classes of drums as in `drums`; a tensor is `(step, 27)`. Streams 0 to 8 say
whether each class is hit (1) or not (0). Streams 9 to 17 hold the velocity of each hit less 1, 0 to
126. Streams 18 to 26 hold the offset, the distance of the hit from its step, in 1/1024 of a step,
plus 512: 0 to 1024, below 512 early. Where nothing is hit the velocity is 0 and the offset 512.

Every tensor within the vocabulary is a legal excerpt: velocities and offsets without a hit are
ignored. A legal excerpt has drums alone, each the drum that plays its class, at most half a step
off the grid, and the right meter, resolution and length. For legal excerpts
`to_notes(to_tensor(x)) == x`, but a tensor does not hold duration (a hit lasts a step), the drum
within its class, softer hits of the same class at the same step, less than 1/2048 of a step, tempo,
key and chords.

Source: Gillick et al. 2019, Learning to Groove with Inverse Sequence Transformations, section 3.2.
The paper's arrays are floats.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int, Int16

from musicvae.music.attributes import RHYTHM
from musicvae.music.instruments import CLASS_OF_PITCH, DRUM_CLASSES
from musicvae.music.notes import DEFAULT_VELOCITY, VELOCITIES, Note, NoteSequence
from musicvae.representation import hits
from musicvae.representation.checks import KNOWN_DRUMS, ONLY_DRUMS, SAME_GRID
from musicvae.representation.kind import Kind, Performance, Reduction
from musicvae.representation.recombination import mix_grooves
from musicvae.representation.representation import Check, Representation
from musicvae.representation.streams import Stream

CLASSES = len(DRUM_CLASSES)
OFFSETS_PER_STEP = 1024
"""The units of an offset in a step: finer than MIDI at 480 ticks a quarter note, and exact as a
float."""
ON_STEP = OFFSETS_PER_STEP // 2
"""The offset event of a hit exactly on its step, and of no hit."""
TAPPED = 2
"""The class of taps: the closed hi-hat."""


def _streams() -> tuple[Stream, ...]:
    """Hits, velocities and offsets of nine classes; velocities and offsets count only at hits."""
    names = [drum.name for drum in DRUM_CLASSES]
    numbers = [
        Stream(name=f"{name} {measure}", size=size, is_number=True, gate=index)
        for measure, size in (("velocity", len(VELOCITIES)), ("offset", OFFSETS_PER_STEP + 1))
        for index, name in enumerate(names)
    ]
    return (*(Stream(name=name, size=2) for name in names), *numbers)


def write_hits(
    starts: Int[np.ndarray, " note"],
    pitches: Int[np.ndarray, " note"],
    velocities: Int[np.ndarray, " note"],
    offsets: Float[np.ndarray, " note"],
    length_steps: int,
) -> Int16[np.ndarray, "step stream"]:
    """Writes played drums, of any length, as events.

    Pitches without a class are left out. Of several hits of a class at one step the loudest stays;
    of equally loud hits, the earliest.

    Args:
        starts: The step of each hit, below `length_steps`, in any order.
        pitches: MIDI numbers.
        velocities: 1 to 127.
        offsets: Distance of each hit from its step, in steps, -0.5 to 0.5.
        length_steps: The length of the music.
    """
    # A tenth class, with the index -1, takes the hits without a class.
    events = np.zeros((length_steps, 3, CLASSES + 1), np.int16)
    events[:, 2] = ON_STEP
    order = np.lexsort((-offsets, velocities))  # the last value of a cell stays
    starts = starts[order]
    classes = CLASS_OF_PITCH[pitches[order]]
    events[starts, 0, classes] = 1
    events[starts, 1, classes] = velocities[order] - 1
    events[starts, 2, classes] = _offset_events(offsets[order])
    return events[:, :, :-1].reshape(length_steps, 3 * CLASSES)


def hits_alone(
    events: Int16[np.ndarray, "batch step stream"],
) -> Int16[np.ndarray, "batch step stream"]:
    """Keeps only the hits: all become equally loud, and move to their steps."""
    bare = events.copy()
    bare[..., CLASSES : 2 * CLASSES] = DEFAULT_VELOCITY - VELOCITIES[0]
    bare[..., 2 * CLASSES :] = ON_STEP
    return bare


def taps(
    events: Int16[np.ndarray, "batch step stream"],
) -> Int16[np.ndarray, "batch step stream"]:
    """Keeps only the rhythm, as if tapped on a table: one hit of `TAPPED` at every step with hits.

    A tap has the offset of the loudest hit of its step; all taps are equally loud.

    Source: Gillick et al. 2019, section 5.3 (Tap2Drum).
    """
    hits, velocities, offsets = np.split(events, 3, axis=-1)
    loudest = np.where(hits > 0, velocities, -1).argmax(-1)[..., None]
    tapped = np.zeros_like(events)
    tapped[..., 2 * CLASSES :] = ON_STEP
    tapped[..., TAPPED] = hits.any(-1)
    tapped[..., 2 * CLASSES + TAPPED] = np.take_along_axis(offsets, loudest, -1)[..., 0]
    tapped[..., CLASSES : 2 * CLASSES] = DEFAULT_VELOCITY - VELOCITIES[0]
    tapped[..., 2 * CLASSES + TAPPED][~hits.any(-1)] = ON_STEP
    return tapped


def _offset_events(offsets: Float[np.ndarray, "*rest"]) -> Float[np.ndarray, "*rest"]:
    """The event of each offset, as a whole number."""
    events = np.round(offsets * OFFSETS_PER_STEP) + ON_STEP
    placed: Float[np.ndarray, "*rest"] = np.clip(events, 0, OFFSETS_PER_STEP)
    return placed


def tap_notes(music: NoteSequence) -> NoteSequence:
    """Turns every note into a hit of `TAPPED`, as loud as the note and with its timing."""
    tapped = [
        Note(
            start_step=note.start_step,
            pitch=DRUM_CLASSES[TAPPED].pitch,
            end_step=note.start_step + 1,
            velocity=note.velocity,
            is_drum=True,
            offset=note.offset,
        )
        for note in music.notes
    ]
    return replace(music, notes=tuple(sorted(tapped)))


def _find_offset(_: Representation, excerpt: NoteSequence) -> str | None:
    for note in excerpt.notes:
        if abs(round(note.offset * OFFSETS_PER_STEP)) > ON_STEP:
            return f"a hit {note.offset:+.2f} steps off the grid at step {note.start_step}"
    return None


_CHECKS = (
    ONLY_DRUMS,
    *SAME_GRID,
    Check(
        cause="off_grid",
        find=_find_offset,
        expected="hits within half a step of the step they belong to",
        action="Count them to the nearest step.",
    ),
    KNOWN_DRUMS,
)

GROOVE = Kind(
    name="groove",
    content="drums with the loudness and the timing of every hit, every drum of a kit counts as "
    "one of nine classes",
    usual_bars=(2,),
    attributes=RHYTHM,
    line_of=lambda _: hits.HITS,
    reduction=Reduction(
        reduce=lambda music: replace(music, notes=hits.known_drums(music.notes)),
        keeps="the drums that General MIDI names",
    ),
    recombine=mix_grooves,
    performance=Performance(hits_alone=hits_alone, taps=taps, tap=tap_notes),
    has_styles=True,
)


@dataclass(frozen=True, kw_only=True)
class Groove(Representation):
    """Played drums: nine streams of hits, nine of velocities, nine of offsets."""

    kind = GROOVE
    streams = _streams()
    checks = _CHECKS

    def is_onset(
        self, events: Int[np.ndarray, "batch step stream"]
    ) -> Bool[np.ndarray, "batch step stream"]:
        is_hit = events > 0
        is_hit[..., CLASSES:] = False
        return is_hit

    def _write(self, excerpt: NoteSequence) -> Int16[np.ndarray, "step stream"]:
        notes = excerpt.notes
        return write_hits(
            np.array([note.start_step for note in notes], np.int32),
            np.array([note.pitch for note in notes], np.int32),
            np.array([note.velocity for note in notes], np.int32),
            np.array([note.offset for note in notes], np.float64),
            self.length_steps,
        )

    def _read_notes(self, events: Int[np.ndarray, "step stream"]) -> list[Note]:
        is_hit, velocities, offsets = np.split(events, 3, axis=1)
        steps, classes = np.nonzero(is_hit)
        columns = (steps, classes, velocities[steps, classes], offsets[steps, classes])
        return sorted(
            Note(
                start_step=step,
                pitch=DRUM_CLASSES[index].pitch,
                end_step=step + 1,
                velocity=velocity + 1,
                is_drum=True,
                offset=(offset - ON_STEP) / OFFSETS_PER_STEP,
            )
            for step, index, velocity, offset in zip(
                *(column.tolist() for column in columns), strict=True
            )
        )
