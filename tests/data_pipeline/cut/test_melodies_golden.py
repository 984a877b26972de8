"""Golden cases: what Magenta's MusicVAE makes of a few notes, and what we make of them.

An excerpt is written as its events: `60*4` starts pitch 60 and holds it for three more steps,
`-*4` stops it, `.*4` holds what is. The windows are two bars of 4/4, by their first bar. Magenta's
were checked with note_seq 0.0.5: its Melody with the settings of the converter for two bars
(gap_bars 1, min_bars 1, min_unique_pitches 1, highest notes of chords, pad_end, programs 0 to 31,
pitches 21 to 108), cut at each bar.
"""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from pieces import make_part, make_piece

from musicvae.data_pipeline.cut.excerpts import CutSettings
from musicvae.data_pipeline.cut.melodies import cut_melodies
from musicvae.data_pipeline.cut.rules import Rules
from musicvae.representation import Melody

DEFAULT = CutSettings(representation=Melody(bars=2))
TOP_LINE = replace(DEFAULT, melody="top-line")
ROUNDED = replace(DEFAULT, rules=Rules(most_offset_quarters=0.125))
ANY_NOTES = replace(DEFAULT, rules=Rules(fewest_notes=1, fewest_pitches=1))
PROGRAMS = replace(DEFAULT, melody="program:0-31")


@dataclass(frozen=True, kw_only=True)
class Golden:
    """What becomes of the notes of one part.

    Attributes:
        rule: What it is a case of.
        notes: `(start_step, pitch, end_step[, offset])`.
        program: Of the part.
        is_drum: Whether they are drums.
        magenta: Magenta's excerpts, by their first bar.
        same: The settings with which we give the same.
        here: What else we give, by settings.
    """

    rule: str
    notes: tuple[tuple[float, ...], ...]
    program: int = 0
    is_drum: bool = False
    magenta: dict[int, str]
    same: tuple[CutSettings, ...] = (DEFAULT,)
    here: tuple[tuple[CutSettings, dict[int, str]], ...] = ()


def quarters(first_step, *pitches):
    """Quarter notes one after the other."""
    return tuple(
        (first_step + 4 * index, pitch, first_step + 4 * index + 4)
        for index, pitch in enumerate(pitches)
    )


SCALE = (60, 62, 64, 65, 67, 69, 71, 72)
SCALE_EVENTS = "60*4 62*4 64*4 65*4 67*4 69*4 71*4 72*4"

