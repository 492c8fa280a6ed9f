"""What is kept although an app says it twice."""

import pytest
from redis import Redis
from z4j_arq import ArqEngine
from z4j_testing.recorder import Recorder
from z4j_testing.services import redis_url

pytestmark = pytest.mark.filterwarnings("default")


def test_attaching_again_forgets_nothing():
    engine, emit = ArqEngine(Redis.from_url(redis_url(12)), tasks=[]), Recorder()
    engine.attach(emit)
    engine.pause("mail")
    before = engine._hooks

    engine.attach(Recorder())

    assert engine._hooks is before
    assert not engine._hooks.is_open("mail")
    engine.detach()
    engine.client.close()
