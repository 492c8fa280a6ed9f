"""Where we stand among the middlewares of an app, whenever it adds them."""

import asyncio

import pytest
import taskiq_brokers
from taskiq import SimpleRetryMiddleware
from z4j_taskiq import TaskiqEngine
from z4j_taskiq.seams import First, Last
from z4j_testing.recorder import Recorder

pytestmark = pytest.mark.filterwarnings("default")


def test_we_are_first_and_last_of_all_middlewares():
    broker = taskiq_brokers.Parking("parking://careful")
    broker.add_middlewares(SimpleRetryMiddleware())
    engine = TaskiqEngine(broker)
    engine.attach(Recorder())
    broker.add_middlewares(SimpleRetryMiddleware())

    asyncio.run(broker.startup())

    kinds = [type(each) for each in broker.middlewares]
    assert kinds == [First, SimpleRetryMiddleware, SimpleRetryMiddleware, Last]
    engine.detach()
