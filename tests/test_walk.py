"""The whole walk: MIDI -> prepared data -> a trained model -> a bundle -> the service -> MIDI."""

import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from musicvae import bundle
from musicvae.__main__ import main
from musicvae.generation.engine import Engine
from musicvae.generation.inputs import Excerpt
from musicvae.generation.requests import InterpolateRequest, SampleRequest, TransformRequest
from musicvae.music import midi
from musicvae.music.notes import Note, NoteSequence
from musicvae.rpc.client import Client


def musicvae(*arguments):
    """Runs the command in this process, and wants it to succeed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["musicvae", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
    assert not ended.value.code


def make_tune(seed):
    """Eight bars over the scale of C, quarters and eighths."""
    chance = random.Random(seed)
    notes, step = [], 0
    while step < 128:
        length = chance.choice([2, 2, 4])
        end = min(step + length, 128)
        notes.append(Note(step, chance.choice([60, 62, 64, 65, 67, 69, 71, 72]), end))
        step = end
    return NoteSequence(notes=tuple(notes), length_steps=128, qpm=100.0)


@pytest.fixture(scope="module")
def home(request, tmp_path_factory):
    """Where the walk leaves what it makes, up to the bundle."""
    request.getfixturevalue("few_measures")
    home = tmp_path_factory.mktemp("walk")
    (home / "music").mkdir()
    for seed in range(16):
        (home / "music" / f"tune{seed}.mid").write_bytes(midi.write(make_tune(seed)))
    shares = "train=0.6,validation=0.2,test=0.2"
    musicvae(
        "prepare", home / "music", "--out", home / "data", "--split", shares, "--workers", 1
    )  # fmt: skip
    small = (
        "steps=20", "batch_size=16", "validate_every=10", "validation_examples=16",
        "prior_steps=20",
    )  # fmt: skip
    widths = ("latent_size=16", "encoder_size=24", "decoder_size=48")
    settings = [f"--set=training.{each}" for each in small]
    settings += [f"--set=model.{each}" for each in widths]
    musicvae(
        "train", "melody-2bar-tiny", "--data", home / "data", "--out", home / "run",
        "--accelerator", "cpu", *settings,
    )  # fmt: skip
    musicvae("export", home / "run", "--out", home / "bundle", "--checkpoint", "last")
    return home


@pytest.fixture(scope="module")
def address(home):
    """The real server, in a process of its own."""
    command = [
        sys.executable,
        "-m",
        "musicvae",
        "serve",
        "--bundle",
        home / "bundle",
        "--port",
        "0",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            listening = re.search(r"serving .* on (\S+)$", server.stdout.readline().rstrip())
            yield listening[1]
        finally:
            server.terminate()
        server.communicate(timeout=30)
    assert server.returncode == 0


@pytest.fixture
def client(address):
    with Client(address) as client:
        yield client


def part(seed):
    """The first two bars of a tune."""
    return Excerpt(notes=make_tune(seed), start_bar=1)


def test_what_was_trained_is_what_is_served(home, client):
    loaded = bundle.load(home / "bundle")
    (served,) = client.models()
    assert (served.name, served.version) == ("melody-2bar-tiny", loaded.version)
    assert client.model("").card == loaded.card
    assert "| music | not stated | 16 |" in loaded.card
    assert "20 optimiser steps" in loaded.card


def test_every_request_gives_midi_that_reads_back(client):
    sampled = list(client.sample(SampleRequest(count=3, seed=5)))
    path = list(client.interpolate(InterpolateRequest(points=[part(0), part(1)], count=4, seed=5)))
    moved = client.transform(TransformRequest(point=part(0), amounts={"note_density": 1.0}, seed=5))
    assert (len(sampled), len(path)) == (3, 4)
    for clip in (*sampled, *path, moved.before, moved.after):
        again = midi.read(clip.to_midi())
        assert [(n.start_step, n.end_step, n.pitch) for n in again.notes] == [
            (n.start_step, n.end_step, n.pitch) for n in clip.notes.notes
        ]
        assert midi.read_provenance(clip.to_midi())["seed"] == 5


def test_the_server_answers_as_the_engine_in_this_process(home, client):
    engine = Engine([bundle.load(home / "bundle")])
    for request in (
        SampleRequest(count=10, seed=5, temperature=1.0),
        SampleRequest(count=1, seed=5, temperature=1.0, first_index=7),
    ):
        assert list(client.sample(request)) == list(engine.sample(request))
    path = InterpolateRequest(points=[part(0), part(1)], count=5, seed=5, temperature=0.7)
    assert list(client.interpolate(path)) == list(engine.interpolate(path))


@pytest.mark.parametrize(
    "command",
    [
        ["sample", "-n", "4", "--temperature", "1", "--plot"],
        ["interpolate", "tune0.mid", "tune1.mid", "-n", "3"],
        ["transform", "tune0.mid", "--add", "note_density=1"],
        ["reconstruct", "tune0.mid", "tune1.mid"],
    ],
    ids=lambda command: command[0],
)
def test_the_command_writes_the_same_bytes_with_and_without_a_server(
    home, address, tmp_path, command
):
    name, *arguments = (str(home / "music" / each) if "tune" in each else each for each in command)
    if name != "sample":
        arguments += ["--start-bar", "1"]
    here, there = tmp_path / "here", tmp_path / "there"
    musicvae(name, *arguments, "--seed", 3, "--out", here, "--model", home / "bundle")
    musicvae(name, *arguments, "--seed", 3, "--out", there, "--server", address)
    files = [
        {path.name: path.read_bytes() for path in Path(out).iterdir()} for out in (here, there)
    ]
    assert len(files[0]) >= 2
    assert files[0] == files[1]
