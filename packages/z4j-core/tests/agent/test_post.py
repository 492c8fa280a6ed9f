"""Whoever answers the agent's requests may be hostile: bounded, sent once, and never followed."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import closing, contextmanager

import pytest
from z4j_core.agent import poll, post
from z4j_core.agent.link import Closed
from z4j_core.agent.transport import Transport
from z4j_core.clock import SystemClock
from z4j_core.config import Settings
from z4j_core.errors import Away
from z4j_core.wire import Dsn
from z4j_core.wire.poll import MAX_BATCH_BYTES
from z4j_testing.wire import CREDENTIAL

CLOCK = SystemClock()
HANDLE = "ab" * 16


class Last(bytes):
    """An answer after which the server hangs up."""


class Drip(bytes):
    """An answer of which a byte is sent now and then."""


class Server:
    """Gives each request the next of its answers, or hangs up; keeps what it was sent."""

    def __init__(self, *answers):
        self.answers, self.heads, self.connections = list(answers), [], 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._open, self._thread = [], threading.Thread(target=self._accept)
        self._thread.start()

    @property
    def dsn(self):
        port = self._listening.getsockname()[1]
        return Dsn("http", "127.0.0.1", port, "/p", "demo", CREDENTIAL)

    def stop(self):
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(20)

    def _accept(self):
        while True:
            try:
                peer, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            with peer:
                self._answer(peer)

    def _answer(self, peer):
        data = b""
        try:
            while self.answers:
                while b"\r\n\r\n" not in data:
                    if not (more := peer.recv(65_536)):
                        return
                    data += more
                head, _, data = data.partition(b"\r\n\r\n")
                self.heads.append(head.decode())
                if (answer := self.answers.pop(0)) is None:
                    return
                for part in _parts(answer):
                    peer.sendall(part)
                if isinstance(answer, Last):
                    return
            peer.recv(1)
        except OSError:
            return


def _parts(answer):
    if not isinstance(answer, Drip):
        yield answer
        return
    for byte in answer:
        yield bytes([byte])
        threading.Event().wait(0.01)


@contextmanager
def serving(*answers):
    server = Server(*answers)
    try:
        yield server
    finally:
        server.stop()


def answer(status=200, body=b"", *headers):
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def poster(server):
    return post.Poster(server.dsn, None, CLOCK)


def test_requests_go_to_the_prefix_on_one_connection_and_carry_the_handle():
    with serving(answer(200, b"one", f"Z4J-Session: {HANDLE}"), answer(204)) as server:
        way = poster(server)

        first = way.post("/api/agent/hello", b"x", "", 10)
        second = way.post("/api/agent/up", b"", HANDLE, 10)
        way.close()

    assert (first, second) == ((200, b"one", HANDLE), (204, b"", ""))
    assert server.connections == 1
    assert server.heads[0].startswith("POST /p/api/agent/hello HTTP/1.1")
    assert "Z4J-Session" not in server.heads[0]
    assert f"Z4J-Session: {HANDLE}" in server.heads[1]


def test_cookies_of_a_session_go_with_each_of_its_requests_by_whichever_connection():
    said = answer(200, b"", "Set-Cookie: lb=one; Path=/; HttpOnly", "Set-Cookie: b=2")
    changed = answer(204, b"", "Set-Cookie: lb=other")
    with serving(said, changed, answer(204)) as server:
        kept = {}
        up, down = (post.Poster(server.dsn, None, CLOCK, kept) for _ in range(2))
        up.post("/api/agent/hello", b"x", "", 10)
        up.post("/api/agent/up", b"", HANDLE, 10)
        up.close()
        down.post("/api/agent/down", b"", HANDLE, 10)
        down.close()

    assert "Cookie" not in server.heads[0]
    assert "Cookie: lb=one; b=2" in server.heads[1]
    assert "Cookie: lb=other; b=2" in server.heads[2]


@pytest.mark.parametrize(
    "hostile",
    [
        ["=nameless"], ["no value"], ["a=\x80"], ["a=" + "x" * 2000], ["n" * 100 + "=1"], ["a=b c"],
        ["a=1\tb"], [f"c{number}={'x' * 900}" for number in range(60)],
    ],
)  # fmt: skip
def test_a1_hostile_cookies_are_left_out_or_bounded(hostile):
    said = answer(200, b"", *[f"Set-Cookie: {each}" for each in hostile])
    with serving(said.decode().encode("latin-1"), answer(204)) as server:
        way = poster(server)
        way.post("/api/agent/hello", b"x", "", 10)
        way.post("/api/agent/up", b"", HANDLE, 10)
        way.close()

    assert len(server.heads[1]) < 9_000
    assert ("Cookie" in server.heads[1]) == (len(hostile) > 1)


@pytest.mark.parametrize(
    "flood",
    [
        answer(200, bytes(MAX_BATCH_BYTES + 1)),
        b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n"
        + (b"10000\r\n" + bytes(65_536) + b"\r\n") * 17,
        b"HTTP/1.1 200 X\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 " + b"X" * 70_000,
        b"no HTTP at all\r\n\r\n",
        Last(b"HTTP/1.1 200 X\r\nContent-Length: 9\r\n\r\nhalf"),
        None,
    ],
)
def test_a1_an_answer_without_bounds_or_form_ends_the_session(flood):
    with serving(flood) as server:
        way = poster(server)

        with pytest.raises(Closed):
            way.post("/api/agent/up", b"", HANDLE, 10)
        way.close()

    assert len(server.heads) == 1


def test_a_request_that_failed_is_not_sent_again():
    with serving(answer(204), None, answer(204)) as server:
        way = poster(server)
        way.post("/api/agent/up", b"", HANDLE, 10)

        with pytest.raises(Closed):
            way.post("/api/agent/up", b"", HANDLE, 10)
        way.close()

    assert len(server.heads) == 2


def test_a_connection_that_was_closed_meanwhile_is_opened_anew_before_anything_is_sent():
    with serving(answer(204, b"", "Connection: close"), answer(204)) as server:
        way = poster(server)

        statuses = [way.post("/api/agent/up", b"", HANDLE, 10).status for _ in range(2)]
        way.close()

    assert statuses == [204, 204]


def test_an_answer_that_never_ends_is_given_up():
    with serving(b"HTTP/1.1 200 X\r\nContent-Length: 9\r\n\r\nhalf") as server:
        way = poster(server)

        with pytest.raises(Closed) as ended:
            way.post("/api/agent/up", b"", HANDLE, 0.2)
        way.close()

    assert ended.value.close_code == 4408


@pytest.mark.parametrize("form", [b"X" * 300 + b"\r\n\r\n", b"X: y\r\n" * 50 + b"\r\n"])
def test_a1_a_head_that_comes_byte_by_byte_is_given_up(form):
    with serving(Drip(b"HTTP/1.1 204 " + form)) as server:
        way = poster(server)

        with pytest.raises(Closed) as ended:
            way.post("/api/agent/up", b"", HANDLE, 0.3)
        way.close()

    assert ended.value.close_code == 4408


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (answer(302, b"", "Location: http://127.0.0.1:1/"), 302),
        (answer(404), 404),
        (answer(200, b"<html>"), 200),
        (answer(200, b"x", "Z4J-Session: " + "Z" * 32), 200),
    ],
)
def test_who_does_not_answer_hello_like_a_brain_is_none(said, status):
    with serving(said) as server:
        link = poll.dial(server.dsn, None, CLOCK)

        with pytest.raises(Away, match=f"is not a z4j brain: HTTP {status}") as away:
            link.send(b"hello")
        link.close()

    assert (away.value.code, away.value.status) == ("Z4J-E108", status)


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (b"<center>No required SSL certificate was sent</center>", "wants a client certificate"),
        (b"<center>The SSL certificate error</center>", "refuses the client certificate"),
    ],
)
@pytest.mark.parametrize("way", ["websocket", "poll"])
def test_a_page_that_asks_for_a_certificate_is_no_proxy_in_the_way(way, page, said):
    settings = Settings(transport=way)
    with (
        serving(answer(400, page)) as server,
        pytest.raises(Away, match=said) as away,
        closing(Transport(settings, CLOCK).dial(server.dsn)) as link,
    ):
        link.send(b"hello")

    assert (away.value.code, away.value.status) == ("Z4J-E119", 0)


def test_a_batch_that_is_none_ends_the_session():
    hello = answer(200, b"challenge", f"Z4J-Session: {HANDLE}")
    with serving(hello, answer(200, b"\xff" * 9)) as server:
        link = poll.dial(server.dsn, None, CLOCK)
        link.send(b"hello")
        assert link.receive(5) == b"challenge"
        link.send(b"r" * 44)

        with pytest.raises(Closed):
            link.receive(5)
        link.close()


def test_nobody_there_is_told_as_that():
    with serving() as server:
        dsn = server.dsn

    with pytest.raises(Away, match="connection refused") as away:
        poll.dial(dsn, None, CLOCK)

    assert away.value.code == "Z4J-E106"


@pytest.mark.parametrize(
    ("proxy", "asked"),
    [("http://u:p%40@PLACE", "Proxy-Authorization: Basic dTpwQA=="), ("PLACE", "CONNECT brain")],
)
def test_an_outbound_proxy_is_asked_for_a_tunnel_and_sees_nothing_else(monkeypatch, proxy, asked):
    with serving(b"HTTP/1.1 403 no\r\n\r\n") as server:
        place = f"127.0.0.1:{server.dsn.port}"
        monkeypatch.setenv("https_proxy", proxy.replace("PLACE", place))
        monkeypatch.setenv("no_proxy", "")
        away_from = server.dsn._replace(scheme="https", host="brain.example.com", port=8443)

        with pytest.raises(Away, match="403"):
            post.Poster(away_from, ssl.create_default_context(), CLOCK).connect(5)

    assert server.heads[0].startswith("CONNECT brain.example.com:8443")
    assert asked in server.heads[0]


def test_a_host_that_needs_no_outbound_proxy_is_dialled_itself(monkeypatch):
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "brain.example.com")
    dsn = Dsn("https", "brain.example.com", 443, "", "demo", CREDENTIAL)

    way = post.Poster(dsn, ssl.create_default_context(), CLOCK)

    assert (way._connection.host, way._connection.port) == ("brain.example.com", 443)
