import random

import pytest

from musicvae.data_pipeline.readers.patterns import read_pattern
from musicvae.data_pipeline.readers.piece import MeterChange
from musicvae.errors import ScoreError
from musicvae.music.notes import Meter

NAMESPACE = ' xmlns="http://www.hydrogen-music.org/drumkit_pattern"'


def note_xml(position, kind="Kick", instrument=0, velocity=0.8, late=0, off="false"):
    return (
        f"<note><position>{position}</position><leadlag>{late}</leadlag>"
        f"<velocity>{velocity}</velocity><instrument>{instrument}</instrument>"
        f"<type>{kind}</type><note_off>{off}</note_off></note>"
    )


def pattern_xml(*notes, size=192, more="", namespace=NAMESPACE):
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<drumkit_pattern{namespace}>'
        f"<drumkit_name>GMRockKit</drumkit_name><pattern><name>Beat</name>{more}"
        f"<size>{size}</size><noteList>{''.join(notes)}</noteList></pattern></drumkit_pattern>"
    ).encode()


def first_turn(data):
    """Onset in quarter notes, key and velocity of the hits of the first turn."""
    (part,) = read_pattern(data).parts
    half = len(part.onsets) // 2
    columns = (part.onsets[:half], part.pitches[:half], part.velocities[:half])
    return list(zip(*(column.tolist() for column in columns), strict=True))


def test_a_pattern_is_two_turns_of_drums():
    piece = read_pattern(pattern_xml(note_xml(0), note_xml(96, "Snare", 2, 0.5)))
    (part,) = piece.parts
    assert (part.name, part.is_drum) == ("Beat", True)
    assert part.onsets.tolist() == [0, 2, 4, 6]
    assert part.pitches.tolist() == [36, 38, 36, 38]
    assert part.velocities.tolist() == [102, 64, 102, 64]
    assert piece.bar_lines.tolist() == [0, 4, 8]
    assert piece.meters == (MeterChange(0, Meter()),)


def test_instruments_go_by_their_type_or_else_by_their_number():
    notes = [
        note_xml(0, "Hi-hat Open", 3),
        note_xml(12, "", 0),
        note_xml(24, "Unheard of", 2),
        note_xml(36, "Crash", 99),
    ]
    assert [key for _, key, _ in first_turn(pattern_xml(*notes))] == [46, 36, 38, 49]
    with pytest.raises(ScoreError, match="the instrument 99"):
        read_pattern(pattern_xml(note_xml(0, "Unheard of", 99)))


def test_lead_and_lag_move_a_hit_by_five_positions_at_most():
    notes = [note_xml(0, late=-1), note_xml(48, late=1), note_xml(96, late=0.5), note_xml(144)]
    (part,) = read_pattern(pattern_xml(*notes)).parts
    # What is early on the first beat is heard before the second turn.
    expected = [0, 53, 98.5, 144, 187, 192 + 53, 192 + 98.5, 192 + 144]
    assert (48 * part.onsets).tolist() == pytest.approx(expected)


def test_hits_are_ordered_and_sound_once():
    notes = [note_xml(96, "Snare"), note_xml(0, velocity=0.2), note_xml(0, velocity=0.9)]
    assert first_turn(pattern_xml(*notes)) == [(0, 36, 114), (2, 38, 102)]


def test_what_does_not_sound_is_left_out():
    notes = [note_xml(0), note_xml(-1), note_xml(192), note_xml(48, off="true")]
    assert len(first_turn(pattern_xml(*notes))) == 1
    assert read_pattern(pattern_xml()).parts == ()


@pytest.mark.parametrize(
    ("size", "meter", "bars"),
    [
        (192, Meter(4, 4), 2),
        (384, Meter(4, 4), 4),
        (144, Meter(3, 4), 2),
        (240, Meter(5, 4), 2),
        (168, Meter(7, 8), 2),
        (180, Meter(15, 16), 2),
    ],
)
def test_the_size_is_the_meter(size, meter, bars):
    piece = read_pattern(pattern_xml(note_xml(0), size=size))
    assert piece.meters == (MeterChange(0, meter),)
    assert len(piece.bar_lines) == bars + 1


def test_three_quarter_notes_in_thirds_are_four_beats_of_a_shuffle():
    shuffle = pattern_xml(*(note_xml(position) for position in (0, 24, 36, 60, 72, 108)), size=144)
    assert read_pattern(shuffle).meters == (MeterChange(0, Meter()),)
    assert [onset for onset, *_ in first_turn(shuffle)] == pytest.approx([0, 2 / 3, 1, 5 / 3, 2, 3])
    waltz = pattern_xml(*(note_xml(position) for position in (0, 48, 96)), size=144)
    assert read_pattern(waltz).meters == (MeterChange(0, Meter(3, 4)),)


def test_a_size_of_no_whole_16ths_is_no_meter():
    piece = read_pattern(pattern_xml(note_xml(0), size=100))
    assert (piece.meters, piece.missing_meter) == ((), "a pattern of 100 positions")


@pytest.mark.parametrize(
    ("more", "style"),
    [
        ("", ""),
        ("<category>not_categorized</category>", ""),
        ("<category>Rock</category>", "rock"),
        ("<tags><tag>Afro</tag><tag>Cuban</tag></tags><category>Latin</category>", "afro"),
    ],
)
def test_the_first_tag_or_the_category_is_the_style(more, style):
    assert read_pattern(pattern_xml(note_xml(0), more=more)).style == style


def test_files_without_a_namespace_are_read():
    assert first_turn(pattern_xml(note_xml(0), namespace="")) == [(0, 36, 102)]


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"<drumkit_pattern>", "damaged XML"),
        (b"<drumkit_pattern/>", "no pattern"),
        (pattern_xml(size=0), "a size of 0"),
        (pattern_xml(size=10**7), "a size of"),
        (pattern_xml(size="big"), "size='big'"),
        (pattern_xml(note_xml("nan")), "position='nan'"),
        (pattern_xml(note_xml(0, velocity="1e999")), "velocity="),
    ],
)
def test_what_is_no_pattern_is_refused(data, found):
    with pytest.raises(ScoreError, match=found):
        read_pattern(data)


def test_mutated_patterns_are_read_or_refused():
    chance = random.Random(0)
    whole = pattern_xml(note_xml(0), note_xml(48, "Snare", late=0.5), more="<category>R</category>")
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            piece = read_pattern(bytes(data))
        except ScoreError:
            continue
        for part in piece.parts:
            assert (part.onsets >= 0).all() and (part.ends > part.onsets).all()
