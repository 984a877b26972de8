"""Music is made and served in an environment without the packages of training."""

import subprocess
import sys

import pytest

from musicvae.music import midi

BLOCK = "import sys\nfor name in ('torch', 'lightning', 'tensorboard', 'matplotlib'):\n"
BLOCK += "    sys.modules[name] = None\n"
COMMAND = f"{BLOCK}from musicvae.__main__ import main\nmain()\n"


def run(code, *arguments, cwd):
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(
        command, check=False, cwd=cwd, capture_output=True, text=True, timeout=120
    )


@pytest.fixture(scope="module")
def files(tmp_path_factory, music):
    folder = tmp_path_factory.mktemp("files")
    for name in ("melody-2bar", "groove-2bar"):
        (folder / f"{name}.mid").write_bytes(midi.write(music[name]))
    return folder


@pytest.mark.parametrize(
    "command",
    [
        "models",
        "sample -n 2 --seed 1 --key D --range C4-C6",
        "sample --model groove-2bar --seed 1",
        "sample --model trio-16bar --seed 1",
        "interpolate melody-2bar.mid melody-2bar.mid -n 3",
        "transform melody-2bar.mid --add note_density=1",
        "reconstruct melody-2bar.mid",
        "groove groove-2bar.mid",
    ],
)
def test_commands_that_make_music_need_no_torch(files, command):
    done = run(COMMAND, *command.split(), cwd=files)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_library_the_server_and_the_client_need_no_torch(tmp_path):
    code = f"""{BLOCK}
import asyncio
import musicvae
from musicvae.bundle.format import embedded, load
from musicvae.server import Settings, start

async def serve():
    server = await start(Settings(port=0, pause_s=0.0), [load("melody-2bar")])
    address = server.address
    client = musicvae.Client(address)
    request = musicvae.SampleRequest(seed=1)
    (clip,) = await asyncio.to_thread(lambda: list(client.sample(request)))
    await server.stop()
    return clip

for name in musicvae.__all__:
    getattr(musicvae, name)
clip = asyncio.run(serve())
model = musicvae.load("melody-2bar")
assert clip == model.sample(seed=1)[0]
latent = model.encode([clip, clip], seed=3)
assert len(model.decode(latent)) == 2
"""
    done = run(code, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "command", ["train melody-2bar --data x --out y", "export x --out y", "evaluate --data x"]
)
def test_commands_that_need_training_say_what_to_install(tmp_path, command):
    done = run(COMMAND, *command.split(), cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == (
        f"musicvae: `musicvae {command.split()[0]}` without the package torch; expected the "
        "packages of training. Install them: pip install 'musicvae[train]'.\n"
    )
