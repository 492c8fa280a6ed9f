"""What a newcomer does first: one command, one link, one worker.

The rule: nothing but documented commands; PostgreSQL is chosen by its URL alone.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import urllib.request
import uuid
from urllib.parse import urlsplit

import psycopg
import pytest
from z4j_testing.demo.processes import Family, free_port
from z4j_testing.demo.rest import enter
from z4j_testing.demo.stack import PROJECT, open_shop
from z4j_testing.demo.stops import STOPS
from z4j_testing.demo.tour import STEPS, WALKS, Tour
from z4j_testing.services import postgres_url
from z4j_testing.signals import eventually

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def database():
    """URL of an empty PostgreSQL database that is dropped afterwards."""
    name = f"z4j_e2e_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(postgres_url("postgres"), autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name}")
        yield postgres_url(name)
        conn.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def tour(tmp_path_factory, database):
    """A shop with its worker, and a brain on PostgreSQL."""
    home = tmp_path_factory.mktemp("first-light")
    family = Family(home)
    try:
        shop = open_shop(family, home, free_port(), 0.5, "--database", database, engines=["celery"])
        rest = enter(shop.brain.url, PROJECT, shop.brain.link)
        yield Tour(shop, rest, STOPS["celery"])
    finally:
        family.end()


@pytest.mark.parametrize("step", STEPS)
def test_the_tour_on_postgresql(tour, step):
    WALKS[step](tour)


def test_the_tour_left_its_tasks_in_postgresql_alone(tour, database):
    with psycopg.connect(database) as conn:
        (count,) = conn.execute("SELECT count(*) FROM tasks").fetchone()

    assert count >= len(STEPS)
    assert not list(tour.shop.family.logs.glob("*.db"))


def test_a_brain_in_an_empty_directory_answers_and_prints_one_line(tmp_path):
    port = free_port()
    command = [sys.executable, "-m", "z4j", "serve", "--port", str(port)]
    brain = subprocess.Popen(
        [*command, "--data-dir", str(tmp_path / "data")], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        eventually(lambda: answers(port), "/healthz to answer", 60)
        link = urlsplit(brain.stdout.readline().strip())
    finally:
        brain.send_signal(signal.SIGTERM)
        out, err = brain.communicate(timeout=20)

    assert (link.netloc, link.path) == (f"127.0.0.1:{port}", "/setup")
    assert link.fragment
    assert (out, err, brain.returncode) == ("", "", 0)


def answers(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1) as answer:
            return answer.status == 200
    except OSError:
        return False
