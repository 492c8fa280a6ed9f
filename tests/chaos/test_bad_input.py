"""Wrong keys, silent brains, hostile texts, full disks and forks, with a real worker as the host.

The rule: the host never notices, and the operator reads one line that names the cause.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
from dataclasses import dataclass

import pytest
from chaos_stage import PROJECT, SETTLE_S, Stage
from z4j_core.model.tasks import TaskState
from z4j_core.wire import Secret
from z4j_core.wire.dsn import parse_dsn
from z4j_core.wire.keys import encode_secret
from z4j_testing.demo.rest import enter
from z4j_testing.signals import eventually

HOSTILE_NAME = "chaos.<img src=x onerror=alert(1)>\u202ekcatta\x1b[31m"
HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg/onload=alert(1)>',
    "javascript:alert(1)//",
    "{{constructor.constructor('alert(1)')()}}${alert(1)}",
    "'; DROP TABLE tasks; --",
    '=HYPERLINK("http://evil")',
    "\x00\x07\x1b[2J\x9b31m\r\nforged log line",
    "\u202egpj.exe\u2066\u200b\ufeff",
    "lone \ud800 and \udfff",
    "%s%n%x{0.__class__}",
)


class Mute:
    """A listener that accepts and never says a word."""

    def __init__(self):
        self.listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listening.getsockname()[1]

    def close(self):
        self.listening.close()


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    made = Stage(tmp_path_factory.mktemp("bad"))
    try:
        made.brain.start()
        yield made
    finally:
        made.end()


@dataclass(frozen=True, slots=True)
class Early:
    """What was seen of a worker that started before its brain."""

    host: object
    task_id: str
    lines: list[str]


@pytest.fixture(scope="module")
def early(stage):
    """A worker that starts, and works, while the brain is down."""
    stage.brain.kill()
    host = stage.worker("early", queue="early", slots=1).ready()
    task_id = host.runs()
    lines = list(eventually(host.lines, "a line about the brain", 20))
    stage.brain.start()
    return Early(host, task_id, lines)


@pytest.fixture(scope="module")
def mute():
    made = Mute()
    yield made
    made.close()


@contextlib.contextmanager
def tmpfs(path, options):
    """A file system of its own; only root may mount one."""
    path.mkdir(mode=0o700)
    command = ["mount", "-t", "tmpfs", "-o", f"mode=0700,{options}", "tmpfs", str(path)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        yield None
        return
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


@pytest.fixture(scope="module")
def small_disk(tmp_path_factory):
    with tmpfs(tmp_path_factory.mktemp("small") / "spool", "size=1m") as path:
        yield path


@pytest.fixture(scope="module")
def read_only(tmp_path_factory):
    with tmpfs(tmp_path_factory.mktemp("ro") / "spool", "ro,size=1m") as path:
        yield path


@pytest.fixture(scope="module")
def hosts(stage, early, mute, small_disk, read_only):
    """One worker for each evil, started together."""
    dsn = stage.brain.dsn
    dsns = {
        "good": dsn, "wrong": with_another_secret(dsn), "mistyped": mistyped(dsn),
        "revoked": new_key(stage), "hanging": dsn.replace(f":{stage.brain.port}", f":{mute.port}"),
    }  # fmt: skip
    spools = {"full": small_disk, "readonly": read_only}
    found = {name: stage.worker(name, dsn, slots=1, queue=name) for name, dsn in dsns.items()}
    found |= {
        name: stage.worker(name, slots=1, queue=name, spool=spool)
        for name, spool in spools.items()
        if spool is not None
    }
    for host in found.values():
        host.ready()
    return found


def with_another_secret(dsn):
    """A DSN in itself right, whose secret the brain never gave out."""
    parsed = parse_dsn(dsn)
    other = encode_secret(parsed.key_id, Secret(b"not the secret of this key......"))
    head, _, rest = dsn.partition("@")
    return head[: head.rindex(":") + 1] + other + "@" + rest


def mistyped(dsn):
    at = dsn.index("z4s_") + 10
    return dsn[:at] + ("a" if dsn[at] != "a" else "b") + dsn[at + 1 :]


def new_key(stage):
    url = f"http://127.0.0.1:{stage.brain.port}"
    told = stage.brain.command("keys", "create", "--project", PROJECT, "--url", url, "--json")
    return json.loads(told)["dsn"]


def the_line(host, *codes):
    """The one line about trouble that this host's log has; it begins with one of `codes`."""
    eventually(lambda: host.lines("Z4J-E"), f"a line in the log of {host.name}", 20)
    host.runs()
    (line,) = host.lines("Z4J-E")
    assert any(code in line for code in codes), line
    assert "Traceback" not in host.log()
    return line


