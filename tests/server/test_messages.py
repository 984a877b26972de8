"""Requests as they are read: how many notes, and how many at once."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from musicvae.errors import SettingError
from musicvae.music import midi
from musicvae.rpc.wire import notes_to_message
from musicvae.server import Limits, messages
from musicvae.server.queue import Turns
from musicvae.server.service import MusicService
from musicvae.v1 import musicvae_pb2 as pb


@pytest.mark.parametrize("kind", ["midi", "notes"])
def test_notes_of_all_points_have_a_limit_and_those_past_it_are_not_read(melody, monkeypatch, kind):
    read = []
    ours = messages.midi.read
    monkeypatch.setattr(messages.midi, "read", lambda *a, **k: read.append(1) or ours(*a, **k))
    excerpt = (
        pb.Excerpt(midi=midi.write(melody))
        if kind == "midi"
        else pb.Excerpt(notes=notes_to_message(melody))
    )
    limits = Limits(max_path_notes=2 * len(melody.notes))
    latent = pb.Point(latent=pb.Latent(values=[0.0]))
    two = pb.InterpolateRequest(points=[pb.Point(excerpt=excerpt)] * 2 + [latent])
    assert len(messages.interpolate_request(two, limits).points) == 3
    read.clear()
    five = pb.InterpolateRequest(points=[pb.Point(excerpt=excerpt)] * 5)
    with pytest.raises(
        SettingError, match=r"points=\d+ notes or more; expected at most 16"
    ) as caught:
        messages.interpolate_request(five, limits)
    assert caught.value.field == "points"
    assert len(read) == (3 if kind == "midi" else 0)


def test_excerpt_of_too_many_chords_is_refused_unread():
    chords = [pb.Chord(start_step=step, symbol="C") for step in range(4097)]
    message = pb.EncodeRequest(excerpt=pb.Excerpt(notes=pb.NoteSequence(chords=chords)))
    with pytest.raises(SettingError, match="chords=4097; expected at most 4096"):
        messages.encode_request(message, Limits())


def test_few_requests_are_read_at_once_even_of_callers_who_left(engine):
    at_once, most, lock = 0, 0, threading.Lock()

    def read(*_):
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        time.sleep(0.05)
        with lock:
            at_once -= 1

    async def ask():
        for _ in range(3):
            calls = [asyncio.create_task(service._read(read, None)) for _ in range(8)]
            await asyncio.sleep(0.02)
            for call in calls:
                call.cancel()
        await service._read(read, None)

    turns = Turns(1)
    service = MusicService(engine, turns, Limits())
    with ThreadPoolExecutor(1) as loop:
        loop.submit(asyncio.run, ask()).result(20)
    service.close()
    turns.close()
    assert most == 2
