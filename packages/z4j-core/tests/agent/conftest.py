"""What tests of the agent share: a brain on loopback and an agent of this process for it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from z4j_core.agent.boot import Handle
from z4j_core.config import load
from z4j_testing.brain import FakeBrain

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def brain():
    with FakeBrain() as running:
        running.knobs.backoff_cap_ms = 200
        yield running


@pytest.fixture(params=["websocket", "poll"])
def transport(request):
    """Either way to the brain: what holds on one holds on the other."""
    return request.param


@pytest.fixture
def start(brain, tmp_path, transport):
    """Start an agent with an engine attached; returns (handle, engine)."""
    from toy import ToyEngine

    handles = []

    def begin(**settings):
        given = {"dsn": brain.dsn, "spool_dir": str(tmp_path / "spool"), "engines": ["none"]}
        given["transport"] = transport
        handle = Handle(load(given | settings, environ={}, cwd=tmp_path))
        handles.append(handle)
        handle.start()
        engine = ToyEngine()
        handle.attach(engine)
        return handle, engine

    yield begin
    for handle in handles:
        handle.close()
