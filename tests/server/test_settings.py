import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from musicvae.commands.serving import REQUEST_LIMITS, SERVER_LIMITS
from musicvae.errors import SettingError
from musicvae.generation.requests import SampleRequest
from musicvae.music.midi.limits import DEFAULT_LIMITS
from musicvae.rpc.client import Client
from musicvae.server import Limits, Settings


@pytest.mark.parametrize(
    ("name", "value"), [("max_rpcs", 0), ("max_message_bytes", -1), ("max_call_s", 0.0)]
)
def test_limit_of_nothing_is_refused(name, value):
    with pytest.raises(SettingError, match=f"{name}={value}; expected above 0"):
        Settings(**{name: value})


def test_the_limit_of_steps_allows_the_other_limits_for_sixteen_bars():
    limits = Limits()
    path = (limits.max_points - 1) * (limits.max_path_count - 1) + 1
    assert max(limits.max_count, limits.max_latents, path) * 16 * 16 <= limits.max_steps


def test_server_reads_a_file_as_a_command_does():
    assert Limits().midi == DEFAULT_LIMITS
    assert Settings().max_message_bytes > 2 * DEFAULT_LIMITS.max_bytes


def test_options_of_the_command_have_the_defaults_of_the_settings():
    settings = Settings()
    assert {name: each for name, (each, _) in REQUEST_LIMITS.items()} == asdict(settings.limits)
    for name, (default, _) in SERVER_LIMITS.items():
        assert default == getattr(settings, name)


def test_command_serves_with_the_limits_of_its_options(bundle_folder):
    command = Path(sys.executable).with_name("musicvae")
    options = ["--port", "0", "--max-count", "3", "--max-call-s", "7", "--pause-s", "0"]
    process = subprocess.Popen(
        [command, "serve", "--bundle", bundle_folder, *options], stdout=subprocess.PIPE, text=True
    )
    try:
        address = process.stdout.readline().split()[-1]
        with (
            Client(address) as client,
            pytest.raises(SettingError, match="count=4; expected 1 to 3"),
        ):
            list(client.sample(SampleRequest(count=4)))
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("option", ["--max-count=0", "--max-call-s=0", "--max-waiting-steps=9"])
def test_option_of_nothing_is_refused(option, bundle_folder):
    command = Path(sys.executable).with_name("musicvae")
    done = subprocess.run(
        [command, "serve", "--bundle", bundle_folder, "--port", "0", option],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert option.partition("=")[0] in done.stderr
    assert "Traceback" not in done.stderr
