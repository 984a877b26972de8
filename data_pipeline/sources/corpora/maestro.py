"""MAESTRO: piano competitions played on a Disklavier, with a split of its own."""

import re

from .recipe import Corpus, Download, Facts, FactsOf, Listing
from .tables import read_table


def _look_up(listing: Listing, mark: str) -> FactsOf:
    folder = mark[: mark.rfind("/") + 1]
    columns = ("midi_filename", "split", "canonical_composer", "canonical_title")
    rows = read_table(listing, mark, columns)
    # A work is played by many, more often than a title may be shared.
    known = {
        f"{folder}{row['midi_filename']}": Facts(
            split_key=f"{row['canonical_composer']}/{row['canonical_title']}",
            given_split=row["split"] or None,
            style="classical",
        )
        for row in rows
    }
    return known.get


MAESTRO = Corpus(
    name="maestro",
    about="MAESTRO 3.0: 1,276 performances at piano competitions, 199 hours, off the grid",
    licence="CC BY-NC-SA 4.0",
    homepage="https://magenta.tensorflow.org/datasets/maestro",
    download=Download(
        url="https://storage.googleapis.com/magentadata/datasets/maestro/v3.0.0/maestro-v3.0.0-midi.zip",
        file_name="maestro-v3.0.0-midi.zip",
        size=58_416_533,
        sha256="70470ee253295c8d2c71e6d9d4a815189e35c89624b76d22fce5a019d5dde12c",
        source="salu133445/muspy, datasets/maestro.py",
    ),
    mark=re.compile(r"(^|/)maestro-v\d\.\d\.\d\.csv$"),
    mark_holds=b"canonical_composer,canonical_title,split",
    side_files=re.compile(r"(^|/)maestro-v\d\.\d\.\d\.csv$"),
    look_up=_look_up,
)
