"""The fault proxy as promises: it carries, hangs, cuts, changes, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import socket
import threading

import pytest
from z4j_testing.proxy import Fault, Proxy


@pytest.fixture
def echo():
    """A server that sends back what it gets."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                peer, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(peer,), daemon=True).start()

    def answer(peer):
        with peer, contextlib.suppress(OSError):
            while data := peer.recv(4096):
                peer.sendall(data)

    threading.Thread(target=serve, daemon=True).start()
    yield server.getsockname()
    server.close()


def asked(socket_, text):
    socket_.settimeout(5)
    socket_.sendall(text)
    return socket_.recv(4096)


def test_without_a_fault_every_byte_passes(echo):
    with Proxy(echo) as proxy, socket.create_connection(("127.0.0.1", proxy.port)) as client:
        assert asked(client, b"hello") == b"hello"
        assert (proxy.carried.up, proxy.carried.down) == (5, 5)


def test_a_cut_resets_open_connections_and_a_lifted_one_lets_new_ones_through(echo):
    with Proxy(echo) as proxy:
        with socket.create_connection(("127.0.0.1", proxy.port)) as client:
            asked(client, b"x")
            proxy.set(Fault.CUT)
            client.settimeout(5)
            with pytest.raises(ConnectionResetError):
                client.recv(1)
        proxy.set(Fault.NONE)
        with socket.create_connection(("127.0.0.1", proxy.port)) as client:
            assert asked(client, b"again") == b"again"


def test_a_hanging_proxy_accepts_and_says_nothing_until_lifted(echo):
    with Proxy(echo) as proxy:
        proxy.set(Fault.HANG)
        with socket.create_connection(("127.0.0.1", proxy.port)) as client:
            client.sendall(b"late")
            client.settimeout(0.2)
            with pytest.raises(TimeoutError):
                client.recv(4)
            proxy.set(Fault.NONE)
            client.settimeout(5)
            assert client.recv(4) == b"late"


def test_bytes_can_be_changed_on_the_way(echo):
    with (
        Proxy(echo, change_up=lambda data: bytes(b ^ 1 for b in data)) as proxy,
        socket.create_connection(("127.0.0.1", proxy.port)) as client,
    ):
        assert asked(client, b"\x00\x02") == b"\x01\x03"


def test_leaving_it_frees_the_port_and_ends_its_threads(echo):
    with Proxy(echo) as proxy:
        port = proxy.port
        client = socket.create_connection(("127.0.0.1", port))

    client.close()
    assert not any(thread.name == "z4j-proxy" for thread in threading.enumerate())
    socket.create_server(("127.0.0.1", port)).close()
