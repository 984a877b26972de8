"""Trained weights of a run or a bundle, for another run to begin with."""

from pathlib import Path

from musicvae.bundle.format import Bundle, load
from musicvae.bundle.modules import modules_of
from musicvae.errors import TrainingError
from musicvae.model.event_prior import EventPrior
from musicvae.training import load_run
from musicvae.training.record import MODEL, PRIOR, RUN_FILE, TOUCH, Origin, join_sources


def load_origin(name_or_path: str | Path, part: str) -> Origin:
    """Reads the weights of a run's best checkpoint, or of a part of a bundle.

    Args:
        name_or_path: A run's folder, a bundle's folder, or the name of an embedded bundle.
        part: The part of a bundle: `MODEL`, `PRIOR` or `TOUCH`.

    Raises:
        ModelNotFoundError: If there is neither a run nor a bundle.
        BundleError: If the bundle is damaged.
        TrainingError: If the run has no checkpoint or is damaged, or the bundle has no such part.
    """
    if (Path(name_or_path) / RUN_FILE).exists():
        return load_run(Path(name_or_path)).origin
    return _origin_of(load(name_or_path), part)


def _origin_of(bundle: Bundle, part: str) -> Origin:
    modules = modules_of(bundle)
    prior = modules.prior if isinstance(modules.prior, EventPrior) else None
    trained = {MODEL: modules.model, PRIOR: prior, TOUCH: modules.touch}[part]
    if trained is None:
        name = "prior over events" if part == PRIOR else part
        raise TrainingError(
            f"the bundle {bundle.name}, which has no {name}",
            expected="a bundle that has it, or a run that trained it",
            action="Give another `start_from`, or leave it out.",
            field="start_from",
        )
    facts = bundle.facts if part == MODEL else bundle.facts[part]
    start = facts.get("start") or {}
    return Origin(
        name=bundle.name,
        content_hash=facts["content_hash"],
        examples_seen=facts["examples_seen"] + start.get("examples_seen", 0),
        part=part,
        sources=join_sources(start.get("sources", ()), facts.get("sources", ())),
        weights=trained.state_dict(),
    )
