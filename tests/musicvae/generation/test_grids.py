"""Models of several grids: clips have the grid asked for, and the first plays as if alone."""

from dataclasses import replace

import pytest

from musicvae import bundle
from musicvae.errors import RepresentationError, SettingError
from musicvae.generation.engine import Engine
from musicvae.generation.inputs import Excerpt
from musicvae.generation.loaded_model import Model
from musicvae.generation.provenance import request_again
from musicvae.generation.requests import (
    DecodeRequest,
    EncodeRequest,
    InterpolateRequest,
    SampleRequest,
    TransformRequest,
)
from musicvae.music import midi
from musicvae.music.notes import Meter, Note, NoteSequence, TimeGrid

COMMON, THREE, SIX = TimeGrid(), TimeGrid(Meter(3, 4)), TimeGrid(Meter(6, 8))
BY_12 = TimeGrid(Meter(), 12)


@pytest.fixture(scope="module")
def several(make_bundle, tmp_path_factory):
    folder = tmp_path_factory.mktemp("grids")
    return make_bundle(folder / "several", draws_events=True, grids=(THREE, SIX, BY_12))


@pytest.fixture(scope="module")
def engine(several):
    return Engine([several])


def tune(grid, pitch=60):
    """Eighths, or on a grid of 12 eighth triplets."""
    steps = 2 * grid.meter.steps_per_bar(grid.steps_per_quarter)
    length = 2 if grid.steps_per_quarter == 4 else 4
    notes = tuple(
        Note(step, pitch + step // length % 5, step + length) for step in range(0, steps, length)
    )
    return NoteSequence(
        notes=notes,
        length_steps=steps,
        meter=grid.meter,
        steps_per_quarter=grid.steps_per_quarter,
    )


@pytest.mark.parametrize(
    ("meter", "steps", "grid"),
    [
        (None, None, COMMON),
        ("3/4", None, THREE),
        ("6/8", 4, SIX),
        (None, 12, BY_12),
        ("4/4", 12, BY_12),
    ],
)
def test_a_draw_has_the_grid_that_is_asked_for_and_is_made_again(engine, meter, steps, grid):
    request = SampleRequest(count=3, seed=5, meter=meter, steps_per_quarter=steps, key="G")
    for clip in engine.sample(request):
        assert clip.notes.grid == grid
        assert clip.notes.length_steps == 2 * grid.meter.steps_per_bar(grid.steps_per_quarter)
        recipe = clip.provenance()
        told = {name: recipe[name] for name in ("meter", "steps_per_quarter") if name in recipe}
        assert told == {
            **({} if grid.meter == COMMON.meter else {"meter": meter}),
            **({} if grid.steps_per_quarter == 4 else {"steps_per_quarter": "12"}),
        }
        (again,) = engine.sample(request_again(recipe))
        assert again.notes == clip.notes
        moved = replace(clip, method="decode").provenance()
        assert next(engine.decode(request_again(moved))).notes.grid == grid


def test_the_first_grid_is_drawn_as_by_a_model_of_it_alone(several, tmp_path):
    alone = replace(several.experiment, grids=())
    prior = _cut(several.prior_weights, 16)
    bundle.save(
        tmp_path / "alone",
        replace(
            several,
            experiment=alone,
            weights=_cut(several.weights, 16),
            prior_weights={**prior, "key_weights": prior["key_weights"][0]},
        ),
    )
    requests = [
        SampleRequest(count=9, seed=3),
        SampleRequest(count=2, seed=3, meter="4/4", steps_per_quarter=4),
    ]
    for request in requests:
        one, other = (Engine([each]).sample(request) for each in (several, tmp_path / "alone"))
        for clip, expected in zip(one, other, strict=True):
            assert (clip.notes, clip.latent) == (expected.notes, expected.latent)


def test_an_excerpt_is_encoded_and_played_on_its_grid(engine):
    for grid in (COMMON, THREE, SIX, BY_12):
        point = Excerpt(tune(grid))
        encoding = engine.encode(EncodeRequest(excerpt=point))
        assert encoding.notes.grid == grid
        decoding = DecodeRequest(
            latents=[encoding.latent],
            meter=str(grid.meter),
            steps_per_quarter=grid.steps_per_quarter,
        )
        again = engine.decode(decoding)
        moved = engine.transform(TransformRequest(point=point, amounts={"note_density": 1.0}))
        path = list(engine.interpolate(InterpolateRequest(points=[point, encoding.latent])))
        assert {each.notes.grid for each in (*again, moved.before, moved.after, *path)} == {grid}
    assert engine.encode(EncodeRequest(excerpt=Excerpt(tune(THREE)))).latent != (
        engine.encode(EncodeRequest(excerpt=Excerpt(replace(tune(THREE), meter=SIX.meter)))).latent
    )


def test_music_is_read_in_the_meter_that_is_said(engine):
    read = Excerpt(tune(THREE), meter="6/8")
    assert engine.encode(EncodeRequest(excerpt=read)).notes.grid == SIX
    with pytest.raises(RepresentationError, match="expected 4/4, 3/4 or 6/8, a meter of"):
        engine.encode(EncodeRequest(excerpt=Excerpt(tune(THREE), meter="5/4")))


def test_triplets_in_a_midi_file_are_read_on_the_grid_that_is_said(engine):
    triplets = midi.write(tune(BY_12))
    encoding = engine.encode(EncodeRequest(excerpt=Excerpt(triplets, steps_per_quarter=12)))
    assert encoding.notes.notes == tune(BY_12).notes
    with pytest.raises(RepresentationError, match="steps off the grid") as refused:
        engine.encode(EncodeRequest(excerpt=Excerpt(triplets)))
    assert refused.value.cause == "off_grid"
    assert "with `steps_per_quarter` 12" in refused.value.action


def test_notes_are_moved_to_a_finer_grid_alone(engine):
    straight = Excerpt(tune(COMMON), steps_per_quarter=12)
    assert engine.encode(EncodeRequest(excerpt=straight)).notes.grid == BY_12
    with pytest.raises(SettingError, match="on a grid of 12 to read on 4 steps"):
        Excerpt(tune(BY_12), steps_per_quarter=4)
    with pytest.raises(SettingError, match="`steps_per_quarter` 6; expected 4 or 12"):
        Excerpt(tune(COMMON), steps_per_quarter=6)


def test_music_on_a_grid_that_the_model_does_not_play_is_refused(make_bundle, tmp_path):
    straight = Engine([make_bundle(tmp_path / "straight")])
    with pytest.raises(RepresentationError, match="expected a grid of 4 steps") as refused:
        straight.encode(EncodeRequest(excerpt=Excerpt(tune(BY_12))))
    assert refused.value.cause == "wrong_resolution"
    assert refused.value.field == "excerpt.steps_per_quarter"


@pytest.mark.parametrize(
    ("other", "cause", "remedy"),
    [(THREE, "wrong_meter", "`meter`"), (BY_12, "wrong_resolution", "`steps_per_quarter`")],
)
def test_points_of_two_grids_are_refused(engine, other, cause, remedy):
    points = [Excerpt(tune(COMMON)), Excerpt(tune(other))]
    with pytest.raises(RepresentationError, match=f"music in {other} beside music in 4/4; .*"
                       f"excerpt's {remedy}") as refused:  # fmt: skip
        list(engine.interpolate(InterpolateRequest(points=points)))
    assert (refused.value.cause, refused.value.field) == (cause, "points[1].excerpt")
    asked = InterpolateRequest(
        points=points[:1] * 2,
        meter=str(other.meter),
        steps_per_quarter=other.steps_per_quarter,
    )
    with pytest.raises(RepresentationError, match=f"music in 4/4 for clips in {other}"):
        list(engine.interpolate(asked))


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"meter": "5/4"}, "`meter` 5/4"),
        ({"meter": "3/4", "steps_per_quarter": 12}, "`steps_per_quarter` 12 in 3/4"),
    ],
)
def test_a_grid_that_the_model_does_not_play_is_refused(engine, asked, found):
    with pytest.raises(
        SettingError, match=f"{found} for tiny; expected one of 4/4, 3/4, 6/8, 4/4 by 12"
    ):
        list(engine.sample(SampleRequest(**asked)))


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"meter": "waltz"}, "expected a meter such as 4/4"),
        ({"steps_per_quarter": 6}, "expected 4 or 12"),
    ],
)
def test_a_grid_that_is_none_is_refused(asked, expected):
    with pytest.raises(SettingError, match=expected):
        SampleRequest(**asked)


