"""Has Musical MIDI Accompaniment (MMA) play a bass and drums for chords.

Conventions: a song is MMA's text, one line a bar of 4/4 with a chord on each of its beats. The
groove, a style of MMA's standard library, changes to its variant and back every eight bars, after a
fill. Only the bass and the drums are used, so a bass note outside its chord is written as its own
chord.

Source: MMA by Bob van der Poel, https://www.mellowood.ca/mma; a separate program.
"""

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from musicvae.data_pipeline.rejections import Rejection
from musicvae.errors import MidiError, SettingError
from musicvae.music import midi
from musicvae.music.chords import QUALITIES, ParsedChord, symbol
from musicvae.music.instruments import BASS_PROGRAM
from musicvae.music.notes import Note

BEATS_PER_BAR = 4

_SECTION_BARS = 8
_TIMEOUT_S = 60.0
"""MMA takes a fifth of a second for a song."""


@dataclass(frozen=True, slots=True)
class Groove:
    """A style, by the names of MMA's standard library.

    Attributes:
        name: The groove of the first eight bars, the third eight bars and so on.
        variant: The groove of the second eight bars, the fourth eight bars and so on.
        fill: The groove of the last bar of each eight, if there is a fill.
    """

    name: str
    variant: str
    fill: str | None = None


def _read_table(table: str) -> tuple[Groove, ...]:
    return tuple(Groove(*line.split()) for line in table.strip().splitlines())


GROOVES = _read_table("""
    60sRock          60sRock            BigBandFill
    8Beat            8Beat1             8BeatFill
    8Beat1           8BeatWalk          8BeatFill
    8BeatWalk        8BeatWalkPlus      8BeatFill
    8BeatWalkPlus    8Beat              8BeatFill
    Ballad           Ballad             BalladFill
    BasicRock        BasicRock4         SoftRockFill
    BasicRock4       BasicRock          SoftRockFill
    Beguine          Beguine            BeguineFill
    BigBand          BigBand1           BigBandFill
    BigBand1         BigBand8           BigBand1Fill
    BigBand8         BigBand            BigBandFill
    BlueFolk         BlueFolk           SalsaFill
    BlueGrass        BlueGrass          EvansishFill
    Blues            Blues              BubbleRockFill
    BossaNova        BossaNova          BossaNovaFill
    Broadway         Broadway           BroadwayFill
    BubbleRock       BubbleRock         BubbleRockFill
    BWMarch          BWMarch            BWMarchFill
    Calypso          Calypso            DesertFill
    CountryBlues     CountryBluesWalk   CountryBluesFill
    CountryBluesWalk CountryBlues       CountryBluesWalkFill
    CountrySwing     CountrySwing       EvansishFill
    Desert           Desert             DesertFill
    DSoul            DSoul              DSoulFill
    EasySwing        EasySwingWalk      EasySwingFill
    EasySwingWalk    EasySwing          EasySwingWalkFill
    FolkRock         FolkRock           FolkRockFill
    HillCountry      HillCountry        HillCountryFill
    JazzRhumba       JazzRhumba         JazzRhumbaFill
    LFusion          LFusion            BossaNovaFill
    March            March1             HillCountryFill
    March1           March1Slow         HillCountryFill
    March1Slow       March4             HillCountryFill
    March4           March              HillCountryFill
    ModernJazz       ModernJazz         R&B-BalladFill
    Polka            Polka1             SalsaFill
    Polka1           Polka              SalsaFill
    PopBallad        PopBallad1         BubbleRockFill
    PopBallad1       PopBallad2         BalladFill
    PopBallad2       PopBallad          BubbleRockFill
    QuickStep        QuickStepWalk      EasySwing42WalkFill
    QuickStepWalk    QuickStepHitWalk   EasySwing42WalkFill
    QuickStepHitWalk QuickStepDuhWalk   EasySwing42WalkFill
    QuickStepDuhWalk QuickStep          EasySwing42WalkFill
    R&B-Ballad       R&B-Ballad         R&B-BalladFill
    R&BPlus          R&BPlus            R&B-BalladFill
    Rhumba           Rhumba             BeguineFill
    Salsa            Salsa              SalsaFill
    Samba            Samba              SambaFill
    Ska              Ska1
    Ska1             Ska                8BeatFill
    SlowBlues        SlowBluesWalk4     SlowBluesFill
    SlowBluesWalk4   SlowBlues          SlowBluesFill
    SlowBolero       SlowBolero         DSoulFill
    SlowBroadway     SlowBroadway       BWMarchFill
    SoftRock         SoftRock           SoftRockFill
    Spiritual        Spiritual          BubbleRockFill
    Strut            Strut              SoftRockFill
    TangoClean       TangoClean         BWMarchFill
    Twist            Twist4             BubbleRockFill
    Twist4           Twist              BubbleRockFill
    WesternSwing     WesternSwing       EvansishFill
""")
"""Grooves of 4/4 on the grid of 16th notes, with one bass line, and with drums that change from bar
to bar: a groove that repeats one bar would give many pieces the same drums. `benchmarks/grooves.py`
chose them."""

