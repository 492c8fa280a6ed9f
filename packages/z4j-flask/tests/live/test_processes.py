"""Flask as it is run: every way to start it gives each process what is its own, and no more."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from z4j_testing.site import ENQUEUED, opened

pytestmark = pytest.mark.live
HERE = Path(__file__).parents[1]
FLASK = ("-m", "flask", "--app", "flask_shop:create_app")


@pytest.fixture
def site(tmp_path):
    with opened(tmp_path, HERE, {}) as made:
        yield made


def test_with_the_reloader_only_the_half_that_answers_is_seen(site):
    child = site.serve(*FLASK, "run", "--debug", "--port", str(site.port))

    order = site.get("order")

    assert site.told_once(order["id"])
    assert child.process.pid != order["pid"]
    site.family.end()
    (register,) = site.registers()
    assert (register.pid, register.role, register.framework) == (order["pid"], "web", "flask")
    assert register.release == "1.4"


@pytest.mark.parametrize("parent_records", [False, True])
def test_each_process_of_a_preloaded_gunicorn_has_a_stream_of_its_own(site, parent_records):
    env = {"SHOP_ENQUEUES_AT_IMPORT": "1"} if parent_records else {}
    command = ["-m", "gunicorn", "--preload", "-w", "2", "-b", f"127.0.0.1:{site.port}"]
    child = site.serve(*command, "flask_shop:create_app()", **env)

    orders = site.orders(2)

    assert all(site.told_once(order["id"]) for order in orders)
    parent = {child.process.pid} if parent_records else set()
    site.brain.wait_for(lambda: site.pids() == {order["pid"] for order in orders} | parent, 10)
    site.stop(child)
    assert len({register.stream for register in site.registers()}) == 2 + len(parent)
    assert [site.kinds(order["id"]) for order in orders] == [ENQUEUED] * len(orders)
    assert len(site.brain.store.tasks) == len(orders) + len(parent)


def test_a_web_process_that_only_reads_is_connected_after_its_first_request(site):
    site.serve("-m", "gunicorn", "-w", "1", "-b", f"127.0.0.1:{site.port}",
               "flask_shop:create_app()")  # fmt: skip

    pid = site.get("look")["pid"]

    site.brain.wait_for(lambda: site.pids() == {pid}, 10)


def test_a_command_that_enqueues_has_its_facts_stored_before_it_ends(site):
    done = site.run(*FLASK, "orders", "3")

    assert done.returncode == 0, done.stderr
    assert [site.kinds(task_id) for task_id in done.stdout.split()] == [ENQUEUED] * 3
    (register,) = site.registers()
    assert (register.role, register.framework) == ("script", "flask")


def test_a_command_that_enqueues_nothing_leaves_no_trace(site):
    done = site.run(*FLASK, "orders", "0")

    assert done.returncode == 0, done.stderr
    assert site.registers() == []
    assert not (site.home / "spool").exists()


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        ({"DSN": "https://nonsense", "RELAESE": "1.4"}, "RELAESE (did you mean RELEASE?)"),
        (["RELEASE"], "Z4J is a list, expected a dict"),
    ],
)
def test_a_broken_setting_is_told_and_the_site_serves(site, declared, told):
    site.declared = declared
    child = site.serve(*FLASK, "run", "--port", str(site.port))

    assert site.get("order")["id"]
    assert told in child.log.read_text(encoding="utf-8")


def test_the_command_line_of_z4j_runs_under_the_settings_of_the_app(site):
    done = site.run(*FLASK, "z4j", "doctor")

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"demo@127.0.0.1:{site.brain.port}" in done.stdout
    assert "ok    handshake" in done.stdout


def test_the_exit_code_of_a_command_of_z4j_is_that_of_flask(site):
    site.declared = {}

    done = site.run(*FLASK, "z4j", "doctor")

    assert done.returncode == 2
    assert "no DSN" in done.stdout


def test_an_app_that_is_given_twice_is_observed_once():
    code = (
        "from flask import Flask\nfrom z4j_flask import Z4J\n"
        "app = Flask('shop')\napp.config['Z4J'] = {'DSN': 'http://a:b@127.0.0.1:9/p'}\n"
        "first = Z4J(app)\nZ4J().init_app(app)\n"
        "assert app.extensions['z4j'] is first\n"
        "assert len(app.before_request_funcs.get(None, ())) <= 1\n"
    )

    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)