def row(stage, task_id, *states):
    """The brain's row of a task once it is in one of `states`, done when none is named."""

    def found():
        known = stage.brain.tasks().get(task_id)
        return known if known and known.state in (states or (TaskState.SUCCEEDED,)) else None

    return eventually(found, f"{task_id} to be stored", SETTLE_S)


# ---------------------------------------------------------------- keys and brains


def test_a_worker_that_starts_before_its_brain_works_and_reports_later(stage, early):
    (line,) = early.lines

    assert "Z4J-E106 connection refused by 127.0.0.1" in line
    assert row(stage, early.task_id).name == "chaos.run"
    assert early.host.lines("connected in")


def test_a_wrong_secret_is_told_in_one_line_and_tasks_run(hosts):
    assert "ERROR" in the_line(hosts["wrong"], "Z4J-E110")


def test_a_mistyped_dsn_is_told_in_one_line_and_tasks_run(hosts):
    line = the_line(hosts["mistyped"], "Z4J-E103")

    assert "typo in the secret" in line
    assert "z4s_" not in hosts["mistyped"].log()


def test_a_revoked_key_is_told_in_one_line_and_tasks_run(stage, hosts):
    host = hosts["revoked"]
    stored = row(stage, host.runs())
    listed = stage.brain.command("keys", "list", "--project", PROJECT, "--json").splitlines()
    cred = next(key["cred_id"] for key in map(json.loads, listed) if key["label"] == "")

    stage.brain.command("keys", "revoke", "--project", PROJECT, "--cred", cred)

    assert "ERROR" in the_line(host, "Z4J-E111")
    assert stored.name == "chaos.run"


def test_a_brain_that_accepts_and_says_nothing_is_told_in_one_line_and_tasks_run(hosts):
    assert "no answer from 127.0.0.1" in the_line(hosts["hanging"], "Z4J-E106")


# ---------------------------------------------------------------- names, arguments, objects


def test_hostile_arguments_arrive_as_text(stage, hosts):
    task_id = hosts["good"].runs("echo", *HOSTILE, kwargs={"k\u202e<b>": HOSTILE[0]})

    shown = row(stage, task_id).args
    rest = enter(stage.brain.told["url"], PROJECT, stage.brain.told["login_url"])
    (item,) = rest.get("tasks", q=f"id:{task_id}", range="1h")["items"]
    detail = rest.get(f"tasks/{item['ref']}")

    assert all(text in shown for text in HOSTILE[:2])
    assert "ud800" in shown
    assert detail["args"]["text"] == shown
    assert "\x1b" not in shown
    assert "\x00" not in shown


def test_a_hostile_exception_message_arrives_as_text(stage, hosts):
    task_id = hosts["good"].runs("fail", "".join(HOSTILE))

    told = row(stage, task_id, TaskState.FAILED).exc_message

    assert HOSTILE[0] in told
    assert HOSTILE[3] in told
    assert "\ud800" not in told


def test_a_hostile_task_name_arrives_as_text(stage, hosts):
    host = hosts["good"]
    task_id = stage.app.send_task(HOSTILE_NAME, queue=host.queue).id

    assert "<img src=x onerror=alert(1)>" in row(stage, task_id).name


def test_ten_megabytes_of_arguments_run_and_are_shown_bounded(stage, hosts):
    task_id = hosts["good"].runs("echo", "x" * 10_000_000)

    sizes = dict(map(json.loads, stage.book("sizes")))
    assert sizes[task_id] == 10_000_000
    assert 100 < len(row(stage, task_id).args) < 65_536


