"""The client for asyncio answers as the other client does."""

import asyncio
import inspect
import logging
import time

import pytest

from musicvae.errors import BundleError, SettingError
from musicvae.generation.inputs import Excerpt
from musicvae.generation.requests import (
    DecodeRequest,
    EncodeRequest,
    GrooveRequest,
    InterpolateRequest,
    SampleRequest,
    TransformRequest,
)
from musicvae.rpc.async_client import AsyncClient
from musicvae.rpc.client import Client

LATENT = tuple([0.1, -0.7] * 4)


def answer(address, name, request):
    """The whole answer of one call."""

    async def ask():
        async with AsyncClient(address) as client:
            reply = getattr(client, name)(*request)
            if inspect.isawaitable(reply):
                return await reply
            return [clip async for clip in reply]

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("name", "request_"),
    [
        ("sample", [SampleRequest(count=3, seed=1)]),
        ("interpolate", [InterpolateRequest(points=[LATENT] * 2, count=3, seed=1)]),
        ("transform", [TransformRequest(point=LATENT, amounts={"c_diatonic": 0.5}, seed=1)]),
        ("decode", [DecodeRequest(latents=[LATENT], seed=1)]),
        ("models", []),
        ("model", ["other"]),
    ],
)
def test_answers_are_equal(client, server, name, request_):
    ours = getattr(client, name)(*request_)
    theirs = answer(server.address, name, request_)
    assert theirs == (ours if name in ("transform", "models", "model") else list(ours))


def test_encodings_and_grooves_are_equal(family_client, family_server, beat):
    excerpt = Excerpt(notes=beat)
    for name, request in (
        ("encode", EncodeRequest(model="groove-2bar", excerpt=excerpt)),
        ("groove", GrooveRequest(point=excerpt, seed=1)),
    ):
        theirs = answer(family_server.address, name, [request])
        assert theirs == getattr(family_client, name)(request)


def test_methods_and_their_arguments_are_equal():
    ours, theirs = (
        {
            name: list(inspect.signature(value).parameters)
            for name, value in vars(kind).items()
            if not name.startswith("_") or name == "__init__"
        }
        for kind in (Client, AsyncClient)
    )
    assert theirs == ours


def test_errors_are_those_of_the_server(server):
    with pytest.raises(BundleError, match="nobody"):
        answer(server.address, "sample", [SampleRequest(model="nobody")])


def test_address_that_is_none_is_told():
    with pytest.raises(SettingError, match="expected HOST:PORT"):
        AsyncClient("localhost")


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_stream_that_is_left_ends_on_the_server(server, caplog, kind):
    request = SampleRequest(count=256)

    async def leave():
        async with AsyncClient(server.address) as client:
            async for _ in client.sample(request):
                break
            await asyncio.to_thread(until_cancelled, caplog)

    with caplog.at_level(logging.INFO):
        if kind is AsyncClient:
            asyncio.run(leave())
        else:
            with Client(server.address) as client:
                for _ in client.sample(request):
                    break
                until_cancelled(caplog)


def until_cancelled(caplog):
    deadline_s = time.monotonic() + 10
    while "Sample CANCELLED" not in caplog.text:
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def test_calls_of_one_client_overlap(server):
    async def ask():
        async with AsyncClient(server.address) as client:

            async def draw(seed):
                return [clip.seed async for clip in client.sample(SampleRequest(seed=seed))]

            return await asyncio.gather(*map(draw, range(20)))

    assert asyncio.run(ask()) == [[seed] for seed in range(20)]
