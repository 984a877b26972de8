import io
import os
import tarfile
import zipfile

import pytest
from packing import pack

from musicvae.data_pipeline.sources.corpora import CORPORA
from musicvae.data_pipeline.sources.corpus import open_sources
from musicvae.data_pipeline.sources.inputs import open_input
from musicvae.errors import DataError
from musicvae.music import midi

FORMS = [".zip", ".tar", ".tar.gz"]


def ids(*inputs):
    return [piece.id for source in open_sources(inputs) for piece in source.pieces()]


def packed(folder, form, *, top):
    files = {
        f"{top}{path.relative_to(folder).as_posix()}": path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    return pack(folder.parent / f"{folder.name}{form}", files)


@pytest.mark.parametrize("top", ["files/", "other/", ""])
@pytest.mark.parametrize("form", FORMS)
def test_an_archive_has_the_ids_of_its_folder(midi_folder, form, top):
    assert ids(str(packed(midi_folder, form, top=top))) == ids(str(midi_folder))


@pytest.mark.parametrize("form", FORMS)
def test_a_piece_of_an_archive_reads_as_the_file(midi_folder, abc_folder, form):
    for folder in (midi_folder, abc_folder):
        (plain,) = open_sources([str(folder)])
        (source,) = open_sources([str(packed(folder, form, top="x/"))])
        assert source.licence == plain.licence
        assert source.rejected_files == plain.rejected_files
        for piece, other in zip(source.pieces(), plain.pieces(), strict=True):
            assert piece.read_bytes() == other.read_bytes()
            assert (piece.title, piece.split_key) == (other.title, other.split_key)


def test_a_pattern_takes_the_files_it_fits(tmp_path, midi_folder, melody):
    deep = midi_folder / "deep" / "down"
    deep.mkdir(parents=True)
    (deep / "melody9.mid").write_bytes(midi.write(melody(9)))
    (midi_folder / "melody8.midi").write_bytes(midi.write(melody(8)))
    everything = [*(f"files/melody{n}.mid" for n in range(6)), "files/deep/down/melody9.mid"]
    assert sorted(ids(f"{midi_folder}/**/*.mid")) == sorted(everything)
    assert ids(f"{midi_folder}/melody[12].mid") == ["files/melody1.mid", "files/melody2.mid"]
    assert ids(f"{tmp_path}/*/melody8.*") == [f"{tmp_path.name}/files/melody8.midi"]


def test_a_pattern_through_a_link(tmp_path, midi_folder):
    (tmp_path / "link").symlink_to(midi_folder)
    assert ids(f"{tmp_path}/link/melody1*") == ["link/melody1.mid"]
    assert ids(f"{tmp_path}/../{tmp_path.name}/link/melody1*") == ["link/melody1.mid"]


def test_a_pattern_that_starts_a_folder_up(midi_folder, monkeypatch):
    (midi_folder / "deep").mkdir()
    monkeypatch.chdir(midi_folder / "deep")
    assert ids("../melody1*") == ["files/melody1.mid"]
    assert ids("../../files/melody1*") == ["files/melody1.mid"]


def test_a_pattern_that_fits_a_pipe_and_a_broken_link_tells_of_them(midi_folder):
    os.mkfifo(midi_folder / "pipe.mid")
    (midi_folder / "broken.mid").symlink_to("nowhere")
    (source,) = open_sources([f"{midi_folder}/*.mid"])
    assert source.piece_count == 6
    assert [(skip.reason, skip.found) for skip in source.rejected_files] == [
        ("link", "broken.mid"),
        ("no_file", "pipe.mid"),
    ]


def test_a_pattern_without_a_folder(midi_folder, monkeypatch):
    monkeypatch.chdir(midi_folder)
    assert ids("melody1*") == ["files/melody1.mid"]


def test_a_pattern_that_fits_nothing_is_refused(tmp_path):
    with pytest.raises(DataError, match="no file that the pattern"):
        open_sources([f"{tmp_path}/*.mid"])


def test_a_folder_named_like_a_pattern_is_a_folder(midi_folder):
    folder = midi_folder.rename(midi_folder.parent / "files[1]")
    assert len(ids(str(folder))) == 6


def test_files_come_in_the_order_of_their_paths(tmp_path, melody):
    names = ["a-b.mid", "a.mid", "a/b.mid", "a/b/c.mid", "a0.mid", "b.mid"]
    for name in names:
        (tmp_path / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "set" / name).write_bytes(midi.write(melody(1)))
    assert ids(str(tmp_path / "set")) == [f"set/{name}" for name in sorted(names)]


def test_a_link_to_a_folder_is_not_followed(midi_folder):
    (midi_folder / "again").symlink_to(midi_folder)
    (midi_folder / "melody9.mid").symlink_to(midi_folder / "melody1.mid")
    assert len(ids(str(midi_folder))) == 7


def test_what_is_no_file_is_told_of(midi_folder):
    (midi_folder / "again").symlink_to(midi_folder)
    (midi_folder / "broken.mid").symlink_to("nowhere")
    (midi_folder / "itself.mid").symlink_to("itself.mid")
    os.mkfifo(midi_folder / "pipe.mid")
    (source,) = open_sources([str(midi_folder)])
    assert source.piece_count == 6
    assert [(skip.reason, skip.count, skip.found) for skip in source.rejected_files] == [
        ("link", 2, "again"),
        ("no_file", 1, "pipe.mid"),
        ("no_music", 1, "notes.txt"),
        ("unreadable", 1, "itself.mid"),
    ]


def test_a_file_that_goes_away_meanwhile_is_passed_over(midi_folder):
    entries = open_input(str(midi_folder), bool).listing.entries()
    assert next(entries).location is not None
    (midi_folder / "melody1.mid").unlink()
    gone, *others = entries
    assert (gone.path, gone.location, gone.reason) == ("files/melody1.mid", None, "unreadable")
    assert all(entry.location is not None for entry in others)


@pytest.mark.parametrize("pattern", ["", "/**/*"])
def test_the_folder_that_is_written_to_can_be_left_out(midi_folder, melody, pattern):
    out = midi_folder / "out"
    (before,) = open_sources([f"{midi_folder}{pattern}"], leave_out=out)
    out.mkdir()
    (out / "more.mid").write_bytes(midi.write(melody(9)))
    (after,) = open_sources([f"{midi_folder}{pattern}"], leave_out=out)
    assert (after.fingerprint(), after.piece_count) == (before.fingerprint(), 6)
    (with_it,) = open_sources([f"{midi_folder}{pattern}"])
    assert with_it.piece_count == 7
    (itself,) = open_sources([str(out)], leave_out=out)
    assert itself.piece_count == 1


def test_names_that_lead_elsewhere_are_made_harmless(tmp_path, melody):
    names = ["/etc/a.mid", "../../b.mid", "x/./../c.mid", "d\\e.mid", "f\n\x1b[31m.mid", "g.mid"]
    with zipfile.ZipFile(tmp_path / "odd.zip", "w") as archive:
        for name in names:
            archive.writestr(name, midi.write(melody(1)))
    assert sorted(ids(str(tmp_path / "odd.zip"))) == [
        "odd/b.mid",
        "odd/d/e.mid",
        "odd/etc/a.mid",
        "odd/f\ufffd\ufffd[31m.mid",
        "odd/g.mid",
        "odd/x/c.mid",
    ]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_an_archive_holds_twice_gives_two_ids(tmp_path, melody):
    with zipfile.ZipFile(tmp_path / "twice.zip", "w") as archive:
        for number in range(3):
            archive.writestr("a.mid", midi.write(melody(number)))
    assert ids(str(tmp_path / "twice.zip")) == ["twice/a.mid", "twice/a.mid~2", "twice/a.mid~3"]


def test_a_name_told_apart_may_be_there_already(tmp_path):
    with tarfile.open(tmp_path / "twice.tar.gz", "w:gz") as archive:
        for name in ("a.mid~3", "a.mid", "a.mid", "a.mid", "a.mid~3"):
            info = tarfile.TarInfo(name)
            info.size = 4
            archive.addfile(info, io.BytesIO(b"MThd"))
    names = ["a.mid~3", "a.mid", "a.mid~2", "a.mid~4", "a.mid~3~2"]
    assert ids(str(tmp_path / "twice.tar.gz")) == [f"twice/{name}" for name in names]


def test_an_archive_in_a_folder_is_told_of_not_opened(midi_folder):
    packed(midi_folder, ".zip", top="").rename(midi_folder / "more.zip")
    (source,) = open_sources([str(midi_folder)])
    reasons = {skip.reason: (skip.count, skip.found) for skip in source.rejected_files}
    assert reasons == {"archive": (1, "more.zip"), "no_music": (1, "notes.txt")}


def test_a_packed_member_that_is_not_unpacked_is_told_of(tmp_path, melody):
    with zipfile.ZipFile(tmp_path / "rare.zip", "w") as archive:
        archive.writestr("a.mid", midi.write(melody(1)))
        archive.writestr("b.mid", midi.write(melody(2)), compress_type=zipfile.ZIP_BZIP2)
    (source,) = open_sources([str(tmp_path / "rare.zip")])
    assert [(skip.reason, skip.found) for skip in source.rejected_files] == [("locked", "b.mid")]


def test_a_compressed_score_is_a_piece_and_no_archive(tmp_path):
    container = '<container><rootfiles><rootfile full-path="s.xml"/></rootfiles></container>'
    with zipfile.ZipFile(tmp_path / "song.mxl", "w") as archive:
        archive.writestr("META-INF/container.xml", container)
        archive.writestr("s.xml", '<?xml version="1.0"?><score-partwise/>')
    (source,) = open_sources([str(tmp_path / "song.mxl")])
    assert [(piece.id, piece.kind) for piece in source.pieces()] == [
        ("song.mxl/song.mxl", "musicxml")
    ]
    pack(tmp_path / "set.zip", {"song.mxl": (tmp_path / "song.mxl").read_bytes()})
    assert ids(str(tmp_path / "set.zip")) == ["set/song.mxl"]


def test_a_corpus_is_taken_by_its_name_once_it_was_fetched(tmp_path, monkeypatch, melody):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MUSICVAE_CACHE", str(tmp_path / "cache"))
    with pytest.raises(DataError, match=r"not here.*musicvae fetch groove"):
        open_sources(["groove"])
    folder = tmp_path / "cache" / "corpora"
    folder.mkdir(parents=True)
    pack(folder / CORPORA["groove"].download.file_name, {"groove/d/a.mid": midi.write(melody(1))})
    (source,) = open_sources(["groove"])
    assert (source.name, source.licence) == ("groove", "CC BY 4.0")
    assert ids("groove") == ["groove/d/a.mid"]


def test_a_corpus_that_is_not_for_download_says_where_to_get_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=r"openewld.*github\.com"):
        open_sources(["openewld"])


def test_a_pipe_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe.mid")
    with pytest.raises(DataError, match="no file and no folder"):
        open_sources([str(tmp_path / "pipe.mid")])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_is_refused(midi_folder):
    (midi_folder / "closed").mkdir(mode=0o000)
    with pytest.raises(DataError, match=r"closed in .*can't be looked into"):
        open_sources([str(midi_folder)])
