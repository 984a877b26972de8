"""Trained weights of a run or a bundle, for another run to begin with."""

from pathlib import Path

from musicvae.bundle.format import Bundle, load
from musicvae.errors import TrainingError
from musicvae.model import EventPrior
from musicvae.training import load_run
from musicvae.training.record import PRIOR, RUN_FILE, TOUCH, Origin


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
    facts, start = bundle.facts, bundle.facts.get("start")
    weights = bundle.model.state_dict()
    if part == PRIOR:
        if not isinstance(bundle.prior, EventPrior):
            raise TrainingError(
                f"the bundle {bundle.name}, which has no prior over events",
                expected="a bundle that draws from a prior over events, or a run of one",
                action="Give another `start_from`, or leave it out.",
                field="start_from",
            )
        facts, start = bundle.facts["prior"], bundle.facts["prior"].get("start")
        weights = bundle.prior.state_dict()
    if part == TOUCH:
        if bundle.touch is None:
            raise TrainingError(
                f"the bundle {bundle.name}, which has no touch",
                expected="a bundle with touch, or a run of one",
                action="Give another `start_from`, or leave it out.",
                field="start_from",
            )
        facts, start = bundle.facts["touch"], bundle.facts["touch"].get("start")
        weights = bundle.touch.state_dict()
    return Origin(
        name=bundle.name,
        content_hash=facts["content_hash"],
        examples_seen=facts["examples_seen"] + (start["examples_seen"] if start else 0),
        part=part,
        weights=weights,
    )
