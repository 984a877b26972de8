"""The examples run as their heads say."""

import json
import subprocess
import sys
from pathlib import Path

from engines import ServerThread

from musicvae import bundle
from musicvae.server import Settings

FOLDER = Path(__file__).parents[1] / "examples"


def run(name, *arguments, folder):
    done = subprocess.run(
        [sys.executable, FOLDER / name, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_draw_and_morph(tmp_path):
    assert run("draw.py", folder=tmp_path).startswith("busiest.mid")
    (tmp_path / "again.mid").write_bytes((tmp_path / "busiest.mid").read_bytes())
    said = run("morph.py", "busiest.mid", "again.mid", folder=tmp_path)
    assert len(said.splitlines()) == len(list(tmp_path.glob("morph-*.mid"))) == 7


def test_server(tmp_path):
    served = [bundle.load(name) for name in ("drums-2bar", "groove-2bar")]
    running = ServerThread(Settings(port=0, pause_s=0.0), *served)
    try:
        assert "groove-2bar" in run("server.py", running.address, folder=tmp_path)
    finally:
        running.stop()
    assert (tmp_path / "groove.mid").exists()


def test_the_cells_of_the_notebook_run_in_order(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    for cell in json.loads((FOLDER / "tour.ipynb").read_text())["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)  # noqa: S102  # the example's own code
    assert 'alt="piano roll"' in names["between"]._repr_html_()
    assert (tmp_path / "between.mid").exists()
