"""Schedules declared in code come with the deployment. The rule: agents and brain are real."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest
from z4j_testing.demo.processes import Family, bound
from z4j_testing.demo.rest import by_token
from z4j_testing.signals import eventually

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]
SERVE = "import sys; from z4j_brain.cli.serve import main; sys.exit(main(sys.argv[1:]))"
POD = """
import json, os, sys, threading
from z4j_core.agent import start
handle = start({"schedules": json.loads(os.environ["SHOP_SCHEDULES"]), "scheduler": "only"})
print("up", flush=True)
sys.stdin.read()
handle.close()
"""
PATIENCE_S = 60


@pytest.fixture
def family(tmp_path):
    made = Family(tmp_path)
    yield made
    made.end()


@pytest.fixture
def brain(tmp_path):
    """What a served brain says of itself."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("Z4J_")}
    given = ["--port", "0", "--data-dir", str(tmp_path), "--dev-project", "shop", "--print-json"]
    child = subprocess.Popen(
        bound([sys.executable, "-c", SERVE, *given], signal.SIGTERM),
        stdout=subprocess.PIPE, text=True, env=own,
    )  # fmt: skip
    try:
        yield json.loads(child.stdout.readline())
    finally:
        child.terminate()
        child.communicate(timeout=20)


class Deployments:
    """Processes of one app, each with the schedules of its release."""

    def __init__(self, brain, home):
        self.brain, self.home, self.pods = brain, home, []
        self.rest = by_token(brain["url"], "shop", brain["token"])

    def start(self, cron):
        given = {
            "tag": "shop", "defaults": {"engine": "celery", "app": "redis/0"},
            "schedules": {"nightly": {"task": "shop.bill", "cron": cron}},
        }  # fmt: skip
        env = {
            **os.environ, "Z4J_DSN": self.brain["dsn"], "SHOP_SCHEDULES": json.dumps(given),
            "Z4J_SPOOL_DIR": str(self.home / f"pod-{len(self.pods)}"), "Z4J_ENGINES": "none",
        }  # fmt: skip
        pod = subprocess.Popen(
            bound([sys.executable, "-c", POD]), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, env=env,
        )  # fmt: skip
        self.pods.append(pod)
        assert pod.stdout.readline() == "up\n"
        return pod

    def stop(self, pod):
        pod.stdin.close()
        pod.wait(30)
        pod.stdout.close()
        self.pods.remove(pod)

    def crons(self):
        """What was in force for the schedule, oldest first."""
        (found,) = self.rest.get("schedules")["items"]
        rows = self.rest.get(f"schedules/{found['id']}/revisions")["items"]
        edits = [
            change
            for row in reversed(rows)
            for change in row["changes"]
            if change["field"] == "specs"
        ]
        specs = [edit["after"] for edit in edits]
        specs.insert(0, edits[0]["before"] if edits else found["specs"])
        return [each[0]["expr"] for each in specs]

    def becomes(self, *crons):
        eventually(lambda: self._has(crons), f"{crons}", PATIENCE_S)

    def _has(self, crons):
        return self.rest.get("schedules")["items"] and self.crons() == list(crons)


@pytest.fixture
def app(brain, tmp_path):
    made = Deployments(brain, tmp_path)
    yield made
    for pod in list(made.pods):
        made.stop(pod)


def test_a_deployment_and_its_way_back_each_change_a_schedule_once(app):
    old = [app.start("0 2 * * *"), app.start("0 2 * * *")]
    app.becomes("0 2 * * *")

    new = [app.start("0 4 * * *")]
    app.becomes("0 2 * * *", "0 4 * * *")
    app.stop(old[0])
    new.append(app.start("0 4 * * *"))
    app.stop(old[1])

    back = [app.start("0 2 * * *")]
    app.stop(new[0])
    assert app.crons() == ["0 2 * * *", "0 4 * * *"]
    app.stop(new[1])
    app.becomes("0 2 * * *", "0 4 * * *", "0 2 * * *")

    assert back[0].poll() is None