GOLDENS = (
    Golden(rule="a line", notes=quarters(0, *SCALE), magenta={0: SCALE_EVENTS}),
    Golden(
        rule="a rest is a stop, the end of the line too",
        notes=((0, 60, 2), (4, 62, 8), (16, 64, 18)),
        magenta={0: "60*2 -*2 62*4 -*8 64*2 -*14"},
    ),
    Golden(
        rule="a note that outlasts the window is cut, one from before it is left out",
        notes=(
            *quarters(0, 60, 62, 64),
            (12, 65, 20),
            *quarters(20, 69, 71),
            (28, 72, 36),
            *quarters(36, 60, 62, 64),
        ),
        magenta={
            0: "60*4 62*4 64*4 65*8 69*4 71*4 72*4",
            1: ".*4 69*4 71*4 72*8 60*4 62*4 64*4",
        },
    ),
    Golden(
        rule="a window that starts in a rest has no stop",
        notes=((0, 60, 8), (8, 62, 14), (20, 64, 32), (32, 65, 48)),
        magenta={0: "60*8 62*6 -*6 64*12", 1: ".*4 64*12 65*16"},
        same=(ANY_NOTES,),
    ),
    Golden(
        rule="a silence of a bar ends the melody",
        notes=quarters(0, 60, 62, 64, 65) + quarters(32, *SCALE),
        magenta={2: SCALE_EVENTS},
    ),
    Golden(
        rule="a shorter silence does not",
        notes=(*quarters(0, 60, 62, 64), (12, 65, 13), (28, 67, 32)),
        magenta={0: "60*4 62*4 64*4 65*1 -*15 67*4"},
    ),
    Golden(
        rule="the melody starts with the bar of its first note",
        notes=quarters(20, 62, 64, 65) + quarters(32, 67, 69, 71, 72),
        magenta={1: ".*4 62*4 64*4 65*4 67*4 69*4 71*4 72*4"},
    ),
    Golden(
        rule="a note of no length has one step",
        notes=((0, 60, 0.1), (1, 62, 4), *quarters(4, *SCALE[1:])),
        magenta={0: "60*1 62*3 62*4 64*4 65*4 67*4 69*4 71*4 72*4"},
    ),
    Golden(
        rule="a small overlap is cut",
        notes=((0, 60, 5), *quarters(4, *SCALE[1:])),
        magenta={0: SCALE_EVENTS},
    ),
    Golden(
        rule="of a chord the highest note counts; we take it where it is asked for",
        notes=tuple(sorted((*quarters(0, *SCALE), (8, 48, 12), (16, 48, 20)))),
        magenta={0: SCALE_EVENTS},
        same=(TOP_LINE,),
        here=((DEFAULT, {}),),
    ),
    Golden(
        rule="a later onset ends what sounds, even a lower one; our top line keeps the higher",
        notes=((0, 60, 4), (4, 72, 16), (8, 48, 12), *quarters(16, 67, 69, 71, 72)),
        magenta={0: "60*4 72*4 48*4 -*4 67*4 69*4 71*4 72*4"},
        same=(),
        here=((DEFAULT, {}), (TOP_LINE, {0: "60*4 72*12 67*4 69*4 71*4 72*4"})),
    ),
    Golden(
        rule="triplets are moved to the grid; by default we refuse them",
        notes=((0, 60, 1), (1, 62, 3, 1 / 3), (3, 64, 4, -1 / 3), *quarters(4, *SCALE[1:])),
        magenta={0: "60*1 62*2 64*1 62*4 64*4 65*4 67*4 69*4 71*4 72*4"},
        same=(ROUNDED,),
        here=((DEFAULT, {}),),
    ),
    Golden(
        rule="an onset half a step off goes to the later step",
        notes=((0, 60, 4), (5, 62, 8, -0.5), *quarters(8, *SCALE[2:])),
        magenta={0: "60*4 -*1 62*3 64*4 65*4 67*4 69*4 71*4 72*4"},
        same=(ROUNDED,),
        here=((DEFAULT, {}),),
    ),
    Golden(
        rule="a note out of range is dropped; we refuse the excerpt",
        notes=((0, 20, 4), *quarters(4, *SCALE[1:])),
        magenta={0: ".*4 62*4 64*4 65*4 67*4 69*4 71*4 72*4"},
        same=(),
        here=((DEFAULT, {}), (TOP_LINE, {0: "32*4 62*4 64*4 65*4 67*4 69*4 71*4 72*4"})),
    ),
    Golden(
        rule="one note repeated is a melody; for us it is none",
        notes=quarters(0, *[60] * 8),
        magenta={0: " ".join(["60*4"] * 8)},
        same=(ANY_NOTES,),
        here=((DEFAULT, {}),),
    ),
    Golden(
        rule="two notes are a melody; for us they are none",
        notes=((0, 60, 16), (16, 62, 32)),
        magenta={0: "60*16 62*16"},
        same=(ANY_NOTES,),
        here=((DEFAULT, {}),),
    ),
    Golden(
        rule="a held note makes excerpts of nothing; we refuse those as silent",
        notes=((0, 60, 48), *quarters(48, 62, 64, 65, 67)),
        magenta={0: "60*32", 1: ".*32", 2: ".*16 62*4 64*4 65*4 67*4"},
        same=(),
        here=((DEFAULT, {}), (ANY_NOTES, {0: "60*32"})),
    ),
    Golden(
        rule="only programs 0 to 31; we take every one, or those asked for",
        notes=quarters(0, *SCALE),
        program=73,
        magenta={},
        same=(PROGRAMS,),
        here=((DEFAULT, {0: SCALE_EVENTS}),),
    ),
    Golden(rule="no drums", notes=quarters(0, *SCALE), is_drum=True, magenta={}),
)


def parse(text):
    """The events of an excerpt as it is written above."""
    events = []
    for token in text.split():
        sign, _, count = token.partition("*")
        events.append({".": 0, "-": 1}.get(sign) if sign in ".-" else int(sign) - 19)
        events += [0] * (int(count) - 1)
    return events


def cut(golden, settings):
    part = make_part(*golden.notes, program=golden.program, is_drum=golden.is_drum)
    last = max(end for _, _, end, *_ in golden.notes)
    piece = make_piece(part, bar_lines=range(0, int(-(-last // 16) * 16) + 1, 16))
    return {
        int(bar): events[:, 0].tolist()
        for excerpts in cut_melodies([piece], settings)[0].excerpts
        for bar, events in zip(excerpts.start_bars, excerpts.events, strict=True)
    }


def test_the_cases_are_whole_windows():
    for golden in GOLDENS:
        for windows in (golden.magenta, *(windows for _, windows in golden.here)):
            assert all(len(parse(text)) == 32 for text in windows.values()), golden.rule


@pytest.mark.parametrize("golden", GOLDENS, ids=lambda golden: golden.rule)
def test_a_golden_case(golden):
    expected = [(settings, golden.magenta) for settings in golden.same]
    for settings, windows in (*expected, *golden.here):
        found = cut(golden, settings)
        assert found == {bar: parse(text) for bar, text in windows.items()}, settings
        for events in found.values():
            assert np.isin(events, range(90)).all()
