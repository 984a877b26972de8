"""The commands for data: from music files to a set that a model can be trained on."""

from __future__ import annotations

import os
from pathlib import Path

import click

from musicvae.commands.terminal import FOLDER, console
from musicvae.errors import SettingError


@click.command()
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option("--out", type=FOLDER, required=True, help="The data set's folder.")
@click.option("--representation", type=click.Choice(["melody"]), default="melody",
              show_default=True)  # fmt: skip
@click.option("--bars", type=int, default=2, show_default=True, help="Length of an excerpt.")
@click.option(
    "--meter", default="4/4", show_default=True, help="Music in other meters is left out."
)
@click.option("--split", default="train=0.8,validation=0.1,test=0.1", show_default=True)
@click.option("--top-line", is_flag=True, help="Reduce polyphonic music to its top line.")
@click.option("--workers", type=int, default=os.cpu_count(), show_default="one a core")
def prepare(
    inputs: tuple[str, ...],
    out: Path,
    representation: str,
    bars: int,
    meter: str,
    split: str,
    top_line: bool,  # noqa: FBT001  # click's way to hand over a flag; so below
    workers: int,
) -> None:
    """Turn music into training data.

    An INPUT is a MIDI file, a score (.abc, .mxl, .musicxml), a folder of them, or a collection that
    comes with music21, such as music21:oneills1850.
    """
    from musicvae.data_pipeline import PrepareSettings, parse_shares, tables
    from musicvae.data_pipeline import prepare as run
    from musicvae.representation import representation_from_config

    config = {"name": representation, "bars": bars, "meter": _meter(meter)}
    settings = PrepareSettings(
        inputs=inputs,
        out=out,
        representation=representation_from_config(config),
        shares=parse_shares(split),
        workers=workers,
        reduces_to_top_line=top_line,
    )
    manifest = run(settings, console=console())
    for table in tables(manifest):
        console().print(table)
    console().print(f"{out}: content hash {manifest.content_hash[:12]}")


def _meter(text: str) -> dict[str, int]:
    numerator, slash, denominator = text.partition("/")
    beats = {str(count) for count in range(1, 256)}
    if not (slash and numerator in beats and denominator in {"1", "2", "4", "8", "16"}):
        raise SettingError(
            f"--meter {text}", expected="such as 4/4, 3/4 or 6/8", action="Write it so.",
            field="meter",
        )  # fmt: skip
    return {"numerator": int(numerator), "denominator": int(denominator)}
