"""OpenMSX: the base music of OpenTTD, for several instruments and drums."""

import re

from .recipe import Corpus

OPENMSX = Corpus(
    name="openmsx",
    about="OpenMSX: 31 pieces of game music, General MIDI",
    licence="GPL-2.0",
    homepage="https://github.com/OpenTTD/OpenMSX",
    mark=re.compile(r"(^|/)README\.md$"),
    mark_holds=b"# OpenMSX - base music set for OpenTTD",
)
