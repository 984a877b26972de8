"""The command line as its users see it: what it writes, what it says, and how it ends."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from musicvae import bundle
from musicvae.__main__ import INTERRUPTED, MISUSE, cli
from musicvae.music import midi
from musicvae.music.notes import Note, NoteSequence
from musicvae.training.module import TrainingModule

PNG = b"\x89PNG"


@pytest.fixture
def music(command, bundle_folder):
    """Runs a command that makes music with the tiny bundle, and wants it to succeed."""

    def run(name, *arguments, seed=1):
        said = command(name, *arguments, "--model", bundle_folder, "--seed", seed)
        assert (said.code, said.err) == (0, ""), said
        return said

    return run


def written(folder="music"):
    """The files in a folder, by name."""
    return {path.name: path.read_bytes() for path in sorted(Path(folder).glob("*"))}


def test_every_command_explains_itself(command):
    assert sorted(cli.commands) == [
        "accompany", "corpora", "evaluate", "export", "fetch", "groove", "inspect", "interpolate",
        "models", "prepare", "reconstruct", "report", "sample", "serve", "token", "train",
        "transform",
    ]  # fmt: skip
    whole = command("--help")
    for name, each in cli.commands.items():
        said = command(name, "--help")
        assert said.code == 0
        assert f"Usage: musicvae {name} " in said.out
        assert each.help.splitlines()[0] in " ".join(said.out.split())
        assert name in whole.out


def test_help_needs_none_of_the_heavy_packages():
    heavy = ("torch", "lightning", "matplotlib", "music21", "grpc", "numpy", "rich", "pydantic")
    code = (
        "import sys, musicvae.__main__\n"
        f"print(sorted(set(sys.modules) & {set(heavy)!r}))\n"
        "sys.argv = ['musicvae', 'sample', '--help']\n"
        "try:\n    musicvae.__main__.main()\n"
        f"finally:\n    print(sorted(set(sys.modules) & {set(heavy)!r}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    lines = done.stdout.splitlines()
    assert (lines[0], lines[-1]) == ("[]", "[]")
    assert "Draw new music from the prior." in done.stdout


def test_sample_writes_the_clips_it_names(music):
    said = music("sample", "-n", 3, seed=5)
    files = written()
    assert list(files) == [f"tiny-sample-5-{index:03d}.mid" for index in range(3)]
    for index, (name, data) in enumerate(files.items()):
        assert f"music/{name}  draw {index + 1}, " in said.out
        assert midi.read(data).length_steps <= 32
        made = midi.read_provenance(data)
        assert (made["seed"], made["index"], made["model"]) == (5, index, "tiny")


def test_the_same_seed_writes_the_same_bytes(music):
    music("sample", "-n", 3, "--out", "one", seed=5)
    music("sample", "-n", 3, "--out", "two", seed=5)
    music("sample", "-n", 3, "--out", "three", seed=6)
    assert written("one") == written("two")
    assert set(written("three").values()).isdisjoint(written("one").values())


def test_without_a_seed_each_time_is_another(command, bundle_folder):
    for _ in range(2):
        assert command("sample", "-n", 1, "--model", bundle_folder, "--temperature", 1).code == 0
    assert len(written()) == 2


def test_nothing_is_overwritten(music):
    first = music("sample", "-n", 2, "--plot", seed=5)
    before = written()
    assert list(before) == ["tiny-sample-5-000.mid", "tiny-sample-5-001.mid", "tiny-sample-5.png"]
    again = music("sample", "-n", 2, "--plot", seed=5)
    assert written() == before  # the same once more is no other result
    assert again == first
    music("sample", "-n", 2, "--plot", "--qpm", 60, "--temperature", 2, seed=5)
    after = written()
    assert {name: after[name] for name in before} == before
    assert sorted(set(after) - set(before)) == [
        "tiny-sample-5-000-2.mid",
        "tiny-sample-5-001-2.mid",
        "tiny-sample-5-2.png",
    ]


@pytest.mark.usefixtures("tunes")
def test_plot_draws_one_picture_of_all(music):
    said = music("interpolate", "a.mid", "b.mid", "-n", 3, "--plot")
    assert written()["tiny-interpolate-1.png"].startswith(PNG)
    assert "music/tiny-interpolate-1.png  all as piano rolls" in said.out


@pytest.mark.usefixtures("tunes")
def test_interpolate_writes_a_path_through_its_inputs(music):
    said = music("interpolate", "a.mid", "b.mid", "a.mid", "-n", 3)
    files = list(written().values())
    assert len(files) == 5
    assert "step 0 of 4" in said.out and "step 4 of 4" in said.out
    notes = [midi.read(data).notes for data in files]
    assert notes[0] == notes[4] and notes[1] == notes[3]  # there and back
    assert midi.read(files[0]).qpm == 90  # the first input's


@pytest.mark.usefixtures("tunes")
def test_transform_says_how_far_the_music_went(music):
    said = music("transform", "a.mid", "--add", "note_density=1", "--add", "c_diatonic=-0.5")
    assert len(written()) == 2
    assert "before, " in said.out
    assert "note_density=1, c_diatonic=-0.5, " in said.out
    assert said.out.count(" -> ") == 5


@pytest.mark.usefixtures("tunes")
def test_reconstruct_names_each_input(music):
    said = music("reconstruct", "a.mid", "b.mid", "--qpm", 100)
    files = written()
    assert list(files) == ["tiny-reconstruct-1-000.mid", "tiny-reconstruct-1-001.mid"]
    assert "a.mid, " in said.out and "b.mid, " in said.out
    assert all(midi.read(data).qpm == 100 for data in files.values())


def test_reconstruct_keeps_the_tempo_of_each_input(music, tunes):
    (tunes / "slow.mid").write_bytes(midi.write(replace(midi.read(tunes / "a.mid"), qpm=4.0)))
    music("reconstruct", "a.mid", "slow.mid")
    tempos = [round(midi.read(data).qpm) for data in written().values()]
    assert tempos == [90, 10]  # 10 is the slowest tempo of a request


def test_longer_or_fuller_music_is_used_where_the_caller_says_how(music, tunes):
    music("reconstruct", "chord.mid", "--reduce")
    (tunes / "long.mid").write_bytes(
        midi.write(
            NoteSequence(
                notes=tuple(Note(step, 60, step + 4) for step in range(0, 96, 4)), length_steps=96
            )
        )
    )
    music("reconstruct", "long.mid", "--start-bar", 3)
    assert len(written()) == 2


def test_models_lists_what_a_bundle_can_do(command, bundle_folder):
    said = command("models", "--model", bundle_folder)
    assert said.code == 0
    for expected in (
        "tiny",
        bundle.load(bundle_folder).version,
        "2 bars of melody in 4/4",
        "note_density",
        bundle.load(bundle_folder).card,
    ):
        assert expected in said.out


TINY = [
    f"--set={each}"
    for each in (
        "model.latent_size=8", "model.encoder_size=12", "model.decoder_size=24",
        "training.steps=6", "training.batch_size=8", "training.validate_every=3",
        "training.prior_steps=20",
    )
]  # fmt: skip


def test_an_interrupted_training_says_so_by_its_exit_code(command, data, monkeypatch):
    take_step = TrainingModule.training_step

    def step(self, events, index):
        if self.global_step == 1:
            os.kill(os.getpid(), signal.SIGINT)
        return take_step(self, events, index)

    train = ("train", "melody-2bar-tiny", "--data", data, "--out", "run", "--accelerator", "cpu")
    with monkeypatch.context() as patch:
        patch.setattr(TrainingModule, "training_step", step)
        said = command(*train, *TINY)
    assert said.code == INTERRUPTED
    assert "stopped at step 2; go on with --resume" in said.out
    said = command(*train, *TINY, "--resume")
    assert said.code == 0
    assert "step 6 of 6" in said.out


def test_an_overlay_changes_a_preset(command, data):
    Path("mine.yaml").write_text("name: mine\nobjective: {beta_max: 0.125}\n")
    said = command(
        "train", "melody-2bar-tiny", "--data", data, "--out", "run", "--overlay", "mine.yaml",
        "--accelerator", "cpu", *TINY, "--set=training.steps=1",
    )  # fmt: skip
    assert said.code == 0, said.err
    experiment = json.loads(Path("run/run.json").read_text())["experiment"]
    assert (experiment["name"], experiment["objective"]["beta_max"]) == ("mine", 0.125)
    assert experiment["training"]["steps"] == 1


BUNDLE, DATA = "{bundle}", "{data}"
MODEL = ["--model", BUNDLE]
SERVED = ["--bundle", BUNDLE]
TRAIN = ["train", "melody-2bar-tiny", "--data", DATA, "--out", "run"]

MISTAKES = {
    "an unknown command": (["smaple"], ["smaple"]),
    "an unknown option": (["sample", "--sede", "1"], ["--sede"]),
    "too many files": (
        ["sample", "-n", "10001", "--out", "made", *MODEL],
        ["10,001 files in made", "at most 10,000", "--seed and --out"],
    ),
    "more files than any number": (
        ["interpolate", "a.mid", "b.mid", "-n", "9" * 30, *MODEL],
        ["at most 10,000", "--seed and --out"],
    ),
    "a bar past all": (
        ["reconstruct", "a.mid", "--start-bar", "9" * 30, *MODEL],
        ["Invalid value for '--start-bar'"],
    ),
    "an empty name of a model": (["sample", "--model", ""], ["no bundle ''", "melody-2bar"]),
    "an empty name of a model of grooves": (["groove", "a.mid", "--model", ""], ["no bundle ''"]),
    "a folder below a file": (
        ["sample", "--out", "a.mid/x", *MODEL],
        ["a.mid/x: Not a directory. A file stands", "choose another path"],
    ),
    "no folder for a picture": (
        ["inspect", "a.mid", "--plot", "none/x.png"],
        ["none/x.png: No such file or directory. Check the path"],
    ),
    "a picture that is there": (
        ["inspect", "a.mid", "--plot", "b.mid"], ["b.mid that is there", "another --plot"],
    ),
    "a folder of other files to measure into": (
        ["evaluate", BUNDLE, "--data", DATA, "--out", "."], ["other files in it", "another --out"],
    ),
    "a folder of other files to prepare into": (
        ["prepare", "a.mid", "--out", "."], ["other files in it", "another --out"],
    ),
    "a folder of other files to train into": (
        [*TRAIN[:-1], "."], ["other files in it", "another --out"],
    ),
    "bars that change meter": (
        ["reconstruct", "four_three.mid", "--start-bar", "2", *MODEL],
        ["four_three.mid: bar 3 in 3/4; expected 4/4", "--start-bar, such as 1"],
    ),
    "a pickup": (
        ["reconstruct", "pickup.mid", *MODEL],
        ["pickup.mid: bar 1 in 1/4; expected 4/4", "--start-bar, such as 2"],
    ),
    "no clips": (["sample", "-n", "0", *MODEL], ["-n", "0 is not in the range"]),
    "a seed below 0": (["sample", "--seed", "-1", *MODEL], ["--seed", "-1"]),
    "a seed that is no number": (["sample", "--seed", "x", *MODEL], ["--seed", "'x'"]),
    "too hot": (["sample", "--temperature", "9", *MODEL], ["9.0", "0, or 0.01 to 4"]),
    "no temperature": (["sample", "--temperature", "nan", *MODEL], ["nan", "0, or 0.01 to 4"]),
    "too fast": (["sample", "--qpm", "1e9", *MODEL], ["1000000000", "10 to 480"]),
    "two things wrong": (
        ["sample", "--qpm", "1", "--temperature", "9", *MODEL],
        ["--qpm 1.0;", "--temperature 9.0;"],
    ),
    "no bundle": (["sample", "--model", "no-such"], ["no bundle 'no-such'", "`musicvae models`"]),
    "no bundle to serve": (["serve", "--bundle", "no-such"], ["no bundle 'no-such'"]),
    "no bundle to measure": (["evaluate", "no-such", "--data", DATA], ["no bundle 'no-such'"]),
    "a folder without a bundle": (
        ["serve", "--model-folder", "."],
        ["--model-folder . without a bundle", "musicvae export"],
    ),
    "a folder and a bundle": (
        ["serve", "--model-folder", ".", "--bundle", "melody-2bar"],
        ["--model-folder and --bundle; expected either"],
    ),
    "calls of the operator for several processes": (
        ["serve", "--workers", "2", "--admin-port", "0", *SERVED],
        ["--admin-port with 2 workers; expected one process", "--model-folder"],
    ),
    "no such port": (["serve", "--port", "70000"], ["--port", "70000"]),
    "everybody without TLS": (
        ["serve", "--host", "192.0.2.1", *SERVED],
        ["host '192.0.2.1'", "--tls-certificate", "--allow-plain"],
    ),
    "a certificate without a key": (
        ["serve", "--tls-certificate", "a.mid", *SERVED],
        ["--tls-certificate", "--tls-key", "Give the missing file"],
    ),
    "no tokens": (["serve", "--tokens", "a.mid", *SERVED], ["a.mid", "`musicvae token NAME`"]),
    "no name for a token": (["token", "the band"], ["'the band'", "1 to 64 letters"]),
    "no address of a server": (
        ["sample", "--server", "https//x:1"],
        ["server 'https//x:1'", "https://HOST:PORT"],
    ),
    "no server": (["sample", "--server", "127.0.0.1:1"], ["127.0.0.1:1", "`musicvae serve`"]),
    "a folder that is a file": (["sample", "--out", "a.mid", *MODEL], ["--out", "a.mid"]),
    "a file that is not there": (["reconstruct", "no.mid", *MODEL], ["no.mid", "does not exist"]),
    "a damaged file": (["reconstruct", "a.mid", "broken.mid", *MODEL], ["broken.mid", "MIDI"]),
    "a damaged file to morph": (["interpolate", "broken.mid", "a.mid", *MODEL], ["broken.mid"]),
    "a damaged file to transform": (
        ["transform", "broken.mid", "--add", "note_density=1", *MODEL],
        ["broken.mid"],
    ),
    "a chord": (
        ["reconstruct", "a.mid", "chord.mid", *MODEL],
        ["chord.mid", "60 and 64 together", "top line"],
    ),
    "a chord on the way": (
        ["interpolate", "a.mid", "chord.mid", "b.mid", *MODEL],
        ["chord.mid", "one note at a time"],
    ),
    "two chords": (
        ["interpolate", "chord.mid", "a.mid", "chord.mid", "--start-bar", "7", *MODEL],
        ["chord.mid, --start-bar: bar 7", "a.mid, --start-bar: bar 7"],
    ),
    "bar 0": (["reconstruct", "a.mid", "--start-bar", "0", *MODEL], ["--start-bar"]),
    "one point": (["interpolate", "a.mid", *MODEL], ["a.mid", "two MIDI files"]),
    "a path of one": (["interpolate", "a.mid", "b.mid", "-n", "1", *MODEL], ["-n", "1 is not"]),
    "an unknown attribute": (
        ["transform", "a.mid", "--add", "loudness=1", *MODEL],
        ["attribute 'loudness'", "note_density"],
    ),
    "an amount that is none": (
        ["transform", "a.mid", "--add", "note_density", *MODEL],
        ["--add note_density", "ATTRIBUTE=AMOUNT"],
    ),
    "an attribute twice": (
        ["transform", "a.mid", "--add", "note_density=1", "--add", "note_density=2", *MODEL],
        ["--add note_density=1 --add note_density=2", "each attribute once"],
    ),
    "too much of it": (
        ["transform", "a.mid", "--add", "note_density=11", *MODEL],
        ["11", "-10 to 10"],
    ),
    "no preset": (
        ["train", "melody-3bar", "--data", DATA, "--out", "run"],
        ["preset 'melody-3bar'", "melody-2bar-tiny"],
    ),
    "an unknown setting": (
        [*TRAIN, "--set", "objective.betamax=1"],
        ["'objective.betamax'", "beta_max"],
    ),
    "a setting without a value": ([*TRAIN, "--set", "x"], ["--set x", "NAME.FIELD=VALUE"]),
    "no overlay": ([*TRAIN, "--overlay", "no.yaml"], ["no.yaml"]),
    "an overlay that is none": ([*TRAIN, "--overlay", "broken.mid"], ["overlay", "YAML"]),
    "no data": (["train", "melody-2bar", "--data", "none", "--out", "run"], ["none", "prepare"]),
    "data of another kind": (
        ["train", "melody-16bar", "--data", DATA, "--out", "run"],
        ["bars 2", "bars 16"],
    ),
    "too few examples": ([*TRAIN, "--set", "training.batch_size=500"], ["40 examples", "500"]),
    "no devices": ([*TRAIN, "--devices", "0"], ["--devices 0"]),
    "nothing to resume": ([*TRAIN, "--resume"], ["run.json", "nothing to resume"]),
    "no such split": (
        ["evaluate", BUNDLE, "--data", DATA, "--split", "tset"],
        ["'tset'", "train, validation, test"],
    ),
    "no run": (["export", "made", "--out", "bundle"], ["made", "run.json"]),
}  # fmt: skip


@pytest.mark.parametrize(("arguments", "expected"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_named_with_what_to_do(mistake, bundle_folder, data, arguments, expected):
    places = {BUNDLE: bundle_folder, DATA: data}
    said = mistake(places.get(each, each) for each in arguments)
    for part in expected:
        assert part in said


def test_a_run_that_exists_is_not_started_again(command, data):
    train = ("train", "melody-2bar-tiny", "--data", data, "--out", "run", "--accelerator", "cpu")
    assert command(*train, *TINY, "--set=training.steps=1").code == 0
    said = command(*train, *TINY, "--set=training.steps=1")
    assert said.code == MISUSE
    assert "a run that exists in run" in said.err


@pytest.mark.usefixtures("tunes")
def test_a_folder_that_cannot_be_made_is_named(command, bundle_folder):
    said = command("sample", "--model", bundle_folder, "--out", "a.mid/music")
    assert said.code == MISUSE
    assert said.err.startswith("musicvae: a.mid")
    assert said.err.count("\n") == 1
