import resource
import stat
from contextlib import contextmanager

import pytest

from musicvae.files import new_file, remove_unfinished, write_file


@contextmanager
def small_disk(most_bytes):
    """No file grows past this size, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("name", ["a.json", "a" * 255, "é" * 127, "[a]*.mid"])
def test_file_is_written_in_place_of_the_old_one_whatever_its_name(tmp_path, name):
    path = tmp_path / name
    write_file(path, b"old")
    write_file(path, "né", is_durable=True)
    assert path.read_text("utf-8") == "né"
    assert names(path.parent) == [name]


def test_file_is_as_open_to_others_as_any(tmp_path):
    (tmp_path / "plain").write_bytes(b"")
    write_file(tmp_path / "ours", b"")
    assert len({stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}) == 1


def test_full_disk_loses_nothing_and_says_where(tmp_path):
    path = tmp_path / "a.bin"
    write_file(path, b"old")
    with pytest.raises(OSError, match="too large") as caught, small_disk(1000):
        write_file(path, bytes(5000))
    assert caught.value.filename == str(path)
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["a.bin"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), TypeError("ours")])
def test_nothing_is_left_of_a_file_that_was_not_finished(tmp_path, error):
    def fail(path):
        with new_file(path) as unfinished:
            unfinished.write_bytes(b"half")
            raise error

    with pytest.raises(type(error)):
        fail(tmp_path / "a")
    assert names(tmp_path) == []


def test_unfinished_files_of_killed_processes_are_removed(tmp_path):
    path = tmp_path / "a[1].bin"
    others = ["a[1].bin", "a[1].bin.0123.other", "a[2].bin.0123456789abcdef.partial"]
    for name in (*others, "a[1].bin.0123456789abcdef.partial"):
        (tmp_path / name).write_bytes(b"")
    remove_unfinished(path)
    assert names(tmp_path) == sorted(others)
