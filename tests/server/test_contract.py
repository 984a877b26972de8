import re
import subprocess
import sys
from pathlib import Path

from musicvae import errors
from musicvae.rpc.error_details import KINDS

ROOT = Path(__file__).parents[2]
BUF = Path(sys.executable).with_name("buf")


def test_contract_passes_lint_comments_included():
    done = subprocess.run(
        [BUF, "lint"], check=False, cwd=ROOT / "proto", capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_contract_breaks_no_client_of_the_last_release():
    done = subprocess.run(
        [BUF, "breaking", "--against", "released.binpb"],
        check=False,
        cwd=ROOT / "proto",
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_contract_is_formatted():
    done = subprocess.run(
        [BUF, "format", "--diff", "--exit-code"],
        check=False,
        cwd=ROOT / "proto",
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_generated_code_is_what_the_generator_makes(tmp_path):
    outputs = [f"--{kind}_out={tmp_path}" for kind in ("python", "pyi", "grpc_python")]
    command = [sys.executable, "-m", "grpc_tools.protoc", "-Iproto", *outputs]
    subprocess.run([*command, "proto/musicvae/v1/musicvae.proto"], cwd=ROOT, check=True)
    made = {path.name: path.read_text() for path in (tmp_path / "musicvae" / "v1").iterdir()}
    kept = {path.name: path.read_text() for path in (ROOT / "musicvae" / "v1").glob("*_pb2*")}
    assert made == kept


def test_contract_lists_the_reasons_of_errors():
    text = (ROOT / "proto/musicvae/v1/musicvae.proto").read_text()
    listed = set(re.findall(r"^//     ([A-Z_]+) ", text, re.MULTILINE))
    # No call reads scores, data sets or runs, and a bundle is loaded before the server starts.
    never = {
        *(errors.MusicVAEError, errors.ScoreError, errors.DataError),
        *(errors.TrainingError, errors.BundleError),
    }
    assert listed == set(KINDS) - {each.reason for each in never}
