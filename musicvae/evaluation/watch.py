"""How far an evaluation has come, for whoever waits for it."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, TypeVar, runtime_checkable

from rich.console import Console
from rich.progress import TaskProgressColumn

from musicvae.work.progress import progress_bar

Part = TypeVar("Part")


@runtime_checkable  # jaxtyping's checker tests for it
class Watch(Protocol):
    """Passes the parts of a piece of work on, one by one, and may show how many are left."""

    def __call__(self, parts: Sequence[Part], title: str, /) -> Iterable[Part]: ...


def unwatched(parts: Sequence[Part], _: str) -> Iterable[Part]:
    """Shows nothing."""
    return parts


@contextmanager
def watched(console: Console) -> Iterator[Watch]:
    """Shows a bar for the piece of work at hand; on anything but a terminal a line as it begins."""
    bar = progress_bar(console, TaskProgressColumn())

    def watch(parts: Sequence[Part], title: str) -> Iterable[Part]:
        if not console.is_terminal:
            console.print(title, highlight=False)
        yield from bar.track(parts, description=title)
        for task in bar.task_ids:
            bar.remove_task(task)

    with bar:
        yield watch
