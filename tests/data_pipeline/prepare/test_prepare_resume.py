import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from folders import contents

from musicvae.data import shards
from musicvae.data.manifest import load_manifest
from musicvae.data_pipeline.prepare import prepare
from musicvae.errors import DataError
from musicvae.work import Limits

_RUN = """
import signal
import sys
from pathlib import Path
from musicvae.data import shards
from musicvae.data_pipeline.prepare import PrepareSettings, prepare
from musicvae.data_pipeline.cut.excerpts import CutSettings
from musicvae.representation import Melody
if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job ignores it
    shards.SHARD_BYTES = int(sys.argv[3])
    cut = CutSettings(representation=Melody())
    prepare(PrepareSettings(inputs=(sys.argv[1],), out=Path(sys.argv[2]), cut=cut, workers=2))
"""


@pytest.fixture
def run_in_process(tmp_path, tune):
    """Starts a run over 200 tunes in a process of its own."""
    source = tmp_path / "book.abc"
    source.write_text("\n".join(tune(number, bars=16) for number in range(200)))
    runs = []

    def start(out, shard_bytes=1 << 20):
        command = [sys.executable, "-c", _RUN, str(source), str(out), str(shard_bytes)]
        runs.append(subprocess.Popen(command, stderr=subprocess.DEVNULL))
        return runs[-1]

    yield start
    for run in runs:
        run.kill()
        run.wait()


def wait_for(run, folder, pattern, count=1):
    """Waits until a folder has so many files, and gives them."""
    while len(found := sorted(folder.glob(pattern))) < count:
        assert run.poll() is None
        time.sleep(0.002)
    return found


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_an_interrupted_run_goes_on_where_it_stopped(run_in_process, tmp_path, number):
    whole, out = tmp_path / "whole", tmp_path / "out"
    run_in_process(whole).wait(timeout=120)
    for chunks in (1, 3, 6):
        run = run_in_process(out)
        wait_for(run, out, ".prepare/*/chunk-*.arrow", chunks)
        run.send_signal(number)
        assert run.wait(timeout=20) != 0
        with pytest.raises(DataError, match=r"no manifest\.json"):
            load_manifest(out)
    (plan,) = (out / ".prepare").iterdir()
    # What a run that was killed while it wrote would have left.
    (plan / "chunk-000007.arrow.123.partial").write_bytes(b"half a chunk")
    (plan / "shards").mkdir(exist_ok=True)
    (plan / "shards" / "train-00000.arrow").write_bytes(b"half a shard")
    before = {path: path.stat().st_mtime_ns for path in plan.glob("chunk-*.arrow")}
    assert len(before) >= 6
    assert run_in_process(out).wait(timeout=120) == 0
    assert contents(out) == contents(whole)


def test_a_run_with_other_settings_starts_over(run_in_process, settings):
    run = run_in_process(settings.out)
    wait_for(run, settings.out, ".prepare/*/chunk-*.arrow")
    run.kill()
    run.wait()
    manifest = prepare(settings)
    assert sum(split.excerpts for split in manifest.splits.values()) == 126
    assert set(contents(settings.out)) == {
        ".inputs", "manifest.json", "test-00000.arrow", "train-00000.arrow",
    }  # fmt: skip


def test_a_second_run_into_the_same_folder_is_refused(run_in_process, settings):
    run = run_in_process(settings.out)
    wait_for(run, settings.out, ".prepare/*")
    with pytest.raises(DataError, match="another run that is preparing"):
        prepare(settings)
    assert run.wait(timeout=120) == 0


def states(paths):
    """Which file each is, and when it was written."""
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in paths}


def test_a_run_killed_between_two_shards_goes_on_at_the_next(run_in_process, tmp_path):
    whole, out = tmp_path / "whole", tmp_path / "out"
    shard_bytes = 2_000
    assert run_in_process(whole, shard_bytes).wait(timeout=120) == 0
    assert len(list(whole.glob("*.arrow"))) > 50
    standing = {}
    for count in (1, 20, 40):
        run = run_in_process(out, shard_bytes)
        wait_for(run, out, ".prepare/*/shards/*.arrow", count)
        run.kill()
        run.wait()
        before, standing = standing, states(out.glob(".prepare/*/shards/*.arrow"))
        assert len(standing) >= count
        assert before.items() <= standing.items()
    assert run_in_process(out, shard_bytes).wait(timeout=120) == 0
    assert standing.items() <= states(out.glob("*.arrow")).items()
    assert contents(out) == contents(whole)


def test_shards_of_another_selection_are_made_anew(run_in_process, tmp_path):
    whole, out = tmp_path / "whole", tmp_path / "out"
    assert run_in_process(whole, 2_000).wait(timeout=120) == 0
    run = run_in_process(out, 2_000)
    first, *_ = wait_for(run, out, ".prepare/*/shards/*.arrow")
    run.kill()
    run.wait()
    before = states([first])
    (first.parent / "selection").write_text("of something else")
    assert run_in_process(out, 2_000).wait(timeout=120) == 0
    assert not before.items() & states(out.glob("*.arrow")).items()
    assert contents(out) == contents(whole)


@pytest.fixture
def half_placed(settings, monkeypatch):
    """A folder in which a run ended while it put its shards in place."""
    with monkeypatch.context() as patch:
        patch.setattr(shards, "clear", _stop)
        with pytest.raises(KeyboardInterrupt):
            prepare(settings)
    (new,) = settings.out.glob(".prepare/*/shards")
    (new / "train-00000.arrow").replace(settings.out / "train-00000.arrow")
    return settings


def _stop(_):
    raise KeyboardInterrupt


def test_a_run_that_ended_while_it_put_shards_in_place_goes_on(half_placed, tmp_path):
    manifest = prepare(half_placed)
    whole = replace(half_placed, out=tmp_path / "whole")
    assert manifest == prepare(whole)
    assert contents(half_placed.out) == contents(whole.out)


def test_what_half_a_data_set_left_goes_with_its_work(half_placed):
    manifest = prepare(replace(half_placed, limits=Limits(timeout_s=59.0), shares={"other": 1.0}))
    names = {shard.name for shard in manifest.splits["other"].shards}
    assert set(contents(half_placed.out)) == {".inputs", "manifest.json", *names}


def test_what_can_not_be_read_beside_the_work_is_no_hindrance(half_placed):
    (old,) = half_placed.out.glob(".prepare/*/shards/manifest.json")
    old.write_text('{"format_version": 0}')
    (half_placed.out / ".prepare" / ".DS_Store").write_bytes(b"of a file manager")
    manifest = prepare(replace(half_placed, limits=Limits(timeout_s=59.0)))
    names = {shard.name for split in manifest.splits.values() for shard in split.shards}
    assert set(contents(half_placed.out)) == {".inputs", "manifest.json", *names}
