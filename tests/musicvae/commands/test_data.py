"""The commands for data, as their users see them."""

import json
from pathlib import Path

import pytest
from smf_bytes import END, NOTE, smf

from musicvae.music import midi
from musicvae.music.notes import Note, NoteSequence
from musicvae.representation import REPRESENTATIONS

PREPARE = ["prepare", "a.mid", "--out", "made"]

MISTAKES = {
    "nothing to prepare": (["prepare", "--out", "made"], ["INPUT"]),
    "an empty folder": (["prepare", "empty", "--out", "made"], ["empty"]),
    "an input that is not there": (["prepare", "none", "--out", "made"], ["none"]),
    "nothing but damage": (["prepare", "broken.mid", "--out", "made"], ["no examples"]),
    "shares that are no whole": ([*PREPARE, "--split", "train=0.5"], ["0.5"]),
    "a split that is none": ([*PREPARE, "--split", "half"], ["half"]),
    "no such meter": ([*PREPARE, "--meter", "4:4"], ["4:4", "3/4"]),
    "a meter of nothing": ([*PREPARE, "--meter", "0/4"], ["--meter 0/4", "3/4"]),
    "no such representation": ([*PREPARE, "--representation", "tune"], ["tune", "melody"]),
    "no bars": ([*PREPARE, "--bars", "0"], ["--bars 0"]),
    "no workers": ([*PREPARE, "--workers", "0"], ["Invalid value for '--workers'"]),
    "too many workers": ([*PREPARE, "--workers", "999999999"], ["x<=4096"]),
    "an empty name": (["prepare", "", "--out", "data"], ["no file or folder named by an empty"]),
    "no hop": ([*PREPARE, "--hop", "0"], ["--hop 0"]),
    "no such grid": ([*PREPARE, "--steps-per-quarter", "5"], ["'5'", "12"]),
    "no such choice of melodies": ([*PREPARE, "--melody", "best"], ["'best'", "likeliest"]),
    "no such drums": ([*PREPARE, "--drums", "channel:17"], ["channel:17", "1 to 16"]),
    "no such drums to inspect": (["inspect", "a.mid", "--drums", "0"], ["'0'", "track:NAME"]),
    "no drums": (
        [*PREPARE, "--representation", "drums"], ["no_drum_track", "--drums"],
    ),
    "no such rule": ([*PREPARE, "--rule", "loudest=1"], ["loudest=1", "fewest_notes"]),
    "a rule of no number": (
        [*PREPARE, "--rule", "fewest_notes=few"],
        ["fewest_notes=few", "a whole number", "--rule fewest_notes=3"],
    ),
    "a resolution of a melody": (
        [*PREPARE, "--resolution", "bar"],
        ["--resolution bar for melody", "--bars, --meter"],
    ),
    "an address without Ray": (
        [*PREPARE, "--address", "10.0.0.1:6379"],
        ["10.0.0.1:6379", "--engine ray"],
    ),
    "nothing to inspect": (["inspect", "none.mid"], ["none.mid"]),
    "damage to inspect": (["inspect", "broken.mid"], ["broken.mid", "Standard MIDI File"]),
    "a piece that is not there": (["inspect", "a.mid", "--piece", "2"], ["no piece 2", "1"]),
    "no such corpus": (["fetch", "grove"], ["'grove'", "groove"]),
    "no data to report of": (["report", "none"], ["none", "musicvae prepare"]),
}  # fmt: skip


