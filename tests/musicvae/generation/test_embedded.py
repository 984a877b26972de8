"""The models that ship, in the engine: rounding and repetition hang on real widths and weights."""

import pytest
import torch

from musicvae import bundle
from musicvae.generation.decoding import Drawing, Row, decode
from musicvae.generation.engine import Engine
from musicvae.generation.replies import SAMPLED
from musicvae.generation.requests import DecodeRequest, SampleRequest, TransformRequest
from musicvae.model.latent.latent import find_repeats

ROWS = 12


@pytest.fixture(scope="module")
def engines():
    return {name: Engine([bundle.load(name)]) for name in bundle.embedded()}


def request_for(name, **how):
    chords = "C | Am | F | G7" if name.startswith("leadsheet") else None
    return SampleRequest(chords=chords, seed=5, temperature=1.0, **how)


@pytest.mark.parametrize("name", bundle.embedded())
def test_draw_is_the_same_alone_and_among_others(engines, name):
    together = list(engines[name].sample(request_for(name, count=ROWS)))
    assert len({clip.notes for clip in together}) == ROWS
    for index in (0, 5, ROWS - 1):
        alone = engines[name].sample(request_for(name, count=1, first_index=index))
        assert list(alone) == [together[index]]


def with_bars_again(engine, count):
    """Latents of draws whose second half has the shares of the first."""
    drawn = engine.sample(request_for("melody-16bar", count=count))
    z = torch.tensor([clip.latent for clip in drawn])
    return torch.cat([z[:, : z.shape[1] // 2]] * 2, dim=1)


def test_a_bar_that_comes_back_in_a_draw_sounds_the_same(engines):
    loaded, engine = bundle.load("melody-16bar"), engines["melody-16bar"]
    latents = with_bars_again(engine, 2 * ROWS)
    repeats = find_repeats(loaded.model.latent.shares(latents)).tolist()
    drawing = Drawing(
        method=SAMPLED,
        representation=loaded.representation,
        seed=5,
        temperature=1.0,
        top_p=1.0,
        qpm=120.0,
    )
    rows = [Row(index=index, z=z, seed=index) for index, z in enumerate(latents)]
    assert share_of_equal(decode(loaded, rows, drawing), repeats) > 0.9
    # Of latents that somebody gives, bars have noise of their own.
    decoded = engine.decode(DecodeRequest(latents=list(latents), seed=5, temperature=1.0))
    assert share_of_equal(decoded, repeats) < 0.8


def share_of_equal(clips, repeats):
    """How many of the bars that are to be repeats sound as those that they repeat."""
    are_equal = []
    for clip, bars in zip(clips, repeats, strict=True):
        notes = [[] for _ in bars]
        for note in clip.notes.notes:
            bar, step = divmod(note.start_step, 16)
            notes[bar].append((step, note.pitch, note.end_step - note.start_step))
        are_equal += [notes[bar] == notes[old] for bar, old in enumerate(bars) if bar != old]
    assert len(are_equal) > 20
    return sum(are_equal) / len(are_equal)


def test_clips_of_one_point_differ_by_their_latents_alone(engines):
    engine = engines["melody-16bar"]
    for latent in with_bars_again(engine, ROWS):
        moved = engine.transform(
            TransformRequest(point=latent, amounts={"note_density": 1e-5}, seed=2, temperature=1.0)
        )
        assert moved.after.latent != moved.before.latent
        assert moved.after.notes == moved.before.notes
