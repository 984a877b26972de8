"""A client that is not ours: Node with @grpc/grpc-js, which reads the contract itself."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from musicvae.generation.requests import SampleRequest
from musicvae.music import midi
from musicvae.rpc.client import Client

FOLDER = Path(__file__).with_name("node")


@pytest.fixture(scope="module")
def node():
    """The `node` program, with the packages of the lock file beside the client."""
    programs = [shutil.which(name) for name in ("node", "npm")]
    if None in programs and "CI" not in os.environ:
        pytest.skip("no Node here; CI has it")
    assert None not in programs, "CI must have Node and npm"
    installed = FOLDER / "node_modules" / ".package-lock.json"
    lock = FOLDER / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=FOLDER, check=True, capture_output=True, timeout=300)
    return programs[0]


def test_node_client_writes_the_same_music(node, server, tmp_path):
    done = subprocess.run(
        [node, FOLDER / "client.mjs", server.address, "3", "12345678901234567", tmp_path],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    said = [json.loads(line) for line in done.stdout.splitlines()]
    with Client(server.address) as client:
        clips = list(client.sample(SampleRequest(count=3, seed=12345678901234567)))
    assert [Path(each["path"]).read_bytes() for each in said] == [clip.to_midi() for clip in clips]
    assert [midi.read(Path(each["path"]).read_bytes()) for each in said] == [
        clip.notes for clip in clips
    ]
    assert {each["seed"] for each in said} == {"12345678901234567"}
    assert {each["model"] for each in said} == {"tiny"}


def test_node_client_is_told_what_is_wrong(node, server, tmp_path):
    done = subprocess.run(
        [node, FOLDER / "client.mjs", server.address, "0", "1", tmp_path],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("INVALID_ARGUMENT: count=0; expected 1 to 256")
