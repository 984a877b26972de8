"""Public functions say what they expect when they get values of another type."""

import json
import subprocess
import sys

from musicvae.commands.terminal import DEFAULT_BUNDLE

PROGRAM = """
import json
import sys
import musicvae as m

model, clip = m.load(sys.argv[1]), None
clip = model.sample(1, seed=1)[0]
engine, client = m.Engine([sys.argv[1]]), m.Client("127.0.0.1:1")
excerpt = m.Excerpt(clip.notes)
kinds = {
    m.SampleRequest: {}, m.InterpolateRequest: {"points": [excerpt, excerpt]},
    m.TransformRequest: {"point": excerpt, "amounts": {"note_density": 1}},
    m.GrooveRequest: {"point": excerpt}, m.EncodeRequest: {"excerpt": excerpt},
    m.DecodeRequest: {"latents": [clip.latent]},
}
calls = {
    "load": m.load, "Engine": m.Engine, "Client": m.Client, "timeout_s":
    lambda x: m.Client("127.0.0.1:1", timeout_s=x), "Excerpt": m.Excerpt,
    "read_midi": m.read_midi, "save": clip.save, "encode": model.encode,
    "decode": model.decode, "interpolate": model.interpolate, "groove": model.groove,
    "onto": lambda x: model.groove(clip, "transfer", onto=x), "sample": model.sample,
    "points": lambda x: model.interpolate([clip, x]),
    "transform": lambda x: model.transform(clip, x),
    "model": engine.model, "client model": client.model,
}
for answers in (engine, client):
    for name in ("sample", "interpolate", "transform", "encode", "decode", "groove"):
        work = getattr(answers, name)
        calls[f"{type(answers).__name__}.{name}"] = lambda x, work=work: list(work(x))
for kind, fields in kinds.items():
    for field in kind.__dataclass_fields__:
        calls[f"{kind.__name__} {field}"] = (
            lambda x, kind=kind, fields=fields, field=field: kind(**{**fields, field: x})
        )
wrong = {}
for name, call in calls.items():
    for value in (object(), 3 + 4j, print):
        try:
            call(value)
        except m.MusicVAEError:
            continue
        except Exception as error:
            wrong[f"{name} {value}"] = repr(error)
        else:
            wrong[f"{name} {value}"] = "no error"
print(json.dumps([len(calls), wrong]))
"""


def test_a_value_of_a_wrong_type_is_an_error_of_our_tree():
    # In a process of its own: the tests' checker of types would be quicker than our errors.
    program = [sys.executable, "-c", PROGRAM, DEFAULT_BUNDLE]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    count, wrong = json.loads(done.stdout)
    assert count > 70
    assert not wrong
