"""The corpora that are known by name, with their licences and downloads."""

from .freedoom import FREEDOOM
from .groove import GROOVE
from .hydrogen_patterns import HYDROGEN_PATTERNS
from .lakh import LAKH, LAKH_CLEAN
from .maestro import MAESTRO
from .nottingham import NOTTINGHAM
from .openewld import OPENEWLD
from .openmsx import OPENMSX
from .openscore_lieder import OPENSCORE_LIEDER
from .pop909 import POP909
from .recipe import Corpus, Download, Facts, FactsOf, Listing

CORPORA = {
    corpus.name: corpus
    for corpus in (
        FREEDOOM,
        GROOVE,
        HYDROGEN_PATTERNS,
        LAKH,
        LAKH_CLEAN,
        MAESTRO,
        NOTTINGHAM,
        OPENEWLD,
        OPENMSX,
        OPENSCORE_LIEDER,
        POP909,
    )
}

__all__ = ["CORPORA", "Corpus", "Download", "Facts", "FactsOf", "Listing"]
