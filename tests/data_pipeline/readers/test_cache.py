import numpy as np
import pytest

from musicvae.data_pipeline.readers import read_piece
from musicvae.data_pipeline.readers.cache import cache_folder, read_through_cache
from musicvae.errors import ScoreError

TUNE = b"""X:1
T:All that a reading holds
M:4/4
L:1/8
Q:1/4=100
K:G
"Am7"G2 (3GAB c4|"D/F#"[GB]8|
M:3/4
K:Em
"N.C."E6|]
"""
CHORD_COLUMNS = ("onsets", "roots", "qualities", "basses")
PART_COLUMNS = ("onsets", "ends", "pitches", "velocities")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MUSICVAE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def files(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def never():
    raise AssertionError("the cache had it")


def refuse(data):
    raise ScoreError(f"{len(data)} bytes", expected="more", action="Give more.")


def assert_equal(one, other):
    assert (one.meters, one.tempos, one.keys) == (other.meters, other.tempos, other.keys)
    assert (one.style, one.missing_meter) == (other.style, other.missing_meter)
    assert [(p.name, p.program, p.is_drum) for p in one.parts] == [
        (p.name, p.program, p.is_drum) for p in other.parts
    ]
    pairs = [(one.bar_lines, other.bar_lines)]
    for part, same in zip(one.parts, other.parts, strict=True):
        pairs += [(getattr(part, name), getattr(same, name)) for name in PART_COLUMNS]
    if one.chords is not None:
        pairs += [
            (getattr(one.chords, name), getattr(other.chords, name)) for name in CHORD_COLUMNS
        ]
    for column, same in pairs:
        assert column.dtype == same.dtype
        np.testing.assert_array_equal(column, same)
    assert (one.chords is None) == (other.chords is None)


@pytest.mark.parametrize("tune", [TUNE, b"X:1\nM:none\nK:C\nc4|]\n"], ids=["full", "bare"])
def test_the_cache_returns_the_piece_that_was_read(folder, tune):
    first = read_piece(tune, "abc", {})
    (path,) = files(folder)
    kept = path.read_bytes()
    assert_equal(read_piece(tune, "abc", {}), first)
    assert files(folder) == [path]
    assert path.read_bytes() == kept


@pytest.mark.usefixtures("folder")
def test_a_second_reading_asks_no_reader():
    first = read_piece(TUNE, "abc", {})
    name = "a reader"
    read_through_cache(TUNE, name, lambda: lambda data: read_piece(data, "abc", {}))
    assert_equal(read_through_cache(TUNE, name, never), first)


def test_other_bytes_and_another_reader_are_read_anew(folder):
    for data, reader in ((b"1", "one"), (b"12", "one"), (b"1", "two")):
        with pytest.raises(ScoreError, match=f"^{len(data)} bytes"):
            read_through_cache(data, reader, lambda: refuse)
    assert len(files(folder)) == 3


@pytest.mark.usefixtures("folder")
def test_a_failure_is_kept_too():
    with pytest.raises(ScoreError) as first:
        read_through_cache(b"12", "one", lambda: refuse)
    with pytest.raises(ScoreError) as second:
        read_through_cache(b"12", "one", never)
    assert str(second.value) == str(first.value)
    assert second.value.action == "Give more."


def test_our_own_mistakes_are_not_kept(folder):
    with pytest.raises(AssertionError):
        read_through_cache(b"12", "one", never)
    assert files(folder) == []


@pytest.mark.parametrize("damage", [b"", b"no digest", None])
def test_a_damaged_file_is_written_anew(folder, damage):
    first = read_piece(TUNE, "abc", {})
    (path,) = files(folder)
    whole = path.read_bytes()
    path.write_bytes(whole[:-9] if damage is None else damage)
    assert_equal(read_piece(TUNE, "abc", {}), first)
    assert path.read_bytes() == whole


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path, monkeypatch):
    blocked = tmp_path / "a file"
    blocked.write_text("and no folder")
    monkeypatch.setenv("MUSICVAE_CACHE", str(blocked))
    assert read_piece(TUNE, "abc", {}).parts
    assert blocked.read_text() == "and no folder"


def test_without_a_choice_it_is_the_users_cache_folder(monkeypatch):
    monkeypatch.delenv("MUSICVAE_CACHE")
    assert cache_folder().name == "musicvae"
