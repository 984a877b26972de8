"""Nottingham: British and American folk tunes with chords, in ABC."""

import re

from .recipe import Corpus, Download

NOTTINGHAM = Corpus(
    name="nottingham",
    about="Nottingham Music Database, edited by S. Shlien: 1,037 folk tunes with chords",
    licence="none stated; traditional tunes",
    homepage="https://ifdo.ca/~seymour/nottingham/nottingham.html",
    download=Download(
        url="https://ifdo.ca/~seymour/nottingham/nottingham_database.zip",
        file_name="nottingham_database.zip",
        size=142_934,
        sha256="f79a4bffe78b16d630d4d69f9c62775a7aa246d0973c4d8714ab6c5139ff5a3b",
        source="salu133445/muspy, datasets/nmd.py",
    ),
    mark=re.compile(r"(^|/)reelsa-c\.abc$"),
    mark_holds=b"Nottingham Music Database",
)
