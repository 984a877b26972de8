"""Files of music for every kind of model: tunes, beats, bands and lead sheets, from a seed."""

import random
from pathlib import Path

from musicvae.music import midi
from musicvae.music.notes import Note, NoteSequence

SCALE = (60, 62, 64, 65, 67, 69, 71, 72)
CHORDS = (("C", "major"), ("A", "minor"), ("F", "major"), ("G", "dominant"))
BARS = 24


def write_music(folder, representation, *, pieces):
    """Writes pieces that a representation can hold, and returns their folder."""
    folder = Path(folder)
    folder.mkdir(parents=True)
    for seed in range(pieces):
        if representation == "lead_sheet":
            (folder / f"sheet{seed}.musicxml").write_text(lead_sheet(seed))
        else:
            notes = sorted(note for make in PARTS[representation] for note in make(seed))
            music = NoteSequence(notes=tuple(notes), length_steps=16 * BARS, qpm=100.0)
            (folder / f"piece{seed}.mid").write_bytes(midi.write(music))
    return folder


def tune(seed):
    """Quarters and eighths over the scale of C."""
    chance = random.Random(seed)
    step = 0
    while step < 16 * BARS:
        end = step + chance.choice([2, 2, 4])
        yield Note(step, chance.choice(SCALE), min(end, 16 * BARS))
        step = end


def bass(seed):
    """Halves on a few roots."""
    chance = random.Random(f"bass {seed}")
    for step in range(0, 16 * BARS, 8):
        yield Note(step, chance.choice([36, 38, 41, 43]), step + 8, program=33)


def beat(seed):
    """Kick, snare and hi-hat, a little off their steps, with fills."""
    chance = random.Random(f"beat {seed}")
    for step in range(0, 16 * BARS, 2):
        hits = [42] if step % 8 else [chance.choice([36, 38]), 42]
        if chance.random() < 0.2:
            hits.append(chance.choice([45, 48, 50]))
        for pitch in hits:
            offset = 0.0 if step == 0 else chance.randint(-20, 20) / 120
            yield Note(step, pitch, step + 1, chance.randint(40, 120), is_drum=True, offset=offset)


def straight_beat(seed):
    """The same on its steps."""
    return (
        Note(hit.start_step, hit.pitch, hit.end_step, hit.velocity, is_drum=True)
        for hit in beat(seed)
    )


def lead_sheet(seed):
    """A tune of quarters over four chords, as MusicXML."""
    chance = random.Random(f"sheet {seed}")
    measures = []
    for number in range(1, BARS + 1):
        root, kind = chance.choice(CHORDS)
        harmony = (
            f"<harmony><root><root-step>{root}</root-step></root><kind>{kind}</kind></harmony>"
        )
        notes = "".join(
            f"<note><pitch><step>{chance.choice('CDEFGAB')}</step><octave>5</octave></pitch>"
            "<duration>1</duration></note>"
            for _ in range(4)
        )
        meter = (
            "<attributes><divisions>1</divisions>"
            "<time><beats>4</beats><beat-type>4</beat-type></time></attributes>"
        )
        start = meter if number == 1 else ""
        measures.append(f'<measure number="{number}">{start}{harmony}{notes}</measure>')
    return (
        '<score-partwise version="4.0"><part-list><score-part id="P1"><part-name>Voice</part-name>'
        f'</score-part></part-list><part id="P1">{"".join(measures)}</part></score-partwise>'
    )


PARTS = {
    "melody": [tune],
    "drums": [straight_beat],
    "groove": [beat],
    "trio": [tune, bass, straight_beat],
}
