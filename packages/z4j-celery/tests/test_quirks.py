"""What Celery alone does, in process: delays, canvas, redelivery, serializers, several apps."""

import time

import pytest
from celery import Celery, chain, chord, group
from celery.exceptions import Ignore, Reject
from kombu import Exchange, serialization
from rig_inside import RigInside
from z4j_celery import CeleryEngine
from z4j_celery.broker import app_id
from z4j_core import Capability, EventKind, Job, Scope, Stop, Unsupported, capabilities
from z4j_core.model.tasks import ENDS
from z4j_testing.recorder import Recorder
from z4j_testing.services import redis_url
from z4j_testing.signals import eventually

# The worker warns of running as root and of its own future.
pytestmark = pytest.mark.filterwarnings("default")
LATER_S = 0.4
ALIEN = "application/x-z4j-alien"


def register(app):
    @app.task(shared=False, name="quirk.requeued_once", bind=True, acks_late=True)
    def requeued_once(self):
        if not self.request.delivery_info["redelivered"]:
            raise Reject("not me", requeue=True)
        return "second delivery"

    @app.task(shared=False, name="quirk.late", acks_late=True)
    def late(value):
        return value

    @app.task(shared=False, name="quirk.unseen", send_events=False)
    def unseen():
        return None

    @app.task(shared=False, name="quirk.total")
    def total(sums):
        return sum(each["sum"] for each in sums)


@pytest.fixture(scope="module")
def rig(tmp_path_factory):
    folder = tmp_path_factory.mktemp("marks")
    inside = RigInside(redis_url(3), redis_url(4), "threads", folder)
    inside.app.conf.accept_content = ["json", "pickle", ALIEN]
    register(inside.app)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("C_FORCE_ROOT", "1")  # root may not read pickle otherwise
        yield inside.start()
        inside.stop()
    assert inside.emit.hook_errors == []


@pytest.fixture
def alien():
    serialization.register("alien", repr, eval, ALIEN, "utf-8")
    yield "alien"
    serialization.unregister("alien")


def step(rig, task, *args, **options):
    return rig.app.signature(rig.name(task), args, **options)


def ends(rig, task_id):
    return [event.kind for event in rig.emit.of(task_id) if event.kind in ENDS]


# Delays and redelivery.


def test_a_countdown_is_scheduled_when_sent_and_starts_when_due(rig):
    before = time.time()
    task_id = rig.app.send_task("shop.ok", (1,), countdown=LATER_S).id

    rig.end(task_id)

    due = rig.wait(task_id, EventKind.SCHEDULED).due_at
    assert due == pytest.approx(before + LATER_S, abs=0.3)
    assert rig.wait(task_id, EventKind.RECEIVED).due_at == pytest.approx(due, abs=0.01)
    assert rig.emit.wait(task_id, EventKind.STARTED).start >= due - 0.05


def test_a_task_acknowledged_late_ends_once(rig):
    task_id = rig.app.send_task("quirk.late", ("x",)).id

    assert rig.end(task_id).result == "x"
    rig.quiet()
    assert ends(rig, task_id) == [EventKind.SUCCEEDED]


def test_a_delivery_given_back_is_told_and_its_second_one_ends_it(rig):
    task_id = rig.app.send_task("quirk.requeued_once").id

    assert rig.end(task_id).result == "second delivery"

    kinds = rig.emit.kinds(task_id)
    assert (kinds.count(EventKind.RECEIVED), kinds.count(EventKind.STARTED)) == (2, 2)
    assert kinds.count(EventKind.REDELIVERED) == 1
    assert ends(rig, task_id) == [EventKind.SUCCEEDED]


def test_a_cancel_that_reaches_a_worker_before_its_run_prevents_the_run(rig):
    task_id = f"cancelled-early-{rig.queue}"

    assert rig.engine.cancel(task_id, scope=Scope.PROCESS) is Stop.NOT_HERE

    rig.send("echo", "cancelled early", task_id=task_id)
    assert rig.end(task_id).kind is EventKind.CANCELLED
    assert [["cancelled early"], {}] not in rig.marks("echo")


def test_a_queue_of_other_workers_is_not_consumed_once_it_is_resumed(rig):
    rig.engine.pause(f"{rig.queue}-theirs")

    rig.engine.resume(f"{rig.queue}-theirs")

    rig.quiet()
    assert set(rig.worker_now().queues) == {rig.queue, f"{rig.queue}-barrier"}


