"""Dialling in a network that goes and comes back."""

from __future__ import annotations

import socket
import sys

import pytest
from z4j_core.agent.connector import CONNECT_TIMEOUT_S, RESEND_MOST_S, Away, dial
from z4j_core.wire.dsn import parse_dsn

RTO_MAX_MS = 44


@pytest.fixture
def dsn(brain):
    return parse_dsn(brain.dsn)


@pytest.mark.parametrize(("given", "waited"), [(10, CONNECT_TIMEOUT_S), (2, 2)])
def test_a_network_that_swallows_everything_is_tried_anew_soon(dsn, monkeypatch, given, waited):
    timeouts = []

    def swallowed(address, timeout, **_more):
        timeouts.append(timeout)
        raise TimeoutError

    monkeypatch.setattr(socket, "create_connection", swallowed)

    with pytest.raises(Away, match="no answer from 127"):
        dial(dsn, None, given)

    assert timeouts == [waited]


@pytest.mark.skipif(sys.platform != "linux", reason="an option of Linux")
def test_what_is_lost_is_sent_again_often_however_long_the_network_was_away(dsn):
    with socket.socket() as probe:
        try:
            probe.setsockopt(socket.IPPROTO_TCP, RTO_MAX_MS, 1_000)
        except OSError:
            pytest.skip("an option of Linux 6.15")
    link = dial(dsn, None)

    kept = link._connection.socket.getsockopt(socket.IPPROTO_TCP, RTO_MAX_MS)
    link.close()

    assert kept == RESEND_MOST_S * 1000
