import json
import pickle
import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import musicvae
from musicvae import bundle
from musicvae.bundle.format import Bundle
from musicvae.bundle.modules import modules_of, weights_of
from musicvae.errors import BundleError
from musicvae.evaluation.decoding import to_batch
from musicvae.experiment.build import build_model
from musicvae.experiment.experiment import to_dict
from musicvae.model.latent.flow_prior import FlowPrior
from musicvae.music.attributes import ATTRIBUTES
from musicvae.representation import Melody

WEIGHTS = ("model.safetensors", "prior.safetensors")


@pytest.fixture
def folder(bundle_folder, tmp_path):
    """A copy to damage."""
    return Path(shutil.copytree(bundle_folder, tmp_path / "copy"))


def save(directory, experiment, weights, *, name="tiny", prior=None, vectors=None, facts=None):
    made = Bundle(
        name=name,
        version="",
        experiment=experiment,
        weights=weights,
        prior_weights=prior or make_prior(experiment.model.latent_size),
        draws_events=False,
        attribute_vectors=vectors or {},
        card="# A card\n\nWith ♪ in it.\n",
        facts=facts or {},
    )
    bundle.save(directory, made)


def make_prior(latent_size, seed=0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return weights_of(FlowPrior(latent_size))


@pytest.fixture
def experiment(make_experiment):
    return make_experiment()


@pytest.fixture
def weights(experiment):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return weights_of(build_model(experiment))


def edit_config(folder, *, is_signed=False, **changes):
    path = folder / "config.json"
    config = {**json.loads(path.read_text()), **changes}
    if is_signed:
        config["version"] = bundle.format._version(
            b"".join((folder / name).read_bytes() for name in WEIGHTS), config
        )
    path.write_text(json.dumps(config))


def test_a_bundle_loads_equal_up_to_half_precision(tmp_path, experiment, weights, melodies):
    random = np.random.default_rng(0)
    vectors = {name: random.standard_normal(8, np.float32) for name in ATTRIBUTES}
    prior = make_prior(8)
    facts = {"seed": 3, "x": [1.5, None]}
    save(tmp_path / "b", experiment, weights, prior=prior, vectors=vectors, facts=facts)
    loaded = bundle.load(tmp_path / "b")
    assert (loaded.name, loaded.experiment) == ("tiny", experiment)
    assert loaded.facts == {"seed": 3, "x": [1.5, None]}
    assert loaded.card == "# A card\n\nWith ♪ in it.\n"
    modules = modules_of(loaded)
    for module, arrays in ((modules.model, weights), (modules.prior, prior)):
        state = weights_of(module)
        assert state.keys() == arrays.keys()
        for each, values in arrays.items():
            assert state[each].dtype == np.float32
            assert np.array_equal(state[each], values.astype(np.float16))
    for each, vector in vectors.items():
        assert np.array_equal(loaded.attribute_vectors[each], vector.astype(np.float16))
    original = build_model(experiment)
    original.load_state_dict({each: torch.from_numpy(v) for each, v in weights.items()})
    batch = to_batch(original, Melody(), melodies(4, seed=0))
    means = (model.encode(batch).mean for model in (original, modules.model))
    assert torch.allclose(*means, atol=5e-3)


def test_modules_of_a_bundle_are_for_playing_only(bundle_folder):
    modules = modules_of(bundle.load(bundle_folder))
    for module in (modules.model, modules.prior):
        assert not module.training
        assert not any(parameter.requires_grad for parameter in module.parameters())


def test_a_second_save_of_the_loaded_is_the_same(tmp_path, experiment, weights):
    save(tmp_path / "a", experiment, weights)
    bundle.save(tmp_path / "b", bundle.load(tmp_path / "a"))
    for name in ("config.json", *WEIGHTS, "README.md"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_the_version_follows_the_weights_and_vectors(tmp_path, experiment, weights):
    def version(number, weights, vectors, prior=None):
        save(tmp_path / number, experiment, weights, prior=prior, vectors=vectors)
        return bundle.load(tmp_path / number).version

    vectors = {"note_density": np.ones(8, np.float32)}
    first = version("1", weights, vectors)
    assert len(first) == 12
    assert int(first, 16) >= 0
    assert version("2", weights, vectors) == first
    name = "posterior.bias"
    assert version("3", {**weights, name: weights[name] + 0.1}, vectors) != first
    assert version("4", weights, {"note_density": np.zeros(8, np.float32)}) != first
    assert version("5", weights, vectors, make_prior(8, seed=1)) != first


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("config.json", b"{", "a config.json that is no JSON"),
        ("config.json", b"\xff\xfe", "a config.json that is no JSON"),
        ("config.json", b"[" * 100_000, "a config.json that is no JSON"),
        ("config.json", b"[1]", "a config.json without format_version"),
        ("config.json", b"{}", "a config.json without format_version"),
        ("config.json", b'{"format_version": 2}', "KeyError: 'experiment'"),
        ("model.safetensors", b"", "SafetensorError"),
        ("model.safetensors", b"\xff" * 100, "SafetensorError"),
        ("model.safetensors", None, "No such file"),
        ("prior.safetensors", b"", "SafetensorError"),
        ("prior.safetensors", None, "No such file"),
        ("README.md", None, "No such file"),
        ("README.md", b"\xff\xfe\xfa", "UnicodeDecodeError"),
    ],
)
def test_damage_is_named(folder, name, content, message):
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(content)
    with pytest.raises(BundleError) as refused:
        bundle.load(folder)
    assert message in str(refused.value)
    assert str(folder) in str(refused.value)
    assert "Export or copy it again" in str(refused.value)


