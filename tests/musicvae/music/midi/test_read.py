import io
import json
import struct
from dataclasses import replace

import mido
import pretty_midi
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smf_bytes import END, NOTE, smf

from musicvae.data_pipeline.readers import read_piece
from musicvae.errors import MidiError
from musicvae.music import midi
from musicvae.music.notes import Key, Meter, Note, NoteSequence

METERS = [Meter(4, 4), Meter(3, 4), Meter(6, 8), Meter(2, 2), Meter(5, 8)]


@st.composite
def sequences(draw, steps_per_quarter=4):
    """What makes music that a MIDI file can hold: in one part, no two notes of a pitch at a time.

    Arguments, since a strategy may not make the sequence: beartype checks one note of it by
    chance, which hypothesis forbids there.
    """
    meter = draw(st.sampled_from(METERS))
    length_steps = draw(st.integers(1, 8)) * meter.steps_per_bar(steps_per_quarter)
    parts = draw(st.lists(st.integers(0, 127), max_size=3, unique=True))
    has_drums = draw(st.booleans())
    notes = []
    for program, is_drum in [*((p, False) for p in parts), *([(0, True)] if has_drums else [])]:
        free = {}
        for _ in range(draw(st.integers(0, 12))):
            pitch = draw(st.integers(0, 127))
            start = draw(st.integers(free.get(pitch, 0), length_steps))
            if start >= length_steps:
                continue
            end = draw(st.integers(start + 1, length_steps))
            free[pitch] = end
            step_ticks = midi.TICKS_PER_QUARTER // steps_per_quarter
            ticks = draw(st.integers(0 if start == 0 else -step_ticks // 2, step_ticks // 2 - 1))
            velocity = draw(st.integers(1, 127))
            notes.append(Note(start, pitch, end, velocity, program, is_drum, ticks / step_ticks))
    return {
        "notes": tuple(sorted(notes)),
        "length_steps": length_steps,
        "qpm": draw(st.integers(1000, 30_000)) / 100,
        "meter": meter,
        "steps_per_quarter": steps_per_quarter,
        "key": draw(st.none() | st.builds(Key, st.integers(0, 11), st.booleans())),
    }


MELODY = NoteSequence(
    notes=tuple(Note(i * 4, 60 + 2 * i, i * 4 + 3, 70 + i) for i in range(8)),
    length_steps=48,
    qpm=90.0,
    key=Key(7),
)


# Writing


@given(st.sampled_from([4, 12]).flatmap(sequences))
def test_what_is_written_is_read_again(arguments):
    sequence = NoteSequence(**arguments)
    steps = sequence.steps_per_quarter
    assert midi.read(midi.write(sequence), steps_per_quarter=steps) == sequence


@given(sequences())
def test_a_finer_grid_is_read_as_the_notes_are_refined(arguments):
    # Late notes alone: an early note would cut the note before it in the file.
    late = sorted(replace(note, offset=abs(note.offset)) for note in arguments["notes"])
    sequence = NoteSequence(**{**arguments, "notes": tuple(late)})
    read, refined = midi.read(midi.write(sequence), steps_per_quarter=12), sequence.refine(12)
    one, other = (
        sorted(replace(note, offset=round(note.offset, 6)) for note in music.notes)
        for music in (read, refined)
    )
    assert one == other
    assert replace(read, notes=()) == replace(refined, notes=())


@settings(max_examples=50)
@given(sequences())
def test_mido_reads_what_was_written(arguments):
    sequence = NoteSequence(**arguments)
    file = mido.MidiFile(file=io.BytesIO(midi.write(sequence, name="Größe")))
    assert (file.type, file.ticks_per_beat) == (1, 480)
    head = {message.type: message for message in file.tracks[0]}
    assert head["set_tempo"].tempo == round(60e6 / sequence.qpm)
    meter = head["time_signature"]
    assert Meter(meter.numerator, meter.denominator) == sequence.meter
    assert ("key_signature" in head) == (sequence.key is not None)
    if sequence.key is not None:
        names = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
        key = head["key_signature"].key
        tonic = (names[key[0]] + key.count("#") - key.count("b")) % 12
        assert Key(tonic, key.endswith("m")) == sequence.key
    for track in file.tracks:
        assert sum(message.time for message in track) == sequence.length_steps * 120
        assert track[-1].type == "end_of_track"
        channels = {m.channel for m in track if not m.is_meta}
        assert len(channels) <= 1
        types = [m.type for m in track]
        assert types.count("note_on") == types.count("note_off")
        assert all(m.velocity > 0 for m in track if m.type == "note_on")
    used = [m.channel for t in file.tracks for m in t if m.type == "program_change"]
    assert len(used) == len(set(used)) == len({(n.is_drum, n.program) for n in sequence.notes})


@settings(max_examples=50)
@given(sequences())
def test_pretty_midi_reads_what_was_written(arguments):
    sequence = NoteSequence(**arguments)
    oracle = pretty_midi.PrettyMIDI(io.BytesIO(midi.write(sequence)))
    tick_s = 60 / sequence.qpm / 480
    found = sorted(
        (i.is_drum, i.program, n.pitch, n.velocity, round(n.start / tick_s), n.end / tick_s)
        for i in oracle.instruments
        for n in i.notes
    )
    expected = sorted(
        (n.is_drum, n.program, n.pitch, n.velocity, round((n.start_step + n.offset) * 120), end)
        for n, end in _ends(sequence)
    )
    assert [note[:-1] for note in found] == [note[:-1] for note in expected]
    # The tempo is written in whole microseconds a quarter note.
    ends = [note[-1] for note in found]
    assert ends == pytest.approx([note[-1] for note in expected], rel=1e-4)


def _ends(sequence):
    """Each note with the tick of its end: a step has 120, and the next of its pitch may cut it."""
    for i, note in enumerate(sequence.notes):
        later = [
            round((other.start_step + other.offset) * 120)
            for other in sequence.notes[i + 1 :]
            if (other.pitch, other.program, other.is_drum)
            == (note.pitch, note.program, note.is_drum)
        ]
        yield note, min([note.end_step * 120, *later])


def test_equal_music_is_equal_bytes():
    made = {"seed": 3, "model": "melody-2bar"}
    again = dict(reversed(made.items()))
    assert midi.write(MELODY, provenance=made) == midi.write(MELODY, provenance=again)


def test_a_clip_says_how_it_was_made():
    made = {"model": "melody-2bar", "seed": 2**62, "recipe": {"temperature": 0.5, "name": "Ü"}}
    data = midi.write(MELODY, name="clip", provenance=made)
    assert midi.read_provenance(data) == made
    texts = [m.text for m in mido.MidiFile(file=io.BytesIO(data)).tracks[0] if m.type == "text"]
    assert [json.loads(text) for text in texts] == [{"musicvae": made}]


@pytest.mark.parametrize(
    "text",
    [b"hello", b"{}", b"[1]", b'{"musicvae": 3}', b"\xff\xfe", b"[" * 100_000, b'{"a": NaN'],
)
def test_text_of_another_make_is_no_provenance(text):
    size = struct.pack("BBB", 0x80 | len(text) >> 14, 0x80 | len(text) >> 7 & 127, len(text) & 127)
    data = smf(b"\x00\xff\x01" + size + text + NOTE + END)
    assert midi.read_provenance(data) is None
    assert midi.read_tracks(data).text == (text.decode(errors="replace"),)


def test_silence_at_the_end_is_kept():
    assert midi.read(midi.write(MELODY)).length_steps == 48
    empty = NoteSequence((), 32, meter=Meter(2, 4))
    assert midi.read(midi.write(empty)) == empty


def test_notes_of_one_pitch_do_not_run_into_each_other():
    notes = (Note(0, 60, 8), Note(4, 60, 6), Note(4, 60, 12), Note(12, 60, 14))
    read = midi.read(midi.write(NoteSequence(notes, 16)))
    assert read.notes == (Note(0, 60, 4), Note(4, 60, 12), Note(12, 60, 14))


def test_too_many_programs_are_refused():
    notes = tuple(Note(0, 60, 4, program=program) for program in range(15))
    assert len(midi.read_tracks(midi.write(NoteSequence(notes, 16))).tracks) == 15
    notes = (*notes, Note(0, 60, 4, program=15))
    with pytest.raises(MidiError, match=r"16 programs.*at most 15"):
        midi.write(NoteSequence(notes, 16))


@pytest.mark.parametrize("qpm", [3.0, 2e6])
def test_a_tempo_that_midi_cannot_hold_is_refused(qpm):
    with pytest.raises(MidiError, match="tempo") as caught:
        midi.write(replace(MELODY, qpm=qpm))
    assert caught.value.field == "qpm"


# Reading


def test_tracks_keep_their_names_programs_and_length():
    melody = b"\x00\xff\x03\x04Lead\x00\xc0\x05" + NOTE + END
    drums = b"\x00\xff\x03\x04Kit!\x00\x99\x24\x64\x8f\x00\x89\x24\x00" + END  # four quarter notes
    file = midi.read_tracks(smf(melody, drums))
    assert [(t.name, t.notes.notes) for t in file.tracks] == [
        ("Lead", (Note(0, 60, 4, 64, 5),)),
        ("Kit!", (Note(0, 36, 16, 100, 0, is_drum=True),)),
    ]
    assert {t.notes.length_steps for t in file.tracks} == {file.length_steps} == {16}


def test_onsets_are_put_on_the_grid_and_keep_their_offset():
    events = (
        b"\x0a\x90\x3c\x40\x14\x80\x3c\x00\x54\x90\x3e\x40\x81\x70\x80\x3e\x00"  # 10-30, 114-354
    )
    (track,) = midi.read_tracks(smf(events + END)).tracks
    assert track.notes.notes == (
        Note(0, 60, 1, 64, offset=10 / 120),
        Note(1, 62, 3, 64, offset=-6 / 120),
    )


def test_a_note_of_no_length_gets_one_step():
    assert midi.read(smf(b"\x00\x90\x3c\x40\x00\x80\x3c\x00" + END)).notes == (Note(0, 60, 1, 64),)


def test_changes_of_tempo_move_nothing():
    change = b"\x00\xff\x51\x03\x01\x00\x00"
    plain, changed = (
        midi.read(smf(NOTE + NOTE + END)),
        midi.read_tracks(smf(NOTE + change + NOTE + END)),
    )
    assert changed.tracks[0].notes.notes == plain.notes
    assert changed.qpm == round(60e6 / 65536, 2)


METER_3, METER_4 = (b"\x00\xff\x58\x04" + bytes([beats, 2, 24, 8]) for beats in (3, 4))
METER_2 = b"\x00\xff\x58\x04\x02\x02\x18\x08"
METER_1 = b"\x00\xff\x58\x04\x01\x02\x18\x08"


def bars_of(music):
    return [(bar.start_step, str(bar.meter)) for bar in music.bars]


@pytest.mark.parametrize(
    ("track", "bars"),
    [
        (NOTE * 8, [(0, "4/4"), (16, "4/4")]),
        (METER_1 + NOTE + METER_4 + NOTE * 8, [(0, "1/4"), (4, "4/4"), (20, "4/4")]),
        (METER_4 + NOTE * 4 + METER_2 + NOTE * 2 + METER_4 + NOTE * 4,
         [(0, "4/4"), (16, "2/4"), (24, "4/4")]),
        (METER_4 + NOTE * 8 + METER_3 + NOTE * 6,
         [(0, "4/4"), (16, "4/4"), (32, "3/4"), (44, "3/4")]),
        (METER_3 + NOTE + METER_4 + NOTE + METER_3 + NOTE * 2,
         [(0, "3/4"), (4, "4/4"), (8, "3/4")]),
    ],
    ids=["one meter", "pickup", "a bar of 2/4", "change", "short bars"],
)  # fmt: skip
def test_bars_are_those_of_the_data_pipeline(track, bars):
    data = smf(track + END)
    music = midi.read(data)
    assert bars_of(music) == bars
    assert bars_of(midi.read_tracks(data).tracks[0].notes) == bars
    piece = read_piece(data, "midi", {})
    if not piece.missing_meter:
        assert (piece.bar_lines * 4).tolist() == [*(step for step, _ in bars), music.length_steps]
    assert midi.read(midi.write(music)) == music


def test_a_pickup_that_accents_show_is_a_bar():
    notes = tuple(Note(i * 4, 60, i * 4 + 4, 100 if i % 4 == 1 else 60) for i in range(41))
    music = midi.read(midi.write(NoteSequence(notes, 164)))
    assert bars_of(music)[:3] == [(0, "4/4"), (4, "4/4"), (20, "4/4")]
    assert (music.notes, music.length_steps) == (notes, 164)


def test_a_short_bar_off_the_grid_moves_no_later_bar_off_it():
    wait = b"\x50\xff\x01\x00"  # 80 ticks: two thirds of a step
    data = smf(METER_4 + NOTE * 4 + NOTE + wait + METER_3 + NOTE * 3 + END)
    music = midi.read(data)
    assert bars_of(music) == [(0, "4/4"), (16, "4/4"), (21, "3/4")]
    assert [note.start_step for note in music.notes] == [0, 4, 8, 12, 16, 21, 25, 29]
    assert {note.offset for note in music.notes} == {0}


def test_a_window_keeps_the_bars_it_is_cut_from():
    music = midi.read(smf(METER_4 + NOTE * 4 + METER_2 + NOTE * 2 + METER_4 + NOTE * 8 + END))
    third = music.bars[2]
    cut = music.window(third.start_step, 32)
    assert (cut.meter, cut.bar_changes) == (Meter(), ())
    assert bars_of(music.window(0, 32)) == [(0, "4/4"), (16, "2/4"), (24, "4/4")]
    assert bars_of(music.window(8, 40)) == [(0, "4/4"), (8, "2/4"), (16, "4/4"), (32, "4/4")]
    assert bars_of(music.window(16, 8)) == [(0, "2/4")]


def test_a_bar_of_no_whole_number_of_steps_fills_its_quarter_note():
    file = midi.read_tracks(
        smf(b"\x00\xff\x58\x04\x05\x05\x18\x08" + NOTE + b"\x00\x90\x3c\x40\x78\x80\x3c\x00" + END)
    )
    assert file.meter == Meter(5, 32)
    assert file.length_steps == 8


def test_a_path_does_as_well_as_bytes(tmp_path):
    path = tmp_path / "x.mid"
    path.write_bytes(midi.write(MELODY))
    assert midi.read(path) == midi.read(str(path)) == MELODY
    path.write_bytes(b"no music")
    with pytest.raises(MidiError, match=r"x\.mid: 8 bytes that start with"):
        midi.read(path)


def test_overlapping_notes_of_one_pitch_end_in_order():
    events = b"\x00\x90\x3c\x40\x78\x90\x3c\x41\x78\x80\x3c\x00\x78\x80\x3c\x00"
    assert midi.read(smf(events + END)).notes == (Note(0, 60, 2, 64), Note(1, 60, 3, 65))


def test_a_note_without_its_note_off_ends_with_its_track():
    notes = midi.read(smf(b"\x00\x90\x40\x40" + NOTE + END)).notes
    assert notes == (Note(0, 60, 4, 64), Note(0, 64, 4, 64))


@settings(max_examples=30)
@given(sequences())
def test_pretty_midi_writes_what_we_read(arguments):
    sequence = NoteSequence(**arguments)
    oracle = pretty_midi.PrettyMIDI(initial_tempo=120, resolution=480)
    parts = {}
    for note in sequence.notes:
        part = parts.setdefault(
            (note.is_drum, note.program), pretty_midi.Instrument(note.program, note.is_drum)
        )
        start_s, end_s = (note.start_step + note.offset) / 8, note.end_step / 8
        part.notes.append(pretty_midi.Note(note.velocity, note.pitch, start_s, end_s))
    oracle.instruments.extend(parts.values())
    stream = io.BytesIO()
    oracle.write(stream)
    read = midi.read(stream.getvalue()).notes
    assert [replace(n, offset=round(n.offset, 2)) for n in read] == [
        replace(n, offset=round(n.offset, 2)) for n in sequence.notes
    ]
