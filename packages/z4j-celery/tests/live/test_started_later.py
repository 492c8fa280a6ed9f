"""A worker that starts later: what was cancelled and paused before holds for it."""

import pytest
from rig_modes import working
from z4j_core import EventKind
from z4j_testing.services import broker_url

pytestmark = [pytest.mark.live, pytest.mark.filterwarnings("default"), pytest.mark.timeout(240)]


BROKERS = ["redis", pytest.param("rabbitmq", marks=pytest.mark.soak)]


@pytest.fixture(scope="module", params=BROKERS)
def absent(request, tmp_path_factory):
    with working(tmp_path_factory.mktemp("marks"), url=broker_url(request.param, 3)) as rig:
        yield rig


@pytest.fixture(autouse=True)
def nobody_works(absent):
    if absent.worker.poll() is None:
        absent.stop_worker()
    yield
    absent.brain.standing.clear()


def order(rig, verb, target, **params):
    rig.brain.stand(verb, "celery", rig.engine.app, [target], params)


def test_a_run_cancelled_while_no_worker_ran_is_not_run_by_one_started_later(absent):
    cancelled, bystander = absent.send("echo", "must not run"), absent.send("ok", 1)
    order(absent, "cancel", cancelled, scope=2)

    absent.start_worker()

    assert absent.end(bystander).kind is EventKind.SUCCEEDED
    assert absent.end(cancelled).kind is EventKind.CANCELLED
    assert EventKind.STARTED not in [seen.kind for seen in absent.of(cancelled)]
    assert [["must not run"], {}] not in absent.marks("echo")


def test_a_queue_paused_before_a_worker_starts_is_not_consumed_until_it_is_resumed(absent):
    waiting = [absent.send("ok", number) for number in range(3)]
    order(absent, "pause", absent.queue, again=True)

    absent.start_worker()

    absent.quiet()
    assert [seen.kind for each in waiting for seen in absent.of(each)] == [EventKind.ENQUEUED] * 3
    assert absent.worker_now().queues == (f"{absent.queue}-barrier",)
    absent.ask("resume", [absent.queue])
    assert {absent.end(each).kind for each in waiting} == {EventKind.SUCCEEDED}


@pytest.mark.soak
def test_a_queue_is_resumed_by_the_workers_that_consumed_it_and_no_others(absent, tmp_path):
    absent.start_worker()
    with working(tmp_path, "solo", url=absent.url) as other:
        absent.ask("pause", [absent.queue])
        absent.ask("resume", [absent.queue])

        other.quiet()

        assert absent.queue not in other.worker_now().queues
    assert absent.end(absent.send("ok", 40)).result == {"sum": 42}


@pytest.mark.soak
def test_a_worker_starts_though_the_brain_does_not_answer(absent):
    absent.brain.stop()
    waiting = absent.send("ok", 40)

    absent.start_worker(wait=False)

    absent.brain.start()
    assert absent.end(waiting).result == {"sum": 42}