@pytest.mark.parametrize("place", [0, 9, 100, -1])
@pytest.mark.parametrize("name", WEIGHTS)
def test_a_changed_byte_of_the_weights_is_noticed(folder, name, place):
    path = folder / name
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    with pytest.raises(BundleError, match=r"Export or copy it again"):
        bundle.load(folder)


def test_weights_cut_short_are_noticed(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(BundleError, match=r"SafetensorError.*Export or copy it again"):
        bundle.load(folder)


@pytest.mark.parametrize("version", [0, 1, "2", None])
def test_another_format_is_named_with_what_to_do(folder, version):
    edit_config(folder, format_version=version)
    with pytest.raises(BundleError, match=r"of format .*expected format 2\. Export it again with"):
        bundle.load(folder)


def test_weights_of_another_experiment_are_refused(folder, experiment):
    wider = replace(experiment, model=replace(experiment.model, decoder_size=25))
    edit_config(folder, is_signed=True, experiment=to_dict(wider))
    with pytest.raises(BundleError, match=r"weights that are not those of its experiment"):
        bundle.load(folder)


def test_an_edited_setting_is_noticed(folder):
    edit_config(folder, name="other")
    with pytest.raises(BundleError, match=r"not those of version"):
        bundle.load(folder)


@pytest.mark.parametrize("name", ["", "a\nserving evil on 0.0.0.0", "\x1b[2J", "a" * 101])
def test_a_name_that_forges_output_is_refused(folder, name):
    edit_config(folder, is_signed=True, name=name)
    with pytest.raises(BundleError, match="the name") as refused:
        bundle.load(folder)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize("facts", [[], "facts", None, 1])
def test_facts_of_another_type_are_refused(folder, facts):
    edit_config(folder, is_signed=True, facts=facts)
    with pytest.raises(BundleError, match="facts that are a"):
        bundle.load(folder)


@pytest.mark.parametrize("field", ["facts", "experiment", "name", "other"])
@pytest.mark.parametrize("depth", [300, 900, 990, 100_000])
def test_a_config_that_is_nested_deep_is_refused(folder, field, depth):
    path = folder / "config.json"
    config = json.dumps({**json.loads(path.read_text()), field: 0})
    path.write_text(config.replace(f'"{field}": 0', f'"{field}": ' + "[" * depth + "]" * depth))
    with pytest.raises(BundleError, match="Export or copy it again"):
        bundle.load(folder)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("part", ["weights", "prior", "vectors"])
def test_weights_that_are_not_finite_are_refused(tmp_path, experiment, weights, part, value):
    prior, vectors = make_prior(8), {"note_density": np.zeros(8, np.float32)}
    arrays = {"weights": weights, "prior": prior, "vectors": vectors}[part]
    next(iter(arrays.values())).flat[0] = value
    save(tmp_path / "b", experiment, weights, prior=prior, vectors=vectors)
    with pytest.raises(BundleError, match="weights that are not finite"):
        bundle.load(tmp_path / "b")


@pytest.mark.parametrize("mine", ["bundle/mine.md", "bundle.old/mine.md", "bundle.partial/mine.md"])
def test_nothing_else_is_lost(tmp_path, experiment, weights, mine):
    save(tmp_path / "bundle", experiment, weights)
    (tmp_path / mine).parent.mkdir(exist_ok=True)
    (tmp_path / mine).write_text("precious")
    with suppress(BundleError):
        save(tmp_path / "bundle", experiment, weights)
    assert (tmp_path / mine).read_text() == "precious"
    assert bundle.load(tmp_path / "bundle").name == "tiny"


@pytest.mark.parametrize("value", [None, 3, {}, {"name": "x"}])
def test_an_experiment_that_is_none_is_refused(folder, value):
    edit_config(folder, experiment=value)
    with pytest.raises(BundleError, match=r"SettingError.*Export or copy it again"):
        bundle.load(folder)


def test_attribute_vectors_of_another_size_are_refused(tmp_path, experiment, weights):
    save(tmp_path / "b", experiment, weights, vectors={"note_density": np.ones(7, np.float32)})
    with pytest.raises(BundleError, match=r"attribute vectors that are not of its latent's size"):
        bundle.load(tmp_path / "b")


def test_a_bundle_that_is_not_there_is_named_with_those_that_are(tmp_path):
    with pytest.raises(BundleError, match=r"no bundle 'melody-3bar'; .*`musicvae models` lists"):
        bundle.load("melody-3bar")
    with pytest.raises(BundleError, match=r"or a folder with a config.json"):
        bundle.load(tmp_path)


def test_a_bundle_is_found_by_name_among_the_embedded(bundle_folder, monkeypatch):
    monkeypatch.setattr(bundle.format, "EMBEDDED", bundle_folder.parent)
    assert bundle.embedded() == ("tiny",)
    assert musicvae.load("tiny").info.version == bundle.load(bundle_folder).version


def test_every_embedded_bundle_loads():
    for name in bundle.embedded():
        loaded = bundle.load(name)
        assert loaded.name == name
        known = {each.name for each in loaded.representation.kind.attributes}
        assert set(loaded.attribute_vectors) == known
        assert "## Data" in loaded.card


def test_no_pickle_is_ever_loaded(folder, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a pickle was loaded")

    for name in ("load", "loads", "Unpickler"):
        monkeypatch.setattr(pickle, name, refuse)
    monkeypatch.setattr(torch, "load", refuse)
    assert bundle.load(folder).name == "tiny"


def test_a_bundle_is_replaced_by_a_newer_one(folder, experiment, weights):
    before = bundle.load(folder).version
    save(folder, experiment, weights, name="newer")
    assert bundle.load(folder).name == "newer"
    assert bundle.load(folder).version != before
    assert sorted(path.name for path in folder.parent.iterdir()) == ["copy"]


@pytest.mark.parametrize("failing", ["write_text", "write_bytes"])
def test_the_old_bundle_stays_where_saving_fails(folder, experiment, weights, monkeypatch, failing):
    before = bundle.load(folder).version

    def fail(*_, **__):
        raise OSError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, failing, fail)
        with pytest.raises(OSError, match=r"no space left"):
            save(folder, experiment, weights, name="newer")
    assert bundle.load(folder).version == before
    # And what was begun does not stand in the way of the next time.
    save(folder, experiment, weights, name="newer")
    assert bundle.load(folder).name == "newer"


def test_the_old_bundle_comes_back_where_the_last_step_fails(
    folder, experiment, weights, monkeypatch
):
    before, rename = bundle.load(folder).version, Path.rename

    def fail(path, target):
        if path.name == "new":
            raise OSError("no space left on device")
        return rename(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", fail)
        with pytest.raises(OSError, match=r"no space left"):
            save(folder, experiment, weights, name="newer")
    assert bundle.load(folder).version == before


def test_a_folder_with_something_else_is_left_alone(tmp_path, experiment, weights):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(BundleError, match=r"with something else in it.*another `out`"):
        save(tmp_path, experiment, weights)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_an_empty_folder_is_filled(tmp_path, experiment, weights):
    (tmp_path / "empty").mkdir()
    save(tmp_path / "empty", experiment, weights)
    assert bundle.load(tmp_path / "empty").name == "tiny"
