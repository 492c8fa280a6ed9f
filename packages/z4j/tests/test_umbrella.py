"""What an app calls: light to import, safe to call, one handle."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest
import z4j
from z4j.cli import main
from z4j_core import EventKind, TaskEvent
from z4j_core.agent import current
from z4j_testing.brain import FakeBrain


@pytest.fixture
def brain():
    with FakeBrain() as running:
        yield running


@pytest.fixture
def settings(brain, tmp_path):
    yield {"dsn": brain.dsn, "spool_dir": str(tmp_path), "engines": ["none"]}
    if (handle := current()) is not None:
        handle.close()


def test_init_twice_is_one_handle(settings):
    assert z4j.init(**settings) is z4j.init(**settings)


def test_init_opens_no_socket_and_starts_no_thread(settings, brain):
    before = threading.active_count()

    handle = z4j.init(**settings)

    assert threading.active_count() == before
    assert handle.process.spool is None
    assert brain.links == []


def test_init_without_a_dsn_never_raises(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("Z4J_DSN", raising=False)

    handle = z4j.init()
    handle.flush()
    handle.close()

    assert handle.status()["active"] is False


def test_instrument_names_what_no_adapter_knows(settings):
    z4j.init(**settings)

    with pytest.raises(z4j_core_error(), match=r"no installed adapter knows a builtins\.dict"):
        z4j.instrument({})


def test_options_set_one_attribute_and_leave_the_function_alone():
    def charge(order_id, card):
        return order_id

    marked = z4j.options(headline=["order_id"], redact=["card"], idempotent=True)(charge)

    assert marked is charge
    assert charge.__z4j_options__["redact"] == ("card",)


def test_the_lines_of_the_readme_report_an_event(settings, brain):
    handle = z4j.init(**settings)
    engine = Silent()
    handle.attach(engine)

    engine.emit(TaskEvent(EventKind.STARTED, "t1"))

    assert handle.flush(5)
    assert brain.store.kinds("t1") == [4]


def test_a_command_of_an_absent_package_says_what_to_install(capsys, monkeypatch):
    monkeypatch.setattr("z4j.cli.entry_points", lambda group: [])

    assert main(["tasks"]) == 2
    assert "needs z4j-brain: pip install 'z4j[brain]'" in capsys.readouterr().err


def test_a_command_that_does_not_exist_is_usage(capsys):
    assert main(["fly"]) == 2
    assert "no command 'fly'" in capsys.readouterr().err


def test_without_a_command_there_is_an_overview(capsys):
    assert main([]) == 0
    assert "explain" in capsys.readouterr().out


def test_run_keeps_the_exit_code_and_reaches_the_program(brain, tmp_path):
    program = (
        "import sys; from z4j_core.agent import current; sys.exit(7 if current().is_active else 1)"
    )
    done = subprocess.run(
        [sys.executable, "-m", "z4j", "run", "--", sys.executable, "-c", program],
        env={"Z4J_DSN": brain.dsn, "Z4J_SPOOL_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"},
        check=False,
        timeout=30,
    )

    assert done.returncode == 7


class Silent:
    """An engine that only lets itself be observed."""

    name, app, delivery, unavailable = "silent", "app", None, {}

    def attach(self, emit):
        self.emit = emit

    def detach(self):
        pass

    def discover(self):
        return []

    def enqueue(self, job):
        return ""


def z4j_core_error():
    from z4j_core import AdapterBroken

    return AdapterBroken
