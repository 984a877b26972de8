"""A blind listening test as a page: pairs of clips to play, answers, and how likely by chance."""

from collections.abc import Sequence
from pathlib import Path

from musicvae.evaluation.listening import Pair
from musicvae.evaluation.subject import Data, Subject
from musicvae.report import document
from musicvae.report.page_rolls import SHORT_BARS, to_roll

_LETTERS = ("A", "B")


def write_listening_page(
    subject: Subject, data: Data, pairs: Sequence[Pair], path: Path, *, seed: int
) -> None:
    """Writes the page, whole or not at all.

    Args:
        subject: The model that made the draws.
        data: The data of the real excerpts.
        pairs: The pairs.
        path: The file; its folder is made where it is missing.
        seed: The seed of the pairs.

    Raises:
        DataError: If the file can't be written.
    """
    named = [
        (f"clip {letter} of pair {number}", clip)
        for number, pair in enumerate(pairs, start=1)
        for letter, clip in zip(_LETTERS, pair.clips, strict=True)
    ]
    rolls = [to_roll(clip.notes, qpm=clip.qpm, name=name) for name, clip in named]
    representation = subject.representation
    test = {
        "model": subject.name,
        "version": subject.version,
        "split": data.split,
        "content_hash": data.manifest.content_hash,
        "seed": seed,
        "pairs": [
            {
                "draw": _LETTERS[not pair.is_draw_first],
                "real": f"{pair.real.title}, {pair.real.facts}",
            }
            for pair in pairs
        ],
    }
    text = document.render(
        __package__,
        "listening.html",
        rolls,
        scripts=("player.js", "listening.js"),
        title=f"Real music or {subject.name}?",
        lead=f"{len(pairs)} pairs of clips, {representation.bars} bars of "
        f"{representation.kind.words} each. In every pair one clip is from music that the model "
        "has not seen, and one is a draw: new music by the model. Listen to both, as often as you "
        "like, and say which is the draw.",
        count=len(pairs),
        cards=list(zip((name for name, _ in named), rolls, strict=True)),
        letters=_LETTERS,
        is_long=representation.bars > SHORT_BARS,
        test=document.script_json(test),
        content_hash=data.manifest.content_hash,
    )
    document.write(path, text)
