"""Django as it is run: every way to start it gives each process what is its own, and no more."""

from __future__ import annotations

import signal
import sys
import urllib.error
from pathlib import Path

import pytest
from z4j_testing.signals import eventually
from z4j_testing.site import ENQUEUED, START_S, opened

pytestmark = pytest.mark.live
HERE = Path(__file__).parents[1]


@pytest.fixture
def site(tmp_path):
    with opened(tmp_path, HERE, {"DJANGO_SETTINGS_MODULE": "django_shop.settings"}) as made:
        yield made


def manage(site, *words):
    return site.run(str(HERE / "manage.py"), *words)


def test_runserver_connects_once_though_it_is_two_processes(site):
    child = site.serve(str(HERE / "manage.py"), "runserver", f"127.0.0.1:{site.port}")

    order = site.get("order")

    assert site.told_once(order["id"])
    assert child.process.pid != order["pid"]
    site.family.end()
    assert site.kinds(order["id"]) == ENQUEUED
    (register,) = site.registers()
    assert (register.pid, register.role, register.framework) == (order["pid"], "web", "django")
    assert register.release == "1.4"


@pytest.mark.parametrize("parent_records", [False, True])
def test_each_process_of_a_preloaded_gunicorn_has_a_stream_of_its_own(site, parent_records):
    env = {"SHOP_ENQUEUES_AT_IMPORT": "1"} if parent_records else {}
    command = ["-m", "gunicorn", "--preload", "-w", "2", "-b", f"127.0.0.1:{site.port}"]
    child = site.serve(*command, "django_shop.wsgi", **env)

    orders = site.orders(2)

    assert all(site.told_once(order["id"]) for order in orders)
    parent = {child.process.pid} if parent_records else set()
    site.brain.wait_for(lambda: site.pids() == {order["pid"] for order in orders} | parent, 10)
    site.stop(child)
    assert len({register.stream for register in site.registers()}) == 2 + len(parent)
    assert [site.kinds(order["id"]) for order in orders] == [ENQUEUED] * len(orders)
    assert len(site.brain.store.tasks) == len(orders) + len(parent)


def test_under_uvicorn_sync_and_async_views_report_from_one_process(site):
    command = ["-m", "uvicorn", "django_shop.asgi:application", "--port", str(site.port)]
    child = site.serve(*command, "--lifespan", "off")

    orders = [site.get("order"), site.get("order-async")]

    assert all(site.told_once(order["id"]) for order in orders)
    site.stop(child)
    assert [site.kinds(order["id"]) for order in orders] == [ENQUEUED] * 2
    assert len(site.registers()) == 1
    assert site.registers()[0].role == "web"


def test_a_web_process_that_only_reads_is_connected_after_its_first_request(site):
    command = ["-m", "gunicorn", "-w", "1", "-b", f"127.0.0.1:{site.port}", "django_shop.wsgi"]
    site.serve(*command)

    pid = site.get("look")["pid"]

    site.brain.wait_for(lambda: site.pids() == {pid}, 10)


def test_a_command_that_enqueues_has_its_facts_stored_before_it_ends(site):
    done = manage(site, "orders", "3")

    assert done.returncode == 0, done.stderr
    ids = done.stdout.split()
    assert [site.kinds(task_id) for task_id in ids] == [ENQUEUED] * 3
    (register,) = site.registers()
    assert (register.role, register.framework) == ("script", "django")


def test_a_command_that_enqueues_nothing_leaves_no_trace(site):
    done = manage(site, "orders", "0")

    assert done.returncode == 0, done.stderr
    assert site.registers() == []
    assert not (site.home / "spool").exists()


def test_a_command_ends_though_the_brain_is_down_and_the_next_one_tells_its_facts(site):
    site.brain.stop()
    first = manage(site, "orders", "1")
    site.brain.start()
    second = manage(site, "orders", "1")

    assert first.returncode == second.returncode == 0, first.stderr
    ids = [*first.stdout.split(), *second.stdout.split()]
    eventually(lambda: site.told_once(ids[1]), "the second fact")
    third = site.serve(str(HERE / "manage.py"), "runserver", "--noreload", f"127.0.0.1:{site.port}")
    site.get("look")
    assert site.told_once(ids[0])
    site.stop(third, signal.SIGINT)
    assert site.kinds(ids[0]) == ENQUEUED


def test_a_worker_of_the_project_obeys_its_settings_beside_a_dsn_from_the_environment(site):
    site.declared |= {"ALLOW": "observe", "DSN": ""}
    command = ["-m", "celery", "-A", "django_shop", "worker", "-P", "solo", "-l", "INFO"]
    quiet = ["--without-mingle", "--without-gossip", "--without-heartbeat"]
    site.family.start(
        "worker", [sys.executable, *command, *quiet], site.env(Z4J_DSN=site.brain.dsn)
    )

    site.brain.wait_for(lambda: site.brain.store.registers, START_S)

    (register,) = site.registers()
    assert (register.policy.text, register.release) == ("observe", "1.4")
    assert (register.role, register.framework) == ("worker", "django")


def test_a_broken_setting_is_told_and_the_site_serves(site):
    site.declared = {"DSN": "https://nonsense", "RELAESE": "1.4"}
    child = site.serve(str(HERE / "manage.py"), "runserver", f"127.0.0.1:{site.port}")

    assert site.get("order")["id"]
    told = child.log.read_text(encoding="utf-8")
    assert "z4j.W101" in told
    assert "RELAESE (did you mean RELEASE?)" in told


def test_the_debug_page_shows_no_dsn(site):
    command = [str(HERE / "manage.py"), "runserver", "--noreload", f"127.0.0.1:{site.port}"]
    site.serve(*command, SHOP_DEBUG="1", Z4J_DSN=site.brain.dsn)

    with pytest.raises(urllib.error.HTTPError) as failed:
        site.get("broken")

    page = failed.value.read().decode()
    assert "a bug of the shop" in page
    assert "SPOOL_DIR" in page
    assert site.brain.dsn.split("@")[0].rpartition(":")[2] not in page


def test_the_command_line_of_z4j_runs_under_the_settings_of_the_project(site):
    done = manage(site, "z4j", "doctor")

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"demo@127.0.0.1:{site.brain.port}" in done.stdout
    assert "ok    handshake" in done.stdout


def test_the_exit_code_of_a_command_of_z4j_is_that_of_manage_py(site):
    site.declared = {}

    done = manage(site, "z4j", "doctor")

    assert done.returncode == 2
    assert "no DSN" in done.stdout
