"""OpenEWLD: lead sheets with chord symbols and lyrics."""

import re

from .recipe import Corpus

OPENEWLD = Corpus(
    name="openewld",
    about="OpenEWLD: 453 lead sheets of popular songs, MusicXML",
    licence="scores in the public domain, by intent of the collection; its files MIT",
    homepage="https://github.com/00sapo/OpenEWLD",
    mark=re.compile(r"(^|/)README\.md$"),
    mark_holds=b"# 2018 OpenEWLD",
)
