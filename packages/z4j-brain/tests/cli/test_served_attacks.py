"""Named attacks on the port of `z4j serve`: bytes no client library would send, and crowds."""

from __future__ import annotations

import contextlib
import re
import resource
import socket
from pathlib import Path

import httpx
import pytest
from desk import Desk, agent
from served import served
from websockets.sync.client import connect
from z4j_core import EventKind, TaskEvent

pytestmark = [pytest.mark.live, pytest.mark.timeout(180)]
LOGIN = "/api/v1/auth/login"
IDLE = 10_000
MOST_KB = 64 * 1024


@pytest.fixture(scope="module")
def brain(tmp_path_factory):
    with served(tmp_path_factory.mktemp("brain")) as running:
        yield running


def said(brain, data):
    """All a fresh connection answers to these bytes until it is closed, or silent for 5 s."""
    got = b""
    with socket.create_connection(("127.0.0.1", brain.port), timeout=20) as peer:
        peer.sendall(data)
        peer.settimeout(5)
        with contextlib.suppress(TimeoutError, ConnectionResetError):
            while part := peer.recv(65_536):
                got += part
    return got


def request(*headers, body="", method="POST", path=LOGIN, end="\r\n"):
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *headers]
    return (end.join([*lines, "", ""]) + body).encode("latin-1")


HIDDEN = "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
SMUGGLED = {
    "length and chunks": request(
        f"Content-Length: {5 + len(HIDDEN)}", "Transfer-Encoding: chunked",
        body=f"0\r\n\r\n{HIDDEN}",
    ),
    "chunks and length": request(
        "Transfer-Encoding: chunked", f"Content-Length: {5 + len(HIDDEN)}",
        body=f"0\r\n\r\n{HIDDEN}",
    ),
    "two lengths": request(
        "Content-Length: 0", f"Content-Length: {len(HIDDEN)}", body=HIDDEN
    ),
    "a list of lengths": request(f"Content-Length: 0, {len(HIDDEN)}", body=HIDDEN),
    "a signed length": request("Content-Length: +0", body=HIDDEN),
    "a length in hex": request("Content-Length: 0x0", body=HIDDEN),
    "unknown coding": request("Transfer-Encoding: xchunked", body=f"0\r\n\r\n{HIDDEN}"),
    "chunked twice": request("Transfer-Encoding: chunked, chunked", body=f"0\r\n\r\n{HIDDEN}"),
    "identity": request("Transfer-Encoding: chunked, identity", body=f"0\r\n\r\n{HIDDEN}"),
    "a blank before the colon": request("Content-Length : 0", body=HIDDEN),
    "a bare carriage return": request("X-A: b\rContent-Length: 0", body=HIDDEN),
    "a NUL in a header": request("X-A: b\0", "Content-Length: 0", body=HIDDEN),
    "a chunk size with a sign": request("Transfer-Encoding: chunked", body=f"+0\r\n\r\n{HIDDEN}"),
}  # fmt: skip


@pytest.mark.parametrize("data", SMUGGLED.values(), ids=SMUGGLED)
def test_w34_a_request_two_readers_may_end_differently_is_refused_with_all_behind_it(brain, data):
    answer = said(brain, data)

    statuses = re.findall(rb"^HTTP/1\.1 (\d+)", answer, re.MULTILINE)
    assert statuses == [b"400"], answer[:400]
    assert not answer.endswith(b"ok")


HOSTS = ["[::1", "[::1]x", "::1]:80", "127.0.0.1:port", "a b", "127.0.0.1@evil.test", "[", ""]


@pytest.mark.parametrize("host", HOSTS)
def test_w34_a_malformed_host_is_refused_on_the_wire(brain, host):
    lines = f"Host: {host}\r\nConnection: close\r\n"

    answer = said(brain, f"GET /healthz HTTP/1.1\r\n{lines}\r\n".encode())

    assert answer.startswith(b"HTTP/1.1 400")
    assert b"evil" not in answer


@pytest.mark.parametrize("hosts", [[], ["127.0.0.1", "127.0.0.1"], ["127.0.0.1", "evil.test"]])
def test_w34_one_host_is_named_and_only_one(brain, hosts):
    lines = "".join(f"Host: {host}\r\n" for host in hosts)

    answer = said(brain, f"GET /healthz HTTP/1.1\r\n{lines}Connection: close\r\n\r\n".encode())

    assert answer.startswith(b"HTTP/1.1 400")


@pytest.fixture
def many_files():
    """Allow this process and its children ten thousand sockets."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = IDLE + 1_000
    if hard not in (-1, resource.RLIM_INFINITY) and hard < wanted:
        pytest.skip(f"only {hard} files may be open here: idle sockets are NOT tested")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def rss_kb(port):
    """Memory of the process that listens on this port."""
    inode = next(
        line.split()[9] for line in Path("/proc/net/tcp").read_text("ascii").splitlines()
        if line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A"
    )  # fmt: skip
    for found in Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            if found.readlink().name == f"socket:[{inode}]":
                status = (found.parents[1] / "status").read_text("ascii")
                return int(re.search(r"VmRSS:\s+(\d+)", status)[1])
    raise AssertionError("nobody listens")


@pytest.mark.usefixtures("many_files")
def test_w21_ten_thousand_idle_sockets_cost_64_mebibytes_at_most_and_keep_nobody_out(tmp_path):
    with served(tmp_path) as brain, contextlib.ExitStack() as held:
        url = f"ws://127.0.0.1:{brain.port}/api/agent/ws"
        before = rss_kb(brain.port)
        for number in range(IDLE):
            where = ("127.0.0.1", brain.port)
            idle = held.enter_context(socket.create_connection(where, timeout=60))
            if number % 2:
                idle.sendall(b"GET /api/agent/ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgr")
        with connect(url, subprotocols=["z4j.2"], compression=None, open_timeout=60):
            crowded = rss_kb(brain.port)
        health = httpx.get(f"{brain.url}/healthz", timeout=60).text
        handle = agent(tmp_path, brain.dsn)
        engine = handle.attach(Desk())
        try:
            engine.emit(TaskEvent(EventKind.ENQUEUED, "among-them", 0, "shop.mail", "mail"))
            assert handle.flush(60)
        finally:
            handle.close()

    print(f"{IDLE} idle sockets cost {crowded - before} KiB")
    assert health == "ok"
    assert crowded - before <= MOST_KB
