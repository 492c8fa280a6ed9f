"""How a queue is found by what a message carries."""

import pytest
from celery import Celery
from kombu import Exchange, Queue
from z4j_celery.routes import Routes, is_topic

EVENTS, NEWS, JOBS = (Exchange(n, t) for n, t in (("e", "topic"), ("n", "fanout"), ("j", "direct")))


@pytest.fixture
def app():
    made = Celery("routed", broker="memory://", set_as_current=False)
    made.conf.task_queues = [
        Queue("paid", EVENTS, "order.paid"), Queue("orders", EVENTS, "order.*"),
        Queue("all", EVENTS, "#"), Queue("news", NEWS, "whatever"), Queue("mail", JOBS, "m"),
    ]  # fmt: skip
    return made


@pytest.mark.parametrize(
    ("bound", "key", "takes"),
    [
        ("order.*", "order.paid", True), ("order.*", "order.paid.late", False),
        ("order.*", "order", False), ("*.paid", "order.paid", True), ("#", "", True),
        ("order.#", "order", True), ("order.#.late", "order.paid.very.late", True),
        ("order.#.late", "order.paid", False), ("order", "order", True), ("*", "a.b", False),
    ],
)  # fmt: skip
def test_a_topic_takes_the_keys_its_words_stand_for(bound, key, takes):
    assert is_topic(bound, key) is takes


@pytest.mark.parametrize(
    ("exchange", "key", "queue"),
    [
        ("", "mail", "mail"), ("j", "m", "mail"), ("e", "order.paid", "paid"),
        ("e", "order.sent", "orders"), ("e", "bill.paid", "all"), ("n", "", "news"),
        ("j", "unknown", "unknown"), ("nobody", "knows", "knows"),
    ],
)  # fmt: skip
def test_a_message_is_told_with_the_queue_it_goes_to(app, exchange, key, queue):
    assert Routes(app).queue_of(exchange, key) == queue


def test_of_several_queues_the_one_this_worker_consumes_is_told(app):
    app.amqp.queues.select("all")

    assert Routes(app).queue_of("e", "order.paid") == "all"


def test_a_queue_declared_later_is_found(app):
    routes = Routes(app)
    assert routes.queue_of("j", "late") == "late"

    app.amqp.queues.select_add(Queue("added", JOBS, "late"))

    assert routes.queue_of("j", "late") == "added"
