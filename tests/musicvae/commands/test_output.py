"""The streams of every command: closed pipes, narrow terminals, poor encodings."""

import os
import subprocess
import sys

import pytest

from musicvae.data_pipeline.sources.corpora import CORPORA

COMMANDS = ["corpora", "inspect music21:oneills1850", "prepare --help"]


def run(command, then="cat", **environment):
    """What a command in a shell's pipe writes, says and returns."""
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {sys.executable} -P -m musicvae {command} | {then}"],
        capture_output=True,
        timeout=60,
        check=False,
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_a_reader_that_stops_reading_is_no_error(command):
    done = run(command, "head -1")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.count(b"\n") == 1
    assert run(command, "true").returncode == 0


@pytest.mark.parametrize("command", COMMANDS)
def test_any_encoding_will_do(command):
    done = run(command, PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout


def test_any_encoding_will_do_for_a_complaint():
    failed = run("sample --model 'Gänge♯'", PYTHONIOENCODING="ascii")
    assert failed.returncode == 2
    assert failed.stderr.startswith(b"musicvae: no bundle 'G")


@pytest.mark.parametrize("columns", ["40", "80"])
def test_no_address_is_cut(columns):
    said = run("corpora", COLUMNS=columns).stdout.decode()
    for corpus in CORPORA.values():
        assert f"  {corpus.homepage}\n" in said
