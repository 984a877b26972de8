import warnings
from contextlib import chdir
from dataclasses import replace
from pathlib import Path

import hostile
import pytest
from hostile import Hostile, make_piece
from works import do

from musicvae.data_pipeline.cut.chunks import chunk_path
from musicvae.data_pipeline.cut.excerpts import CutSettings
from musicvae.data_pipeline.prepare import PrepareSettings, prepare
from musicvae.data_pipeline.prepare.cutting import cut_chunks
from musicvae.errors import SettingError
from musicvae.music import midi
from musicvae.representation import Melody
from musicvae.work import Batch, Limits
from musicvae.work.ray_engine import PACKAGE_FOLDER, run_on_ray

ray = pytest.importorskip("ray", reason="the extra musicvae[cluster] is not installed")

# A cluster takes seconds to start; the warnings are of Ray itself.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


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
    good = [make_piece(str(seed), midi.write(melody(seed))) for seed in range(4)]
    chunks = [
        Batch(number=0, items=(good[0], make_piece("x", Hostile("crash")), good[1])),
        Batch(number=1, items=(good[2], make_piece("y", Hostile("hang")))),
        Batch(number=2, items=(good[3],)),
    ]
    cut = CutSettings(representation=Melody())
    limits = Limits(timeout_s=1.0, memory_bytes=64 * 1024**2)
    for name in ("local", "ray"):
        (tmp_path / name).mkdir()
        done = cut_chunks(
            iter(chunks), cut, tmp_path / name, limits, workers=2, on_ray=name == "ray"
        )
        assert sorted(chunk.number for chunk in done) == [0, 1, 2]
    for chunk in chunks:
        local, by_ray = (chunk_path(tmp_path / name, chunk) for name in ("local", "ray"))
        assert local.read_bytes() == by_ray.read_bytes()


@pytest.mark.parametrize("address", ["ray://127.0.0.1:1", "127.0.0.1:1", "no address"])
def test_a_cluster_that_is_not_there_is_an_error_at_once(address):
    if ray.is_initialized():
        ray.shutdown()
    run = run_on_ray(do, [], Limits(), workers=1, address=address)
    with pytest.raises(SettingError, match=f"no Ray cluster at {address}"):
        next(run)
