"""A clip in other programs: as a file, in pretty_midi and music21, in a notebook and a browser."""

import base64
import io
import os
import re
import subprocess
import sys
import wave

import pytest

import musicvae
from musicvae.music import midi


@pytest.fixture(scope="module")
def clip(engine, melody):
    return engine.transform(
        musicvae.TransformRequest(
            point=musicvae.Excerpt(melody), amounts={"note_density": 1.0}, seed=7, temperature=1.0
        )
    ).after


def test_saved_clip_reads_back(clip, tmp_path):
    path = clip.save(tmp_path / "x.mid")
    assert path.read_bytes() == clip.to_midi()
    assert clip.save(str(path)) == path
    assert musicvae.read_midi(path) == midi.read(clip.to_midi())


def test_other_programs_have_the_same_notes(clip):
    pitches = sorted(note.pitch for note in clip.notes.notes)
    assert pitches
    instruments = clip.to_pretty_midi().instruments
    assert sorted(note.pitch for each in instruments for note in each.notes) == pitches
    score = clip.to_music21().stripTies()
    assert sorted(pitch.midi for pitch in score.pitches) == pitches


def test_notebook_shows_a_roll_and_plays_it(clip):
    html = clip._repr_html_()
    picture = re.search(r'src="data:image/png;base64,([^"]+)"', html)
    assert base64.b64decode(picture[1]).startswith(b"\x89PNG")
    sound = re.search(r'src="data:audio/wav;base64,([^"]+)"', html)
    with wave.open(io.BytesIO(base64.b64decode(sound[1]))) as file:
        assert 2 < file.getnframes() / file.getframerate() < 8
        assert any(file.readframes(10_000))
    assert "tiny · seed 7" in html


def test_clip_without_sound_has_no_player(family_engine, music):
    request = musicvae.EncodeRequest(
        model="melody-2bar", excerpt=musicvae.Excerpt(music["melody-2bar"])
    )
    latent = family_engine.encode(request).latent
    (clip,) = family_engine.decode(
        musicvae.DecodeRequest(model="melody-2bar", latents=[latent], seed=1)
    )
    silent = musicvae.Clip(**{**vars(clip), "notes": musicvae.NoteSequence((), 32)})
    assert "<img" in silent._repr_html_()
    assert "<audio" not in silent._repr_html_()


SHOW = """
import sys
from pathlib import Path
from musicvae import load
load(sys.argv[1]).sample(seed=1)[0].show()
"""


def test_show_opens_a_page_in_the_browser(bundle_folder, tmp_path):
    seen = tmp_path / "seen"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {seen}\n')
    browser.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", SHOW, bundle_folder],
        env={**os.environ, "BROWSER": f"{browser} %s", "TMPDIR": str(tmp_path)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout == ""
    page = next(tmp_path.glob("*.html"))
    assert seen.read_text().strip() == page.as_uri()
    assert page.read_text().startswith("<!doctype html>")
