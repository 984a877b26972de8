"""The public names, as a new user meets them."""

import doctest
import subprocess
import sys
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import pytest

import musicvae
from musicvae.music import midi

PACKAGE = Path(musicvae.__file__).parent
WITH_EXAMPLES = sorted(
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
    for path in PACKAGE.rglob("*.py")
    if ">>> " in path.read_text()
)


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples_of_docstrings_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = doctest.testmod(import_module(name))
    assert done.attempted > 0
    assert done.failed == 0


def test_every_public_name_is_there_and_listed():
    assert set(musicvae.__all__) <= set(dir(musicvae))
    for name in musicvae.__all__:
        assert getattr(musicvae, name) is not None
    assert musicvae.__version__ == version("musicvae")
    assert musicvae.midi is midi
    assert musicvae.from_pretrained is musicvae.load
    with pytest.raises(AttributeError, match="no attribute 'lod'"):
        _ = musicvae.lod


def test_names_are_imported_when_they_are_used():
    code = (
        "import sys, musicvae\n"
        "heavy = {'torch', 'grpc', 'numpy', 'matplotlib', 'music21', 'pretty_midi'}\n"
        "print(heavy & set(sys.modules))\n"
        "musicvae.load, musicvae.Engine, musicvae.Clip\n"
        "print(heavy & set(sys.modules) - {'torch', 'numpy'})\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines() == ["set()", "set()"]
