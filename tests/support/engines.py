"""The real service on a free port, around tiny untrained bundles."""

import asyncio
import threading

import grpc
import pytest

from musicvae import bundle
from musicvae.bundle.format import Bundle
from musicvae.generation.engine import Engine
from musicvae.music.chords import Chord
from musicvae.music.notes import BarChange, Meter, Note, NoteSequence
from musicvae.rpc.client import Client
from musicvae.server import Settings, start
from musicvae.v1.musicvae_pb2_grpc import MusicServiceStub


def in_meters(*meters):
    """A note on every quarter of bars of these meters; bar n begins with note 59 + n."""
    notes, changes, step = [], [], 0
    for index, meter in enumerate(meters):
        if not changes or changes[-1].meter != meter:
            changes.append(BarChange(step, meter))
        for beat in range(meter.numerator):
            notes.append(Note(step, 72 + beat if beat else 60 + index, step + 4))
            step += 4
    return NoteSequence(tuple(notes), step, meter=meters[0], bar_changes=tuple(changes))


FOUR, THREE, TWO, ONE = (Meter(beats, 4) for beats in (4, 3, 2, 1))
TWO_FOUR_BAR = in_meters(FOUR, FOUR, TWO, FOUR, FOUR, FOUR, FOUR)
FOUR_THEN_THREE = in_meters(FOUR, FOUR, THREE, THREE)
PICKUP = in_meters(ONE, FOUR, FOUR)


class ServerThread:
    """The real server in an event loop of its own."""

    def __init__(self, settings: Settings, *served: Bundle) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        try:
            self._running = self.run(start(settings, served))
        except BaseException:
            self._end_loop()
            raise
        self.address = self._running.address
        self.http_url = self._running.http_url
        self.admin_address = self._running.admin_address
        self.metrics_url = self._running.metrics_url

    def run(self, work):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def stop(self) -> None:
        if self.loop.is_closed():
            return
        self.run(self._running.stop())
        self._end_loop()

    def _end_loop(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()


@pytest.fixture(scope="session")
def tiny(bundle_folder):
    return bundle.load(bundle_folder)


@pytest.fixture(scope="session")
def other(make_bundle, tmp_path_factory):
    """A model beside `tiny`, with a latent of 9 instead of 8."""
    folder = tmp_path_factory.mktemp("bundles") / "other"
    return make_bundle(folder, name="other", seed=1, latent_size=9, draws_events=True)


@pytest.fixture(scope="session")
def engine(tiny, other):
    return Engine([tiny, other])


@pytest.fixture(scope="session")
def server(tiny, other):
    running = ServerThread(Settings(port=0, pause_s=0.0), tiny, other)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def http_server(tiny):
    """A server that also answers over HTTP."""
    running = ServerThread(Settings(port=0, http_port=0, pause_s=0.0), tiny)
    yield running
    running.stop()


@pytest.fixture
def start_server(tiny):
    """Starts servers of one's own settings; those left running are stopped."""
    started = []

    def start_one(settings):
        started.append(ServerThread(settings, tiny))
        return started[-1]

    yield start_one
    for each in started:
        each.stop()


@pytest.fixture(scope="session")
def client(server):
    with Client(server.address) as made:
        yield made


@pytest.fixture(scope="session")
def channel(server):
    with grpc.insecure_channel(server.address) as made:
        yield made


@pytest.fixture(scope="session")
def stub(channel):
    return MusicServiceStub(channel)


@pytest.fixture(scope="session")
def melody():
    """Two bars in C that any model of two bars can hold."""
    pitches = (60, 62, 64, 65, 67, 65, 64, 62)
    notes = [Note(4 * i, pitch, 4 * i + 4) for i, pitch in enumerate(pitches)]
    return NoteSequence(notes=tuple(notes), length_steps=32, qpm=96.0)


@pytest.fixture(scope="session")
def family_engine(family):
    return Engine(list(family.values()))


@pytest.fixture(scope="session")
def family_server(family):
    """A tiny untrained model of every kind behind one server."""
    running = ServerThread(Settings(port=0, pause_s=0.0), *family.values())
    yield running
    running.stop()


@pytest.fixture(scope="session")
def family_client(family_server):
    with Client(family_server.address) as made:
        yield made


@pytest.fixture(scope="session")
def family_channel(family_server):
    with grpc.insecure_channel(family_server.address) as made:
        yield made


@pytest.fixture(scope="session")
def beat():
    """Two bars of drums as they were played."""
    hits = [
        Note(
            step, pitch, step + 1, 40 + 5 * (step % 7), is_drum=True, offset=(step % 5 - 2) * 5 / 32
        )
        for step in range(0, 32, 2)
        for pitch in ((36, 42) if step % 8 == 0 else (38, 42) if step % 8 == 4 else (42,))
    ]
    return NoteSequence(notes=tuple(sorted(hits)), length_steps=32, qpm=110.0)


@pytest.fixture(scope="session")
def music(melody, beat):
    """Two bars for each kind of model, by the name of its preset."""
    straight = NoteSequence(
        notes=tuple(
            sorted(Note(n.start_step, n.pitch, n.end_step, is_drum=True) for n in beat.notes)
        ),
        length_steps=32,
    )
    bass = [Note(step, 36, step + 8, program=33) for step in range(0, 32, 8)]
    trio = tuple(sorted([*melody.notes, *bass, *straight.notes]))
    chords = (Chord(0, 0, "maj"), Chord(16, 7, "7", 11))
    return {
        "melody-2bar": melody,
        "melody-16bar": melody,
        "drums-2bar": straight,
        "groove-2bar": beat,
        "trio-16bar": NoteSequence(notes=trio, length_steps=32, qpm=96.0),
        "leadsheet-4bar": NoteSequence(melody.notes, length_steps=32, qpm=96.0, chords=chords),
    }
