"""FastAPI as it is run: every way to start it gives each process what is its own, and no more."""

from __future__ import annotations

from pathlib import Path

import pytest
from z4j_core import EventKind
from z4j_testing.signals import eventually
from z4j_testing.site import ENQUEUED, opened

pytestmark = pytest.mark.live
HERE = Path(__file__).parents[1]
OFFLINE = 3


@pytest.fixture
def site(tmp_path):
    with opened(tmp_path, HERE, {}) as made:
        yield made


def uvicorn(site, *options, app="fastapi_shop:app"):
    return site.serve("-m", "uvicorn", app, "--port", str(site.port), *options)


def test_sync_and_async_endpoints_report_from_one_process(site):
    child = uvicorn(site)

    orders = [site.get("order"), site.get("order-async")]

    assert all(site.told_once(order["id"]) for order in orders)
    site.stop(child)
    (register,) = site.registers()
    assert (register.pid, register.role, register.framework) == (child.process.pid, "web",
                                                                 "fastapi")  # fmt: skip
    assert register.release == "1.4"


def test_a_server_is_connected_once_it_has_started(site):
    child = uvicorn(site)

    site.brain.wait_for(lambda: site.pids() == {child.process.pid}, 10)


def test_what_was_sent_just_before_a_graceful_stop_is_stored(site):
    child = uvicorn(site)
    order = site.get("order")

    site.stop(child)

    assert site.kinds(order["id"]) == [int(EventKind.ENQUEUED)]


def test_the_lifespan_of_the_app_still_runs_and_its_state_is_seen(site):
    child = uvicorn(site, app="fastapi_shop:plain")

    assert site.get("look")["shelves"] == 3
    site.stop(child)
    assert "the shelves are empty" in child.log.read_text(encoding="utf-8")


def test_an_app_factory_is_observed(site):
    uvicorn(site, "--factory", app="fastapi_shop:create_app")

    assert site.told_once(site.get("order")["id"])


def test_of_a_reloading_server_only_the_half_that_answers_is_seen(site):
    child = uvicorn(site, "--reload", "--reload-dir", str(HERE))

    order = site.get("order")

    assert site.told_once(order["id"])
    assert child.process.pid != order["pid"]
    assert site.pids() == {order["pid"]}


@pytest.mark.parametrize("server", ["uvicorn", "gunicorn"])
def test_each_of_several_workers_has_a_stream_of_its_own(site, server):
    if server == "uvicorn":
        child = uvicorn(site, "--workers", "2")
    else:
        child = site.serve("-m", "gunicorn", "-w", "2", "-k", "uvicorn_worker.UvicornWorker",
                           "-b", f"127.0.0.1:{site.port}", "fastapi_shop:app")  # fmt: skip

    site.brain.wait_for(lambda: len(site.pids()) == 2, 20)

    assert child.process.pid not in site.pids()
    assert len({register.stream for register in site.registers()}) == 2
    assert site.told_once(site.get("order")["id"])


def test_without_lifespan_events_tasks_are_recorded_all_the_same(site):
    uvicorn(site, "--lifespan", "off")

    assert site.told_once(site.get("order")["id"])


def test_an_app_that_lives_twice_in_one_process_reports_both_times(site):
    code = (
        "from starlette.testclient import TestClient\n"
        "from fastapi_shop import app\n"
        "for _ in range(2):\n"
        "    with TestClient(app) as client:\n"
        "        print(client.get('/order').json()['id'])\n"
    )

    done = site.run("-c", code)

    assert done.returncode == 0, done.stderr
    ids = done.stdout.split()
    assert [site.kinds(task_id) for task_id in ids if "-" in task_id] == [ENQUEUED] * 2


def test_a_broken_setting_is_told_and_the_site_serves(site):
    site.declared = {"DSN": "https://nonsense", "RELAESE": "1.4"}
    child = uvicorn(site)

    assert site.get("order")["id"]
    assert "RELAESE (did you mean RELEASE?)" in child.log.read_text(encoding="utf-8")


def test_a_brain_that_is_down_delays_the_stop_by_two_seconds_at_most_and_loses_nothing(site):
    child = uvicorn(site)
    site.brain.wait_for(lambda: site.pids() == {child.process.pid}, 10)
    site.brain.stop()
    order = site.get("order")
    site.stop(child)

    site.brain.start()
    uvicorn(site)

    eventually(lambda: site.kinds(order["id"]) == ENQUEUED, "the fact of the first server", 20)