def let_consume(rig, queue, **exchange):
    """Let this worker, none of another run, consume one more queue; it answers before it does."""
    here = {"destination": [rig.hostname], "timeout": 20, "limit": 1}
    rig.app.control.add_consumer(queue, reply=True, **here, **exchange)

    def consumes():
        found = rig.app.control.inspect(**here).active_queues() or {}
        return queue in {each["name"] for queues in found.values() for each in queues}

    eventually(consumes, f"a worker that consumes {queue}", 30)


def test_a_queue_somebody_let_this_worker_consume_is_resumed(rig):
    queue = f"{rig.queue}-parked"
    let_consume(rig, queue)
    rig.end(rig.send("ok", 1, queue=queue))
    rig.engine.pause(queue)

    rig.engine.resume(queue)

    assert rig.end(rig.send("ok", 40, queue=queue)).result == {"sum": 42}
    rig.engine.pause(queue)


# Queues by their exchange.


@pytest.mark.parametrize("key", ["order.paid", "order.paid.late"])
def test_a_queue_behind_a_topic_is_named_and_not_the_key_of_its_message(rig, key):
    queue, events = f"{rig.queue}-topic", Exchange(f"{rig.queue}-events", "topic")
    let_consume(rig, queue, exchange=events.name, exchange_type="topic", routing_key="order.#")
    sent = rig.app.send_task("shop.ok", (1,), exchange=events, declare=[events], routing_key=key)

    rig.end(sent.id)

    assert {event.queue for event in rig.emit.of(sent.id)} == {queue}
    rig.app.control.cancel_consumer(
        queue, reply=True, timeout=20, limit=1, destination=[rig.hostname]
    )


# Canvas.


def test_a_chain_has_one_root_and_each_link_names_the_one_before(rig):
    links = [step(rig, task, 1, immutable=True) for task in ("ok", "echo", "ok")]
    sent = chain(*links).apply_async()
    last, middle, first = sent.id, sent.parent.id, sent.parent.parent.id

    end = rig.emit.end(last)

    told = [rig.emit.end(each) for each in (first, middle)] + [end]
    assert [event.root_id for event in told] == [first] * 3
    assert [event.parent_id for event in told] == [None, first, middle]


def test_the_runs_of_a_group_name_their_group(rig):
    sent = group(step(rig, "ok", number) for number in range(3)).apply_async()

    told = [rig.emit.end(each.id) for each in sent.results]

    assert {event.group_id for event in told} == {sent.id}
    queued = [rig.emit.wait(each.id, EventKind.ENQUEUED) for each in sent.results]
    assert {event.group_id for event in queued} == {sent.id}


def test_the_body_of_a_chord_runs_after_its_header_and_names_a_parent_of_it(rig):
    sent = chord([step(rig, "ok", number) for number in range(2)],
                 rig.app.signature("quirk.total")).apply_async()  # fmt: skip
    header = [each.id for each in sent.parent.results]

    end = rig.emit.end(sent.id)

    assert (end.result, end.parent_id in header) == (5, True)
    assert {rig.emit.end(each).group_id for each in header} == {sent.parent.id}


def test_the_body_of_a_chord_is_of_its_group_where_its_message_does_not_say_so(rig):
    group_id, body = f"group-{time.time_ns()}", rig.app.signature("quirk.total")
    body.freeze()
    rig.app.backend.set_chord_size(group_id, 1)

    rig.app.tasks["shop.ok"].apply_async((1,), group_id=group_id, chord=body)

    assert rig.emit.wait(body.id, EventKind.ENQUEUED).group_id == group_id
    assert rig.end(body.id).result == 3


def test_a_part_of_a_chord_run_again_reports_to_no_chord(rig):
    sent = chord([step(rig, "fail", "part")], rig.app.signature("quirk.total")).apply_async()
    (part,) = [each.id for each in sent.parent.results]
    rig.emit.end(part)

    again = rig.retry(part)

    end = rig.emit.end(again)
    assert (end.error.message, end.group_id) == ("part", None)


# Serializers.


@pytest.mark.parametrize("name", ["json", "pickle", "alien"])
def test_arguments_are_seen_live_under_any_serializer_and_retried_unread(rig, alien, name):
    task_id = rig.send("fail", "again", serializer=name)
    first = rig.end(task_id)

    again = rig.end(rig.retry(task_id))

    assert first.args == again.args == ["again"]
    assert again.error_message == "again"


