"""The meaning of each reason of a rejection, and advice for the owner of the music."""

_STREAMS = ("melody_", "bass_", "drums_")

_ADVICE = {
    "unreadable": "The file is damaged or holds no music. Export it again, or leave it out.",
    "internal_error": "A mistake of musicvae, not of the file. Please report it with the file.",
    "crashed": "Reading the piece ended its process. Export it again, or leave it out.",
    "timed_out": "The piece took too long. Give it more time by --timeout, or leave it out.",
    "out_of_memory": "The piece took too much memory. Split it, or leave it out.",
    "no_notes": "The piece holds no notes.",
    "no_meter": "The file has no time signature, and the notes do not tell the meter. Write a time "
    "signature into the file, or put a file of beats beside it.",
    "wrong_meter": "The music is in another meter. Prepare another data set with --meter.",
    "joined_bar": "Two bars of 2/4, or four of 1/4, read as a bar of 4/4. --meter 2/4 takes the "
    "bars as they are written.",
    "unjoined_bar": "Bars of 2/4 or 1/4 that make no bar of 4/4 with the bars beside them. --meter "
    "2/4 takes the bars as they are written.",
    "irregular_bar": "Bars longer or shorter than the meter says: pickups, the ends of strains, "
    "or a wrong time signature. Excerpts are cut on either side.",
    "too_short": "Not enough whole bars in a row. Ask for shorter excerpts by --bars.",
    "tempo_change": "The tempo changes within the bar. Excerpts are cut on either side; --rule "
    "most_tempo_change=1 cuts across changes up to twice the tempo.",
    "short_run": "Not enough whole bars between two irregular ones, two meters or two tempos. Ask "
    "for shorter excerpts by --bars.",
    "drums": "A melody has pitches. The representations drums and groove take this part.",
    "accompaniment": "Another part is named as the melody. --melody track:NAME takes a part by its "
    "name.",
    "bass": "The part lies low, beside others. --rule bass_below=0 takes it all the same.",
    "less_likely": "Another part scored higher as the melody; musicvae inspect shows why.",
    "other_track": "The part has another name than --melody track:NAME says.",
    "other_program": "The part has another program than --melody program:FROM-TO says, or a "
    "program that carries no tunes.",
    "polyphonic": "Notes sound together where one line is wanted. --melody top-line takes the "
    "highest.",
    "silent": "No notes start in the excerpt.",
    "long_gap": "A silence longer than the rules allow.",
    "few_notes": "Fewer notes than the rules ask for.",
    "few_pitches": "Fewer different pitches than the rules ask for.",
    "off_grid": "Notes stand off the grid: triplets, ornaments or free playing. Triplets fit "
    "--steps-per-quarter 12; quantise what was played freely.",
    "straight": "Fewer onsets between the sixteenths than --rule fewest_fine_onsets asks for.",
    "out_of_range": "Pitches outside the piano's 88 keys. Transpose it by octaves.",
    "no_drum_track": "No part plays drums of General MIDI on channel 10. --drums channel:1, or "
    "--drums track:NAME, takes drums that stand elsewhere.",
    "unknown_drum": "Hits of instruments that are none of the nine classes; the rest is kept.",
    "few_hits": "Fewer hits than the rules ask for: a count-in or an ending.",
    "few_drums": "Fewer different drums than the rules ask for: a click or a shaker.",
    "no_melody_track": "No part that could be the melody of a trio.",
    "no_bass_track": "No part that could be the bass of a trio.",
    "many_trios": "More combinations of parts than are taken from one piece.",
    "no_chords": "There are no chord symbols, and nothing to infer chords from.",
    "few_chords": "Fewer different chords than the rules ask for.",
    "duplicate": "The same music, up to transposition, is kept elsewhere in the same split.",
    "in_other_split": "The same music, up to transposition, is kept in another split.",
}


def find_advice(reason: str) -> str:
    """The meaning of a reason, and what to do; empty for a reason whose name says all.

    >>> find_advice("few_notes")
    'Fewer notes than the rules ask for.'
    """
    stream = next((stream for stream in _STREAMS if reason.startswith(stream)), "")
    return _ADVICE.get(reason) or _ADVICE.get(reason.removeprefix(stream), "")
