import bz2
import gzip
import lzma
import pickle
import tarfile
import zipfile
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packing import pack

from musicvae.data_pipeline.sources.archives import archive_stem, is_archive, open_archive
from musicvae.data_pipeline.sources.locations import (
    HEAD_BYTES,
    MOST_BYTES,
    FileBytes,
    HeldBytes,
    ZipBytes,
)
from musicvae.errors import DataError

FILES = {
    "set/b.mid": b"MThd" + bytes(range(256)) * 40,
    "set/a/c.abc": b"X:1\nT:Tune\n",
    "set/empty": b"",
    "set/a/beat_midi.txt": b"0 1 1\n",
}
FORMS = [".zip", ".stored.zip", ".tar", ".tar.gz", ".tar.bz2", ".tar.xz"]


def is_kept(path):
    return path.endswith(".txt")


@pytest.mark.parametrize("form", FORMS)
def test_members_are_read_where_they_lie(tmp_path, form):
    listing = open_archive(str(pack(tmp_path / f"set{form}", FILES)), is_kept)
    entries = list(listing.entries())
    assert {entry.path: entry.location.read() for entry in entries} == FILES
    assert [entry.location.head() for entry in entries] == [
        FILES[entry.path][:HEAD_BYTES] for entry in entries
    ]
    assert list(listing.entries()) == entries
    assert [path.name for path in tmp_path.iterdir()] == [f"set{form}"], "nothing is unpacked"


@pytest.mark.parametrize("form", FORMS)
def test_a_side_file_is_found_wherever_it_stands(tmp_path, form):
    listing = open_archive(str(pack(tmp_path / f"set{form}", FILES)), is_kept)
    list(listing.entries())
    assert listing.locate("set/a/beat_midi.txt").read() == b"0 1 1\n"
    assert listing.locate("set/other.txt") is None


@pytest.mark.parametrize("form", FORMS)
def test_a_location_can_be_sent_to_another_process(tmp_path, form):
    listing = open_archive(str(pack(tmp_path / f"set{form}", FILES)), is_kept)
    for entry in listing.entries():
        assert pickle.loads(pickle.dumps(entry.location)).read() == FILES[entry.path]  # noqa: S301


@pytest.mark.parametrize("form", [".zip", ".tar"])
def test_members_come_in_the_order_of_their_paths(tmp_path, form):
    listing = open_archive(str(pack(tmp_path / f"set{form}", FILES)), is_kept)
    assert [entry.path for entry in listing.entries()] == sorted(FILES)


@pytest.mark.parametrize("form", FORMS)
def test_a_damaged_archive_is_refused(tmp_path, form):
    path = pack(
        tmp_path / f"set{form}",
        {f"{name}{n}": bytes(range(256)) * 9 for n in range(99) for name in FILES},
    )
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match="damaged archive"):
        [entry.location.read() for entry in open_archive(str(path), is_kept).entries()]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(form=st.sampled_from(FORMS), changes=st.dictionaries(st.floats(0, 1), st.integers(0, 255)))
def test_a_changed_archive_raises_nothing_else(tmp_path, form, changes):
    path = pack(tmp_path / f"set{form}", FILES)
    data = bytearray(path.read_bytes())
    for place, value in changes.items():
        data[int(place * (len(data) - 1))] = value
    path.write_bytes(data)
    with suppress(DataError):
        listing = open_archive(str(path), is_kept)
        for entry in [] if listing is None else listing.entries():
            if entry.location is not None:
                entry.location.read()


def test_a_zip_whose_member_was_overwritten_is_refused(tmp_path):
    path = pack(tmp_path / "set.zip", FILES)
    (entry, *_) = open_archive(str(path), is_kept).entries()
    path.write_bytes(b"\0" * path.stat().st_size)
    with pytest.raises(DataError, match="damaged archive"):
        entry.location.read()


@pytest.mark.parametrize("form", FORMS)
def test_a_member_past_the_limit_is_refused(tmp_path, form):
    path = pack(tmp_path / f"set{form}", {"large.mid": bytes(MOST_BYTES + 1), "small.mid": b"MThd"})
    large, small = open_archive(str(path), is_kept).entries()
    with pytest.raises(DataError, match="more than 16777216 bytes"):
        large.location.read()
    assert small.location.read() == b"MThd"


def test_a_zip_that_lies_about_a_size_is_not_unpacked_further(tmp_path):
    path = pack(tmp_path / "bomb.zip", {"zeros.mid": bytes(MOST_BYTES)})
    directory = path.read_bytes()
    path.write_bytes(
        directory.replace(MOST_BYTES.to_bytes(4, "little"), (100).to_bytes(4, "little"))
    )
    (entry,) = open_archive(str(path), is_kept).entries()
    with pytest.raises(DataError, match="does not fit its checksum"):
        entry.location.read()


def test_a_member_past_the_end_of_any_file_is_refused(tmp_path):
    path = pack(tmp_path / "set.zip", FILES)
    member = ZipBytes(str(path), 1 << 63, 10, 10, is_stored=True, checksum=0)
    for read in (member.head, member.read):
        with pytest.raises(DataError, match="a member at byte 9223372036854775808"):
            read()


def test_a_stored_member_that_was_changed_is_refused(tmp_path):
    path = pack(tmp_path / "set.stored.zip", FILES)
    entries = list(open_archive(str(path), is_kept).entries())
    path.write_bytes(path.read_bytes().replace(b"T:Tune", b"T:Tuna"))
    (changed,) = (entry for entry in entries if entry.path == "set/a/c.abc")
    assert changed.location.head() == b"X:1\nT:Tuna\n"
    with pytest.raises(DataError, match="does not fit its checksum"):
        changed.location.read()


