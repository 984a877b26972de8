"""Progressions of a training set that a prior keeps."""

import numpy as np
from hand_made import table_of, write_set

from musicvae.data.progressions import MOST_PROGRESSIONS, find_progressions
from musicvae.data.shards import load
from musicvae.music import progressions
from musicvae.music.notes import NoteSequence
from musicvae.representation import Melody, Trio

TRIO = Trio(bars=2, chords=True)


def examples_of(folder, texts, **columns):
    """A set of silent trios over chords; every split is the same."""
    sheets = [
        NoteSequence(
            (), 32, chords=progressions.lay_out(progressions.parse(each), bars=2, steps_per_bar=16)
        )
        for each in texts
    ]
    events = np.stack([TRIO.to_tensor(sheet) for sheet in sheets])
    tables = {split: table_of(events, **columns) for split in ("train", "validation", "test")}
    write_set(folder, TRIO, tables)
    return load(folder, "train")


def written(found):
    """The kept progressions as text, with their modes."""
    for mode, *cells in found.tolist():
        events = np.zeros((32, 5), np.int16)
        events[:, 3:] = np.array(cells, np.int16).reshape(-1, 2).repeat(8, axis=0)
        chords = TRIO.to_notes(events).chords
        yield mode, progressions.write(chords, bars=2, steps_per_bar=16)


def test_progressions_are_relative_to_their_keys(tmp_path):
    texts = ["G Am/C | D7 G", "Em Am | B7 Em", "Eb | Ab Bb7 . . . . . ."]
    examples = examples_of(
        tmp_path, texts, tonic=[7, 4, 3], is_minor=[False, True, False], start_bar=[0, 4, 8]
    )
    found = find_progressions(examples, TRIO, seed=0)
    assert sorted(written(found)) == [
        (0, "C Dm/F | G7 C"),
        (0, "C | G7"),  # the longest chord of each half bar
        (1, "Cm Fm | G7 Cm"),
    ]
    again = find_progressions(examples, TRIO, seed=0)
    assert np.array_equal(found, again)


def test_only_phrases_that_show_their_key_are_kept_one_a_piece(tmp_path):
    texts = ["C | F G7", "C | G7 C", "N.C. | C", "F# | B", "C | G7", "C | G7 C"]
    examples = examples_of(
        tmp_path,
        texts,
        piece=["a", "a", "b", "c", "d", "e"],
        tonic=[0, 0, 0, 0, None, 0],
        is_minor=[False] * 6,
        start_bar=[0, 4, 0, 0, 0, 3],
    )
    found = list(written(find_progressions(examples, TRIO, seed=0)))
    assert len(found) == 1 and found[0][1] in texts[:2]
    bare = Melody(bars=2)
    assert find_progressions(examples, bare, seed=0) is None


def test_not_all_progressions_of_a_large_set_are_kept(tmp_path):
    count = MOST_PROGRESSIONS + 40
    columns = {"tonic": [0] * count, "is_minor": [False] * count}
    examples = examples_of(tmp_path, ["C | F G7"] * count, **columns)
    assert find_progressions(examples, TRIO, seed=0).shape == (MOST_PROGRESSIONS, 9)
