"""What is sent often goes over one connection, and is as sure as over one made for it."""

from __future__ import annotations

import os
import uuid
from urllib.parse import urlsplit, urlunsplit

import celery
import pytest
from celery import signals
from kombu import Connection
from z4j_celery.engine import CeleryEngine
from z4j_core import EngineUnavailable, Indeterminate, Job
from z4j_testing.proxy import Fault, Proxy
from z4j_testing.services import broker_url

pytestmark = pytest.mark.live


@pytest.fixture(params=["redis", "rabbitmq"])
def broker(request):
    """URL of a broker of its own kind."""
    return broker_url(request.param)


@pytest.fixture
def proxy(broker):
    """What stands between the app and its broker."""
    there = urlsplit(broker)
    with Proxy((there.hostname, there.port)) as between:
        yield between


@pytest.fixture
def queue(broker):
    """Name of a queue that is gone afterwards."""
    name = f"sending-{uuid.uuid4().hex[:8]}"
    yield name
    with Connection(broker) as connection:
        connection.default_channel.queue_delete(name)


@pytest.fixture
def send(broker, proxy, queue):
    """Sends a run into the queue, through the proxy."""
    there = urlsplit(broker)
    host = there.netloc.rpartition("@")[0]
    here = f"{host}@127.0.0.1:{proxy.port}" if host else f"127.0.0.1:{proxy.port}"
    app = celery.Celery("sending", broker=urlunsplit(there._replace(netloc=here)))
    engine = CeleryEngine(app)
    return lambda: engine.enqueue(Job("shop.ok", queue=queue))


def waiting(broker, queue):
    with Connection(broker) as connection:
        return connection.default_channel.queue_declare(queue, passive=True).message_count


def test_the_next_runs_need_no_connection_more(send, proxy, broker, queue):
    send()
    before = proxy.carried.connections

    for _ in range(3):
        send()

    assert proxy.carried.connections == before
    assert waiting(broker, queue) == 4


def test_a_connection_that_broke_meanwhile_is_replaced_and_the_run_sent_once(
    send, proxy, broker, queue
):
    send()
    proxy.cut()

    send()

    assert waiting(broker, queue) == 2


def test_a_broker_that_went_away_meanwhile_means_nothing_was_sent(send, proxy, broker, queue):
    send()
    proxy.set(Fault.CUT)

    with pytest.raises(EngineUnavailable):
        send()

    assert waiting(broker, queue) == 1


def test_a_connection_that_breaks_while_it_sends_means_nobody_knows(send, proxy):
    is_due = False

    def cut(**_):
        if is_due:
            proxy.set(Fault.CUT)

    signals.before_task_publish.connect(cut)  # first: Celery 5.3 may miss who comes after a send
    try:
        send()
        is_due = True
        with pytest.raises(Indeterminate):
            send()
    finally:
        signals.before_task_publish.disconnect(cut)


def test_a_queue_that_was_deleted_meanwhile_is_there_again_for_the_next_run(send, broker, queue):
    send()
    with Connection(broker) as connection:
        connection.default_channel.queue_purge(queue)
        connection.default_channel.queue_delete(queue)

    send()

    assert waiting(broker, queue) == 1


def test_a_child_leaves_the_connection_of_its_parent_alone(send, broker, queue):
    send()

    child = os.fork()
    if child == 0:
        try:
            send()
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    send()

    assert waiting(broker, queue) == 3
