"""What only the Celery adapter does, without a broker."""

import gc
import threading
from types import SimpleNamespace

import pytest
from celery import Celery, signals
from celery.app.trace import build_tracer
from z4j_celery import CeleryEngine
from z4j_celery.broker import app_id, redis_keys
from z4j_celery.deliveries import SPEAKING, Deliveries
from z4j_celery.facts import error_text, value_of
from z4j_celery.message import pack, renewed, unpack
from z4j_celery.requests import Requests
from z4j_celery.tap import tapped
from z4j_core import Capability, EventKind, Job, Native, Unsupported, capabilities
from z4j_testing.recorder import Recorder


class Request:
    hostname, name, args, kwargs = "w@h", "shop.ok", [1], {}
    time_start = worker_pid = None

    def __init__(self, task_id="t", retries=0):
        self.id, self.request_dict = task_id, {"retries": retries}
        self.delivery_info = {"exchange": "", "routing_key": "mail", "priority": 0}


def message(**headers):
    return SimpleNamespace(
        headers={"id": "old", "task": "shop.ok", "root_id": "old", "retries": 4, **headers},
        body=b"\x80raw", content_type="application/json", content_encoding="utf-8",
        delivery_info={"exchange": "", "routing_key": "mail"}, properties={"priority": 3},
    )  # fmt: skip


def app(**conf):
    made = Celery("unit", broker=conf.pop("broker", "memory://"), set_as_current=False)
    made.conf.update(conf)
    return made


def test_a_packed_message_keeps_its_body_byte_for_byte():
    packed = unpack(pack(message()))

    assert (packed.body, packed.routing_key, packed.priority) == (b"\x80raw", "mail", 3)


def test_a_renewed_message_is_a_first_attempt_with_an_id_of_its_own():
    packed = unpack(pack(message(eta="2030-01-01T00:00:00", expires="2030-01-02T00:00:00")))

    headers = renewed(packed, "new", None)

    assert (headers["id"], headers["root_id"], headers["retries"]) == ("new", "new", 0)
    assert (headers["eta"], headers["expires"]) == (None, None)


def test_a_renewed_message_belongs_to_no_group_and_is_not_called_compressed():
    packed = unpack(pack(message(group="g", group_index=1, compression="application/x-gzip")))

    headers = renewed(packed, "new", None)

    assert (headers["group"], headers["group_index"]) == (None, None)
    assert "compression" not in headers


def test_bytes_that_are_no_packed_message_are_refused():
    with pytest.raises(Unsupported) as raised:
        unpack(Native("shop.ok", b"\x00\x00\x00\x02no"))

    assert raised.value.reason == "undecodable"


@pytest.mark.parametrize(
    ("exception", "traceback", "expected"),
    [
        ("ValueError('a')", "Traceback:\n  File x\nValueError: a\n", ("ValueError", "a")),
        ("ValueError('a')", None, ("ValueError", "a")),
        ("Odd()", "Traceback:\n  File x\nshop.Odd: 1\n2\n", ("shop.Odd", "1\n2")),
        (
            "Retry(Retry(...), KeyError('k'), 0)",
            "T:\n    x\ncelery.exceptions.Retry: r",
            ("KeyError", "k"),
        ),
        (
            "ExceptionWithTraceback()",
            "T:\n    x\nb.WorkerLostError: gone",
            ("b.WorkerLostError", "gone"),
        ),
    ],
)
def test_an_exception_is_read_from_the_text_celery_keeps(exception, traceback, expected):
    assert error_text(exception, traceback)[:2] == expected


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        -3,
        1.5,
        "x",
        "it's",
        {"a": 1},
        {"a": None},
        {1: "b"},
        [1, (2,)],
        {"t": True},
        {1, 2},
    ],
)
def test_a_result_is_read_back_from_its_repr(value):
    assert value_of(repr(value)) == value


def test_a_result_that_is_no_literal_stays_text():
    assert value_of("<object at 0x7f>") == "<object at 0x7f>"
    assert value_of("{'cut': [1, 2, ...") == "{'cut': [1, 2, ..."


def test_a_retry_ends_the_older_attempt_and_a_result_the_newer():
    table, first, second = Requests(), Request(), Request(retries=1)
    table.received(first)
    table.start("t")
    table.received(second)
    table.start("t")

    assert table.end("t", newest=True)() is second
    assert table.end("t")() is first


def test_the_second_end_of_a_delivery_finds_nothing():
    table, request = Requests(), Request()
    table.received(request)
    table.start("t")

    assert table.end("t")() is request
    assert table.end("t") is None
    assert table.ended("t")


def test_a_delivery_received_while_the_last_one_is_forgotten_is_kept():
    table, first, second = Requests(), Request(), Request(retries=1)

    class Slow(dict):
        def pop(self, *given):
            if second is not None and not table.live("t"):
                table.received(second)
            return super().pop(*given)

    table._open = Slow()
    table.received(first)
    table.start("t")

    table.end("t")

    assert table.start("t")() is second


def test_a_delivery_that_celery_forgot_is_forgotten():
    table, request = Requests(), Request()
    table.received(request)

    del request
    gc.collect()

    assert list(table) == []


class Interrupts(Recorder):
    def __init__(self):
        super().__init__()
        self.hit = []

    def interrupt(self, thread_id, error):
        self.hit.append(thread_id)
        return True


