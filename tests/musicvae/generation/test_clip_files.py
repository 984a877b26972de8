import errno
import os
from dataclasses import replace

import pytest

from musicvae.errors import BundleError
from musicvae.generation.clip_files import keep
from musicvae.generation.replies import SAMPLED, Clip
from musicvae.music import midi
from musicvae.music.notes import Note, NoteSequence
from musicvae.report import plots


def clip(pitch=60):
    return Clip(
        notes=NoteSequence(notes=(Note(0, pitch, 4),), length_steps=16),
        latent=(0.5,),
        method=SAMPLED,
        seed=3,
        index=0,
        temperature=0.5,
        top_p=1.0,
        model="tiny",
        model_version="abc",
        attributes={},
    )


def kept(folder, *clips, draws_picture=False):
    files = keep(folder, "sample", [("one", each) for each in clips], draws_picture=draws_picture)
    return [each.path.name for each in files]


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_clips_and_picture_are_kept_under_their_names(tmp_path):
    folder = tmp_path / "made" / "here"
    expected = ["tiny-sample-3-000.mid", "tiny-sample-3-001.mid", "tiny-sample-3.png"]
    assert kept(folder, clip(60), clip(62), draws_picture=True) == expected == names(folder)
    assert midi.read((folder / "tiny-sample-3-001.mid").read_bytes()) == clip(62).notes
    # The same once more is where it was; anything else gets a name of its own.
    assert kept(folder, clip(60), clip(62), draws_picture=True) == expected == names(folder)
    others = ["tiny-sample-3-000-2.mid", "tiny-sample-3-2.png"]
    assert kept(folder, clip(64), draws_picture=True) == others
    assert names(folder) == sorted(expected + others)


def test_refused_request_leaves_no_folder(tmp_path):
    def refuse():
        raise BundleError("none", expected="one", action="Choose.")
        yield

    with pytest.raises(BundleError):
        list(keep(tmp_path / "made", "sample", refuse(), draws_picture=True))
    assert names(tmp_path) == []


def test_failed_picture_leaves_nothing_of_it_and_says_where(tmp_path, monkeypatch):
    def draw(_, path, **__):
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left")

    monkeypatch.setattr(plots, "piano_rolls", draw)
    with pytest.raises(OSError, match="No space") as caught:
        kept(tmp_path, clip(), draws_picture=True)
    assert caught.value.filename == str(tmp_path / "tiny-sample-3.png")
    assert names(tmp_path) == ["tiny-sample-3-000.mid"]


@pytest.mark.parametrize("has_links", [True, False])
def test_name_that_another_command_takes_meanwhile_is_left_to_it(tmp_path, monkeypatch, has_links):
    def no_link(*_):
        raise PermissionError(errno.EPERM, "no links here")

    usual = os.link if has_links else no_link

    def link(source, target):
        monkeypatch.setattr(os, "link", usual)
        target.write_bytes(b"its own")
        usual(source, target)

    monkeypatch.setattr(os, "link", link)
    assert kept(tmp_path, clip()) == ["tiny-sample-3-000-2.mid"]
    assert (tmp_path / "tiny-sample-3-000.mid").read_bytes() == b"its own"
    assert names(tmp_path) == ["tiny-sample-3-000-2.mid", "tiny-sample-3-000.mid"]
    assert midi.read((tmp_path / "tiny-sample-3-000-2.mid").read_bytes()) == clip().notes


def test_titles_of_any_characters_are_drawn_without_a_word(tmp_path, capfd):
    clips = [(title, clip()) for title in ("曲.mid", "cost $x^$.mid", "\udcff.mid")]
    files = list(keep(tmp_path, "reconstruct", clips, draws_picture=True))
    assert files[-1].path.read_bytes().startswith(b"\x89PNG")
    assert capfd.readouterr() == ("", "")


def test_name_of_a_model_leads_to_no_other_folder(tmp_path):
    strange = replace(clip(), model="../../home/é x")
    (kept_file,) = keep(tmp_path, "sample", [("one", strange)], draws_picture=False)
    assert kept_file.path == tmp_path / "_home_é_x-sample-3-000.mid"


def test_labels_stand_in_place_of_numbers(tmp_path):
    two = [("before", clip(60)), ("after", clip(62))]
    files = keep(tmp_path, "transform", two, draws_picture=False, labels=("before", "after"))
    assert [each.path.name for each in files] == [
        "tiny-transform-3-before.mid",
        "tiny-transform-3-after.mid",
    ]
