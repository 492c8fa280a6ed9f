"""From wheels to the first task on screen, by the words of the tutorial alone.

The rule: our packages come from the wheels that were just built, and from no index.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import redis
from z4j_core.clock import SystemClock
from z4j_testing.demo.processes import bound, free_port
from z4j_testing.demo.rest import enter
from z4j_testing.services import redis_url
from z4j_testing.signals import eventually

pytestmark = [pytest.mark.live, pytest.mark.timeout(240)]
ROOT = Path(__file__).resolve().parents[2]
TUTORIAL = (ROOT / "docs/tutorial/first-task.md").read_text(encoding="utf-8")
OURS = re.compile(r"(?P<name>z4j[\w-]*)(?P<extras>\[[^]]*\])?==\S+")
SERVER = {"sqlalchemy", "psycopg", "psycopg-binary", "starlette", "uvicorn", "alembic",
          "cryptography", "jinja2", "z4j-brain", "z4j-testing"}  # fmt: skip
FIRST_TASK_S = 60
FOUR = {"key_used", "agent_connected", "definitions", "first_event"}
MIB = 1 << 20
LISTED = """
import json, sys
from importlib.metadata import distributions
print(json.dumps({
    d.name.lower().replace("_", "-"): [
        sum(f.locate().stat().st_size for f in d.files if f.locate().is_file()),
        d.read_text("direct_url.json") or "",
    ] for d in distributions(path=[p for p in sys.path if p.startswith(sys.prefix)])
}))
"""


def uv(*arguments):
    found = shutil.which("uv") or str(ROOT / ".tools/bin/uv")
    done = subprocess.run([found, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """The wheels of this checkout, by distribution."""
    home = tmp_path_factory.mktemp("dist")
    uv("build", "-q", "--wheel", "--all-packages", "--out-dir", str(home), str(ROOT))
    return {path.name.split("-")[0].replace("_", "-"): path for path in home.glob("*.whl")}


@pytest.fixture
def installed(wheels, tmp_path):
    """Install requirements into an empty environment; (its bin, what is in it)."""

    def wheel(found):
        return f"{found['name']}{found['extras'] or ''} @ {wheels[found['name']].as_uri()}"

    def install(*requirements):
        home = tmp_path / f"env-{len(list(tmp_path.glob('env-*')))}"
        uv("venv", "-q", "--python", sys.executable, str(home))
        own = home / "own.txt"
        own.write_text(
            "".join(f"{n} @ {p.as_uri()}\n" for n, p in wheels.items() if n != "z4j"),
            encoding="utf-8",
        )
        python = str(home / "bin/python")
        wanted = [OURS.sub(wheel, each) for each in requirements]
        uv("pip", "install", "-q", "--python", python, "--overrides", str(own), *wanted)
        done = subprocess.run([python, "-c", LISTED], capture_output=True, text=True, check=True)
        return home / "bin", json.loads(done.stdout)

    return install


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", TUTORIAL, re.DOTALL)


def commands():
    """The commands of the tutorial, in their order."""
    lines = "\n".join(blocks("console")).splitlines()
    return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]


def total(listed, names=None):
    return sum(size for name, (size, _) in listed.items() if names is None or name in names)


def test_the_steps_of_the_tutorial_bring_the_first_task_within_a_minute(
    installed, tmp_path, capsys
):
    install, start, *_, send = commands()[:2] + commands()[-1:]
    assert (install.split()[:2], start.split()[:2]) == (["pip", "install"], ["z4j", "dev"])
    broker = redis_url(11)
    redis.Redis.from_url(broker).flushdb()
    bin_, listed = installed(*shlex.split(install)[2:])
    shop = blocks("python")[0].replace("redis://127.0.0.1:6379/0", broker)
    (tmp_path / "shop.py").write_text(shop, encoding="utf-8")
    env = {"PATH": f"{bin_}:/usr/bin:/bin", "HOME": str(tmp_path), "LANG": "C.UTF-8"}
    clock = SystemClock()

    started = clock.monotonic()
    words = shlex.split(start)
    command = [str(bin_ / words[0]), words[1], "--port", str(free_port()), *words[2:]]
    dev = subprocess.Popen(
        bound(command, signal.SIGTERM), cwd=tmp_path, env=env, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        link = dev.stdout.readline().strip()
        linked = clock.monotonic() - started
        rest = enter(link.split("/p/")[0], "dev", link)
        subprocess.run(
            [str(bin_ / "python"), *shlex.split(send)[1:]], cwd=tmp_path, env=env, check=True,
            timeout=FIRST_TASK_S, capture_output=True,
        )  # fmt: skip
        eventually(lambda: rest.get("tasks", q="state:succeeded")["items"], "a task", FIRST_TASK_S)
        took = clock.monotonic() - started
        eventually(lambda: steps_done(rest) >= FOUR, "four green steps", FIRST_TASK_S)
    finally:
        dev.terminate()
        dev.communicate(timeout=30)
        redis.Redis.from_url(broker).flushdb()

    assert took <= FIRST_TASK_S
    assert {name for name, (_, url) in listed.items() if url.startswith('{"url":"file:')} == {
        "z4j", "z4j-core", "z4j-celery", "z4j-brain",
    }  # fmt: skip
    with capsys.disabled():
        print(f"\nlink after {linked:.1f} s, first task after {took:.1f} s")


def steps_done(rest):
    return {step["id"] for step in rest.get("onboarding")["steps"] if step["done"]}


def test_an_agent_brings_little_beside_celery_and_nothing_of_the_server(installed, capsys):
    _, before = installed("celery")
    _, after = installed("z4j[celery]==2.0.0")

    added = set(after) - set(before)
    size = total(after, added)
    with capsys.disabled():
        print(f"\nbeside Celery: {', '.join(sorted(added))}: {size / MIB:.1f} MiB")
    assert added == {"z4j", "z4j-core", "z4j-celery", "msgpack", "websockets"}
    assert not SERVER & set(after)
    assert size <= 5 * MIB


def test_server_and_celery_stay_within_45_distributions_and_90_mb(installed, capsys):
    _, listed = installed("z4j[brain,celery]==2.0.0", "celery[redis]")

    size = total(listed)
    with capsys.disabled():
        print(f"\nserver and Celery: {len(listed)} distributions, {size / MIB:.1f} MiB")
    assert len(listed) <= 45
    assert size <= 90 * 10**6
    assert SERVER - {"z4j-testing"} <= set(listed)
