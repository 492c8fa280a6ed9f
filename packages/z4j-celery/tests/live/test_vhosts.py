"""Two virtual hosts of one RabbitMQ in one process, with queues of the same name."""

from contextlib import ExitStack

import pytest
from celery import Celery
from z4j_celery import CeleryEngine
from z4j_core import EventKind, Job
from z4j_testing.recorder import Recorder
from z4j_testing.services import amqp_vhosts

# Virtual hosts are made and unmade by a command that takes seconds each time.
pytestmark = [
    pytest.mark.live, pytest.mark.soak, pytest.mark.timeout(240),
    pytest.mark.filterwarnings("default"),
]  # fmt: skip
QUEUE = "orders"


@pytest.fixture
def two():
    """Per virtual host an app of this process, its engine and what it told."""
    with ExitStack() as last:
        made = []
        for url in last.enter_context(amqp_vhosts(2)):
            app = Celery("shop", broker=url, set_as_current=False)
            app.conf.update(task_default_queue=QUEUE, broker_connection_timeout=20)
            engine, told = CeleryEngine(app), Recorder()
            engine.attach(told)
            last.callback(app.close)
            last.callback(engine.detach)
            made.append((app, engine, told))
        yield made


def test_what_is_done_on_one_virtual_host_is_neither_seen_nor_done_on_the_other(two):
    (app, here, told_here), (other_app, there, told_there) = two

    ours = [app.send_task("shop.ok").id, here.enqueue(Job("shop.ok"))]
    theirs = other_app.send_task("shop.ok").id

    assert here.app != there.app
    assert [event.task_id for event in told_here.events] == ours
    assert [event.task_id for event in told_there.events] == [theirs]
    assert {event.kind for event in told_here.events} == {EventKind.ENQUEUED}
    assert (here.depth(QUEUE).ready, there.depth(QUEUE).ready) == (2, 1)
    assert here.purge(QUEUE) == 2
    assert (here.depth(QUEUE).ready, there.depth(QUEUE).ready) == (0, 1)
