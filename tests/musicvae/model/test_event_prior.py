from dataclasses import replace

import numpy as np
import pytest
import torch

from musicvae.errors import SettingError
from musicvae.model.conditions import NO_CONDITIONS, Conditions
from musicvae.model.event_prior import EventPrior
from musicvae.music.notes import Meter, TimeGrid
from musicvae.representation import Drums, Groove, LeadSheet, Melody, Trio
from musicvae.representation.key_relative import UNKNOWN_MODE, UNKNOWN_TONIC
from musicvae.runtime.decoding import unroll
from musicvae.runtime.event_prior import OnnxPrior
from musicvae.runtime.listening import ListeningStep
from musicvae.runtime.prior_config import PriorConfig

THREE, FIVE = TimeGrid(Meter(3, 4)), TimeGrid(Meter(5, 4))
BY_12 = TimeGrid(Meter(), 12)
BATCH = 3
STYLES = ("funk", "jazz", "rock")
MUSIC = {
    "melody": (Melody(bars=2), (1,)),
    "drums": (Drums(bars=2), ()),
    "drums of styles": (Drums(bars=2), (1,), STYLES),
    "lead sheet": (LeadSheet(bars=2), (1,)),
    "trio": (Trio(bars=3), (1, 2)),
    "trio over chords": (Trio(bars=2, chords=True), (1,)),
    "groove": (Groove(bars=1), ()),
}


