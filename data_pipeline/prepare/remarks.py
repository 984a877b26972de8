"""The warnings about a data set, and the error of a run without any excerpt."""

from collections.abc import Iterator, Mapping

from rich.console import Console

from musicvae.data.manifest import Manifest, RejectionCount
from musicvae.data_pipeline.choose.counts import tables_of_rejections
from musicvae.data_pipeline.choose.selection import Selection
from musicvae.data_pipeline.rejections import INTERNAL_ERROR, REPAIRED
from musicvae.errors import DataError

from .cutting import UNSURE


def find_warnings(manifest: Manifest, unnamed: Mapping[str, int]) -> Iterator[str]:
    """The warnings about a finished data set.

    Args:
        manifest: The data set's manifest.
        unnamed: See `Selection.unnamed`.
    """
    for name, count in unnamed.items():
        yield (
            f"{count} pieces belong to their corpus' split {name!r}, which --split does not name: "
            f"they were dealt out to all splits. Name {name!r} in --split to keep them together."
        )
    if manifest.clusters.leaks_left:
        yield (
            f"{manifest.clusters.leaks_left} pairs of similar pieces are in two splits, since "
            "their corpora put them there."
        )
    for name, split in manifest.splits.items():
        if not split.excerpts:
            yield (
                f"the split {name!r} is empty. Prepare more pieces, or give it a larger share with "
                "--split; a corpus with a split of its own keeps that split."
            )
    for entry in manifest.rejections:
        if entry.reason in UNSURE:
            yield (
                f"{_count(entry)}, such as {entry.examples[0].piece}: another run of the same "
                "inputs may keep more pieces, and give another data set."
            )
        if entry.reason == INTERNAL_ERROR:
            example = entry.examples[0]
            yield (
                f"{_count(entry)}: a fault of musicvae, not of the music, such as "
                f"{example.piece}: {example.found}. Please report it."
            )


def _count(entry: RejectionCount) -> str:
    return f"{entry.count} {entry.stage}{'s' * (entry.count != 1)} {entry.reason}"


def no_examples(selection: Selection, meter: str, console: Console | None) -> DataError:
    """The error of a preparation without any excerpt, after a table of the reasons.

    Args:
        selection: What was found.
        meter: The meter that the settings ask for.
        console: Where the table goes.
    """
    entries = selection.rejections.entries()
    if console is not None:
        for table in tables_of_rejections(entries):
            console.print(table)
    rejected = [entry for entry in entries if entry.stage != REPAIRED]
    reasons = ", ".join(map(_count, rejected[:5]))
    action = "Give other music, fewer `bars`, another `melody`, or `drums`."
    fault = next((entry for entry in entries if entry.reason == INTERNAL_ERROR), None)
    if fault is not None:
        example = fault.examples[0]
        return DataError(
            f"no examples, since musicvae itself failed on {_count(fault)}, such as "
            f"{example.piece}: {example.found}",
            expected="at least one excerpt that can be kept",
            action="Please report this with the piece; other pieces may still do.",
            field="inputs",
        )
    # The first meter is the most frequent.
    found, bars = next(iter(selection.meters.items()), (meter, 0))
    if found != meter:
        total = sum(selection.meters.values())
        action = f"Set `meter` to {found}, the meter of {bars:,} of {total:,} bars."
    return DataError(
        f"no examples in {meter}: {reasons or 'no music in any piece'}",
        expected="at least one excerpt that can be kept",
        action=action,
        field="inputs",
    )
