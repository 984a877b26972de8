"""The commands that make music, for every kind of model."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from musicvae.music import midi
from musicvae.music.notes import Meter, Note, NoteSequence, TimeGrid

KINDS = ("melody-2bar", "melody-16bar", "drums-2bar", "groove-2bar", "trio-16bar", "leadsheet-4bar")
SHEET = "leadsheet-4bar"
CHORDS = "C | Am . G7/B"


@pytest.fixture
def musicvae(command, family_folder):
    """Runs a command with a model of the family, and wants it to succeed."""

    def run(name, *arguments, model, seed=1):
        said = command(name, *arguments, "--model", family_folder / model, "--seed", seed)
        assert (said.code, said.err) == (0, ""), said
        return said

    return run


def chords_for(kind):
    return ["--chords", CHORDS] if kind == SHEET else []


def write_beat(path):
    hits = [Note(step, 36, step + 1, 90, is_drum=True) for step in range(0, 32, 4)]
    path.write_bytes(midi.write(NoteSequence(tuple(hits), length_steps=32, qpm=90.0)))


@pytest.mark.parametrize("kind", KINDS)
def test_every_model_makes_music_of_its_own_music(musicvae, kind):
    musicvae("sample", "-n", 2, "--plot", *chords_for(kind), "--out", "a", model=kind)
    files = sorted(Path("a").glob("*.mid"))
    assert len(files) == 2
    assert next(Path("a").glob("*.png")).stat().st_size > 2_000
    # What it made brings its chords along.
    said = musicvae("reconstruct", *files, "--out", "b", model=kind)
    assert "sample-1-000.mid, " in said.out
    musicvae("interpolate", *files, "-n", 3, "--plot", "--out", "c", model=kind)
    said = musicvae("transform", files[0], "--add", "note_density=1", "--out", "d", model=kind)
    assert "note_density" in said.out
    assert ("c_diatonic" in said.out) == (kind not in ("drums-2bar", "groove-2bar"))
    assert [len(list(Path(each).glob("*.mid"))) for each in "abcd"] == [2, 2, 3, 2]


def test_files_are_read_in_the_meter_asked_for(musicvae, command, family_folder, tunes):
    waltz = replace(midi.read(tunes / "a.mid"), meter=Meter(3, 4))
    Path("waltz.mid").write_bytes(midi.write(waltz))
    said = command("reconstruct", "waltz.mid", "--model", family_folder / "melody-2bar")
    assert "or read the music in 4/4 with --meter" in said.err
    for name in ("a.mid", "waltz.mid"):
        musicvae("reconstruct", name, "--meter", "4/4", "--out", name[0], model="melody-2bar")
    a, b = (midi.read(next(Path(name).glob("*.mid"))) for name in "aw")
    assert a.notes == b.notes


def test_triplets_are_drawn_and_read_where_the_grid_is_asked_for(command, make_bundle):
    make_bundle(Path("m"), draws_events=True, grids=(TimeGrid(Meter(), 12),))
    by_12 = ["--steps-per-quarter", 12, "--model", "m", "--seed", 1]
    assert "melody in 4/4 or 4/4 by 12\n" in command("models", "--model", "m").out
    assert command("sample", "-n", 2, *by_12, "--out", "a").code == 0
    files = sorted(Path("a").glob("*.mid"))
    assert midi.read_provenance(files[0].read_bytes())["steps_per_quarter"] == "12"
    drawn = midi.read(files[0], steps_per_quarter=12)
    assert drawn.notes and not any(note.offset for note in drawn.notes)
    for name in ("interpolate", "reconstruct"):
        assert command(name, *files, *by_12, "--out", name).code == 0
        made = next(Path(name).glob("*.mid")).read_bytes()
        assert midi.read_provenance(made)["steps_per_quarter"] == "12"


def test_chords_without_bar_lines_are_one_bar_and_get_a_hint(command, family_folder):
    said = command("sample", "-n", 1, "--chords", "C Am F G", "--model", family_folder / SHEET)
    assert said.code == 0
    assert said.err == "--chords: C Am F G is one bar; write C | Am | F | G for a bar each\n"


def test_each_sheet_is_played_over_its_own_chords(musicvae):
    for seed, chords in enumerate(["C", "Dm7 | G7"]):
        musicvae("sample", "-n", 1, "--chords", chords, "--out", "a", model=SHEET, seed=seed)
    musicvae("reconstruct", *sorted(Path("a").glob("*.mid")), "--out", "b", model=SHEET)
    made = [
        midi.read_provenance(path.read_bytes())["chords"] for path in sorted(Path("b").iterdir())
    ]
    assert made == ["C | C | C | C", "Dm7 | G7 | Dm7 | G7"]


@pytest.mark.parametrize("task", ["humanise", "tap-to-drums", "transfer"])
def test_groove_plays_drums(musicvae, tmp_path, task):
    write_beat(tmp_path / "beat.mid")
    onto = ["--onto", "beat.mid"] if task == "transfer" else []
    said = musicvae("groove", "beat.mid", "--task", task, *onto, "--plot", model="groove-2bar")
    assert [path.name for path in sorted(Path("music").iterdir())] == [
        "groove-2bar-groove-1-after.mid",
        "groove-2bar-groove-1-before.mid",
        "groove-2bar-groove-1.png",
    ]
    assert "before, 8 notes" in said.out and f"{task}, " in said.out
    assert midi.read(Path("music/groove-2bar-groove-1-after.mid").read_bytes()).qpm == 90.0


def test_models_say_what_they_are(command, family_folder):
    said = command("models", "--model", family_folder / SHEET)
    for part in (
        "4 bars of lead sheet in 4/4, over given chords",
        "0.9 MB, 32 values a latent",
        "not measured",
        "c_diatonic",
    ):
        assert part in said.out
    said = command("models", "--model", family_folder / "drums-2bar")
    assert "2 bars of drums in 4/4\n" in said.out
    assert "attributes: note_density, syncopation_16th, syncopation_8th\n" in said.out


def test_a_style_is_asked_for_by_name(command, mistake, make_bundle):
    make_bundle(
        Path("d"), name="d", preset="drums-2bar", draws_events=True, styles=("funk", "rock")
    )
    assert "styles: funk, rock\n" in command("models", "--model", "d").out
    said = command("sample", "-n", 2, "--style", "Rock", "--seed", 1, "--model", "d")
    assert said.code == 0 and "draw 1 (rock)" in said.out and "draw 2 (rock)" in said.out
    said = mistake(["sample", "--style", "polka", "--model", "d"])
    assert "--style 'polka'" in said and "one of funk, rock" in said


MISTAKES = {
    "no chords": (["sample", "--model", SHEET], ["no chords", "C | Am"]),
    "no chords in a file": (["reconstruct", "a.mid", "--model", SHEET], ["no chords"]),
    "a chord that is none": (
        ["sample", "--chords", "C | H7", "--model", SHEET],
        ["'H7' in bar 2", "chord symbols"],
    ),
    "too many bars of chords": (
        ["sample", "--chords", "C|C|C|C|C", "--model", SHEET],
        ["5 bars of chords", "1 to 4"],
    ),
    "chords for a melody": (
        ["interpolate", "a.mid", "b.mid", "--chords", "C", "--model", "melody-2bar"],
        ["chords for melody-2bar", "none"],
    ),
    "no meter": (
        ["reconstruct", "a.mid", "--meter", "4", "--model", "melody-2bar"],
        ["--meter 4; expected a meter such as 4/4"],
    ),
    "a grid that the model has not": (
        ["interpolate", "a.mid", "b.mid", "--steps-per-quarter", "12", "--model", "melody-2bar"],
        ["a.mid", "12 steps a quarter note; expected a grid of 4", "--steps-per-quarter"],
    ),
    "draws on a grid that the model has not": (
        ["sample", "--steps-per-quarter", "12", "--model", "melody-2bar"],
        ["--steps-per-quarter 12 in 4/4 for melody-2bar; expected 4/4"],
    ),
    "no grid": (["sample", "--steps-per-quarter", "6", "--model", "melody-2bar"], ["'4', '12'"]),
    "a meter that the model has not": (
        ["interpolate", "a.mid", "b.mid", "--meter", "3/4", "--model", "melody-2bar"],
        ["a.mid", "--meter 3/4; expected 4/4, the meter of the model"],
    ),
    "a style for a melody": (
        ["sample", "--style", "rock", "--model", "melody-2bar"],
        ["a style for melody-2bar", "none"],
    ),
    "a melody for drums": (
        ["reconstruct", "a.mid", "--model", "drums-2bar"],
        ["a.mid", "which is no drum"],
    ),
    "a melody with a groove": (
        ["groove", "a.mid", "--model", "groove-2bar"],
        ["a.mid", "which is no drum"],
    ),
    "a melody for a groove to play": (
        ["groove", "beat.mid", "--task", "transfer", "--onto", "a.mid", "--model", "groove-2bar"],
        ["a.mid", "which is no drum"],
    ),
    "nothing to play": (
        ["groove", "a.mid", "--task", "transfer", "--model", "groove-2bar"],
        ["--onto none"],
    ),
    "no such task": (["groove", "a.mid", "--task", "swing"], ["'swing'", "humanise"]),
    "no model of grooves": (
        ["groove", "beat.mid", "--model", "melody-2bar"],
        ["no model of grooves among melody-2bar"],
    ),
    "pitch of drums": (
        ["transform", "beat.mid", "--add", "c_diatonic=1", "--model", "drums-2bar"],
        ["'c_diatonic'", "note_density"],
    ),
}


@pytest.mark.parametrize(("arguments", "expected"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_named_with_what_to_do(mistake, tunes, family_folder, arguments, expected):
    write_beat(tunes / "beat.mid")
    said = mistake(family_folder / each if each in KINDS else each for each in arguments)
    for part in expected:
        assert part in said


def test_melodies_that_a_constraint_silences_are_counted(command):
    said = command("sample", "-n", 16, "--seed", 1, "--key", "G", "--scale", "F# C#")
    assert said.code == 0 and said.out.count(" 0 notes, cost ") >= 4
    silent = said.out.count(" 0 notes,")
    assert said.err.startswith(f"--key, --scale: {silent} of 16 clips have no melody, since ")


def test_a_trio_has_a_melody_in_a_range_far_from_melodies(command):
    said = command("sample", "--model", "trio-16bar", "--seed", 1, "--range", "C3-C4")
    assert (said.code, said.err) == (0, "")
    for path in Path("music").glob("*.mid"):
        lines = [n.pitch for n in midi.read(path).notes if not (n.is_drum or n.program == 33)]
        assert lines and 48 <= min(lines) <= max(lines) <= 60


def test_chords_that_music_does_not_follow_are_told_and_not_written(command):
    command("sample", "-n", 1, "--model", "trio-16bar", "--seed", 1, "--chords", "C | F | G | C")
    drawn = next(Path("music").glob("*.mid"))
    assert midi.read(drawn).chords
    arguments = ("--model", "trio-16bar", "--seed", 1, "--out", "over")
    said = command("reconstruct", drawn, *arguments, "--chords", "F# | B | C# | F#")
    assert "1 of 1 clips do not follow the chords, and have no chord markers" in said.err
    assert not midi.read(next(Path("over").glob("*.mid"))).chords


def test_paths_and_titles_are_said_as_they_are(musicvae):
    said = musicvae("sample", "-n", 1, "--out", "x[/y]", model="melody-2bar")
    assert "x[/y]/melody-2bar-sample-1-000.mid  draw 1, " in said.out
    Path("[live].mid").write_bytes(next(Path("x[").rglob("*.mid")).read_bytes())
    said = musicvae("reconstruct", "[live].mid", "--out", "[red]", model="melody-2bar")
    assert "[red]/melody-2bar-reconstruct-1-000.mid  [live].mid, " in said.out


def test_mistake_names_the_file_and_leaves_other_words_alone(command, tunes, family_folder):
    (tunes / "a.mid").rename(tunes / "toronto.mid")
    model = family_folder / "groove-2bar"
    arguments = ("--task", "transfer", "--onto", "toronto.mid", "--model", model)
    write_beat(tunes / "beat.mid")
    said = command("groove", "toronto.mid", *arguments)
    assert said.err.count("toronto.mid: ") == 2
    assert "tortoronto" not in said.err


PROGRAM = """
import sys
from musicvae.__main__ import main
sys.argv = ["musicvae", *sys.argv[1:]]
try:
    main()
finally:
    print([name for name in ("torch", "matplotlib") if name in sys.modules])
"""


def test_a_servers_models_are_asked_for_without_torch_and_matplotlib():
    program = [sys.executable, "-c", PROGRAM, "models", "--server", "127.0.0.1:1"]
    done = subprocess.run(program, check=False, capture_output=True, text=True)
    assert "UNAVAILABLE" in done.stderr
    assert done.stdout == "[]\n"


def test_drawing_alone_takes_matplotlib():
    program = [
        sys.executable,
        "-c",
        "import musicvae.generation.clip_files, sys; print(*sys.modules)",
    ]
    done = subprocess.run(program, check=True, capture_output=True, text=True)
    assert "matplotlib" not in done.stdout.split()