def make_prior(representation, lags, styles=(), guidance=1.0):
    config = PriorConfig(
        event_size=12,
        position_size=4,
        hidden_size=16,
        lags=lags,
        styles=styles,
        guidance=guidance,
        has_chord_bias=True,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        prior = EventPrior(
            config,
            streams=representation.streams,
            bars=representation.bars,
            steps_per_bar={
                grid: representation.on_grid(grid).rows_per_bar
                for grid in (representation.grid, THREE, FIVE, BY_12)
            },
        )
        for parameter in prior.parameters():
            parameter.data *= 3  # untrained, it would hardly hear anything
        if prior.chord_bias is not None:
            torch.nn.init.normal_(prior.chord_bias.weight)
    return prior.eval().requires_grad_(requires_grad=False)


def draw(prior, conditions=NO_CONDITIONS, **settings):
    return torch.from_numpy(prior.draws.draw(conditions.to_arrays(), **settings).events)


def delay(prior, events):
    return torch.from_numpy(prior._told.delay(events.numpy()))


CASES = [
    *((name, None) for name in MUSIC),
    ("lead sheet", THREE),
    ("trio", FIVE),
    ("melody", BY_12),
]


def onnx_of(prior):
    return OnnxPrior(
        {name: each.numpy() for name, each in prior.state_dict().items()},
        prior.columns,
        sizes=prior.heads.parameter_sizes,
        lags=len(prior.config.lags),
        steps_per_bar=prior._steps_per_bar,
    )


@pytest.fixture(params=CASES, scope="module", ids=lambda case: f"{case[0]} in {case[1]}")
def case(request):
    """A prior of four grids with random music and conditions."""
    name, grid = request.param
    representation, lags, *styles = MUSIC[name]
    prior = make_prior(representation, lags, *styles)
    generator = torch.Generator().manual_seed(2)
    columns = [
        torch.randint(each.size, (BATCH, prior._told.length_steps(grid)), generator=generator)
        for each in representation.streams
    ]
    every = torch.stack(columns, dim=-1)
    count = len(prior._told.delays)
    keys = torch.tensor([[0, 0], [7, 1], [UNKNOWN_TONIC, UNKNOWN_MODE]])
    streams = every[..., count:] if every.shape[-1] > count else None
    numbers = torch.tensor([0, 2, len(STYLES)]) if styles else None
    told = Conditions(grid=grid, streams=streams, keys=keys, styles=numbers)
    return prior, every[..., :count], told


def test_likelihood_of_all_music_is_one():
    """All sequences of two steps of a small vocabulary, with copies, sum to one."""
    stream = Drums.streams[0]
    small = type(stream)(name="small", size=3)
    config = PriorConfig(event_size=6, position_size=2, hidden_size=8, lags=(1,))
    torch.manual_seed(4)
    prior = EventPrior(config, streams=[small], bars=3, steps_per_bar={TimeGrid(): 1}).eval()
    music = torch.cartesian_prod(*[torch.arange(3)] * 3)[..., None]
    keys = torch.zeros(len(music), 2, dtype=torch.long)
    total = prior.log_prob(music, Conditions(keys=keys)).exp().sum()
    torch.testing.assert_close(total, torch.tensor(1.0))


def parameters_by_steps(prior, rows, told, network):
    """The parameters of every row, one row after the other."""
    draws = prior.draws
    columns, chords = draws.split(draws.guided_columns(told.to_arrays(), len(rows)))
    step = ListeningStep(
        network,
        unknown=prior.heads.unknown.numpy(),
        lags=prior.config.lags,
        steps_per_bar=prior._told.steps_per_bar,
        guidance=prior.config.guidance,
    )
    state = step.start(columns, chords)
    previous = np.broadcast_to(prior.heads.unknown.numpy(), rows[:, 0].shape)
    steps = unroll(
        step, state, previous, rows.shape[1], lambda row, _: rows[:, row].numpy(), told.grid
    )
    return torch.from_numpy(np.stack(list(steps), axis=1))


def test_steps_give_the_parameters_of_all_rows_at_once(case):
    prior, events, told = case
    rows, columns = delay(prior, events), prior.columns_of(told, BATCH)
    every = prior.parameters_of(rows, columns, told.grid)
    for network in (prior, onnx_of(prior)):
        torch.testing.assert_close(
            parameters_by_steps(prior, rows, told, network), every, atol=1e-4, rtol=1e-4
        )


def test_another_runtime_draws_the_same_by_the_same_loop(case):
    prior, _, told = case
    expected = prior.draws.draw(told.to_arrays(), seeds=[5, 6, 7], top_p=0.9)
    other = prior.draws
    other._network = onnx_of(prior)
    assert (
        other.draw(told.to_arrays(), seeds=[5, 6, 7], top_p=0.9).events == expected.events
    ).all()


def test_an_event_changes_nothing_before_it(case):
    prior, events, told = case
    columns = prior.columns_of(told, BATCH)
    rows = delay(prior, events)
    changed = rows.clone()
    middle = rows.shape[1] // 2
    changed[:, middle] = (changed[:, middle] + 1) % prior.heads.unknown
    before, after = (prior.parameters_of(each, columns, told.grid) for each in (rows, changed))
    torch.testing.assert_close(before[:, : middle + 1], after[:, : middle + 1])
    assert not torch.allclose(before[:, middle + 1 :], after[:, middle + 1 :])


def test_a_draw_depends_on_its_own_seed_key_and_conditions(case):
    prior, events, told = case
    drawn = draw(prior, told, seeds=[5, 6, 7])
    assert drawn.shape == events.shape
    order = torch.tensor([2, 0, 1])
    turned = draw(prior, told[order], seeds=[7, 5, 6])
    assert torch.equal(turned, drawn[order])
    assert not torch.equal(draw(prior, told, seeds=[8, 9, 10]), drawn)
    assert (drawn < prior.heads.unknown).all() and (drawn >= 0).all()


def test_likelihood_hears_key_and_conditions(case):
    prior, events, told = case
    nats = prior.log_prob(events, told)
    other = replace(told, keys=told.keys.flip(0))
    assert not torch.allclose(prior.log_prob(events, other)[0], nats[0])
    if told.styles is not None:
        other = replace(told, styles=told.styles.flip(0))
        assert not torch.allclose(prior.log_prob(events, other)[0], nats[0])
    if told.streams is not None:
        shuffled = replace(told, streams=told.streams.flip(1))
        assert not torch.allclose(prior.log_prob(events, shuffled), nats)


def test_without_keys_the_key_is_unknown(case):
    prior, events, told = case
    without = prior.log_prob(events, replace(told, keys=None))
    assert torch.equal(without[2], prior.log_prob(events, told)[2])


def test_without_styles_the_style_is_unknown():
    prior = make_prior(*MUSIC["drums of styles"])
    drawn = draw(prior, seeds=[1, 2])
    unknown = Conditions(styles=torch.full((2,), len(STYLES)))
    assert torch.equal(prior.log_prob(drawn), prior.log_prob(drawn, unknown))


def test_a_prior_without_styles_has_no_weights_for_them():
    plain, styled = (
        {
            name: each.shape
            for name, each in make_prior(Drums(bars=2), (), styles).state_dict().items()
        }
        for styles in ((), STYLES)
    )
    assert styled.pop("style_weights") == (len(STYLES) + 1,)
    rows, width = styled.pop("embedding.events.weight")
    assert plain.pop("embedding.events.weight") == (rows - len(STYLES) - 1, width)
    assert plain == styled


def test_guidance_moves_draws_away_from_music_without_chords():
    prior, guided = (make_prior(*MUSIC["lead sheet"], guidance=each) for each in (1.0, 1.5))
    told = Conditions(
        streams=torch.tensor([[35, 0]]).expand(BATCH, 32, -1),
        keys=torch.tensor([[0, 0], [7, 1], [UNKNOWN_TONIC, UNKNOWN_MODE]]),
    )
    drawn = draw(guided, told, seeds=[5, 6, 7])
    order = torch.tensor([2, 0, 1])
    assert torch.equal(draw(guided, told[order], seeds=[7, 5, 6]), drawn[order])
    assert not torch.equal(draw(prior, told, seeds=[5, 6, 7]), drawn)

    rows = delay(guided, drawn)
    with_chords, without = (
        prior.parameters_of(rows, guided.columns_of(each, BATCH))
        for each in (told, replace(told, streams=None))
    )
    expected = without + 1.5 * (with_chords - without)
    for network in (guided, onnx_of(guided)):
        torch.testing.assert_close(
            parameters_by_steps(guided, rows, told, network), expected, atol=1e-4, rtol=1e-4
        )
    assert torch.equal(guided.log_prob(drawn, told), prior.log_prob(drawn, told))


def test_a_mask_holds_and_costs_what_it_takes_away():
    prior = make_prior(*MUSIC["melody"])
    told = Conditions(keys=torch.zeros(2, 2, dtype=torch.long))
    allowed = np.zeros((2, 90), np.bool_)
    allowed[:, [0, 1, 41, 43, 45]] = True
    draws = prior.draws
    mask, free = (draws.events.mask([each]) for each in (allowed, np.ones_like(allowed)))
    drawn, nats = draws.draw(told.to_arrays(), seeds=[1, 2], mask=mask, free=free)
    assert set(drawn.flatten().tolist()) <= {0, 1, 41, 43, 45}
    assert (nats > 0).all()
    rows = delay(prior, torch.from_numpy(drawn))
    logits = prior.parameters_of(rows, prior.columns_of(told, 2))
    expected = logits.logsumexp(-1) - (logits + torch.from_numpy(mask)[:, None]).logsumexp(-1)
    torch.testing.assert_close(torch.from_numpy(nats[..., 0]), expected)
    masked = draws.draw(told.to_arrays(), seeds=[1, 2], mask=mask, free=mask)
    assert not masked.masked_nats.any()


def test_a_stream_hears_the_streams_before_it_at_its_step():
    assert make_prior(*MUSIC["trio"])._told.delays == (0, 1, 2)
    delays = make_prior(*MUSIC["groove"])._told.delays
    hits, rest = delays[:9], delays[9:]
    assert hits == tuple(range(9)) and rest == (*range(1, 10), *range(1, 10))


@pytest.mark.parametrize(
    ("setting", "field"),
    [
        ({"hidden_size": 0}, "prior.hidden_size"),
        ({"dropout": 1.0}, "prior.dropout"),
        ({"lags": (0,)}, "prior.lags"),
        ({"styles": ("rock", "jazz", "rock")}, "prior.styles"),
        ({"top_p": 0.0}, "prior.top_p"),
        ({"temperature": -1.0}, "prior.temperature"),
        ({"guidance": 0.5}, "prior.guidance"),
    ],
)
def test_settings_out_of_range_are_named(setting, field):
    with pytest.raises(SettingError) as caught:
        PriorConfig(**setting)
    assert caught.value.field == field
