"""Groove: drummers playing to a click, with velocities, microtiming and a split of its own."""

import re

from .recipe import Corpus, Download, Facts, FactsOf, Listing
from .tables import read_table


def _look_up(listing: Listing, mark: str) -> FactsOf:
    folder = mark.removesuffix("info.csv")
    rows = read_table(listing, mark, ("midi_filename", "split", "style"))
    # A name says number, style, tempo and meter: no title.
    known = {
        f"{folder}{row['midi_filename']}": Facts(
            title="", given_split=row["split"] or None, style=row["style"]
        )
        for row in rows
    }
    return known.get


GROOVE = Corpus(
    name="groove",
    about="Groove MIDI Dataset 1.0: 1,150 performances by drummers, 13.6 hours",
    licence="CC BY 4.0",
    homepage="https://magenta.tensorflow.org/datasets/groove",
    download=Download(
        url="https://storage.googleapis.com/magentadata/datasets/groove/groove-v1.0.0-midionly.zip",
        file_name="groove-v1.0.0-midionly.zip",
        size=3_260_318,
        sha256="651cbc524ffb891be1a3e46d89dc82a1cecb09a57c748c7b45b844c4841dcc1e",
        source="tensorflow/datasets, url_checksums/groove.txt",
    ),
    mark=re.compile(r"(^|/)info\.csv$"),
    mark_holds=b"drummer,session,id,style,bpm,beat_type,time_signature,midi_filename",
    side_files=re.compile(r"(^|/)info\.csv$"),
    look_up=_look_up,
)
