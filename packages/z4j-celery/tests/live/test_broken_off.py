"""Deliveries that are broken off: the worker is killed, or its connection to the broker is lost."""

import signal
from urllib.parse import urlsplit

import pytest
from rig_modes import ends, working
from z4j_core import EventKind
from z4j_testing.proxy import Proxy
from z4j_testing.services import amqp_url

pytestmark = [pytest.mark.live, pytest.mark.filterwarnings("default"), pytest.mark.timeout(240)]
LATE = {"task_acks_late": True, "worker_cancel_long_running_tasks_on_connection_loss": True}


@pytest.fixture(scope="module")
def through_proxy(tmp_path_factory):
    """A worker whose way to the broker, and it alone, can be cut."""
    url = amqp_url()
    parts = urlsplit(url)
    with Proxy((parts.hostname, parts.port or 5672)) as proxy:
        secret = parts.netloc.rpartition("@")[0]
        through = parts._replace(netloc=f"{secret}@127.0.0.1:{proxy.port}").geturl()
        with working(tmp_path_factory.mktemp("marks"), url=through, conf=LATE) as rig:
            yield rig, proxy


def told(rig, task_id, *kinds):
    seen = [each.kind for each in rig.of(task_id)]
    return tuple(seen.count(kind) for kind in kinds)


def test_a_run_cancelled_by_celery_when_the_connection_is_lost_is_given_back_and_ends_once(
    through_proxy,
):
    rig, proxy = through_proxy
    token = f"{rig.queue}-cut"
    task_id = rig.send("slow", token)
    rig.marks("began", at_least=1)

    proxy.cut()

    rig.wait(task_id, EventKind.REDELIVERED)
    rig.release(token)
    assert rig.end(task_id).kind is EventKind.SUCCEEDED
    assert told(rig, task_id, EventKind.STARTED, EventKind.REDELIVERED) == (2, 1)
    assert ends(rig, task_id) == [EventKind.SUCCEEDED]


def test_a_run_of_a_killed_worker_is_delivered_again_and_told_so(through_proxy):
    rig, _ = through_proxy
    token = f"{rig.queue}-killed"
    task_id = rig.send("slow", token)
    rig.wait(task_id, EventKind.STARTED)

    rig.stop_worker(signal.SIGKILL)
    rig.start_worker()

    rig.wait(task_id, EventKind.REDELIVERED)
    rig.release(token)
    end = rig.end(task_id)
    assert (end.kind, end.result) == (EventKind.SUCCEEDED, token)
    assert told(rig, task_id, EventKind.STARTED, EventKind.REDELIVERED) == (2, 1)
    assert ends(rig, task_id) == [EventKind.SUCCEEDED]
