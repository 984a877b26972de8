"""What tests of the command line share: a way to run it, and music to give it."""

import sys
from dataclasses import dataclass

import pytest
from engines import FOUR_THEN_THREE, PICKUP

from musicvae.__main__ import MISUSE, main
from musicvae.music import midi
from musicvae.music.notes import Meter, Note, NoteSequence


@dataclass(frozen=True)
class Said:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


@pytest.fixture
def command(monkeypatch, capsys, tmp_path):
    """Runs the command in an empty folder, as if typed."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["musicvae", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return Said(ended.value.code or 0, said.out, said.err)

    return run


def tune(pitch, *, qpm=90.0):
    notes = tuple(Note(step, pitch + step % 5, step + 2) for step in range(0, 32, 4))
    return midi.write(NoteSequence(notes=notes, length_steps=32, qpm=qpm))


CHORD = midi.write(
    NoteSequence(notes=(Note(0, 60, 8), Note(0, 64, 8)), length_steps=32, meter=Meter())
)


@pytest.fixture
def tunes(tmp_path):
    """Two tunes, a chord, a change of meter, a pickup, and a file that is no MIDI."""
    for name, data in {
        "a.mid": tune(60),
        "b.mid": tune(67),
        "chord.mid": CHORD,
        "four_three.mid": midi.write(FOUR_THEN_THREE),
        "pickup.mid": midi.write(PICKUP),
        "broken.mid": b"MThd\0\0\0\6\0\1",
    }.items():
        (tmp_path / name).write_bytes(data)
    return tmp_path


@pytest.fixture
def mistake(command, tunes):
    """Runs a command that must fail for a reason, and gives what it said."""

    def run(arguments):
        (tunes / "empty").mkdir()
        before = {path for path in tunes.rglob("*") if path.is_file()}
        said = command(*arguments)
        assert said.code == MISUSE, said
        assert "Traceback" not in said.err
        # No half result is left that looks like one.
        after = {path for path in tunes.rglob("*") if path.is_file()}
        assert after == before
        return said.err

    return run
