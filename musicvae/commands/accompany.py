"""The command that makes trios of lead sheets."""

from __future__ import annotations

from pathlib import Path

import click

from musicvae.commands.terminal import FOLDER, SEED, console, say


@click.command()
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option("--out", type=FOLDER, required=True, help="The folder of the MIDI files.")
@click.option("--seed", type=SEED, default=0, show_default=True,
              help="Of the choice of grooves.")  # fmt: skip
def accompany(inputs: tuple[str, ...], out: Path, seed: int) -> None:
    """Give melodies with written chords a bass and drums, by the program MMA.

    An INPUT is what `musicvae prepare` takes; of its pieces those in 4/4 with chords are used, such
    as all lead sheets. The files are for `musicvae prepare OUT --representation trio`. Run it again
    to go on where it stopped.
    """
    from rich.table import Table
    from rich.text import Text

    from musicvae.data_pipeline.accompany.accompaniment import accompany as run

    made = run(inputs, out, seed=seed, console=console())
    if made.rejections:
        table = Table("pieces", "left out for", "such as")
        for each in sorted(made.rejections, key=lambda each: -each.count):
            table.add_row(f"{each.count:,}", each.reason, Text(each.found))
        console().print(table)
    say(f"{out}: {made.written:,} files written, {made.kept:,} there already")
