import io

from rich.console import Console

from musicvae.data.manifest import Clusters, Source, Split
from musicvae.data_pipeline.choose.counts import (
    MOST_EXAMPLES,
    RejectionCounter,
    table_of_clusters,
    table_of_sources,
    tables_of_rejections,
)
from musicvae.data_pipeline.rejections import Rejection


def printed(table):
    file = io.StringIO()
    Console(file=file, width=120).print(table)
    return file.getvalue()


def reject(stage, reason, count=1, found="something"):
    return Rejection(stage, reason, found, count)


def test_reasons_are_counted_by_stage_and_source():
    rejections = RejectionCounter()
    rejections.add("a/1", "a", reject("excerpt", "silent", 5))
    rejections.add("b/1", "b", reject("excerpt", "silent", 2, "no notes"))
    rejections.add("b/1", "b", reject("excerpt", "off_grid", 9))
    rejections.add("b/2", "b", reject("piece", "unreadable"))
    entries = rejections.entries()
    assert [(e.stage, e.reason, e.count) for e in entries] == [
        ("piece", "unreadable", 1),
        ("excerpt", "off_grid", 9),
        ("excerpt", "silent", 7),
    ]
    assert entries[2].sources == {"a": 5, "b": 2}
    assert [example.piece for example in entries[2].examples] == ["a/1", "b/1"]


def test_a_few_examples_of_each_source_are_kept():
    rejections = RejectionCounter()
    for source in ("a", "b"):
        for number in range(20):
            rejections.add(f"{source}/{number}", source, reject("excerpt", "silent"))
    (entry,) = rejections.entries()
    assert entry.count == 40
    assert [example.piece for example in entry.examples] == [
        f"{source}/{number}" for source in ("a", "b") for number in range(MOST_EXAMPLES)
    ]


def test_pieces_that_are_left_out_are_all_named():
    rejections = RejectionCounter()
    for number in range(200):
        rejections.add(f"a/{number}", "a", reject("piece", "unreadable"))
    (entry,) = rejections.entries()
    assert [example.piece for example in entry.examples] == [f"a/{n}" for n in range(200)]


def test_tables_print_names_that_look_like_markup():
    rejections = RejectionCounter()
    rejections.add("a/[/red]", "a", reject("piece", "unreadable", found="[bold]"))
    (table,) = tables_of_rejections(rejections.entries())
    assert "a/[/red]: [bold]" in printed(table)
    source = Source(name="[/b]", licence=None, pieces=1, pieces_used=1, excerpts={"train": 1})
    split = Split(pieces=1, excerpts=12_345, content_hash="", shards=())
    text = printed(table_of_sources([source], {"train": split}))
    assert "[/b]" in text
    assert "12,345" in text


def test_repairs_are_no_rejections():
    rejections = RejectionCounter()
    rejections.add("a/1", "a", reject("event", "lost_note_off"))
    rejections.add("a/1", "a", reject("excerpt", "silent"))
    repaired, rejected = map(printed, tables_of_rejections(rejections.entries()))
    assert "Repaired" in repaired and "lost_note_off" in repaired and "silent" not in repaired
    assert "Rejected" in rejected and "silent" in rejected and "lost_note_off" not in rejected


def test_clusters_are_printed():
    assert "1,234" in printed(table_of_clusters(Clusters(pairs=1234)))
