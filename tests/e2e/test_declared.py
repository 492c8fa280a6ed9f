"""Schedules declared in a web project, applied by that project's own command line to a brain.

The rule: nothing but what the how-to says.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from z4j_testing.demo.processes import bound

pytestmark = pytest.mark.live
PACKAGES = Path(__file__).resolve().parents[2] / "packages"
SERVE = "import sys; from z4j_brain.cli.serve import main; sys.exit(main(sys.argv[1:]))"
PROJECT = "shop"
WAYS = {
    "django": (PACKAGES / "z4j-django/tests", ["manage.py", "z4j"]),
    "flask": (
        PACKAGES / "z4j-flask/tests", ["-m", "flask", "--app", "flask_shop:create_app", "z4j"],
    ),
}  # fmt: skip
NIGHTLY = {"task": "shop.bill", "cron": "0 2 * * *", "tz": "Europe/Paris"}


def environment(**more):
    own = {name: value for name, value in os.environ.items() if not name.startswith("Z4J_")}
    return own | more


@pytest.fixture(scope="module")
def brain(tmp_path_factory):
    """What a served brain says of itself."""
    home = tmp_path_factory.mktemp("declared")
    given = ["--port", "0", "--data-dir", str(home), "--dev-project", PROJECT, "--print-json"]
    child = subprocess.Popen(
        bound([sys.executable, "-c", SERVE, *given], signal.SIGTERM),
        stdout=subprocess.PIPE, text=True, env=environment(),
    )  # fmt: skip
    try:
        yield json.loads(child.stdout.readline())
    finally:
        child.terminate()
        child.communicate(timeout=20)


@pytest.fixture(params=WAYS)
def project(request, brain, tmp_path):
    """Run the project's command line with a set in its settings; the ended process."""
    code, command = WAYS[request.param]

    def run(schedules, *words):
        whole = {
            "tag": request.param, "defaults": {"engine": "celery", "app": "shop"},
            "schedules": {f"{request.param} {name}": each for name, each in schedules.items()},
        }  # fmt: skip
        env = environment(
            SHOP_Z4J_KEY=json.dumps({"SCHEDULES": whole}), PYTHONPATH=str(code),
            HOME=str(tmp_path), Z4J_URL=brain["url"], Z4J_TOKEN=brain["token"],
        )  # fmt: skip
        done = subprocess.run(
            [sys.executable, *command, "schedules", *words, "--project", PROJECT],
            capture_output=True, text=True, env=env, cwd=code, timeout=60, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr

    run.name = request.param
    return run


def test_what_a_project_declares_is_applied_by_its_own_command_line(project):
    wish = {"nightly": NIGHTLY}

    code, out, err = project(wish, "diff")
    assert (code, out.splitlines()[-1:]) == (1, ["would create 1; 0 as declared"]), err
    code, out, err = project(wish, "apply")
    assert (code, out.splitlines()) == (
        0, [f"+ {project.name} nightly", "create 1; 0 as declared"],
    ), err  # fmt: skip
    assert project(wish, "diff")[0] == 0

    code, out, _ = project(wish, "show", f"{project.name} nightly", "--json")
    assert (code, json.loads(out)["owner"]) == (0, f"declarative:{project.name}")


def test_a_project_with_a_wrong_schedule_starts_and_applies_nothing(project):
    code, out, err = project({"poll": {"task": "shop.poll", "intervall": 30}}, "apply")

    assert (code, out) == (2, "")
    assert f"/schedules/{project.name} poll/intervall: no such field; did you mean interval?" in err
    assert "Traceback" not in err


def test_next_needs_no_brain_from_there_either(project):
    code, out, _ = project({}, "next", "0 2 * * *", "-n", "1", "--after", "2027-01-01T00:00Z")

    assert (code, out.strip()) == (0, "2027-01-01 02:00 UTC")
