"""Where an instance of Huey is, and who else is there."""

import contextlib
import threading

import pytest
from huey import Huey, RedisHuey
from huey_bench import Bench, E, S
from huey_inside import instance
from redis.exceptions import ConnectionError as RedisGone
from z4j_core import (
    Capability,
    EngineUnavailable,
    Job,
    Unsupported,
)
from z4j_huey.places import adapt, place_of
from z4j_testing.services import free_port
from z4j_testing.signals import WAIT_S

pytestmark = pytest.mark.filterwarnings("default")


def test_an_instance_that_runs_at_once_tells_nothing(bench):
    bench.huey.immediate = True

    result = bench.tasks["ok"](1)

    assert bench.emit.events == []
    assert result.get() == {"sum": 3}
    assert bench.engine.unavailable[Capability.ENQUEUE] == "eager"
    with pytest.raises(Unsupported):
        bench.engine.enqueue(Job("huey_shop.ok", (1,)))
    bench.huey.immediate = False


def test_a_receiver_of_the_app_that_raises_hides_nothing(bench):
    def raises(*_):
        raise RuntimeError

    bench.huey.signal()(raises)
    bench.huey.signal("executing")(raises)
    task = bench.tasks["ok"].s(1)
    bench.huey.storage.enqueue(bench.huey.serialize_task(task))

    with contextlib.suppress(RuntimeError):
        bench.work()

    assert S in bench.emit.kinds(task.id)


def test_who_patches_the_class_later_is_called(bench, monkeypatch):
    called, original = [], Huey.enqueue

    def enqueue(self, task):
        called.append(task.id)
        return original(self, task)

    monkeypatch.setattr(Huey, "enqueue", enqueue)

    assert called == [] == bench.emit.events
    result = bench.tasks["ok"](1)
    assert called == [result.id]
    assert bench.emit.kinds(result.id) == [E]


def test_a_task_in_flight_goes_on_unobserved_when_z4j_leaves(bench):
    task = bench.task(lambda: bench.engine.detach() or 5, name="leaves").s()

    worker = threading.Thread(target=bench.run, args=(task,))
    worker.start()
    worker.join(WAIT_S)

    assert bench.emit.kinds(task.id) == [E, S]
    assert bench.huey.result(task.id) == 5


def test_a_storage_that_is_away_is_said_to_be():
    made = Bench(RedisHuey("away", port=free_port(), host="127.0.0.1"))

    for call in (
        lambda: made.engine.depth("away"), lambda: made.engine.cancel("x"),
        lambda: made.engine.enqueue(Job("huey_shop.ok", (1,))),
    ):  # fmt: skip
        with pytest.raises(EngineUnavailable):
            call()
    with pytest.raises(RedisGone):
        made.tasks["ok"](1)
    assert made.emit.events == []
    made.engine.detach()


def test_one_place_has_one_name(tmp_path):
    one = RedisHuey("mine", url="redis://localhost:6379/3")
    same = RedisHuey("mi-ne", host="127.0.0.1", port=6379, db=3)
    other = RedisHuey("other", url="redis://localhost:6379/3")
    lite = [instance("sqlite", name, tmp_path) for name in ("a", "b")]
    files = [instance("file", name, tmp_path) for name in ("a", "b")]

    assert place_of(one) == place_of(same)
    assert len({place_of(each) for each in (one, other, *lite, *files)}) == 6


def test_a_task_leads_to_its_engine(bench):
    assert adapt(bench.tasks["ok"]) is bench.engine
