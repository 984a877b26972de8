"""The facts of the runs that trained the parts of a bundle, as a bundle keeps them."""

from dataclasses import asdict
from typing import Any

from musicvae.data.manifest import Manifest, load_manifest
from musicvae.errors import DataError
from musicvae.training import Run
from musicvae.training.record import UsedSet


def facts_of(run: Run) -> dict[str, Any]:
    """The facts of a run, as JSON values."""
    return {
        "seed": run.seed,
        "steps": run.step,
        "examples_seen": run.examples_seen,
        "start": None if run.start is None else asdict(run.start),
        "content_hash": run.content_hash,
        "sources": list(run.sources),
    }


def manifest_of(used: UsedSet) -> Manifest:
    """The manifest of a data set that a run used.

    Raises:
        DataError: If the data set is missing, or has changed since the run.
    """
    manifest = load_manifest(used.data)
    if manifest.content_hash != used.content_hash:
        raise DataError(
            f"a data set {used.data} that has changed since the run",
            expected=f"the one with content hash {used.content_hash[:12]}…",
            action="Prepare it again as it was.",
            field="data",
        )
    return manifest