@pytest.mark.parametrize(("arguments", "expected"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_named_with_what_to_do(mistake, arguments, expected):
    said = mistake(arguments)
    for part in expected:
        assert part in said


@pytest.mark.usefixtures("tunes")
def test_inspect_says_what_is_in_a_file(command):
    said = command("inspect", "a.mid", "--plot", "a.png")
    assert (said.code, said.err) == (0, "")
    for part in ("4/4", "tempo", "90", "As a melody: Piano", "drums", "trio"):
        assert part in said.out
    assert Path("a.png").read_bytes().startswith(b"\x89PNG")


def test_report_writes_a_page_into_the_data_set(command, data, tmp_path):
    said = command("report", data, "--out", "page.html")
    assert (said.code, said.out) == (0, "page.html\n")
    assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")


def test_corpora_names_licences_and_how_to_get_each(command):
    said = command("corpora")
    assert said.code == 0
    for part in ("groove", "CC BY 4.0", "musicvae fetch", "maestro", "openewld"):
        assert part in said.out


def test_a_data_set_of_drums_is_prepared_by_the_same_command(command, tmp_path):
    hits = [Note(step, pitch, step + 1, 90, is_drum=True) for step in range(0, 64, 4)
            for pitch in (36, 42)]  # fmt: skip
    beat = NoteSequence(notes=tuple(sorted(hits)), length_steps=64)
    (tmp_path / "beat.mid").write_bytes(midi.write(beat))
    said = command("prepare", "beat.mid", "--out", "beats", "--representation", "drum_hits",
                   "--bars", 1, "--rule", "fewest_hits=8", "--split", "train=1")  # fmt: skip
    assert said.code == 0, said
    manifest = json.loads(Path("beats/manifest.json").read_bytes())
    assert manifest["representation"]["name"] == "drum_hits"
    assert manifest["settings"]["rules"]["fewest_hits"] == 8
    assert manifest["splits"]["train"]["excerpts"] == 1  # all bars are the same


METER = b"\x00\xff\x58\x04\x04\x02\x18\x08"
PREPARE_DRUMS = ("--representation", "drums", "--split", "train=1")


@pytest.mark.parametrize("drums", ["channel:3", "track:Beat", "2"])
def test_drums_are_where_the_user_says(command, tmp_path, drums):
    hits = b"".join(b"\x00\x92" + bytes([36 + 2 * (i % 2), 90]) + b"\x83\x60\x82"
                    + bytes([36 + 2 * (i % 2), 0]) for i in range(8))  # fmt: skip
    named = METER + b"\x00\xff\x03\x06Beat\x00\x00" + hits + END
    (tmp_path / "beat.mid").write_bytes(smf(NOTE + END, named))
    said = command("prepare", "beat.mid", "--out", "beats", *PREPARE_DRUMS, "--drums", drums)
    assert said.code == 0, said
    manifest = json.loads(Path("beats/manifest.json").read_bytes())
    assert manifest["splits"]["train"]["excerpts"] == 1
    assert manifest["settings"]["drums"] == drums
    assert "drums" in command("inspect", "beat.mid", "--drums", drums).out


def test_repairs_are_counted_and_shown_and_names_lose_their_padding(command, tmp_path):
    notes = b"".join(b"\x00\x90" + bytes([60 + i % 5, 90]) + b"\x83\x60\x80"
                     + bytes([60 + i % 5, 0]) for i in range(8))  # fmt: skip
    lost = b"\x00\x90\x3c\x5a\x83\x60"
    track = METER + b"\x00\xff\x03\x09Vocals\x00\x00\x00" + lost + notes[1:] + END
    (tmp_path / "song.mid").write_bytes(smf(track))
    said = command("prepare", "song.mid", "--out", "songs", "--split", "train=1",
                   "--melody", "track:Vocals")  # fmt: skip
    assert said.code == 0, said
    manifest = json.loads(Path("songs/manifest.json").read_bytes())
    assert manifest["splits"]["train"]["excerpts"] > 0
    (repair,) = [each for each in manifest["rejections"] if each["stage"] == "event"]
    assert (repair["reason"], repair["count"]) == ("lost_note_off", 1)
    assert "Repaired" in said.out and "Rejected" not in said.out
    page = Path("songs/report.html")
    assert command("report", "songs").code == 0
    repaired = page.read_text().partition('id="repaired"')[2].partition("</section>")[0]
    assert "lost note off" in repaired
    assert page.read_text().count("lost note off") == 1
    shown = command("inspect", "song.mid").out
    assert "repaired" in shown
    assert "lost_note_off" in shown


def test_every_representation_is_named_by_the_help(command):
    assert "|".join(REPRESENTATIONS) in command("prepare", "--help").out