def test_objects_that_cannot_be_shown_never_disturb_their_task(stage, hosts):
    sender = hosts["good"].runs("send_unprintable")

    eventually(lambda: f"{sender}-sent" in stage.book("ran"), "the task to run", 20)
    stored = row(stage, f"{sender}-sent")

    assert "Unprintable" in stored.args
    assert "repr was called" not in hosts["good"].log()


def test_an_exception_that_cannot_be_shown_never_disturbs_its_worker(stage, hosts):
    task_id = hosts["good"].runs("fail_unprintable")

    assert row(stage, task_id, TaskState.FAILED).name == "chaos.fail_unprintable"
    assert hosts["good"].runs()


# ---------------------------------------------------------------- disks


def need(hosts, name):
    if name not in hosts:
        pytest.skip("only root may mount the disk of this test")
    return hosts[name]


def test_on_a_full_disk_tasks_run_and_what_is_lost_is_counted_and_told(stage, hosts, small_disk):
    host = need(hosts, "full")
    host.runs()
    with (small_disk / "ballast").open("wb", buffering=0) as ballast, contextlib.suppress(OSError):
        while ballast.write(bytes(4096)):
            pass

    lost = eventually(lambda: host.runs() and (host.books() or {}).get("dropped"), "losses", 20)
    (line,) = eventually(lambda: host.lines("Z4J-E122"), "a line about the loss", 20)
    (small_disk / "ballast").unlink()

    assert lost
    assert "new events dropped" in line
    balances(stage, host)
    assert host.lines("Z4J-E122") == [line]


def balances(stage, host):
    """See that losses reach the brain with the next facts, and the books balance."""

    def balanced():
        host.runs()
        books = eventually(host.is_idle, "the worker to be idle", 20)
        stored, gone = stage.brain.of_stream(books["stream"])
        return gone and stored + gone == books["written"] + books["dropped"]

    eventually(balanced, "stored and lost to be what was produced", 20)


def test_a_read_only_spool_is_told_in_one_line_and_another_place_is_taken(stage, hosts, read_only):
    host = need(hosts, "readonly")

    line = the_line(host, "Z4J-E123")

    assert f"{read_only}: Read-only file system" in line
    assert str(stage.home / "home") in line
    assert row(stage, host.runs()).name == "chaos.run"


# ---------------------------------------------------------------- forks


def test_a_task_may_fork_and_its_children_may_send_tasks(stage, hosts):
    host = hosts["good"]
    before = set(stage.book("ran"))

    parent = host.runs("forks", 15, "good")

    row(stage, parent)
    children = eventually(lambda: found_new(stage, before | {parent}, 15), "the children's tasks")
    assert all(row(stage, task_id).was_enqueued for task_id in children)
    assert host.books()["hook_errors"] == 0


def found_new(stage, known, count):
    new = set(stage.book("ran")) - known
    return new if len(new) >= count else None


def test_a_producer_may_fork_at_any_moment_while_it_sends(stage, hosts):
    producer = stage.producer()

    producer.begin(forks=40)
    books = producer.books()

    sent = stage.book("sent")
    assert sent.total() > 40  # each child's, and some of its parent's
    assert set(sent.values()) == {1}
    eventually(lambda: set(sent) <= set(stage.brain.tasks()), "what was sent", SETTLE_S)
    assert (books["hook_errors"], books["dropped"]) == (0, 0)


def test_no_trouble_was_told_twice_and_no_traceback_of_the_agent(hosts):
    told = {name: host.log() for name, host in hosts.items()}

    assert [name for name, text in told.items() if "z4j_core" in text or "z4j_celery" in text] == []
    for name in ("wrong", "mistyped", "revoked", "hanging", "readonly"):
        assert name not in hosts or len(hosts[name].lines("Z4J-E")) == 1, hosts[name].lines("Z4J-E")
    assert hosts["good"].lines("Z4J-E") == []
