"""Music that the tests of the pipeline make: tunes in ABC, melodies in MIDI, scores in MusicXML."""

import random

import pytest

from musicvae.data_pipeline.cut.excerpts import CutSettings
from musicvae.data_pipeline.prepare import PrepareSettings
from musicvae.music import midi
from musicvae.music.notes import Meter, Note, NoteSequence
from musicvae.representation import Melody

COMMON = Meter()
SCALE = "CDEFGABcdefgab"


def make_tune(number, *, title=None, bars=8, meter="4/4", pickup="", seed=None):
    """A tune of eighth notes over the scale, different for each number."""
    chance = random.Random(number if seed is None else seed)
    length = 8 if meter in ("4/4", "C", "C|") else 6
    measures = ["".join(chance.choice(SCALE) for _ in range(length)) for _ in range(bars)]
    head = f"X:{number}\nT:{title or f'Tune {number}'}\nM:{meter}\nL:1/8\nK:C\n"
    return f"{head}{pickup}{'|'.join(measures)}|]\n"


def make_melody(seed, *, bars=8, meter=COMMON, velocity=80):
    """A melody of quarter notes."""
    chance = random.Random(seed)
    steps = bars * meter.steps_per_bar()
    notes = tuple(
        Note(step, chance.randrange(60, 80), step + 4, velocity) for step in range(0, steps, 4)
    )
    return NoteSequence(notes=notes, length_steps=steps, meter=meter)


@pytest.fixture
def tune():
    return make_tune


@pytest.fixture
def melody():
    return make_melody


@pytest.fixture
def abc_folder(tmp_path):
    """Twelve tunes in two files, and a licence."""
    folder = tmp_path / "tunes"
    folder.mkdir()
    (folder / "LICENSE").write_text("# Tunes of nobody\n\nDo as you please.\n")
    for start in (0, 6):
        text = "\n".join(make_tune(number) for number in range(start, start + 6))
        (folder / f"book{start}.abc").write_text(f"% a book of tunes\n\n{text}")
    return folder


@pytest.fixture
def midi_folder(tmp_path):
    """Six melodies as MIDI files, and one file that is no music."""
    folder = tmp_path / "files"
    folder.mkdir()
    for seed in range(6):
        (folder / f"melody{seed}.mid").write_bytes(midi.write(make_melody(seed)))
    (folder / "notes.txt").write_text("not music")
    return folder


@pytest.fixture
def settings(abc_folder, midi_folder, tmp_path):
    """Twelve tunes and six melodies of eight bars: 126 excerpts."""
    return PrepareSettings(
        inputs=(str(abc_folder), str(midi_folder)),
        out=tmp_path / "out",
        cut=CutSettings(representation=Melody(bars=2)),
        shares={"train": 0.5, "test": 0.5},
    )
