"""A clip as HTML: a piano roll, and a player with the sound of pretty_midi's synthesisers."""

from __future__ import annotations

import base64
import importlib.util
import io
import sys
import tempfile
import wave
import webbrowser
from html import escape
from pathlib import Path

import numpy as np

from musicvae.generation.replies import Clip
from musicvae.report.plots import piano_rolls

_SAMPLE_RATE = 22_050


def to_html(clip: Clip) -> str:
    """The clip as a piano roll with a caption, and a player unless it makes no sound."""
    caption = f"{clip.model} · seed {clip.seed} · {clip.notes.qpm:g} quarter notes a minute"
    if clip.chords is not None:
        caption += f" · {clip.chords}"
    parts = [f'<img alt="piano roll" src="{_data("image/png", _draw(clip))}">']
    sound = _synthesise(clip)
    if sound is not None:
        parts.append(f'<audio controls src="{_data("audio/wav", sound)}"></audio>')
    return f"<figure>{''.join(parts)}<figcaption>{escape(caption)}</figcaption></figure>"


def show(clip: Clip) -> None:
    """Shows a clip: in the notebook that asks, else as a page in a browser."""
    ipython = sys.modules.get("IPython")
    if ipython is not None and ipython.get_ipython() is not None:
        ipython.display.display(clip)
        return
    with tempfile.NamedTemporaryFile("w", suffix=".html", delete=False, encoding="utf-8") as page:
        page.write(f'<!doctype html><meta charset="utf-8"><title>Clip</title>{to_html(clip)}')
    if not webbrowser.open(Path(page.name).as_uri()):
        print(f"no browser to open; the page is {page.name}")  # noqa: T201  # for the person at the terminal


def _draw(clip: Clip) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder, "roll.png")
        piano_rolls([clip.notes], picture)
        return picture.read_bytes()


def _synthesise(clip: Clip) -> bytes | None:
    """The sound as a WAV file, by FluidSynth if it is installed, else by sines.

    None for silence: sines play no drums.
    """
    music = clip.to_pretty_midi()
    if importlib.util.find_spec("fluidsynth") is not None:
        samples = music.fluidsynth(_SAMPLE_RATE)
    else:
        samples = music.synthesize(_SAMPLE_RATE)
    loudest = np.abs(samples).max(initial=0.0)
    if loudest == 0:
        return None
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(_SAMPLE_RATE)
        sound.writeframes((samples * (0.8 * 32_767 / loudest)).astype("<i2").tobytes())
    return file.getvalue()


def _data(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
