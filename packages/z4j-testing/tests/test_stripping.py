"""The proxy that passes no WebSocket: requests pass, upgrades do not, nothing is left."""

from __future__ import annotations

import http.client
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from z4j_testing.brain import FakeBrain
from z4j_testing.stripping import StrippingProxy


class Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("X-Upgrade", self.headers.get("Upgrade", "none"))
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))

    def log_message(self, *_):
        pass


@pytest.fixture
def echo():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address
    server.shutdown()
    server.server_close()
    thread.join()


def test_requests_pass_one_after_the_other_on_one_connection(echo):
    with StrippingProxy(echo) as proxy:
        client = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=20)
        said = []
        for body in (b"one", bytes(300_000)):
            client.request("POST", "/x", body, {"Upgrade": "websocket"})
            answer = client.getresponse()
            said.append((answer.read() == body, answer.getheader("X-Upgrade")))
        client.close()

    assert said == [(True, "none")] * 2
    assert proxy.seen == ["POST /x HTTP/1.1"] * 2


def test_no_websocket_passes():
    with FakeBrain() as brain, StrippingProxy(("127.0.0.1", brain.port)) as proxy:
        url = f"ws://127.0.0.1:{proxy.port}/api/agent/ws"

        with pytest.raises(InvalidStatus) as refused, connect(url, subprotocols=["z4j.2"]):
            pass

    assert refused.value.response.status_code == 426


def test_while_nobody_is_behind_it_it_says_so():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        target = listener.getsockname()
    with StrippingProxy(target) as proxy:
        client = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=20)
        client.request("POST", "/x", b"")

        assert client.getresponse().status == 502
        client.close()


def test_leaving_it_ends_its_thread_and_frees_its_port(echo):
    with StrippingProxy(echo) as proxy:
        client = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=20)
        client.request("POST", "/x", b"")
        client.getresponse().read()

    client.close()
    assert not any(one.name == "z4j-stripping" for one in threading.enumerate())
    socket.create_server(("127.0.0.1", proxy.port)).close()
