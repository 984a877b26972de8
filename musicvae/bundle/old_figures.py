"""Adds keys to the figures of old bundles, by their captions.

The keys can't be written into an old bundle's folder: the version is a hash of its configuration.
"""

import re
from collections.abc import Mapping
from typing import Any

from musicvae.evaluation.figure_keys import ACCURACY, RECONSTRUCTION, SAMPLES, overlap_key

_ACCURACY = re.compile(r"(?:(?P<line>[^,:]+): )?accuracy, sampled, posterior's mean")
_OVERLAP = re.compile(r"at temperature (?P<temperature>[\d.]+): mean overlap with training")


def with_keys(facts: Mapping[str, Any]) -> Mapping[str, Any]:
    """The facts of a bundle; a served figure without a key gets its key by its caption."""
    evaluation = facts.get("evaluation")
    if not isinstance(evaluation, dict) or not isinstance(evaluation.get("figures"), list):
        return facts
    figures = [{"key": _key(each), **each} for each in evaluation["figures"]]
    return {**facts, "evaluation": {**evaluation, "figures": figures}}


def _key(figure: Mapping[str, Any]) -> str | None:
    section, name = figure.get("section"), str(figure.get("name"))
    if section == RECONSTRUCTION and (found := _ACCURACY.fullmatch(name)):
        return f"{ACCURACY}/{found['line']}" if found["line"] else ACCURACY
    if section == SAMPLES and (found := _OVERLAP.fullmatch(name)):
        return overlap_key(float(found["temperature"]))
    return None
