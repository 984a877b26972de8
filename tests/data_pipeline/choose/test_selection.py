from dataclasses import replace

import numpy as np
import pytest

from musicvae.data import shards
from musicvae.data.manifest import load_manifest
from musicvae.data_pipeline.choose import selection
from musicvae.data_pipeline.choose.split import assign_sides, hash_key
from musicvae.data_pipeline.prepare import prepare
from musicvae.music import midi


@pytest.fixture
def twins(settings, tmp_path, melody):
    """Thirty melodies, each under two names that start alike."""
    folder = tmp_path / "twins"
    folder.mkdir()
    for seed in range(30):
        data = midi.write(melody(seed, bars=16))
        for name in ("tune in a", "tune in b"):
            (folder / f"{name} {'xyz'[seed % 3]}{seed:02}w.mid").write_bytes(data)
    return replace(settings, inputs=(str(folder),))


@pytest.mark.parametrize("at_once", [1, 7, 1 << 18])
def test_a_cluster_goes_by_the_smallest_of_its_keys(twins, monkeypatch, at_once):
    monkeypatch.setattr(selection, "_CLUSTERS_AT_ONCE", at_once)
    manifest = prepare(twins)
    assert manifest.clusters.count == 30
    names = list(twins.shares)
    for split in names:
        for piece in set(shards.load(twins.out, split).pieces):
            ending = piece.removesuffix(".mid").split()[-1]
            assert "tune in a" in piece  # the other's excerpts are the same, and come later
            key = np.array([hash_key(f"tuneina{ending}")], np.uint64)
            assert names[assign_sides(key, twins.shares)[0]] == split


def splits_of_tunes(out):
    """The split of each of the tunes of `twins`, by the last word of its pieces."""
    splits = load_manifest(out).splits
    names = [name for name, split in splits.items() if split.excerpts]
    return {piece.split()[-1]: name for name in names for piece in shards.load(out, name).pieces}


def test_the_split_of_an_earlier_set_is_kept(twins, tmp_path):
    first = replace(twins, inputs=(f"{twins.inputs[0]}/*b ?[0-2]*.mid",), out=tmp_path / "first")
    digest = prepare(first).content_hash
    prepare(twins)
    kept = replace(twins, out=tmp_path / "kept", split_of=first.out)
    assert prepare(kept).settings["split_of"] == digest
    earlier, alone, both = map(splits_of_tunes, (first.out, twins.out, kept.out))
    assert len(earlier) == len(both) == 30
    assert alone != earlier  # the twin has a smaller key
    assert both == earlier


def test_the_largest_clusters_are_named_with_their_first_pieces(settings, tmp_path, melody):
    folder = tmp_path / "copies"
    folder.mkdir()
    for seed in range(14):
        for copy in range(2 + seed % 3 + (11 if seed == 5 else 0)):
            data = midi.write(melody(seed, bars=16).transpose(copy % 12))
            (folder / f"tune{seed:02}x copy{copy:02}y.mid").write_bytes(data)
    found = prepare(replace(settings, inputs=(str(folder),))).clusters
    assert (found.count, found.largest) == (14, 15)
    assert [cluster.size for cluster in found.examples] == [15, 4, 4, 4, 3, 3, 3, 3, 3, 2]
    assert [cluster.pieces[0][7:14] for cluster in found.examples] == [
        f"tune{seed:02}x" for seed in (5, 2, 8, 11, 1, 4, 7, 10, 13, 0)
    ]
    assert len(found.examples[0].pieces) == 12
    assert {cluster.likeness for cluster in found.examples} == {1.0}
    assert {len(cluster.splits) for cluster in found.examples} == {1}
