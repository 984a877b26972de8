import warnings
from contextlib import chdir
from dataclasses import replace
from pathlib import Path

import hostile
import pytest
from hostile import Hostile, make_piece

from musicvae.data_pipeline.cut.chunks import Chunk, cut_chunk
from musicvae.data_pipeline.cut.cut import refuse
from musicvae.data_pipeline.cut.excerpts import CutSettings
from musicvae.data_pipeline.prepare import PrepareSettings, prepare
from musicvae.data_pipeline.prepare.ray_engine import PACKAGE_FOLDER, run_ray
from musicvae.data_pipeline.prepare.workers import WorkSettings
from musicvae.errors import SettingError
from musicvae.music import midi
from musicvae.representation import Melody

ray = pytest.importorskip("ray", reason="the extra musicvae[cluster] is not installed")

pytestmark = pytest.mark.filterwarnings("ignore")  # Ray's own


@pytest.fixture(scope="module")
def cluster():
    """One cluster for all tests: starting one takes seconds."""
    with warnings.catch_warnings(), chdir(PACKAGE_FOLDER):
        warnings.simplefilter("ignore")
        ray.init(
            num_cpus=3, include_dashboard=False, object_store_memory=100 * 1024**2,
            log_to_driver=False,
            # Where the actors find the pieces that are made to harm them.
            runtime_env={"env_vars": {"PYTHONPATH": str(Path(hostile.__file__).parent)}},
        )  # fmt: skip
    yield
    ray.shutdown()


@pytest.mark.usefixtures("cluster")
def test_ray_makes_the_same_bytes(abc_folder, midi_folder, tmp_path):
    settings = PrepareSettings(
        inputs=(str(abc_folder), str(midi_folder)),
        out=tmp_path / "local",
        cut=CutSettings(representation=Melody()),
    )
    prepare(settings)
    prepare(replace(settings, out=tmp_path / "ray", engine="ray", workers=2))
    contents = [
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()}
        for name in ("local", "ray")
    ]
    assert contents[0] == contents[1]


@pytest.mark.usefixtures("cluster")
def test_a_hostile_piece_costs_no_actor(tmp_path, melody):
    (tmp_path / "ray").mkdir()
    good = [make_piece(str(seed), midi.write(melody(seed))) for seed in range(4)]
    chunks = [
        Chunk(number=0, pieces=(good[0], make_piece("x", Hostile("crash")), good[1])),
        Chunk(number=1, pieces=(good[2], make_piece("y", Hostile("hang")))),
        Chunk(number=2, pieces=(good[3],)),
    ]
    settings = WorkSettings(
        cut=CutSettings(representation=Melody()), timeout_s=1.0, memory_bytes=64 * 1024**2
    )
    done = run_ray(iter(chunks), settings, tmp_path / "ray", workers=2, address=None)
    assert sorted(chunk.number for chunk in done) == [0, 1, 2]
    known = [
        {1: refuse("crashed", "a process that ended with 3")},
        {1: refuse("timed_out", "more than 1 s of reading")},
        {},
    ]
    for chunk, results in zip(chunks, known, strict=True):
        cut_chunk(replace(chunk, results=results), settings.cut, tmp_path, id)
        assert (tmp_path / "ray" / chunk.name).read_bytes() == (tmp_path / chunk.name).read_bytes()


def test_a_cluster_that_is_not_there_is_an_error(tmp_path):
    settings = WorkSettings(
        cut=CutSettings(representation=Melody()), timeout_s=1.0, memory_bytes=64 * 1024**2
    )
    if ray.is_initialized():
        ray.shutdown()
    run = run_ray(iter([]), settings, tmp_path, workers=1, address="ray://nowhere")
    with pytest.raises(SettingError, match="no Ray cluster at ray://nowhere"):
        next(run)
