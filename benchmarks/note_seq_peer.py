"""Times note_seq on the work of our pipeline: two-bar melodies from a list of MIDI files.

Runs in its own environment, without musicvae: `pipeline.py` starts it there. Reads paths from
standard input, one a line, and prints JSON: files, examples, and CPU seconds by stage.

The rules of Magenta's two-bar melody models: 4 steps a quarter note, split where tempo or meter
changes, 4/4 only, programs 0 to 31, a melody ends at a gap of a bar, the highest of the notes that
start together, windows of two bars at every bar, equal windows once a file.
"""

import json
import sys
import time
import warnings

import numpy as np

warnings.simplefilter("ignore")

import note_seq  # noqa: E402  (warns as it is imported)
from note_seq import melodies_lib, midi_io, sequences_lib  # noqa: E402

STEPS_PER_BAR = 16
WINDOW = 2 * STEPS_PER_BAR
LABELS = 90


def quantise(sequence: "note_seq.NoteSequence") -> list["note_seq.NoteSequence"]:
    """The parts of a sequence between its changes, on the grid, in 4/4."""
    found = []
    for part in sequences_lib.split_note_sequence_on_time_changes(sequence):
        try:
            quantised = sequences_lib.quantize_note_sequence(part, 4)
        except (
            sequences_lib.BadTimeSignatureError,
            sequences_lib.MultipleTimeSignatureError,
            sequences_lib.MultipleTempoError,
            sequences_lib.NegativeTimeError,
        ):
            continue
        if sequences_lib.steps_per_bar_in_quantized_sequence(quantised) == STEPS_PER_BAR:
            found.append(quantised)
    return found


def extract(quantised: "note_seq.NoteSequence") -> list[melodies_lib.Melody]:
    """The melodies of every instrument, one after the other."""
    found = []
    instruments = {n.instrument for n in quantised.notes if not n.is_drum and n.program < 32}
    for instrument in sorted(instruments):
        start = 0
        while True:
            melody = melodies_lib.Melody()
            try:
                melody.from_quantized_sequence(
                    quantised,
                    search_start_step=start,
                    instrument=instrument,
                    gap_bars=1,
                    ignore_polyphonic_notes=True,
                    pad_end=True,
                )
            except melodies_lib.events_lib.NonIntegerStepsPerBarError:
                break
            if not len(melody):
                break
            found.append(melody)
            start = melody.end_step + (start - melody.start_step) % STEPS_PER_BAR
    return found


def tensors(melodies: list[melodies_lib.Melody]) -> np.ndarray:
    """Every window of two bars as one-hot events, each once."""
    windows = {}
    for melody in melodies:
        events = list(melody)
        for start in range(0, len(events) - WINDOW + 1, STEPS_PER_BAR):
            window = tuple(events[start : start + WINDOW])
            if any(event >= 0 for event in window):
                windows[window] = None
    labels = np.array([[e + 2 if e < 0 else e - 19 for e in window] for window in windows])
    if not len(labels):
        return np.empty((0, WINDOW, LABELS), bool)
    return np.eye(LABELS, dtype=bool)[np.clip(labels, 0, LABELS - 1)]


def main() -> None:
    """Times each stage over the files that standard input names."""
    paths = sys.stdin.read().splitlines()
    seconds = {"read": 0.0, "quantise": 0.0, "extract": 0.0, "tensors": 0.0}
    examples = failed = 0
    for path in paths:
        times = [time.process_time()]
        try:
            sequence = midi_io.midi_file_to_note_sequence(path)
        except midi_io.MIDIConversionError:
            failed += 1
            seconds["read"] += time.process_time() - times[0]
            continue
        times.append(time.process_time())
        quantised = quantise(sequence)
        times.append(time.process_time())
        melodies = [melody for each in quantised for melody in extract(each)]
        times.append(time.process_time())
        examples += len(tensors(melodies))
        times.append(time.process_time())
        for name, start, end in zip(seconds, times, times[1:], strict=False):
            seconds[name] += end - start
    print(json.dumps({"files": len(paths), "failed": failed, "examples": examples,
                      "seconds": seconds, "version": note_seq.__version__}))  # fmt: skip


if __name__ == "__main__":
    main()
