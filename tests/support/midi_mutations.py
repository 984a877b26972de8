"""Reads thousands of damaged MIDI files that it makes from a seed; run as a program by its test.

    python tests/support/midi_mutations.py SEED COUNT

In a process of its own with bounded memory and time, so that a crash, a hang or a file that
balloons is a failed test and not the end of all tests. Prints one line of JSON.
"""

from __future__ import annotations

import json
import random
import resource
import struct
import sys
import time
from collections import Counter
from collections.abc import Iterator

from musicvae.errors import MidiError
from musicvae.music import midi
from musicvae.music.notes import Key, Meter, Note, NoteSequence

MEMORY_BYTES = 2 << 30
CPU_S = 120


def seeds_of_music() -> list[bytes]:
    """Small files, ours and not ours, that touch every kind of event and of repair."""
    melody = tuple(Note(i * 2, 60 + i % 12, i * 2 + 2, 40 + i) for i in range(16))
    drums = tuple(Note(i * 4, 36, i * 4 + 1, 100, is_drum=True, offset=0.1) for i in range(8))
    bass = tuple(Note(i * 8, 40 - i, i * 8 + 6, 90, program=33) for i in range(4))
    trio = tuple(sorted((*melody, *drums, *bass)))
    ours = NoteSequence(trio, 32, 96.0, Meter(4, 4), Key(9, is_minor=True))
    events = (
        b"\x00\xff\x03\x04Solo\x00\xff\x51\x03\x07\xa1\x20\x00\xff\x58\x04\x06\x03\x24\x08"
        b"\x00\xff\x59\x02\xfd\x01\x00\xff\x01\x05hello\x00\xff\x54\x05\x60\x00\x00\x00\x00"
        b"\x00\xf0\x05\x7e\x7f\x09\x01\xf7\x00\xc0\x18\x00\xb0\x07\x64\x00\x40\x7f\x00\xe0\x00\x40"
        b"\x00\xd0\x30\x00\xa0\x3c\x20\x00\x90\x3c\x50\x60\x3c\x00\x00\x40\x50\x60\x40\x00"
        b"\x81\x70\x91\x43\x60\x83\x60\x81\x43\x40\x00\xff\x05\x02la\x00\xff\x06\x01A"
        b"\x00\xff\x51\x03\x05\x00\x00\x60\x90\x3c\x50\x87\x40\x80\x3c\x00\x00\xff\x2f\x00"
    )
    odd = (
        b"\x00\xf0\x03\x43\x12\x00\x10\xf7\x02\x43\xf7\x00\x90\x3c\x50\x60\x3c\x50\x60\x3c\x00\x00\xff\x05\x01a"
        b"\x00\x40\x50\x60\x40\x00\x00\x99\x24\x50\x60\x24\x50\x00\xb0\x07\x80\x00\xff\x2f\x00"
    )
    programs = b"\x00\xc0\x05\x00\xff\x58\x04\x04\x20\x18\x08\x00\xff\x2f\x00"
    return [
        _file(8, b"\0\0", programs, odd),
        b"RIFF\0\0\0\0RMIDdata\xff\xff\0\0" + _file(6, b"", programs, odd),
        midi.write(ours, name="ours", provenance={"seed": 1}),
        midi.write(NoteSequence(melody, 32)),
        struct.pack(">4sIHHH4sI", b"MThd", 6, 0, 1, 96, b"MTrk", len(events)) + events,
    ]


def _file(header_size: int, more_header: bytes, *tracks: bytes) -> bytes:
    header = struct.pack(">4sIHHH", b"MThd", header_size, 1, len(tracks), 480) + more_header
    chunks = (b"MTrk" + struct.pack(">I", len(track)) + track for track in tracks)
    return header + b"".join(chunks)


def mutants(seed: int, count: int) -> Iterator[bytes]:
    """Damages healthy files in one to three places each; equal seeds give equal files."""
    chance = random.Random(seed)
    originals = seeds_of_music()
    for _ in range(count):
        data = bytearray(chance.choice(originals))
        for _ in range(chance.randint(1, 3)):
            chance.choice(MUTATIONS)(data, chance)
        yield _with_true_sizes(data) if chance.random() < 0.8 else bytes(data)


def _with_true_sizes(data: bytearray) -> bytes:
    """Mends the sizes of the tracks, so that the damage in them is looked at too."""
    head, *tracks = bytes(data).split(b"MTrk")
    return head + b"".join(
        b"MTrk" + struct.pack(">I", len(track[4:])) + track[4:] for track in tracks
    )


def _flip(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.randint(1, 4)):
        if data:
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _set(data: bytearray, chance: random.Random) -> None:
    if data:
        extremes = (0x00, 0x7F, 0x80, 0xFF, 0xF0, 0xC0, chance.randrange(256))
        data[chance.randrange(len(data))] = chance.choice(extremes)


def _truncate(data: bytearray, chance: random.Random) -> None:
    del data[chance.randint(0, len(data)) :]


def _insert(data: bytearray, chance: random.Random) -> None:
    at = chance.randint(0, len(data))
    data[at:at] = chance.randbytes(chance.randint(1, 8))


def _remove(data: bytearray, chance: random.Random) -> None:
    at = chance.randint(0, len(data))
    del data[at : at + chance.randint(1, 8)]


def _repeat(data: bytearray, chance: random.Random) -> None:
    at = chance.randint(0, len(data))
    data[at:at] = data[at : at + chance.randint(1, 64)] * chance.randint(1, 20)


def _edit_length(data: bytearray, chance: random.Random) -> None:
    """Lies about the size of a chunk, the number of tracks or the division."""
    places = [at for at in range(len(data) - 8) if data[at : at + 4] in (b"MThd", b"MTrk")]
    if not places:
        return
    at = chance.choice(places) + 4
    size = int.from_bytes(data[at : at + 4], "big")
    lies = (0, 1, size - 1, size + 1, 0x7FFFFFFF, 0xFFFFFFFF, chance.getrandbits(32))
    data[at : at + 4] = (chance.choice(lies) & 0xFFFFFFFF).to_bytes(4, "big")
    if chance.random() < 0.3 and len(data) >= 14:
        data[8:14] = chance.randbytes(6)


def _edit_delta(data: bytearray, chance: random.Random) -> None:
    """Puts the longest time there is before something."""
    at = chance.randint(0, len(data))
    data[at:at] = b"\xff\xff\xff\x7f"


MUTATIONS = (_flip, _set, _truncate, _insert, _remove, _repeat, _edit_length, _edit_delta)


def main(seed: int, count: int) -> None:
    """Reads them all and prints what came of it."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    counts: Counter[str] = Counter()
    slowest_s = 0.0
    for data in mutants(seed, count):
        start = time.perf_counter()
        try:
            file = midi.read_tracks(data)
            midi.read_provenance(data)
        except MidiError:
            counts["refused"] += 1
        else:
            counts["read" if file.tracks else "no notes"] += 1
        slowest_s = max(slowest_s, time.perf_counter() - start)
    growth_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib
    result = {"counts": counts, "slowest_s": slowest_s, "growth_mib": growth_kib / 1024}
    print(json.dumps(result))  # noqa: T201


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