def test_a_request_has_the_length_of_its_clips(engine):
    sample, point = SampleRequest(steps_per_quarter=12), Excerpt(tune(BY_12))
    path = InterpolateRequest(points=[point, point])
    moved = TransformRequest(point=point, amounts={"note_density": 1.0})
    assert [engine.length_steps(each) for each in (sample, path, moved)] == [96, 96, 96]
    assert engine.length_steps(InterpolateRequest(points=[Excerpt(tune(COMMON))] * 2)) == 32


def test_the_grids_are_listed(engine):
    info = engine.model("")
    assert info.meters == (COMMON.meter, THREE.meter, SIX.meter)
    assert info.grids == (COMMON, THREE, SIX, BY_12)


@pytest.mark.parametrize(
    ("asked", "grid"), [({"meter": "3/4"}, THREE), ({"steps_per_quarter": 12}, BY_12)]
)
def test_own_clips_keep_their_grid_in_python(several, asked, grid):
    model = Model(several)
    drawn = model.sample(2, seed=1, **asked)
    path = model.interpolate(drawn, 3, seed=1)
    moved = model.transform(drawn[0], {"note_density": 1.0}, seed=1)
    assert {each.notes.grid for each in (*path, moved.before, moved.after)} == {grid}
    with pytest.raises(SettingError, match=f"clips in {grid} and 4/4; expected clips on one grid"):
        model.interpolate([drawn[0], *model.sample(1, seed=1)])


def _cut(weights, rows):
    return {
        name: tensor[:rows] if name.endswith("positions.weight") else tensor
        for name, tensor in weights.items()
    }
