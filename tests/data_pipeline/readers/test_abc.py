import random

import pytest

from musicvae.data_pipeline.grid.grid import put_on_grid
from musicvae.data_pipeline.readers.abc import read_abc
from musicvae.data_pipeline.readers.piece import KeyChange, MeterChange, TempoChange
from musicvae.errors import ScoreError
from musicvae.music.chords import QUALITIES
from musicvae.music.notes import Key, Meter

HEAD = b"X:1\nT:Test\nM:4/4\nL:1/8\nK:G\n"


def notes_of(body, head=HEAD):
    """Onset, pitch and end of each note, in 16ths."""
    (part,) = read_abc(head + body).parts
    columns = ((4 * part.onsets).tolist(), part.pitches.tolist(), (4 * part.ends).tolist())
    return list(zip(*columns, strict=True))


def chords_of(body):
    """Onset, root, quality and bass of each chord."""
    line = read_abc(HEAD + body).chords
    if line is None:
        return None
    names = [list(QUALITIES)[each] if each >= 0 else None for each in line.qualities]
    return list(
        zip(line.onsets.tolist(), line.roots.tolist(), names, line.basses.tolist(), strict=True)
    )


def test_pitches_follow_the_key_and_accidentals():
    assert [pitch for _, pitch, _ in notes_of(b"F ^c c =c C, c'|]\n")] == [66, 73, 73, 72, 48, 84]


def test_an_accidental_holds_to_the_bar_line():
    assert [pitch for _, pitch, _ in notes_of(b"=F2 F2 F4|F8|]\n")] == [65, 65, 65, 66]


def test_lengths_rests_and_broken_rhythm():
    assert notes_of(b"G2 z A/ A3/2 B>c|]\n") == [
        (0, 67, 4),
        (6, 69, 7),
        (7, 69, 10),
        (10, 71, 13),
        (13, 72, 14),
    ]


def test_a_tie_makes_one_note_across_the_bar_line():
    assert notes_of(b"G6 G2-|G2 G6|]\n") == [(0, 67, 12), (12, 67, 20), (20, 67, 32)]


def test_grace_notes_are_left_out():
    assert notes_of(b"{ag}A4 B4|]\n") == [(0, 69, 8), (8, 71, 16)]


def test_repeats_are_not_played_twice():
    (part,) = (piece := read_abc(HEAD + b"|:G8|A8:|[1B8:|[2c8|]\n")).parts
    assert part.pitches.tolist() == [67, 69, 71, 72]
    assert piece.bar_lines.tolist() == [0, 4, 8, 12, 16]


def test_triplets_are_exact_and_fit_a_grid_of_twelve():
    piece = read_abc(HEAD + b"(3GAB c6|(3GAB c6|]\n")
    assert piece.parts[0].onsets[:4].tolist() == [0, 1 / 3, 2 / 3, 1]
    four, twelve = (put_on_grid([piece], Meter(), steps)[0].parts[0] for steps in (4, 12))
    assert four.offsets[:4].tolist() == pytest.approx([0, 1 / 3, -1 / 3, 0])
    assert twelve.starts[:4].tolist() == [0, 4, 8, 12]
    assert not twelve.offsets.any()


def test_a_measure_of_a_strange_length_moves_nothing_off_the_grid():
    piece = read_abc(HEAD + b"(3GAB (3GAB G/3|G8|]\n")
    (grid,) = put_on_grid([piece], Meter(), 4)
    assert grid.bar_steps.tolist() == [0, 9, 25]
    assert (grid.parts[0].starts[-1], grid.parts[0].ends[-1]) == (9, 25)


def test_pickup_meter_key_and_tempo():
    piece = read_abc(b"X:1\nT:Test\nM:C|\nL:1/4\nQ:1/2=80\nK:Em\nB|GABc|d4|]\n")
    assert piece.meters == (MeterChange(0, Meter(2, 2)),)
    assert piece.bar_lines.tolist() == [0, 1, 5, 9]
    assert piece.keys == (KeyChange(0.0, Key(4, is_minor=True)),)
    assert piece.tempos == (TempoChange(0.0, 160.0),)


