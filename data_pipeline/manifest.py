"""The last stage: counts what was kept and what was left out, for the manifest."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from rich.table import Table
from rich.text import Text

from musicvae.shards import Example, Manifest, Rejection, Source, Split

from .corpus import Corpus
from .excerpts import Left

MOST_EXAMPLES = 3
"""Examples of each reason in each source: enough to see a pattern."""

STAGES = ("piece", "part", "bar", "excerpt")


class Rejections:
    """Collects the reasons why things were left out, piece by piece."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], Counter[str]] = {}
        self._examples: dict[tuple[str, str], dict[str, list[Example]]] = {}

    def add(self, piece: str, source: str, left: Left) -> None:
        """Counts one reason of one piece."""
        at = left.stage, left.reason
        self._counts.setdefault(at, Counter())[source] += left.count
        examples = self._examples.setdefault(at, {}).setdefault(source, [])
        if len(examples) < MOST_EXAMPLES:
            examples.append(Example(piece=piece, found=left.found))

    def entries(self) -> tuple[Rejection, ...]:
        """Every reason, by stage, the most frequent first."""
        rejections = (
            Rejection(
                stage=stage,
                reason=reason,
                count=counts.total(),
                sources=dict(counts),
                examples=tuple(chain.from_iterable(self._examples[stage, reason].values())),
            )
            for (stage, reason), counts in self._counts.items()
        )
        return tuple(
            sorted(
                rejections,
                key=lambda entry: (STAGES.index(entry.stage), -entry.count, entry.reason),
            )
        )


def count_sources(
    corpora: Sequence[Corpus], kept: Iterable[tuple[str, str, str]], splits: Sequence[str]
) -> tuple[Source, ...]:
    """Counts by source; `kept` names source, piece and split of every excerpt."""
    excerpts: dict[str, Counter[str]] = {corpus.source: Counter() for corpus in corpora}
    pieces: dict[str, set[str]] = {corpus.source: set() for corpus in corpora}
    for source, piece, split in kept:
        excerpts[source][split] += 1
        pieces[source].add(piece)
    return tuple(
        Source(
            name=corpus.source,
            licence=corpus.licence,
            pieces=len(corpus.pieces),
            pieces_used=len(pieces[corpus.source]),
            excerpts={split: excerpts[corpus.source][split] for split in splits},
        )
        for corpus in corpora
    )


def table_of_sources(sources: Sequence[Source], splits: Mapping[str, Split]) -> Table:
    """Pieces and excerpts by source and split, to be printed."""
    table = Table(title="Excerpts", title_justify="left")
    for name in ("source", "pieces", "used", *splits):
        table.add_column(name, justify="left" if name == "source" else "right")
    for source in sources:
        counts = [source.pieces, source.pieces_used, *source.excerpts.values()]
        table.add_row(Text(source.name), *(f"{count:,}" for count in counts))
    totals = [sum(source.pieces for source in sources)]
    totals += [sum(source.pieces_used for source in sources)]
    totals += [split.excerpts for split in splits.values()]
    table.add_section()
    table.add_row("all", *(f"{count:,}" for count in totals))
    return table


def table_of_rejections(rejections: Sequence[Rejection]) -> Table:
    """Why things were left out, to be printed."""
    table = Table(title="Left out", title_justify="left")
    for name in ("what", "reason", "count", "such as"):
        table.add_column(name, justify="right" if name == "count" else "left")
    for entry in rejections:
        example = entry.examples[0]
        # As Text, because names of files may look like rich's markup.
        such_as = Text(f"{example.piece}: {example.found}")
        table.add_row(entry.stage, entry.reason, f"{entry.count:,}", such_as)
    return table


def tables(manifest: Manifest) -> tuple[Table, Table]:
    """What came of a preparation, to be printed."""
    return (
        table_of_sources(manifest.sources, manifest.splits),
        table_of_rejections(manifest.rejections),
    )
