"""Errors speak the words of the interface: options on the command line, names in Python."""

import ast
import re
from dataclasses import fields
from pathlib import Path

import click
import pytest

import musicvae
from musicvae.__main__ import MISUSE, cli
from musicvae.data_pipeline.cut.excerpts import CutSettings
from musicvae.data_pipeline.cut.rules import Rules
from musicvae.data_pipeline.prepare import PrepareSettings
from musicvae.experiment.presets import get_preset
from musicvae.experiment.settings import list_settings
from musicvae.generation import requests
from musicvae.representation import REPRESENTATIONS
from musicvae.server import Settings
from musicvae.training import RunSettings
from musicvae.work import Limits

BUNDLE, DATA = "{bundle}", "{data}"
MUSIC = ["--model", BUNDLE]
RIGHT = {
    "accompany": ["broken.mid", "--out", "made"],
    "evaluate": [BUNDLE, "--data", DATA],
    "export": ["none", "--out", "made"],
    "fetch": ["none"],
    "groove": ["a.mid", *MUSIC],
    "inspect": ["broken.mid"],
    "interpolate": ["a.mid", "chord.mid", *MUSIC],
    "models": ["--model", "none"],
    "prepare": ["broken.mid", "--out", "made", "--workers", "1"],
    "reconstruct": ["chord.mid", *MUSIC],
    "report": ["none"],
    "sample": ["-n", "1", *MUSIC],
    "serve": ["--bundle", "none"],
    "train": ["melody-2bar-tiny", "--data", "none", "--out", "made"],
    "transform": ["chord.mid", "--add", "note_density=1", *MUSIC],
}
"""Arguments for each command: right but for the option under test, or ending in another error."""

WRONG = ("a.mid", "", "-1", "0", "nan", "x", "9" * 20, "x=1", "fewest_notes=-1")

KEYWORDS = {
    field.name
    for kind in (
        CutSettings, Limits, PrepareSettings, Rules, RunSettings, Settings,
        requests.SampleRequest, requests.InterpolateRequest, requests.TransformRequest,
        requests.GrooveRequest, requests.EncodeRequest, requests.DecodeRequest,
        *REPRESENTATIONS.values(),
    )
    for field in fields(kind)
}  # fmt: skip
KEYWORD = re.compile(rf"(?<!--rule )(?<![\w.])({'|'.join(KEYWORDS)})=|`[a-z_.]+`")

OPTIONS = {
    f"{name} {option.opts[0]}": (name, option)
    for name, command in cli.commands.items()
    for option in command.params
    if isinstance(option, click.Option) and not option.is_flag and name in RIGHT
}
SETTINGS = [each.name for each in list_settings(get_preset("trio-16bar-tiny"))]


@pytest.fixture(scope="module")
def long_data(tmp_path_factory, make_data):
    """Data of longer excerpts than the bundle has."""
    return make_data(tmp_path_factory.mktemp("long") / "data", {"train": 4, "test": 4}, bars=4)


@pytest.fixture
def complain(command, bundle_folder, long_data, tunes):  # noqa: ARG001  # the music lies there
    """Runs a command that may fail, and gives its complaint."""

    def run(*arguments):
        places = {BUNDLE: bundle_folder, DATA: long_data}
        said = command(*(places.get(each, each) for each in arguments))
        assert said.code in (0, MISUSE), said
        return said.err.partition("Error: ")[2] or said.err

    return run


@pytest.mark.parametrize(("name", "option"), OPTIONS.values(), ids=OPTIONS.keys())
def test_a_wrong_option_is_named_as_the_user_types_it(complain, name, option):
    is_short = isinstance(option.type, click.Path) or option.name in ("server", "address")
    for value in WRONG[:1] if is_short else WRONG:
        said = complain(name, *RIGHT[name], option.opts[0], value)
        assert not KEYWORD.search(said.replace(value, "") if value else said), (value, said)


def test_a_wrong_setting_is_named_as_the_user_types_it(complain):
    for setting in SETTINGS:
        for value in ("-1", "x y", "[1]"):
            said = complain("train", *RIGHT["train"], "--set", f"{setting}={value}")
            said = said.replace(f"--set {setting}=", "")
            assert f"{setting}=" not in said and not KEYWORD.search(said), said


def test_the_library_names_no_option():
    options = re.compile(r"(?<![\w-])--[a-z]")
    for path in Path(musicvae.__file__).parent.rglob("*.py"):
        if "commands" not in path.parts:
            for call in ast.walk(ast.parse(path.read_text())):
                for word in call.keywords if isinstance(call, ast.Call) else ():
                    if word.arg in ("expected", "action"):
                        texts = (
                            t.value for t in ast.walk(word.value) if isinstance(t, ast.Constant)
                        )
                        said = "".join(map(str, texts))
                        assert not options.search(re.sub("`[a-z]+ [^`]*`", "", said)), (
                            path,
                            said,
                        )