def tar_header(kind, size):
    info = tarfile.TarInfo("a.mid")
    info.type = kind
    block = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    block[124:136] = tarfile.itn(size, 12, tarfile.GNU_FORMAT)
    block[148:156] = b"%06o\0 " % tarfile.calc_chksums(block)[0]
    return bytes(block)


@pytest.mark.parametrize("form", ["tar", "tar.gz"])
@pytest.mark.parametrize(
    "kind", [tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE]
)
def test_a_negative_size_in_a_tar_is_refused(tmp_path, form, kind):
    files = tar_header(tarfile.REGTYPE, 0) + tar_header(kind, -512) + bytes(1024)
    path = tmp_path / f"set.{form}"
    path.write_bytes(gzip.compress(files) if form == "tar.gz" else files)
    with pytest.raises(DataError, match="a size of -512 bytes"):
        list(open_archive(str(path), is_kept).entries())


def test_a_negative_size_in_a_tars_notes_is_refused(tmp_path):
    path = tmp_path / "set.tar"
    with tarfile.open(path, "w", pax_headers={"size": "-512"}) as archive:
        archive.addfile(tarfile.TarInfo("a.mid"))
    with pytest.raises(DataError, match="a size of -512 bytes"):
        list(open_archive(str(path), is_kept).entries())


@pytest.mark.parametrize(
    "kind", [tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE]
)
def test_a_very_long_name_in_a_tar_is_refused_unread(tmp_path, kind):
    path = tmp_path / "set.tar.gz"
    path.write_bytes(gzip.compress(tar_header(kind, 1 << 30) + bytes(1024)))
    with pytest.raises(DataError, match="a size of 1073741824 bytes"):
        list(open_archive(str(path), is_kept).entries())


def test_names_of_names_in_a_tar_are_refused(tmp_path):
    path = tmp_path / "set.tar.gz"
    path.write_bytes(gzip.compress(tar_header(tarfile.GNUTYPE_LONGNAME, 0) * 9999 + bytes(1024)))
    with pytest.raises(DataError, match="damaged archive"):
        list(open_archive(str(path), is_kept).entries())


@pytest.mark.parametrize("layout", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_a_long_name_in_a_tar_is_read(tmp_path, layout):
    name = "folder/" * 99 + "a.mid"
    with tarfile.open(tmp_path / "set.tar", "w", format=layout) as archive:
        archive.addfile(tarfile.TarInfo(name))
    (entry,) = open_archive(str(tmp_path / "set.tar"), is_kept).entries()
    assert entry.path == name


def test_a_member_packed_by_a_rare_method_has_no_location(tmp_path):
    with zipfile.ZipFile(tmp_path / "rare.zip", "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("a.mid", b"MThd" * 99)
    (entry,) = open_archive(str(tmp_path / "rare.zip"), is_kept).entries()
    assert entry.location is None


@pytest.mark.parametrize("form", ["tar", "tar.gz"])
def test_links_and_devices_in_a_tar_have_no_location(tmp_path, form):
    path = tmp_path / f"odd.{form}"
    with tarfile.open(path, "w:gz" if form == "tar.gz" else "w") as archive:
        for kind, name in ((tarfile.SYMTYPE, "link"), (tarfile.CHRTYPE, "device")):
            info = tarfile.TarInfo(name)
            info.type = kind
            info.linkname = "/etc/passwd"
            archive.addfile(info)
    entries = list(open_archive(str(path), is_kept).entries())
    assert [(entry.path, entry.location) for entry in sorted(entries, key=lambda e: e.path)] == [
        ("device", None),
        ("link", None),
    ]


def test_what_is_no_archive_is_told_by_its_content(tmp_path):
    (tmp_path / "song.mid").write_bytes(b"MThd")
    assert open_archive(str(tmp_path / "song.mid"), is_kept) is None
    assert not is_archive(b"MThd")
    pack(tmp_path / "set.tar.gz", FILES).rename(tmp_path / "set.bin")
    assert open_archive(str(tmp_path / "set.bin"), is_kept) is not None
    assert is_archive((tmp_path / "set.bin").read_bytes()[:HEAD_BYTES])


@pytest.mark.parametrize("module", [gzip, bz2, lzma])
def test_a_single_compressed_file_is_told_from_a_damaged_archive(tmp_path, module):
    path = tmp_path / "song.mid.packed"
    path.write_bytes(module.compress(FILES["set/b.mid"]))
    with pytest.raises(DataError, match="compressed but no tar archive"):
        list(open_archive(str(path), is_kept).entries())


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("groove.zip", "groove"),
        ("a.b.TAR.GZ", "a.b"),
        ("set.tgz", "set"),
        ("set", "set"),
        (".zip", ".zip"),
    ],
)
def test_an_archive_is_named_without_its_form(name, stem):
    assert archive_stem(name) == stem


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(DataError, match="can't be opened"):
        FileBytes(str(tmp_path / "gone.mid")).read()


def test_a_file_past_the_limit_is_refused(tmp_path):
    with (tmp_path / "large.mid").open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    with pytest.raises(DataError, match="more than 16777216 bytes"):
        FileBytes(str(tmp_path / "large.mid")).read()


@given(parts=st.lists(st.binary(max_size=3000), max_size=4))
def test_held_bytes_are_their_parts_in_a_row(parts):
    held = HeldBytes(tuple(parts), sum(map(len, parts)))
    assert held.read() == b"".join(parts)
    assert held.head() == b"".join(parts)[:HEAD_BYTES]
