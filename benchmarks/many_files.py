"""Measures the preparation of many files: memory of all processes together, and files a second.

Copies the MIDI files of a folder to a temporary folder, each copy transposed and with a quarter of
its notes changed, runs `musicvae prepare` on the copies and watches its processes.

    python benchmarks/many_files.py FOLDER --files 100000 --json build/many_files.json
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
import symusic
from rich.console import Console
from rich.progress import track

FILES_PER_FOLDER = 1000
LOOK_EVERY_S = 0.25


def make_copies(folder: Path, out: Path, count: int) -> None:
    """Writes `count` files: the originals again and again, each copy changed differently."""
    random = np.random.default_rng(0)
    scores = [symusic.Score(path) for path in sorted(folder.rglob("*.mid"))]
    for number in track(range(count), "making files"):
        score = scores[number % len(scores)].copy()
        for notes in (part.notes for part in score.tracks):
            columns = notes.numpy()
            is_changed = random.random(len(notes)) < 0.25
            moves = is_changed * random.integers(-4, 5, len(notes)) + random.integers(-3, 4)
            for note, pitch in zip(notes, columns["pitch"] + moves, strict=True):
                note.pitch = int(np.clip(pitch, 0, 127))
        place = out / f"{number // FILES_PER_FOLDER:04d}"
        place.mkdir(exist_ok=True)
        (place / f"tune {number} {number % len(scores)}.mid").write_bytes(score.dumps_midi())


def watch(command: list[str]) -> dict[str, float]:
    """Runs a command, and measures its time and the peak memory of all its processes."""
    start = time.perf_counter()
    most = 0
    with subprocess.Popen(command) as running:
        process = psutil.Process(running.pid)
        while running.poll() is None:
            total = 0
            for each in [process, *process.children(recursive=True)]:
                try:
                    total += each.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
            most = max(most, total)
            time.sleep(LOOK_EVERY_S)
    if running.returncode:
        sys.exit(running.returncode)
    return {"seconds": time.perf_counter() - start, "most_mib": most / 2**20}


def main() -> None:
    """Measures, prints, and writes JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="a folder of MIDI files")
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", type=Path, default=Path("build/many_files.json"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        music, data = Path(scratch, "music"), Path(scratch, "data")
        music.mkdir()
        make_copies(options.folder, music, options.files)
        command = [sys.executable, "-P", "-m", "musicvae", "prepare", str(music), "--out",
                   str(data), "--workers", str(options.workers)]  # fmt: skip
        measured = watch(command)
        manifest = json.loads((data / "manifest.json").read_bytes())
    excerpts = sum(split["excerpts"] for split in manifest["splits"].values())
    record = {"files": options.files, "workers": options.workers, "excerpts": excerpts, **measured}
    Console().print(
        f"{options.files:,} files, {excerpts:,} excerpts kept: {measured['seconds']:.0f} s with "
        f"{options.workers} processes ({options.files / measured['seconds']:,.0f} files a second), "
        f"at most {measured['most_mib']:,.0f} MiB in all processes together"
    )
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(record, indent=2) + "\n")


if __name__ == "__main__":
    main()