def test_a_mode_that_is_not_major_or_minor_is_no_key():
    assert read_abc(HEAD.replace(b"K:G", b"K:Ador") + b"A8|]\n").keys == ()


def test_changes_of_meter_and_key_are_told():
    piece = read_abc(HEAD + b"G8|G8|\nM:3/4\nK:Dm\nG6|[M:4/4]G8|]\n")
    assert piece.meters == (
        MeterChange(0, Meter()),
        MeterChange(2, Meter(3, 4)),
        MeterChange(3, Meter()),
    )
    assert piece.keys == (KeyChange(0.0, Key(7)), KeyChange(8.0, Key(2, is_minor=True)))
    assert piece.bar_lines.tolist() == [0, 4, 8, 11, 15]


def test_fields_within_a_line_are_no_notes():
    assert notes_of(b"G4 [K:D]c4|[L:1/4][r:or not]G4|]\n") == [
        (0, 67, 8),
        (8, 73, 16),
        (16, 67, 32),
    ]
    piece = read_abc(HEAD + b"[V:1]G8|\n[V:2]C,8|\n[V:1]A8|\n")
    assert [part.pitches.tolist() for part in piece.parts] == [[67, 69], [48]]


def test_voices_that_the_head_lists_share_its_fields():
    head = HEAD.replace(b"K:G\n", b"V:1\nV:2 merge\nK:D\n")
    piece = read_abc(head + b"[V:1]F8|\n[V:2]C,8|\n")
    assert [(part.name, part.pitches.tolist()) for part in piece.parts] == [
        ("1", [66]),
        ("2", [49]),
    ]
    assert piece.keys == (KeyChange(0.0, Key(2)),)
    assert piece.meters == (MeterChange(0, Meter()),)


def test_invisible_rests_are_rests():
    assert notes_of(b'"Dm"x4 x2 G2|x8|!x!G8|]\n') == [(12, 67, 16), (32, 67, 48)]


@pytest.mark.parametrize(
    "mark",
    [
        *("H", "T", "~", "S", "O", "P", "L", "M", "u", "v", ".", ".H", "Tu", "J", "q"),
        *("+trill+", "+f+", "+ffff+", "+D.C.+", "+D.C.alfine+", "+crescendo(+", "+accent+"),
        *("+>+", "+<(+", "+>)+", "+.+", "+^+", "+1+", "+//+"),
    ],
)
def test_letters_before_a_note_change_nothing_of_it(mark):
    body = mark.join(["", "^c4 c2 ", '"Am"B2|', "A2 ", "x2 ", "(3GAB ", "{a}G2|", "[GB]8|]\n"])
    assert notes_of(body.encode()) == notes_of(body.replace(mark, "").encode())


def test_letters_before_a_bar_line_or_in_a_field_are_no_marks():
    piece = read_abc(HEAD + b"G8H::G8H:|\n M:3/4\nG6H|]\n")
    assert piece.bar_lines.tolist() == [0, 4, 8, 11]
    assert piece.meters == (MeterChange(0, Meter()), MeterChange(2, Meter(3, 4)))


def test_wide_spaces_are_no_notes():
    assert notes_of(b'G4 y2 A4|"D"y/2B8 y|]\n') == [(0, 67, 8), (8, 69, 16), (16, 71, 32)]
    assert chords_of(b'G8|"D"y2 B8|]\n') == [(4, 2, "maj", 2)]


def test_rests_of_whole_measures_are_as_long_as_these():
    assert notes_of(b"G8|Z2|A8|X|B8|]\n") == [(0, 67, 16), (48, 69, 64), (80, 71, 96)]
    waltz = HEAD.replace(b"4/4", b"3/4")
    assert notes_of(b'"Dm"Z|"Z2"G6|Z3|[M:4/4]Z|A8|]\n', waltz) == [(12, 67, 24), (76, 69, 92)]
    assert chords_of(b'"Dm"Z|"G"Z2|A8|]\n') == [(0, 2, "min", 2), (4, 7, "maj", 7)]


