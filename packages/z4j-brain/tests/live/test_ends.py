"""A live page over a real socket: it begins, it ends with its session."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
from urllib.parse import urlsplit

import httpx
import pytest

COMMAND = "import sys; from z4j_brain.cli.serve import main; sys.exit(main(sys.argv[1:]))"
LIVE = "/api/v1/projects/demo/live?view=tasks"


@pytest.fixture
def server(tmp_path):
    own = {name: value for name, value in os.environ.items() if not name.startswith("Z4J_")}
    options = ["--port", "0", "--data-dir", str(tmp_path), "--dev-project", "demo", "--print-json"]
    child = subprocess.Popen(
        [sys.executable, "-c", COMMAND, *options], stdout=subprocess.PIPE, text=True, env=own
    )
    found = json.loads(child.stdout.readline())
    yield found | {"database": tmp_path / "z4j.db"}
    child.send_signal(signal.SIGTERM)
    assert child.wait(10) == 0
    child.stdout.close()


def enter(server):
    token = urlsplit(server["login_url"]).fragment
    entered = httpx.post(
        f"{server['url']}/api/v1/auth/link", json={"token": token}, headers={"X-Z4J": "1"}
    )
    return {"z4j_dev": entered.cookies["z4j_dev"]}


async def lines_of(server, cookies, then, more=None):
    """Events until the stream ends; `then` is done after the first."""
    seen = []
    async with httpx.AsyncClient(base_url=server["url"], cookies=cookies) as client:
        headers = {"Sec-Fetch-Site": "same-origin", **(more or {})}
        async with client.stream("GET", LIVE, headers=headers, timeout=20) as answer:
            async for line in answer.aiter_lines():
                seen.append(line)
                if line.startswith("data:") and then is not None:
                    await then(client)
                    then = None
    return seen


@pytest.mark.live
def test_h5_a_live_page_ends_within_five_seconds_of_its_session(server):
    async def delete(_client):
        with sqlite3.connect(server["database"], timeout=5) as conn:
            conn.execute("DELETE FROM sessions")

    async def watched():
        async with asyncio.timeout(7):
            return await lines_of(server, enter(server), delete)

    seen = asyncio.run(watched())

    assert "event: hello" in seen


@pytest.mark.live
@pytest.mark.parametrize("how", ["the database", "the API"])
def test_h5_a_live_stream_of_a_token_ends_within_five_seconds_of_it(server, how):
    bearer = {"Authorization": f"Bearer {server['token']}"}

    async def revoke(client):
        if how == "the API":
            path = f"/api/v1/tokens/{server['token'].split('_')[1]}/revoke"
            assert (await client.post(path, headers=bearer)).status_code == 204
        else:
            with sqlite3.connect(server["database"], timeout=5) as conn:
                conn.execute("UPDATE api_tokens SET revoked = 1")

    async def watched():
        async with asyncio.timeout(7 if how == "the database" else 2):
            return await lines_of(server, {}, revoke, bearer)

    assert "event: hello" in asyncio.run(watched())


@pytest.mark.live
def test_h5_logging_out_ends_the_live_page_at_once(server):
    async def logout(client):
        headers = {"X-Z4J": "1", "Origin": server["url"]}
        answer = await client.post("/api/v1/auth/logout", headers=headers)
        assert answer.status_code == 204

    async def watched():
        async with asyncio.timeout(2):
            return await lines_of(server, enter(server), logout)

    assert "event: hello" in asyncio.run(watched())


@pytest.mark.live
@pytest.mark.parametrize(
    "headers", [{}, {"Origin": "null"}, {"Origin": "http://127.0.0.1:1"},
                {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}],
)  # fmt: skip
def test_h4_another_site_cannot_open_the_stream(server, headers):
    answer = httpx.get(f"{server['url']}{LIVE}", cookies=enter(server), headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (403, "request.cross_site")
