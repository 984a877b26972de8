"""Adds touch to a bundle: its weights, its facts, and a section of the model card."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from textwrap import fill
from typing import Any

from musicvae.bundle.format import Bundle, check_folder, save
from musicvae.bundle.modules import weights_of
from musicvae.bundle.run_facts import facts_of, manifest_of
from musicvae.data import shards
from musicvae.data.lines import PlayedLines
from musicvae.errors import TrainingError
from musicvae.evaluation.touch import measure_touch
from musicvae.model.touch import Touch
from musicvae.representation import Representation
from musicvae.representation.melody import EVENTS
from musicvae.training import Run
from musicvae.training.record import TOUCH

_TITLE = "## Touch"


def add_touch(old: Bundle, run: Run, out: Path) -> Bundle:
    """Writes a bundle again with touch, measured on the test split of the run's data set.

    Args:
        old: The bundle; all its other parts stay.
        run: A run of touch.
        out: The new bundle's folder; may be the old one's.

    Returns:
        The new bundle, without its version.

    Raises:
        DataError: If the run's data set is missing, or has changed.
        BundleError: If `out` holds something else.
        TrainingError: If the run trained no touch, or the model plays no melody.
    """
    check_folder(out)
    check_touch(run, old.representation)
    touch = load_touch(run)
    facts = {**old.facts, "touch": _facts(run, touch)}
    new = replace(old, touch_weights=weights_of(touch), facts=facts)
    new = replace(new, card=with_section(old.card, new.facts))
    save(out, new)
    return new


def check_touch(run: Run, representation: Representation) -> None:
    """Makes sure that a run's touch can play a model's music.

    Raises:
        TrainingError: If the run trained no touch, or the model plays no melody.
    """
    if run.part != TOUCH:
        raise TrainingError(
            f"a run of a {run.part}",
            expected="a run of `train --touch`",
            action="Give the run of touch as `touch`.",
            field="touch",
        )
    if all(stream.size != EVENTS for stream in representation.streams):
        raise TrainingError(
            f"touch for {representation.kind.words}",
            expected="a model of melodies, lead sheets or trios",
            action="Leave `touch` out.",
            field="touch",
        )


def load_touch(run: Run) -> Touch:
    """The touch of a run, rounded to half precision as a bundle keeps it."""
    touch = Touch()
    touch.load_state_dict({name: tensor.half().float() for name, tensor in run.weights.items()})
    return touch.eval().requires_grad_(requires_grad=False)


def with_section(card: str, facts: Mapping[str, Any]) -> str:
    """A card with a section on touch, in place of an older one; the card itself without touch."""
    if "touch" not in facts:
        return card
    touch = facts["touch"]
    sources = ", ".join(f"{each['name']} ({each['licence']})" for each in touch["sources"])
    about = (
        f"How loud each note is: learnt from {touch['excerpts']:,} excerpts of melodies with "
        f"dynamics, of {sources}, in {touch['steps']:,} steps with seed {touch['seed']}. Measured "
        f"on the {touch['split']} split of the data set `{touch['content_hash'][:12]}…`; all rows "
        "know the mean and the spread of the velocities of a part; touch also hears the notes "
        "before."
    )
    rows = "\n".join(
        f"| {name} | {own['nats']:.3f} | {own['correlation']:.3f} | {own['error']:.2f} |"
        for name, own in touch["figures"].items()
    )
    section = f"""{_TITLE}

{fill(about, 100)}

| velocities by | nats a note | correlation | mean error, of 127 |
| --- | --- | --- | --- |
{rows}
"""
    return f"{card.partition(_TITLE)[0].rstrip()}\n\n{section}"


def _facts(run: Run, touch: Touch) -> dict[str, Any]:
    manifest = manifest_of(run.sets[0])
    representation = run.experiment.representation
    training = PlayedLines(shards.load(run.data, "train"), representation)
    held_out = PlayedLines(shards.load(run.data, "test"), representation)
    figures = measure_touch(touch, training, held_out)
    return {
        **facts_of(run),
        "sources": [asdict(source) for source in manifest.sources],
        "excerpts": len(training),
        "split": "test",
        "figures": {name: asdict(figure) for name, figure in figures.items()},
    }
