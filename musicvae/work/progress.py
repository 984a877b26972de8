"""The progress bar of every long job."""

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn


def progress_bar(console: Console | None, *columns: ProgressColumn) -> Progress:
    """A bar with each task's description, what the columns say, and the time left.

    The bar disappears at the end. Without a console, and on anything but a terminal, there is none.

    Args:
        console: Where the bar is shown.
        columns: What stands between the bar and the time left.
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