def test_without_a_meter_only_measures_of_four_quarter_notes_show_one():
    free = HEAD.replace(b"M:4/4", b"M:none")
    assert read_abc(free + b"G8|\n").missing_meter
    assert read_abc(free + b"G6|" * 8 + b"\n").missing_meter
    assert read_abc(HEAD.replace(b"M:4/4\n", b"") + b"G8|" * 3 + b"G6|" * 3 + b"\n").missing_meter
    shown = read_abc(free + b"G2|" + b"G8|" * 6 + b"G6|]\n")
    assert shown.missing_meter == ""
    assert shown.meters == (MeterChange(0, Meter()),)


def test_chord_symbols_are_the_chords():
    assert chords_of(b'"Am7"A4 "D/F#"B4|"N.C."G4 z2 "G"G2|]\n') == [
        (0, 9, "min7", 9),
        (2, 2, "maj", 6),
        (4, -1, None, -1),
        (7, 7, "maj", 7),
    ]


def test_a_chord_that_gives_way_at_once_is_none():
    assert chords_of(b'"C""N.C."G8|A8|]\n') is None
    assert chords_of(b'"C""N.C."G8|"D"A8|]\n') == [(0, -1, None, -1), (4, 2, "maj", 2)]


def test_text_over_a_note_is_no_chord():
    assert chords_of(b'"^slowly"A4 "_Fine"B4|"D.C."G8|]\n') is None


def test_a_tune_ends_at_an_empty_line():
    assert notes_of(b"G8|]\n\nNotes about a bad cage, for the editor.\n") == [(0, 67, 16)]


def test_voices_are_parts_and_only_the_first_tells_the_meter():
    piece = read_abc(HEAD + b"V:1\nG8|A8|\nV:2\nC,8|D,8|\nV:1\nB8|\n")
    assert [(part.name, len(part.onsets)) for part in piece.parts] == [("1", 3), ("2", 2)]
    assert len(piece.meters) == len(piece.keys) == 1


def test_rests_of_whole_measures_fit_the_meter_in_every_voice():
    waltz = HEAD.replace(b"4/4", b"3/4")
    piece = read_abc(waltz + b"V:1\nG6|A6|B6|]\nV:2\nZ|C,6|Z|]\n")
    assert piece.bar_lines.tolist() == [0, 3, 6, 9]
    assert [part.onsets.tolist() for part in piece.parts] == [[0, 3, 6], [3]]


def test_a_voice_of_rests_adds_no_meters():
    rests = b"V:1\nz8|z8|[M:3/4]z6|z6|[M:4/4]z8|]\n"
    notes = b"V:2\nG8|G8|[M:3/4]G6|G6|[M:4/4]G8|]\n"
    piece = read_abc(HEAD + rests + notes)
    assert [change.bar for change in piece.meters] == [0, 2, 4]
    assert piece.bar_lines.tolist() == [0, 4, 8, 11, 14, 18]


def test_a_voice_after_the_first_may_hold_the_chords():
    assert chords_of(b'V:1\nG8|]\nV:2\n"G"G,8|]\n') == [(0, 7, "maj", 7)]


def test_a_voice_of_rests_may_hold_the_chords():
    chords = b'V:1\n"G"x8|"D"x8|]\n'
    assert chords_of(chords + b"V:2\nG8|A8|]\n") == [(0, 7, "maj", 7), (4, 2, "maj", 2)]
    assert chords_of(chords + b'V:2\n"C"G8|A8|]\n') == [(0, 0, "maj", 0)]


def test_chords_sound_together():
    assert notes_of(b"[GBd]4 z4|]\n") == [(0, 67, 8), (0, 71, 8), (0, 74, 8)]
    assert notes_of(b"+GBd+4 z4|]\n") == notes_of(b"[GBd]4 z4|]\n")
    assert notes_of(b"+GB+z+GB+z5|]\n") == notes_of(b"[GB]z[GB]z5|]\n")


def test_a_tie_within_a_chord_is_that_notes_alone():
    assert notes_of(b"[GB]4-[GB]4|]\n") == [(0, 67, 16), (0, 71, 16)]
    assert notes_of(b"[G-B]4[GB]4|]\n") == [(0, 67, 16), (0, 71, 8), (8, 71, 16)]
    assert notes_of(b"[GB-]8|B4 G4|]\n") == [(0, 67, 16), (0, 71, 24), (24, 67, 32)]
    assert notes_of(b"[GB-]4 B4-|B4 z4|]\n") == [(0, 67, 8), (0, 71, 24)]


