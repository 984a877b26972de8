from dataclasses import replace

import matplotlib.image
import numpy as np
import pytest

from musicvae.music.notes import Meter, Note, NoteSequence
from musicvae.report import plots

MELODY = NoteSequence(tuple(Note(i * 4, 60 + i, i * 4 + 3) for i in range(8)), 32)
SILENCE = NoteSequence((), 32)
COLOUR = np.array([0x20, 0x66, 0xA8])  # of the first part


def read(path):
    return (matplotlib.image.imread(path, format="png")[..., :3] * 255).round().astype(int)


def is_note(image):
    """Where the picture has the colour of notes, up to soft edges."""
    return (np.abs(image - COLOUR).sum(axis=-1) < 40).sum()


def test_a_picture_shows_the_notes(tmp_path):
    plots.piano_rolls([MELODY], tmp_path / "a.png")
    plots.piano_rolls([SILENCE], tmp_path / "b.png")
    short = replace(MELODY, notes=MELODY.notes[:4])
    plots.piano_rolls([short], tmp_path / "c.png")
    notes, silence, half = (is_note(read(tmp_path / f"{name}.png")) for name in "abc")
    assert silence == 0
    assert notes > half > 100


def test_a_note_is_where_it_sounds(tmp_path):
    low = NoteSequence((Note(0, 60, 4),), 16)
    high = NoteSequence((Note(12, 72, 16),), 16)
    plots.piano_rolls([low, high], tmp_path / "a.png")
    image = read(tmp_path / "a.png")
    rows, columns = np.nonzero(np.abs(image - COLOUR).sum(axis=-1) < 40)
    is_left = columns < image.shape[1] / 2
    # The range of pitches is the same for both rolls: the low note stands below the high one.
    assert rows[is_left].min() > rows[~is_left].max()
    # The one starts at the left edge of its roll, the other ends at the right edge of its own.
    assert columns[is_left].max() < image.shape[1] / 4
    assert columns[~is_left].min() > image.shape[1] * 3 / 4


def test_equal_music_is_an_equal_file(tmp_path):
    for name in "ab":
        plots.piano_rolls(
            [MELODY, SILENCE], tmp_path / name, titles=["one", "two"], suptitle="Both"
        )
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert b"matplotlib" not in (tmp_path / "a").read_bytes()


def test_a_picture_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"an older picture")
    plots.piano_rolls([MELODY], path)
    assert [each.name for each in tmp_path.iterdir()] == ["a.png"]
    assert read(path).shape[2] == 3
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(IsADirectoryError):
        plots.piano_rolls([MELODY], folder)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.png", "folder"]


PARTS = tuple(
    sorted(
        [Note(0, 72, 4, 127), Note(4, 40, 8, 30, 33), Note(8, 36, 9, 90, is_drum=True, offset=-0.3)]
    )
)


@pytest.mark.parametrize(
    "sequences",
    [
        [],
        [NoteSequence((), 0)],
        [NoteSequence(PARTS, 16)] * 3,
        [NoteSequence((Note(0, 0, 1), Note(0, 127, 1)), 1)],
        [NoteSequence(MELODY.notes, 36, meter=Meter(3, 8)), SILENCE],
        [NoteSequence(MELODY.notes, 32, meter=Meter(5, 32))],
        [NoteSequence(MELODY.notes, 16 * 300)],
        [NoteSequence(MELODY.notes, 16 * 16)] * 2,
        [MELODY] * 60,
    ],
    ids=["none", "no steps", "trio", "all pitches", "3/8", "5/32", "long", "16 bars", "many"],
)
def test_any_music_has_a_picture(sequences):
    image = plots.piano_roll_image(sequences)
    assert image.dtype == np.uint8
    assert image.shape[0] == 3
    assert max(image.shape) < 8000
    assert image.min() < 255 or not sequences


def test_an_image_is_the_same_picture_smaller(tmp_path):
    path = tmp_path / "a.png"
    plots.piano_rolls([MELODY] * 3, path)
    image = plots.piano_roll_image([MELODY] * 3)
    share = plots.IMAGE_DOTS_PER_INCH / plots.DOTS_PER_INCH
    assert image.shape[1:] == pytest.approx(np.array(read(path).shape[:2]) * share, abs=1)
    assert is_note(image.transpose(1, 2, 0).astype(int)) > 100


def test_a_title_is_drawn_over_its_roll():
    plain, titled = plots.piano_roll_image([MELODY]), plots.piano_roll_image([MELODY], titles=["A"])
    assert titled.shape[1] > plain.shape[1]


def test_a_soft_note_is_paler_than_a_loud_one():
    darkness = [
        (255 - plots.piano_roll_image([NoteSequence((Note(0, 60, 16, v),), 16)]).astype(int)).sum()
        for v in (20, 50, 80)
    ]
    assert darkness == sorted(darkness)
    assert darkness[0] < darkness[1] < darkness[2]
