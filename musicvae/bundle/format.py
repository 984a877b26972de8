"""The bundle: a folder with everything needed to serve a model, and no code.

    config.json         format, name, version, the experiment, the attributes' units and spreads
    model.safetensors   the weights in fp16, and one `attribute.NAME` vector for each attribute
    prior.safetensors   the weights of the prior in fp16
    touch.safetensors   the weights of the touch of melodies in fp16, in bundles that have one
    README.md           the model card, generated from the run

No file is a pickle. A bundle needs neither its run nor its training data.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from jaxtyping import Float32
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from musicvae.bundle.old_figures import with_keys
from musicvae.errors import BundleError, ModelNotFoundError, SettingError
from musicvae.experiment.experiment import Experiment, from_dict, rows_per_bar, to_dict
from musicvae.problems import check_type
from musicvae.representation import Representation
from musicvae.runtime.lstm import Weights
from musicvae.runtime.networks import Networks
from musicvae.runtime.progressions import slots_of
from musicvae.runtime.shapes import (
    event_prior_shapes,
    latent_prior_shapes,
    model_shapes,
    touch_shapes,
)

FORMAT_VERSION = 2
CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
PRIOR_FILE = "prior.safetensors"
TOUCH_FILE = "touch.safetensors"
CARD_FILE = "README.md"
FILES = {CONFIG_FILE, WEIGHTS_FILE, PRIOR_FILE, TOUCH_FILE, CARD_FILE}
EMBEDDED = Path(__file__).parents[1] / "bundles"
EVENT_PRIOR = "events"
"""The kind of prior that draws events; a bundle without a kind has a prior over latents."""
_ATTRIBUTE_PREFIX = "attribute."
_MOST_NAME = 100  # characters
_PROGRESSIONS = "progressions"
"""The name of the progressions among a prior's weights; older bundles have none."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Bundle:
    """A model that is ready to serve. Its weights are in half precision.

    Attributes:
        name: The model's name in requests.
        version: The first digits of a hash of all weights, the vectors and the configuration.
        experiment: The experiment that trained the model.
        weights: The weights of the model, by the names of `musicvae.model`.
        prior_weights: The weights of its prior.
        touch_weights: The weights that play melodies with accents; without any all notes are
            equally loud.
        draws_events: Whether the prior is over events; else it is over latents.
        attribute_vectors: The direction of each attribute, by name (Roberts et al. 2018, on
            attribute vector arithmetic).
        card: The model card, Markdown.
        facts: Figures and data of the run, as plain values; also in the card.
    """

    name: str
    version: str
    experiment: Experiment
    weights: Weights
    prior_weights: Weights
    touch_weights: Weights = field(default_factory=dict)
    draws_events: bool
    attribute_vectors: Mapping[str, Float32[np.ndarray, " latent"]]
    card: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def representation(self) -> Representation:
        """The representation of the model's music."""
        representation: Representation = self.experiment.representation
        return representation

    @property
    def latent_size(self) -> int:
        """The size of the latent of an excerpt."""
        return self.experiment.model.whole_size(self.representation.bars)

    @cached_property
    def networks(self) -> Networks:
        """The model, to play with."""
        return Networks(
            self.weights,
            self.prior_weights,
            self.touch_weights,
            config=self.experiment.model,
            prior_config=self.experiment.prior if self.draws_events else None,
            streams=self.representation.streams,
            bars=self.representation.bars,
            steps_per_bar=rows_per_bar(self.experiment),
        )


def embedded() -> tuple[str, ...]:
    """The names of the bundles that ship with the package."""
    return tuple(sorted(path.parent.name for path in EMBEDDED.glob(f"*/{CONFIG_FILE}")))


def check_folder(directory: Path) -> None:
    """Checks that a bundle may be written to a folder.

    Raises:
        BundleError: If the folder exists and holds something other than a bundle.
    """
    if not directory.exists():
        return
    names = {path.name for path in directory.iterdir()}
    if names and not {CONFIG_FILE, WEIGHTS_FILE} <= names <= FILES:
        raise BundleError(
            f"a folder {directory} with something else in it",
            expected="a new folder, or an older bundle to replace",
            action="Give another `out`.",
            field="out",
        )


