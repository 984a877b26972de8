"""GetServer tells version, limits and models."""

import asyncio
from dataclasses import replace
from importlib.metadata import version

from musicvae.rpc.async_client import AsyncClient
from musicvae.rpc.client import Client
from musicvae.rpc.credentials import Credentials
from musicvae.server import Limits, Settings
from musicvae.server.tokens import add_token


def test_server_tells_version_limits_and_models(client):
    told = client.server()
    assert told.version == version("musicvae")
    assert told.request_limits == Limits()
    assert told.call_limits == Settings().call_limits
    assert told.models == client.models()
    assert not told.needs_token
    assert 0 < told.uptime_s <= client.server().uptime_s


def test_client_for_asyncio_gets_the_same(server, client):
    async def ask():
        async with AsyncClient(server.address) as other:
            return await other.server()

    told = asyncio.run(ask())
    assert replace(told, uptime_s=0.0) == replace(client.server(), uptime_s=0.0)


def test_limits_and_tokens_are_those_of_the_settings(start_server, tmp_path):
    token = add_token(tmp_path / "tokens.txt", "studio")
    settings = Settings(
        port=0, pause_s=0.0, tokens=tmp_path / "tokens.txt", limits=Limits(max_count=3), max_rpcs=5
    )
    with Client(start_server(settings).address, credentials=Credentials(token=token)) as client:
        told = client.server()
    assert told.needs_token
    assert told.request_limits.max_count == 3
    assert told.call_limits.max_rpcs == 5