_NAMES = {
    "maj": "", "min": "m", "dim": "dim3", "aug": "aug", "sus2": "sus2", "sus4": "sus4", "5": "5",
    "6": "6", "min6": "m6", "7": "7", "maj7": "maj7", "min7": "m7", "minmaj7": "mM7",
    "dim7": "dim7", "hdim7": "m7b5", "aug7": "aug7", "7sus4": "7sus4",
}  # fmt: skip
"""MMA's names of our chord qualities."""

_DRUMS_ALONE = "z"


def find_command() -> str:
    """The path of MMA's command.

    Raises:
        SettingError: If MMA is not installed.
    """
    command = shutil.which("mma")
    if command is None:
        raise SettingError(
            "no command mma",
            expected="Musical MIDI Accompaniment, which plays bass and drums for chords",
            action="Install it: `apt-get install mma`, or from https://www.mellowood.ca/mma.",
        )
    return command


def write_song(beats: Sequence[ParsedChord], groove: Groove, *, seed: int) -> str:
    """Writes a song.

    Args:
        beats: The chord of each beat, in whole bars.
        groove: The style.
        seed: Decides MMA's random choices.
    """
    assert len(beats) % BEATS_PER_BAR == 0, len(beats)
    lines = [f"RndSeed {seed}", "Tempo 120"]  # the notes are read by ticks, so any tempo will do
    playing = ""
    for bar in range(len(beats) // BEATS_PER_BAR):
        wanted = _groove_of_bar(groove, bar)
        if wanted != playing:
            lines.append(f"Groove {wanted}")
            playing = wanted
        chords = beats[bar * BEATS_PER_BAR : (bar + 1) * BEATS_PER_BAR]
        lines.append(f"{bar + 1} {' '.join(map(_name_chord, chords))}")
    return "\n".join([*lines, ""])


def _groove_of_bar(groove: Groove, bar: int) -> str:
    section, place = divmod(bar, _SECTION_BARS)
    if groove.fill and place == _SECTION_BARS - 1:
        return groove.fill
    return groove.variant if section % 2 else groove.name


def _name_chord(chord: ParsedChord) -> str:
    if chord.root is None:
        return _DRUMS_ALONE
    root = symbol(ParsedChord(chord.root, "maj"))
    if chord.bass is None:
        return root + _NAMES[chord.quality]
    bass = symbol(ParsedChord(chord.bass, "maj"))
    is_tone = (chord.bass - chord.root) % 12 in QUALITIES[chord.quality]
    return f"{root}{_NAMES[chord.quality]}/{bass}" if is_tone else f"{bass}5"


def play(song: str, command: str, *, length_steps: int) -> tuple[Note, ...] | Rejection:
    """Lets MMA play a song, and takes the bass and the drums.

    Args:
        song: The song, by `write_song`.
        command: The path of MMA's command.
        length_steps: The end of the song; later notes are left out.

    Returns:
        The notes in order (drums by `is_drum`, the bass by its program), or a rejection.
    """
    with TemporaryDirectory() as folder:
        here = Path(folder)
        (here / "song.mma").write_text(song)
        (here / "mmarc").write_text("")  # without the user's own settings
        most_bars = str(song.count("\n"))
        options = ["-w", "-xNOCREDIT", "-i", "mmarc", "-m", most_bars, "-f", "song.mid"]
        try:
            done = subprocess.run(  # noqa: S603  # our own words alone
                [command, *options, "song.mma"],
                cwd=here,
                capture_output=True,
                text=True,
                timeout=_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Rejection("piece", "mma_failed", f"more than {_TIMEOUT_S:g} s")
        if done.returncode:
            said = " ".join(f"{done.stdout} {done.stderr}".split())
            return Rejection("piece", "mma_failed", "".join(said.rpartition("Error:")[1:]))
        try:
            tracks = midi.read_tracks((here / "song.mid").read_bytes()).tracks
        except (OSError, MidiError) as error:
            return Rejection("piece", "mma_failed", f"no song: {error}")
    notes: list[Note] = []
    for track in tracks:
        is_bass = track.name.startswith(("Bass", "Walk"))
        for note in track.notes.notes:
            if note.start_step < length_steps and (note.is_drum or is_bass):
                end_step = min(note.end_step, length_steps)
                program = 0 if note.is_drum else BASS_PROGRAM
                notes.append(replace(note, end_step=end_step, program=program))
    return tuple(sorted(notes))
