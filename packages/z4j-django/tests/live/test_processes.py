"""Django as it is run: every way to start it gives each process what is its own, and no more."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
import uuid
from pathlib import Path

import pytest
from redis import Redis
from z4j_core import EventKind
from z4j_testing.brain import FakeBrain
from z4j_testing.demo.processes import Family, bound
from z4j_testing.services import free_port, redis_url
from z4j_testing.signals import eventually

pytestmark = pytest.mark.live
HERE = Path(__file__).parents[1]
ENQUEUED = [int(EventKind.ENQUEUED)]
START_S = 30.0


class Site:
    """One project with a brain, a broker and the processes that serve it."""

    def __init__(self, home, brain):
        self.home, self.brain = home, brain
        self.queue = f"django-{uuid.uuid4().hex[:8]}"
        self.url = redis_url(9)
        self.family = Family(home)
        self.port = free_port()
        self.declared = {"DSN": brain.dsn, "RELEASE": "1.4", "SPOOL_DIR": str(home / "spool")}

    def env(self, **more):
        return {
            "DJANGO_SETTINGS_MODULE": "django_shop.settings", "PYTHONPATH": str(HERE),
            "SHOP_Z4J_KEY": json.dumps(self.declared), "SHOP_BROKER": self.url,
            "SHOP_QUEUE": self.queue, "HOME": str(self.home), "C_FORCE_ROOT": "1", **more,
        }  # fmt: skip

    def serve(self, *command, **env):
        child = self.family.start("site", [sys.executable, *command], self.env(**env))

        def answers():
            assert child.process.poll() is None, child.tail(40)
            try:
                socket = urllib.request.urlopen(f"http://127.0.0.1:{self.port}/nothing", timeout=5)
            except urllib.error.HTTPError:
                return True
            except OSError:
                return False
            return bool(socket.close() or True)

        eventually(answers, "the site to answer", START_S)
        return child

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/{path}", timeout=10) as answer:
            return json.load(answer)

    def manage(self, *words, **env):
        return subprocess.run(
            bound([sys.executable, str(HERE / "manage.py"), *words]),
            env={**os.environ, **self.env(**env)}, cwd=self.home, capture_output=True, text=True,
            timeout=40, check=False,
        )  # fmt: skip

    def stop(self, child, number=signal.SIGTERM):
        child.process.send_signal(number)
        child.process.wait(20)

    def registers(self):
        return list(self.brain.store.registers)

    def pids(self):
        return {register.pid for register in self.registers()}

    def end(self):
        self.family.end()
        with Redis.from_url(self.url) as redis:
            redis.delete(self.queue, f"_kombu.binding.{self.queue}")


@pytest.fixture
def site(tmp_path):
    with FakeBrain() as brain:
        brain.knobs.backoff_cap_ms = 200
        site = Site(tmp_path, brain)
        yield site
        site.end()


def told_once(site, task_id):
    site.brain.wait_for(lambda: site.brain.store.kinds(task_id), 10)
    return site.brain.store.kinds(task_id) == ENQUEUED


def test_runserver_connects_once_though_it_is_two_processes(site):
    child = site.serve(str(HERE / "manage.py"), "runserver", f"127.0.0.1:{site.port}")

    order = site.get("order")

    assert told_once(site, order["id"])
    assert child.process.pid != order["pid"]
    site.family.end()
    assert site.brain.store.kinds(order["id"]) == ENQUEUED
    (register,) = site.registers()
    assert (register.pid, register.role, register.framework) == (order["pid"], "web", "django")
    assert register.release == "1.4"


@pytest.mark.parametrize("parent_records", [False, True])
def test_each_process_of_a_preloaded_gunicorn_has_a_stream_of_its_own(site, parent_records):
    env = {"SHOP_ENQUEUES_AT_IMPORT": "1"} if parent_records else {}
    command = ["-m", "gunicorn", "--preload", "-w", "2", "-b", f"127.0.0.1:{site.port}"]
    child = site.serve(*command, "django_shop.wsgi", **env)

    orders = []

    def both_have_answered():
        orders.append(site.get("order"))
        return len({order["pid"] for order in orders}) == 2

    eventually(both_have_answered, "both workers to answer", 20)

    assert all(told_once(site, order["id"]) for order in orders)
    parent = {child.process.pid} if parent_records else set()
    site.brain.wait_for(lambda: site.pids() == {order["pid"] for order in orders} | parent, 10)
    site.stop(child)
    assert len({register.stream for register in site.registers()}) == 2 + len(parent)
    assert [site.brain.store.kinds(order["id"]) for order in orders] == [ENQUEUED] * len(orders)
    assert len(site.brain.store.tasks) == len(orders) + len(parent)


def test_under_uvicorn_sync_and_async_views_report_from_one_process(site):
    command = ["-m", "uvicorn", "django_shop.asgi:application", "--port", str(site.port)]
    child = site.serve(*command, "--lifespan", "off")

    orders = [site.get("order"), site.get("order-async")]

    assert all(told_once(site, order["id"]) for order in orders)
    site.stop(child)
    assert [site.brain.store.kinds(order["id"]) for order in orders] == [ENQUEUED] * 2
    assert len(site.registers()) == 1
    assert site.registers()[0].role == "web"


def test_a_web_process_that_only_reads_is_connected_after_its_first_request(site):
    command = ["-m", "gunicorn", "-w", "1", "-b", f"127.0.0.1:{site.port}", "django_shop.wsgi"]
    site.serve(*command)

    pid = site.get("look")["pid"]

    site.brain.wait_for(lambda: site.pids() == {pid}, 10)


def test_a_command_that_enqueues_has_its_facts_stored_before_it_ends(site):
    done = site.manage("orders", "3")

    assert done.returncode == 0, done.stderr
    ids = done.stdout.split()
    assert [site.brain.store.kinds(task_id) for task_id in ids] == [ENQUEUED] * 3
    (register,) = site.registers()
    assert (register.role, register.framework) == ("script", "django")


def test_a_command_that_enqueues_nothing_leaves_no_trace(site):
    done = site.manage("orders", "0")

    assert done.returncode == 0, done.stderr
    assert site.registers() == []
    assert not (site.home / "spool").exists()


def test_a_command_ends_though_the_brain_is_down_and_the_next_one_tells_its_facts(site):
    site.brain.stop()
    first = site.manage("orders", "1")
    site.brain.start()
    second = site.manage("orders", "1")

    assert first.returncode == second.returncode == 0, first.stderr
    ids = [*first.stdout.split(), *second.stdout.split()]
    eventually(lambda: told_once(site, ids[1]), "the second fact")
    third = site.serve(str(HERE / "manage.py"), "runserver", "--noreload", f"127.0.0.1:{site.port}")
    site.get("look")
    assert told_once(site, ids[0])
    site.stop(third, signal.SIGINT)
    assert site.brain.store.kinds(ids[0]) == ENQUEUED


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
    done = site.manage("z4j", "doctor")

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"demo@127.0.0.1:{site.brain.port}" in done.stdout
    assert "ok    handshake" in done.stdout


def test_the_exit_code_of_a_command_of_z4j_is_that_of_manage_py(site):
    site.declared = {}

    done = site.manage("z4j", "doctor")

    assert done.returncode == 2
    assert "no DSN" in done.stdout
