"""Compares a run with the finished data set in its folder, which no run replaces."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from musicvae.data.manifest import MANIFEST_NAME, Manifest, Source, load_manifest
from musicvae.data_pipeline.sources.corpus import CorpusSource
from musicvae.errors import DataError
from musicvae.files import write_file

STATES_NAME = ".inputs"
"""The file of the inputs' states: they differ between equal copies, so no manifest holds them."""

_MOST_NAMED = 3


def find_finished(
    out: Path,
    representation: Mapping[str, object],
    settings: Mapping[str, object],
    sources: Sequence[CorpusSource],
) -> Manifest | None:
    """The manifest of the data set in a folder, if it is the set that this run would make.

    Args:
        out: The folder.
        representation: The configuration of this run's representation.
        settings: The other settings of this run, as its manifest would show them.
        sources: The music of this run.

    Returns:
        None if the folder holds no data set, or a data set that lacks some of its shards.

    Raises:
        DataError: If the data set was prepared with other settings or of other music.
    """
    if not (out / MANIFEST_NAME).exists():
        return None
    try:
        manifest = load_manifest(out)
    except DataError as error:
        raise _refuse(out, error.found) from error
    before = dict(_name_settings(manifest.representation, manifest.settings))
    now = dict(_name_settings(representation, json.loads(json.dumps(settings))))
    changes = [
        f"{name} {before.get(name)}, not {now.get(name)}"
        for name in dict.fromkeys([*before, *now])
        if before.get(name) != now.get(name)
    ]
    changes += _compare_music(out, manifest.sources, sources)
    if changes:
        more = f" and {len(changes) - _MOST_NAMED} more" if len(changes) > _MOST_NAMED else ""
        raise _refuse(out, f"a data set with {'; '.join(changes[:_MOST_NAMED])}{more}")
    shards = [shard for split in manifest.splits.values() for shard in split.shards]
    is_whole = all(
        (out / shard.name).exists() and (out / shard.name).stat().st_size == shard.size_bytes
        for shard in shards
    )
    return manifest if is_whole else None


def _name_settings(
    representation: Mapping[str, object], settings: Mapping[str, object]
) -> Iterator[tuple[str, object]]:
    """Each setting with its name in a message."""
    form = {"representation": representation.get("name"), **representation}
    del form["name"]
    for name, value in {**form, **settings}.items():
        if not isinstance(value, Mapping):
            yield f"`{name}`", value
        elif name == "meter":
            yield "`meter`", "/".join(map(str, value.values()))
        elif name == "shares":
            yield "`shares`", ",".join(f"{split}={share}" for split, share in value.items())
        else:
            for key, each in value.items():
                yield f"`rules` {key}" if name == "rules" else key.replace("_", " "), each


def save_states(out: Path, sources: Sequence[CorpusSource]) -> None:
    """Notes names, sizes and times of the input files, so that the next run need not read them."""
    if _load_states(out) != _states(sources):
        write_file(out / STATES_NAME, json.dumps(_states(sources)))


def _load_states(out: Path) -> object:
    try:
        return json.loads((out / STATES_NAME).read_bytes())
    except (OSError, ValueError):
        return None


def _states(sources: Sequence[CorpusSource]) -> dict[str, str]:
    return {source.name: source.state for source in sources}


def _compare_music(
    out: Path, earlier: Sequence[Source], sources: Sequence[CorpusSource]
) -> Iterator[str]:
    """Each difference of the music; files are read only if their names, sizes or times changed."""
    before = {source.name: source for source in earlier}
    now = {source.name: source for source in sources}
    if list(before) != list(now):
        yield f"music of {', '.join(before)}, not {', '.join(now)}"
    elif _load_states(out) != _states(sources):
        for name, source in before.items():
            # A set of an earlier version has no fingerprints.
            if source.fingerprint not in ("", now[name].fingerprint()):
                yield f"other files of {name}"


def _refuse(out: Path, found: str) -> DataError:
    return DataError(
        f"{found} in {out}",
        expected="a new folder, or the same music and settings as before",
        action=f"Give another `out`, or remove {out} to make it anew.",
        field="out",
    )
