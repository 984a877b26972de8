"""The command that makes trios from lead sheets."""

from __future__ import annotations

from pathlib import Path

import click

from musicvae.commands.terminal import FOLDER, SEED, console, say


@click.command()
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option("--out", type=FOLDER, required=True, help="The folder of the MIDI files.")
@click.option("--seed", type=SEED, default=0, show_default=True,
              help="Decides the grooves.")  # fmt: skip
def accompany(inputs: tuple[str, ...], out: Path, seed: int) -> None:
    """Add a bass and drums to melodies with written chords, by the program MMA.

    An INPUT is any input of `musicvae prepare`. Pieces in 4/4 with written chords are used, such as
    lead sheets. `musicvae prepare OUT --representation trio` takes the files. If a run is
    interrupted, run the same command again: it goes on where it stopped.
    """
    from rich.table import Table
    from rich.text import Text

    from musicvae.data_pipeline.accompany.accompaniment import accompany as run

    made = run(inputs, out, seed=seed, console=console())
    if made.rejections:
        table = Table("pieces", "rejected for", "such as")
        for each in sorted(made.rejections, key=lambda each: -each.count):
            table.add_row(f"{each.count:,}", each.reason, Text(each.found))
        console().print(table)
    say(f"{out}: {made.written:,} files written, {made.kept:,} there already")
