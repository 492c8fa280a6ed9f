"""Brain and worker are killed under load, again and again. The rule: the books balance each time.

Facts the agents wrote = facts the brain stored + losses it was told; and by the side book: every
task that was sent or ran is known to the brain, and none it calls done did not run.
"""

from __future__ import annotations

import os
import signal
import time

import pytest
from chaos_stage import SETTLE_S, Stage, on_disk
from z4j_core.model.tasks import TaskState
from z4j_testing.signals import eventually

CYCLES = int(os.environ.get("Z4J_CHAOS_CYCLES", "200")) // 4
"""Of a soak: real workers take seconds to start. Hosts without an engine do four times as many."""
BURST, RATE = 300, 300
SLOTS = 2
MIDST = 60


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    made = Stage(tmp_path_factory.mktemp("killed"))
    try:
        made.brain.start()
        yield made
    finally:
        made.end()


@pytest.fixture(scope="module")
def producer(stage):
    return stage.producer()


class Workers:
    """The worker of now; each restart makes another process under the same name."""

    def __init__(self, stage):
        self.stage = stage
        self.host = None
        self.kills = 0

    @property
    def unseen(self):
        """Tasks that may have run without a word: a child began one, and its worker was killed
        before it heard of that. Their messages are not acknowledged.
        """
        return self.kills * SLOTS

    def start(self):
        self.host = self.stage.worker("worker").ready()

    def end(self, number):
        self.kills += number == signal.SIGKILL
        self.host.end(number)


@pytest.fixture(scope="module")
def workers(stage):
    made = Workers(stage)
    made.start()
    return made


def begin_burst(stage, producer):
    """Let the producer send, and return in the midst of it."""
    before = stage.book("ran").total()
    producer.begin(n=BURST, rate=RATE)
    eventually(lambda: stage.book("ran").total() >= before + MIDST, "tasks to run", SETTLE_S)


def balance(stage, producer_books, workers):
    """Wait until all is quiet and see that both agents' books and the side book balance."""
    eventually(lambda: not stage.waiting(), "the queue to be empty", SETTLE_S)
    worker_books = eventually(workers.host.is_idle, "the worker to be idle", SETTLE_S)
    for books in (producer_books, worker_books):
        assert (books["shed"], books["hook_errors"]) == (0, 0)
        is_stored(stage.brain, books["stream"], books["written"] + books["dropped"])
    check_side_book(stage, workers.unseen)


def is_stored(brain, stream, produced):
    """Facts stored and facts reported lost are the facts produced: not fewer, and no more."""

    def arrived():
        return sum(brain.of_stream(stream)) >= produced

    eventually(arrived, f"{produced} facts of a stream, {brain.of_stream(stream)} are", SETTLE_S)
    stored, lost = brain.of_stream(stream)
    assert stored + lost == produced


def check_side_book(stage, unseen):
    ran = stage.book("ran")

    def heard():
        known = stage.brain.tasks()
        missing = sum(not known[task_id].was_taken for task_id in ran)
        return known if missing <= unseen else None

    # What the dead worker had in hand goes the way of whoever adopted it, perhaps the producer's.
    known = eventually(heard, "what the dead worker had in hand", SETTLE_S)
    assert set(known) == set(stage.book("sent"))
    assert all(row.was_enqueued for row in known.values())
    done = {task_id for task_id, row in known.items() if row.state is TaskState.SUCCEEDED}
    assert done <= set(ran)


def unfinished(stage):
    """Tasks that ran but are not shown as done: their worker died before it could write so."""
    known = stage.brain.tasks()
    ran = stage.book("ran")
    return [task_id for task_id in ran if known[task_id].state is not TaskState.SUCCEEDED]


def kill_the_brain(stage, producer, workers, cycles):
    known_unfinished = unfinished(stage)
    for _ in range(cycles):
        begin_burst(stage, producer)
        stage.brain.kill()
        books = producer.books()
        stage.brain.start()
        balance(stage, books, workers)
        assert unfinished(stage) == known_unfinished


def kill_the_worker(stage, producer, workers, cycles):
    for _ in range(cycles):
        begin_burst(stage, producer)
        workers.end(signal.SIGKILL)
        written = on_disk(workers.host.spool)
        workers.start()
        all_written_arrived(stage, written)
        balance(stage, producer.books(), workers)


def all_written_arrived(stage, written):
    """The next worker adopts what the dead one left, to the last whole fact, and clears it up."""
    assert written

    def adopted():
        marks = stage.brain.marks()
        return all(marks.get(key, (0,))[0] >= count for key, count in written.items())

    eventually(adopted, "the facts of the dead worker", SETTLE_S)
    marks = stage.brain.marks()
    assert {key: marks[key][0] for key in written} == written
    assert all(marks[key][1] + marks[key][2] == written[key] for key in written)


def test_nothing_is_lost_or_doubled_when_the_brain_is_killed_under_load(stage, producer, workers):
    kill_the_brain(stage, producer, workers, cycles=3)


def test_nothing_written_is_lost_when_the_worker_is_killed_under_load(stage, producer, workers):
    kill_the_worker(stage, producer, workers, cycles=3)


@pytest.mark.timeout(180)
def test_facts_of_a_worker_that_is_stopped_while_the_brain_is_away_arrive_later(
    stage, producer, workers
):
    known_unfinished = unfinished(stage)
    begin_burst(stage, producer)
    stage.brain.kill()
    workers.end(signal.SIGTERM)
    written = on_disk(workers.host.spool)

    stage.brain.start()
    workers.start()

    all_written_arrived(stage, written)
    balance(stage, producer.books(), workers)
    assert unfinished(stage) == known_unfinished


@pytest.mark.soak
@pytest.mark.timeout(3_600)
def test_the_books_balance_after_each_of_many_kills_of_the_brain(
    stage, producer, workers, record_property
):
    began = facts(stage), time.monotonic()
    kill_the_brain(stage, producer, workers, cycles=CYCLES)
    record_property("figures", figures(stage, "brain", *began))


@pytest.mark.soak
@pytest.mark.timeout(3_600)
def test_the_books_balance_after_each_of_many_kills_of_the_worker(
    stage, producer, workers, record_property
):
    began = facts(stage), time.monotonic()
    kill_the_worker(stage, producer, workers, cycles=CYCLES)
    record_property("figures", figures(stage, "worker", *began))


def facts(stage):
    """(stored, lost) over all streams."""
    marks = stage.brain.marks().values()
    return sum(mark[1] for mark in marks), sum(mark[2] for mark in marks)


def figures(stage, killed, before, since):
    stored, lost = (now - then for now, then in zip(facts(stage), before, strict=True))
    spent_s = time.monotonic() - since
    return (
        f"Celery, {CYCLES} kills of the {killed}: {stored} facts stored, {lost} reported lost, "
        f"0 doubled; bursts of {BURST} tasks at {RATE}/s, {spent_s / CYCLES:.1f} s a cycle"
    )
