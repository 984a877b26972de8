"""A folder that holds a finished data set, or anything else, before a run."""

import io
from dataclasses import replace

import pytest
from folders import contents
from rich.console import Console

from musicvae.data_pipeline.cut.excerpts import CutSettings
from musicvae.data_pipeline.prepare import prepare
from musicvae.data_pipeline.report import write_report
from musicvae.errors import DataError
from musicvae.representation import Melody

HALVES = {"train": 0.5, "test": 0.5}


def cut(**fields):
    return CutSettings(representation=Melody(**fields))


def test_a_folder_with_other_files_is_left_alone(settings):
    settings.out.mkdir()
    (settings.out / "song.mid").write_bytes(b"mine")
    with pytest.raises(DataError, match="other files in it, such as song"):
        prepare(settings)
    assert contents(settings.out) == {"song.mid": b"mine"}


def test_preparing_again_finds_the_set_there_already(settings):
    console = Console(file=io.StringIO(), width=500)
    manifest = prepare(settings)
    write_report(settings.out)
    before = contents(settings.out)
    assert prepare(replace(settings, workers=2), console=console) == manifest
    assert "there already" in console.file.getvalue()
    assert contents(settings.out) == before


def test_a_set_of_other_settings_or_music_is_not_replaced(settings, midi_folder):
    prepare(settings)
    before = contents(settings.out)
    hop = replace(settings.cut, hop_bars=2)
    for other, found in (
        (replace(settings, shares={"other": 1.0}), "`shares` train=.*, not other=1.0"),
        (replace(settings, cut=hop), "`hop_bars` 1, not 2"),
        (replace(settings, cut=cut(bars=1)), "`bars` 2, not 1"),
        (replace(settings, inputs=settings.inputs[:1]), "music of .*, not "),
    ):
        with pytest.raises(DataError, match=f"{found}.*Give another `out`"):
            prepare(other)
    (midi_folder / "waltz.mid").write_bytes(b"MThd")
    with pytest.raises(DataError, match="other files of files in"):
        prepare(settings)
    (settings.out / "manifest.json").write_text('{"format_version": 1}')
    with pytest.raises(DataError, match=r"format 1 .*Give another `out`"):
        prepare(settings)
    assert {**contents(settings.out), "manifest.json": before["manifest.json"]} == before


def test_a_set_that_lacks_a_shard_is_made_anew(settings):
    prepare(settings)
    before = contents(settings.out)
    write_report(settings.out)
    (settings.out / "train-00000.arrow").unlink()
    (settings.out / "keep.txt").write_text("mine")
    prepare(settings)
    assert contents(settings.out) == {**before, "keep.txt": b"mine"}
