"""Counts kept excerpts and rejections for the manifest, and lays them out as tables."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from rich.table import Table
from rich.text import Text

from musicvae.data.manifest import Clusters, Example, Manifest, RejectionCount, Source, Split
from musicvae.data_pipeline.rejections import REPAIRED, STAGES, Rejection

MOST_EXAMPLES = 3
"""Examples of each reason in each source: enough to see a pattern."""

MOST_PIECES_NAMED = 1_000
"""The pieces of each source that are named with each reason for rejecting a whole piece."""


class RejectionCounter:
    """Counts the rejections of all pieces."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], Counter[str]] = {}
        self._examples: dict[tuple[str, str], dict[str, list[Example]]] = {}

    def add(self, piece: str, source: str, rejection: Rejection) -> None:
        """Counts a rejection of a piece."""
        at = rejection.stage, rejection.reason
        self._counts.setdefault(at, Counter())[source] += rejection.count
        examples = self._examples.setdefault(at, {}).setdefault(source, [])
        if len(examples) < (MOST_PIECES_NAMED if rejection.stage == "piece" else MOST_EXAMPLES):
            examples.append(Example(piece=piece, found=rejection.found))

    def entries(self) -> tuple[RejectionCount, ...]:
        """Every reason, by stage, the most frequent first."""
        rejections = (
            RejectionCount(
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


def tables_of_rejections(entries: Sequence[RejectionCount]) -> Iterator[Table]:
    """The rejections and the repairs by reason, to be printed."""
    for title, is_repair in (("Repaired", True), ("Rejected", False)):
        shown = [entry for entry in entries if (entry.stage == REPAIRED) == is_repair]
        if shown:
            yield _table_of_reasons(title, shown)


def _table_of_reasons(title: str, entries: Sequence[RejectionCount]) -> Table:
    table = Table(title=title, title_justify="left")
    for name in ("kind", "reason", "count", "such as"):
        table.add_column(name, justify="right" if name == "count" else "left")
    for entry in entries:
        example = entry.examples[0]
        # As Text, because names of files may look like rich's markup.
        such_as = Text(f"{example.piece}: {example.found}")
        table.add_row(entry.stage, entry.reason, f"{entry.count:,}", such_as)
    return table


def table_of_clusters(clusters: Clusters) -> Table:
    """The clusters of similar pieces, to be printed."""
    table = Table(title="Similar pieces", title_justify="left")
    table.add_column("what")
    table.add_column("count", justify="right")
    for name, count in (
        ("clusters of pieces that are one tune", clusters.count),
        ("pieces in them", clusters.pieces),
        ("pieces in the largest", clusters.largest),
        ("pairs with similar notes", clusters.pairs),
        ("similar pairs across sources", clusters.pairs_across_sources),
        ("similar pairs that titles and paths alone would have split", clusters.leaks_avoided),
        ("similar pairs that their corpora put in two splits", clusters.leaks_left),
    ):
        table.add_row(name, f"{count:,}")
    return table


def tables(manifest: Manifest) -> tuple[Table, ...]:
    """The tables of a data set; a table without rows is left out."""
    return (
        table_of_sources(manifest.sources, manifest.splits),
        *tables_of_rejections(manifest.rejections),
        *([table_of_clusters(manifest.clusters)] if manifest.clusters.count else []),
    )
