"""OpenScore Lieder: songs for voice and piano, one folder a song."""

import re

from musicvae.data_pipeline.sources.titles import normalise_title

from .recipe import Corpus, Facts

_NUMBER = re.compile(r"^\d+[a-z]?_")


def _song(path: str) -> Facts | None:
    """A file's name is a number; its folder's, `Composer/Cycle/4_Title`, is the title."""
    if not OPENSCORE_LIEDER.mark.search(path):
        return None
    folder = path.split("/")[-2]
    return Facts(title=normalise_title(_NUMBER.sub("", folder)), style="lied")


OPENSCORE_LIEDER = Corpus(
    name="openscore_lieder",
    about="OpenScore Lieder: songs of the 19th century for voice and piano, MusicXML",
    licence="CC0 1.0",
    homepage="https://github.com/OpenScore/Lieder",
    mark=re.compile(r"[^/]/lc\d+\.mxl$"),
    facts=_song,
)
