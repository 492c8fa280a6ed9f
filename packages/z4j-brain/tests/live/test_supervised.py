"""Loops of the server as promises: an unexpected failure is counted and the loop goes on."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from z4j_brain import app


def test_a_loop_that_fails_unexpectedly_is_counted_logged_and_goes_on(monkeypatch, caplog):
    monkeypatch.setattr(app, "AGAIN_S", 0.0)
    brain, runs = SimpleNamespace(swallowed=0), []

    async def work():
        runs.append(len(runs))
        if len(runs) < 3:
            raise ZeroDivisionError
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(app._kept(brain, work))

    assert runs == [0, 1, 2]
    assert brain.swallowed == 2
    assert caplog.text.count("starts again") == 2