def test_a_compressed_message_is_retried(rig):
    task_id = rig.send("fail", "packed", compression="gzip")
    rig.end(task_id)

    assert rig.end(rig.retry(task_id)).error_message == "packed"


def publish(rig, body, content_type, task_id):
    headers = {"id": task_id, "task": "shop.ok", "lang": "py"}
    with rig.app.connection_for_write() as connection:
        connection.Producer(auto_declare=False).publish(
            body, exchange="", routing_key=rig.queue, headers=headers, content_type=content_type,
            content_encoding="utf-8", correlation_id=task_id,
        )  # fmt: skip


@pytest.mark.parametrize("content_type", ["application/json", "application/x-nobody-knows"])
def test_a_message_nobody_can_read_ends_failed_once(rig, content_type):
    task_id = f"bad-{content_type.rpartition('/')[2]}-{rig.queue}"
    publish(rig, "{not json", content_type, task_id)

    end = rig.end(task_id)

    assert (end.kind, end.detail, end.task) == (EventKind.FAILED, "undecodable", "shop.ok")
    rig.quiet()
    assert ends(rig, task_id) == [EventKind.FAILED]


# Not observed, by design.


def test_a_direct_call_and_a_task_without_events_are_not_observed(rig):
    rig.app.tasks["shop.ok"](1)
    task_id = rig.app.send_task("quirk.unseen").id

    rig.quiet()

    assert EventKind.STARTED not in rig.emit.kinds(task_id)
    assert ends(rig, task_id) == []


@pytest.mark.parametrize("how", [None, Ignore("no"), Reject("no"), ValueError("no")])
def test_an_eager_run_is_not_observed_and_changes_no_outcome(how):
    app = Celery("eager", broker="memory://eager/", set_as_current=False)
    app.conf.task_always_eager = True

    @app.task(shared=False, name="eager.one")
    def one():
        if how is not None:
            raise how
        return 1

    engine, emit = CeleryEngine(app), Recorder()
    engine.attach(emit)

    result = one.apply_async()

    engine.detach()
    assert emit.events == []
    assert emit.hook_errors == []
    assert result.state == {type(None): "SUCCESS", Ignore: "IGNORED", Reject: "REJECTED",
                            ValueError: "FAILURE"}[type(how)]  # fmt: skip


def test_eager_mode_refuses_to_send_again():
    app = Celery("eager", broker="memory://eager/", set_as_current=False)
    app.conf.task_always_eager = True
    engine = CeleryEngine(app)

    with pytest.raises(Unsupported) as raised:
        engine.enqueue(Job("shop.ok"))

    assert raised.value.reason == "eager"
    assert Capability.RETRY not in capabilities(engine)


# Several apps.


def test_another_app_of_this_process_hears_nothing_of_the_worker(rig):
    other = Celery("other", broker=redis_url(5), set_as_current=False)
    engine, emit = CeleryEngine(other), Recorder()
    engine.attach(emit)
    try:
        task_id = rig.send("ok", 1)
        rig.end(task_id)
        elsewhere = other.send_task("shop.ok", (1,), queue=f"{rig.queue}-elsewhere").id

        rig.quiet()

        assert {event.task_id for event in emit.events} == {elsewhere}
        assert rig.emit.of(elsewhere) == []
        assert engine.cancel(task_id, scope=Scope.PROCESS) is Stop.NOT_HERE
    finally:
        engine.purge(f"{rig.queue}-elsewhere")
        engine.detach()
        other.close()


def test_apps_of_other_namespaces_and_vhosts_are_other_apps():
    def of(broker, **options):
        made = Celery("ns", broker=broker, set_as_current=False)
        made.conf.broker_transport_options = options
        return app_id(made)

    ids = [
        of("redis://h:6379/1"), of("redis://h:6379/1", global_keyprefix="a:"),
        of("redis://h:6379/1", global_keyprefix="b:"), of("amqp://u:p@h//"),
        of("amqp://u:p@h/shop"), of("amqp://u:p@other/shop"),
    ]  # fmt: skip
    assert len(set(ids)) == len(ids)
    assert of("amqp://u:p@h/shop") == of("amqp://x:y@h:5672/shop")