def save(directory: Path, bundle: Bundle) -> None:
    """Writes a bundle with its version, the whole folder or nothing.

    Raises:
        BundleError: If `directory` exists and is no bundle.
    """
    check_folder(directory)
    vectors = {_ATTRIBUTE_PREFIX + key: each for key, each in bundle.attribute_vectors.items()}
    blob, prior_blob = _to_bytes({**bundle.weights, **vectors}), _to_bytes(bundle.prior_weights)
    touch_blob = _to_bytes(bundle.touch_weights) if bundle.touch_weights else b""
    config = {
        "format_version": FORMAT_VERSION,
        "name": bundle.name,
        "experiment": to_dict(bundle.experiment),
        "facts": dict(bundle.facts),
    }
    if bundle.draws_events:
        config["prior"] = EVENT_PRIOR
    config["version"] = _version(blob + prior_blob + touch_blob, config)
    directory.parent.mkdir(parents=True, exist_ok=True)
    # Written beside the bundle under an unused name, so that the last step is a rename.
    with TemporaryDirectory(dir=directory.parent, prefix=f".{directory.name}.") as beside:
        new, old = Path(beside, "new"), Path(beside, "old")
        new.mkdir()
        (new / CONFIG_FILE).write_text(json.dumps(config) + "\n")
        (new / WEIGHTS_FILE).write_bytes(blob)
        (new / PRIOR_FILE).write_bytes(prior_blob)
        if touch_blob:
            (new / TOUCH_FILE).write_bytes(touch_blob)
        (new / CARD_FILE).write_text(bundle.card)
        if directory.exists():
            directory.rename(old)
        try:
            new.rename(directory)
        except BaseException:
            if old.exists():
                old.rename(directory)
            raise


def load(name_or_path: str | Path) -> Bundle:
    """Loads an embedded bundle by name, or any bundle by its folder.

    Raises:
        SettingError: If the argument is neither a name nor a path.
        ModelNotFoundError: If there is no such bundle.
        BundleError: If the bundle is damaged, or of another version.
    """
    check_type("name_or_path", name_or_path, str | Path, "the name of a model, or a folder")
    directory = _find(name_or_path)
    config = _read_config(directory)
    has_touch = (directory / TOUCH_FILE).exists()
    try:
        experiment = from_dict(config["experiment"])
        name, version, facts = str(config["name"]), config["version"], config["facts"]
        blob = (directory / WEIGHTS_FILE).read_bytes()
        prior_blob = (directory / PRIOR_FILE).read_bytes()
        touch_blob = (directory / TOUCH_FILE).read_bytes() if has_touch else b""
        weights, prior_weights = load_arrays(blob), load_arrays(prior_blob)
        touch_weights = load_arrays(touch_blob) if has_touch else {}
        card = (directory / CARD_FILE).read_text()
        found_version = _version(blob + prior_blob + touch_blob, config)
    except (KeyError, OSError, UnicodeDecodeError, SafetensorError, SettingError) as error:
        raise _damaged(directory, f"{type(error).__name__}: {error}") from error
    except RecursionError as error:
        raise _damaged(directory, f"a {CONFIG_FILE} that is nested too deep") from error
    if found_version != version:
        raise _damaged(directory, f"weights or settings that are not those of version {version}")
    _check_parts(directory, name, facts, [weights, prior_weights, touch_weights])
    vectors = {
        key.removeprefix(_ATTRIBUTE_PREFIX): weights.pop(key).astype(np.float32)
        for key in sorted(weights)
        if key.startswith(_ATTRIBUTE_PREFIX)
    }
    bundle = Bundle(
        name=name,
        version=version,
        experiment=experiment,
        weights=weights,
        prior_weights=prior_weights,
        touch_weights=touch_weights,
        draws_events=config.get("prior") == EVENT_PRIOR,
        attribute_vectors=vectors,
        card=card,
        facts=with_keys(facts),
    )
    _check_shapes(directory, bundle)
    return bundle


def read_name(directory: Path) -> str:
    """Reads the name of a bundle, without its weights.

    Raises:
        BundleError: If the bundle is damaged.
    """
    return str(_read_config(directory)["name"])


