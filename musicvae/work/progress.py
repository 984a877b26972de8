"""The progress bar of every long job."""

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn


def progress_bar(console: Console | None, *columns: ProgressColumn) -> Progress:
    """A bar with each task's description, the columns, and the time left.

    The bar disappears at the end. It is shown only on a console that is a terminal.

    Args:
        console: The console, or None.
        columns: The columns between the bar and the time left.
    """
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        *columns,
        TimeRemainingColumn(),
        TextColumn("left"),
        console=console,
        transient=True,
        disable=console is None or not console.is_terminal,
    )
