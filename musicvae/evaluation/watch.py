"""The progress of an evaluation, shown in a terminal."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, TypeVar, runtime_checkable

from rich.console import Console
from rich.progress import TaskProgressColumn

from musicvae.work.progress import progress_bar

Part = TypeVar("Part")


@runtime_checkable  # beartype tests for it
class Watch(Protocol):
    """Yields the parts of a piece of work, and may show how many remain."""

    def __call__(self, parts: Sequence[Part], title: str, /) -> Iterable[Part]: ...


def unwatched(parts: Sequence[Part], _: str) -> Iterable[Part]:
    """Shows nothing."""
    return parts


@contextmanager
def watched(console: Console) -> Iterator[Watch]:
    """Shows a progress bar for each piece of work; without a terminal, a line when it begins."""
    bar = progress_bar(console, TaskProgressColumn())

    def watch(parts: Sequence[Part], title: str) -> Iterable[Part]:
        if not console.is_terminal:
            console.print(title, highlight=False)
        yield from bar.track(parts, description=title)
        for task in bar.task_ids:
            bar.remove_task(task)

    with bar:
        yield watch