def check_name(name: str) -> None:
    """Checks the name that a model is to be served under.

    Raises:
        SettingError: If it is too long, or would break a line of output.
    """
    if not _is_name(name):
        raise SettingError(
            f"the name {name[:_MOST_NAME]!r}",
            expected=f"1 to {_MOST_NAME} printable characters",
            action="Choose a name such as melody-2bar@canary.",
            field="name",
        )


def _is_name(name: str) -> bool:
    return 1 <= len(name) <= _MOST_NAME and name.isprintable()


def _check_parts(directory: Path, name: str, facts: object, parts: Sequence[Weights]) -> None:
    if not _is_name(name):
        raise _damaged(directory, f"the name {name[:_MOST_NAME]!r}")
    if not isinstance(facts, dict):
        raise _damaged(directory, f"facts that are a {type(facts).__name__}")
    if any(not np.isfinite(values).all() for part in parts for values in part.values()):
        raise _damaged(directory, "weights that are not finite")


def _check_shapes(directory: Path, bundle: Bundle) -> None:
    experiment, representation = bundle.experiment, bundle.representation
    how: dict[str, Any] = {
        "streams": representation.streams,
        "bars": representation.bars,
        "steps_per_bar": rows_per_bar(experiment),
    }
    if bundle.draws_events:
        prior = event_prior_shapes(experiment.prior, **how)
        if _PROGRESSIONS in bundle.prior_weights:
            rows = len(bundle.prior_weights[_PROGRESSIONS])
            prior[_PROGRESSIONS] = (rows, 1 + 2 * slots_of(representation))
    else:
        prior = latent_prior_shapes(experiment.model, representation.bars)
    expected = [model_shapes(experiment.model, **how), prior]
    parts = [bundle.weights, bundle.prior_weights]
    if bundle.touch_weights:
        expected, parts = [*expected, touch_shapes()], [*parts, bundle.touch_weights]
    if expected != [{name: each.shape for name, each in part.items()} for part in parts]:
        raise _damaged(directory, "weights that are not those of its experiment")
    if any(each.shape != (bundle.latent_size,) for each in bundle.attribute_vectors.values()):
        raise _damaged(directory, "attribute vectors that are not of its latent's size")


def _to_bytes(weights: Weights) -> bytes:
    return save_arrays(
        {name: np.asarray(each, np.float16, order="C") for name, each in weights.items()}
    )


def _find(name_or_path: str | Path) -> Path:
    directory = EMBEDDED / name_or_path if name_or_path in embedded() else Path(name_or_path)
    if (directory / CONFIG_FILE).is_file():
        return directory
    raise ModelNotFoundError(
        f"no bundle {str(name_or_path)!r}",
        expected=f"{', '.join([*embedded(), f'or a folder with a {CONFIG_FILE}'])}",
        action="`musicvae models` lists the models of the package; `musicvae export` makes a "
        "folder.",
        field="bundle",
    )


def _read_config(directory: Path) -> dict[str, Any]:
    try:
        config = json.loads((directory / CONFIG_FILE).read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(directory, f"a {CONFIG_FILE} that is no JSON") from error
    if not isinstance(config, dict) or "format_version" not in config:
        raise _damaged(directory, f"a {CONFIG_FILE} without format_version")
    if config["format_version"] != FORMAT_VERSION:
        raise BundleError(
            f"a bundle of format {config['format_version']!r} in {directory}",
            expected=f"format {FORMAT_VERSION}",
            action="Export it again with this version of musicvae, or install the version that "
            "wrote it.",
            field="bundle",
        )
    return config


def _version(blob: bytes, config: Mapping[str, Any]) -> str:
    settings = {name: value for name, value in config.items() if name != "version"}
    canonical = json.dumps(settings, sort_keys=True).encode()
    return hashlib.sha256(blob + canonical).hexdigest()[:12]


def _damaged(directory: Path, found: str) -> BundleError:
    return BundleError(
        f"{found} in {directory}",
        expected="a bundle written by `musicvae export`",
        action="Export or copy it again.",
        field="bundle",
    )