def test_an_interrupt_hits_only_the_thread_that_runs_the_code_of_the_task():
    emit, made, request, hits = Interrupts(), app(), Request("mine"), []
    deliveries = Deliveries(made, emit)
    run = deliveries.requests.received(request)
    run.place, run.started = threading.get_ident(), True

    def now(**_):
        hits.append(deliveries.interrupt("mine"))

    made.task(now, name="probe", ignore_result=True, shared=False)
    trace = build_tracer("probe", made.tasks["probe"], app=made)
    signals.task_success.connect(now)

    now()
    trace("other", (), {}, {"id": "other"})
    trace("mine", (), {}, {"id": "mine"})

    signals.task_success.disconnect(now)
    deliveries.remove()
    assert hits == [False, *(False, False), *(True, False)]
    assert emit.hit == [run.place]


def test_each_attempt_has_its_own_end_in_whatever_order_they_are_told():
    emit, made = Recorder(), app()
    deliveries = Deliveries(made, emit)
    hear, attempts = deliveries.handlers(), [Request(retries=n) for n in range(3)]
    for request in attempts:
        request.eta = request.expires = None
        request.message = message()
        deliveries.requests.received(request)

    def tells(event, number):
        token = SPEAKING.set(attempts[number])
        hear[event]({"uuid": "t", "exception": "KeyError('again')", "traceback": None})
        SPEAKING.reset(token)

    for event, number in (
        ("task-started", 0), ("task-started", 2), ("task-started", 1),
        ("task-retried", 1), ("task-failed", 2), ("task-retried", 0),
    ):  # fmt: skip
        tells(event, number)

    retrying, failed = EventKind.RETRYING, EventKind.FAILED
    ends = [(e.kind, e.attempt) for e in emit.of("t") if e.kind in (retrying, failed)]
    assert ends == [(retrying, 2), (failed, 3), (retrying, 1)]


def test_cancel_before_start_in_the_table_of_tombstones_revokes_on_receipt():
    from celery.worker import state

    emit, made = Recorder(), app()
    deliveries = Deliveries(made, emit)
    emit.tombstones().add("cancelled-early")
    request = Request("cancelled-early")
    request.task = SimpleNamespace(send_events=True)
    request.delivery_info = {"exchange": "", "routing_key": "mail", "priority": 0}
    request.eta = request.expires = request.root_id = request.parent_id = None

    deliveries.on_received(SimpleNamespace(app=made), request)

    assert "cancelled-early" in state.revoked
    state.revoked.discard("cancelled-early")


def test_the_lists_of_a_redis_queue_are_its_priorities_in_order():
    made = app(broker_transport_options={"global_keyprefix": "shop:"})

    assert redis_keys(made, "mail") == [
        "shop:mail", "shop:mail\x06\x163", "shop:mail\x06\x166", "shop:mail\x06\x169",
    ]  # fmt: skip


def test_the_app_id_knows_no_credentials_and_tells_brokers_apart():
    one = app_id(app(broker="redis://:secret@127.0.0.1:6379/1"))

    assert one == app_id(app(broker="redis://:other@127.0.0.1:6379/1"))
    assert one != app_id(app(broker="redis://:secret@127.0.0.1:6379/2"))


@pytest.mark.parametrize("is_marked_first", [True, False])
def test_what_z4j_options_says_of_a_task_is_handed_on(is_marked_first):
    app = Celery("shown", broker="memory://", set_as_current=False)
    task = app.task(name=f"pay{is_marked_first}", bind=True, shared=False)

    def pay(self, card):
        """Nothing."""

    def mark(function):
        function.__z4j_options__ = {"redact": ("card",)}
        return function

    _ = task(mark(pay)) if is_marked_first else mark(task(pay))

    (found,) = [each for each in CeleryEngine(app).discover() if each.name.startswith("pay")]
    assert found.options["z4j"] == {"redact": ("card",)}


def test_eager_mode_is_refused():
    engine = CeleryEngine(app(task_always_eager=True))

    with pytest.raises(Unsupported) as raised:
        engine.enqueue(Job("shop.ok"))

    assert raised.value.reason == "eager"
    assert Capability.ENQUEUE not in capabilities(engine)


def test_looking_into_an_amqp_queue_is_refused():
    engine = CeleryEngine(app(broker="amqp://127.0.0.1:1//"))

    with pytest.raises(Unsupported) as raised:
        engine.peek("mail")

    assert raised.value.reason == "broker"
    assert Capability.PEEK not in capabilities(engine)


def test_no_broker_means_nothing_was_sent():
    from z4j_core import EngineUnavailable
    from z4j_testing.services import free_port

    engine = CeleryEngine(app(broker=f"redis://127.0.0.1:{free_port()}/0"))

    with pytest.raises(EngineUnavailable):
        engine.enqueue(Job("shop.ok"))


def test_a_muted_tap_hears_everything_and_publishes_nothing():
    class Dispatcher:
        def __init__(self, enabled):
            self.enabled, self.sent = enabled, []

        def send(self, kind, **fields):
            self.sent.append(kind)

    heard = []
    tap = tapped(Dispatcher, {"task-started": lambda fields: heard.append(fields["uuid"])})

    muted, loud = tap(enabled=False), tap(enabled=True)
    muted.send("task-started", uuid="a")
    loud.send("task-started", uuid="b")

    assert muted.enabled
    assert heard == ["a", "b"]
    assert (muted.sent, loud.sent) == ([], ["task-started"])