@pytest.mark.parametrize("body", ['"Am"[GB-]4 "C"[GB]4', "[zGB-]4 [GB]4", "!f![G!p!B-]4 [GB]4"])
def test_a_tie_within_a_chord_is_found_beside_all_else(body):
    assert notes_of(f"{body}|]\n".encode()) == [(0, 67, 8), (0, 71, 16), (8, 67, 16)]


def test_other_encodings_and_line_ends_are_read():
    head = HEAD.replace(b"Test", "Café".encode("latin-1"))
    assert notes_of(b"G8|]\r\n", head.replace(b"\n", b"\r\n")) == [(0, 67, 16)]
    assert notes_of(b"G8|]\r", head.replace(b"\n", b"\r")) == [(0, 67, 16)]
    assert notes_of(b"G8|]\n", b"\xef\xbb\xbf" + HEAD) == [(0, 67, 16)]


def test_a_tune_without_a_key_is_refused():
    with pytest.raises(ScoreError, match="without a key"):
        read_abc(b"X:1\nT:Test\nM:4/4\nG8|]\n")


def test_an_impossible_meter_is_refused():
    with pytest.raises(ScoreError, match="meter 4/5"):
        read_abc(HEAD.replace(b"4/4", b"4/5") + b"G8|]\n")


def test_mutated_tunes_are_read_or_refused():
    chance = random.Random(0)
    tune = HEAD + b'|:(3GAB {c}d2 "Am"[ce]>f|^G-G z4 _A/ =B3/2|1 c8:|2 d8|]\n'
    read = 0
    for _ in range(400):
        data = bytearray(tune)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            piece = read_abc(bytes(data))
        except ScoreError:
            continue
        read += bool(piece.parts)
        assert sorted(set(piece.bar_lines.tolist())) == piece.bar_lines.tolist()
        for part in piece.parts:
            assert (part.ends > part.onsets).all()
    assert read > 100


FIELDS = [
    ("K:D Phr ^f", "ffee", [78, 78, 75, 75]),
    ("K:D exp _b _e ^f", "BEf=f", [70, 63, 78, 77]),
    ("K:D exp ^f", "=ff|f", [77, 77, 78]),
    ("K:Cloc", "CDEG", [60, 61, 63, 66]),
    ("K:bass", "CFB", [60, 65, 71]),
    ("K:C transpose=-2", "c", [70]),
    ("K:C octave=1", "C", [72]),
    ("K:C\nV:1 octave=-1", "c", [60]),
]


@pytest.mark.parametrize(("field", "music", "pitches"), FIELDS)
def test_keys_and_clefs_are_read_by_the_standard(field, music, pitches):
    (part,) = read_abc(f"X:1\nM:4/4\nL:1/4\n{field}\n{music}|]\n".encode()).parts
    assert part.pitches.tolist() == pitches


def test_an_overlay_begins_with_its_measure():
    piece = read_abc(b"X:1\nM:4/4\nL:1/8\nK:C\nc8 & E8|c8|]\n")
    assert [part.onsets.tolist() for part in piece.parts] == [[0, 4], [0]]
    assert piece.bar_lines.tolist() == [0, 4, 8]


def test_a_tempo_with_spaces_and_a_meter_of_a_sum():
    piece = read_abc(b"X:1\nM:2+3/8\nL:1/8\nQ:1/4 = 120\nK:C\nCDEFG|ABcde|]\n")
    assert (str(piece.meters[0].meter), piece.tempos[0].qpm) == ("5/8", 120)


def test_what_is_not_understood_is_refused():
    for tune in (
        b"X:1\nM:2+x/8\nK:C\nC|]\n",
        b"X:1\nM:4/4\nK:C\n(&C|]\n",
        b"X:1\nM:4/4\nK:Bn\nC|]\n",
    ):
        with pytest.raises(ScoreError):
            read_abc(tune)
