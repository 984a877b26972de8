"""The file of `musicvae serve --config`."""

import subprocess
import sys
from pathlib import Path

import pytest
from programs import serving

from musicvae.errors import SettingError
from musicvae.rpc.client import Client
from musicvae.server import read_config

MUSICVAE = Path(sys.executable).with_name("musicvae")
EXAMPLE = Path(__file__).parents[2] / "deploy/serve.yaml"
OPTIONS = {
    "bundle": "bundles",
    "port": "port",
    "tls-key": "tls_key",
    "allow-plain": "allow_plain",
    "max-count": "max_count",
    "max-wait-s": "max_wait_s",
    "workers": "workers",
}


def test_example_is_served_and_the_command_line_wins(bundle_folder):
    options = ["--port", "0", "--bundle", bundle_folder, "--max-rpcs", "7"]
    with serving("--config", EXAMPLE, *options) as server, Client(server.address) as client:
        told = client.server()
    assert [model.name for model in told.models] == ["tiny"]
    assert told.call_limits.max_rpcs == 7
    assert told.call_limits.max_call_s == 60
    assert told.request_limits.max_count == 64
    assert told.request_limits.max_midi_bytes == 2**20


def test_values_have_the_types_of_the_settings(tmp_path):
    file = tmp_path / "serve.yaml"
    file.write_text("bundle: [a, b]\ntls-key: k.pem\nallow-plain: yes\nmax_count: 3\nmax-wait-s: 1")
    assert read_config(file, OPTIONS) == {
        "bundles": ("a", "b"),
        "tls_key": Path("k.pem"),
        "allow_plain": True,
        "max_count": 3,
        "max_wait_s": 1.0,
    }
    file.write_text("")
    assert read_config(file, OPTIONS) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("prot: 1", "option 'prot' .*; expected a known option; the nearest is port"),
        ("5: 1", "option 5 in .*; expected a known option"),
        ("max_count: 1\nmax-count: 2", "max-count twice"),
        ('port: "5"', 'port: "5" in .*; expected a whole number'),
        ("max-count: yes", "max-count: true in .*; expected a whole number"),
        ("max-wait-s: soon", "expected a number"),
        ("workers: 0", "workers: 0 in .*; expected 1 or more"),
        ("allow-plain: 1", "expected true or false"),
        ("bundle: a", r"expected a list, such as \[a, b\]"),
        ("tls-key: 3", "expected text"),
        ("port: [1", "expected a file of YAML"),
        ("- port", "no mapping in .*; expected lines such as `port: 50051`"),
        ("\x00", "expected a file of YAML"),
    ],
)
def test_mistake_in_the_file_names_what_is_expected(tmp_path, text, message):
    file = tmp_path / "serve.yaml"
    file.write_text(text)
    with pytest.raises(SettingError, match=message):
        read_config(file, OPTIONS)


@pytest.mark.parametrize(
    ("text", "message"), [("max-count: 0", "--max-count 0; expected above 0"),
                          ("port: 65536", "--port 65536; expected 0 to 65535")]
)  # fmt: skip
def test_value_out_of_range_in_the_file_ends_the_command(tmp_path, text, message):
    file = tmp_path / "serve.yaml"
    file.write_text(text)
    done = subprocess.run(
        [MUSICVAE, "serve", "--config", file],
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
