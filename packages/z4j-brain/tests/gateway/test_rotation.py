"""Secrets are replaced while agents send. The rule: produced = stored, no good agent is refused."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select
from z4j_brain.agents import service
from z4j_brain.agents.model import agent_keys, agents, refused_attempts
from z4j_brain.audit.model import audit_event
from z4j_brain.cli import rotation as secret
from z4j_brain.db import Database
from z4j_brain.db.rootkeys import RootKeys
from z4j_brain.rotation.model import replicas
from z4j_brain.settings import read_roots
from z4j_core.errors import WireError
from z4j_core.wire import Credential, parse_key_id, parse_secret
from z4j_testing.signals import eventually

from .test_killed import (
    CLOCK,
    SECRET,
    Sender,
    Spool,
    check,
    count_again,
    credential_of,
    free_port,
)

pytestmark = pytest.mark.timeout(240)

SERVE = "import sys; from z4j_brain.cli.serve import main; sys.exit(main(sys.argv[1:]))"
ROOTS = [SECRET, *(f"root secret number {n} with its 32 bytes".encode() for n in (2, 3, 4))]
STEP = 1_500
AHEAD = 3_000
BESIDE = "another brain"


@contextmanager
def producing(
    spool: Spool, every_s: float = 0.01, step: int = STEP
) -> Iterator[Callable[[], None]]:
    """Facts come all the time; the block is given what waits until a step of them is stored.

    Of those not stored at most `AHEAD` wait, so a slow machine gets as many as it can take.
    """
    stopped = threading.Event()

    def run() -> None:
        while not stopped.wait(every_s):
            if spool.produced - spool.acked < AHEAD:
                spool.produce(30)

    def stored() -> None:
        spool.wait_acked(spool.produced + step)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield stored
    finally:
        stopped.set()
        thread.join()


@contextmanager
def served(url: str, port: int, secret: bytes, previous: list[bytes]) -> Iterator[None]:
    """A brain as `z4j serve` runs it, ended by SIGTERM."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("Z4J_")}
    roots: Mapping[str, str] = {
        "Z4J_SECRET": secret.decode(),
        "Z4J_PREVIOUS_SECRETS": b",".join(previous).decode(),
        "Z4J_DATABASE_URL": url,
    }
    brain = subprocess.Popen(
        [sys.executable, "-c", SERVE, "--port", str(port)], env=own | roots,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield
    finally:
        brain.send_signal(signal.SIGTERM)
        assert brain.wait(20) == 0


def wrapped_by(db: Database) -> set[str]:
    with db.reading() as conn:
        return set(conn.execute(select(agent_keys.c.root_kid)).scalars())


def sessions(db: Database) -> int:
    """How many sessions the one stream has had."""
    with db.reading() as conn:
        return conn.execute(select(agents.c.sessions)).scalar() or 0


def run_beside(db: Database, kid: str) -> None:
    """Let it look as if another brain ran that can read this root alone."""
    row = {"id": BESIDE, "kids": [kid], "seen": CLOCK.wall_us()}
    with db.writing() as conn:
        conn.execute(insert(replicas), [row])


def end_beside(db: Database, kid: str) -> None:
    """End that brain; until now, with agents connected, nothing was written it cannot read."""
    with db.writing() as conn:
        held = conn.execute(delete(replicas).where(replicas.c.id == BESIDE)).rowcount
    if held:
        assert kid not in wrapped_by(db)


def test_w19_a_root_rotated_three_times_under_load_loses_nothing_and_refuses_no_agent(
    db: Database,
) -> None:
    url = db.engine.url.set(drivername=db.engine.dialect.name).render_as_string(hide_password=False)
    port, spool = free_port(), Spool()
    sender = Sender(f"ws://127.0.0.1:{port}/api/agent/ws", credential_of(db), spool)
    sender.start()

    try:
        with producing(spool) as stored:
            for number, root in enumerate(ROOTS):
                kid, old = RootKeys(root).kid, ROOTS[max(0, number - 1) : number]
                if number == len(ROOTS) - 1:
                    run_beside(db, RootKeys(old[0]).kid)
                with served(url, port, root, old):
                    stored()
                    end_beside(db, kid)
                    before = sessions(db)
                    eventually(lambda kid=kid: wrapped_by(db) == {kid}, "the rows to be wrapped")
                    stored()
                    assert sessions(db) == before
        with served(url, port, ROOTS[-1], []):
            spool.wait_acked(spool.produced)
    finally:
        sender.stopped.set()
        sender.join(10)

    check(db, spool.produced)
    count_again(db, spool.produced)
    with db.reading() as conn:
        assert conn.execute(select(refused_attempts.c.reason)).all() == []


@contextmanager
def served_from(url: str, port: int, home: Path) -> Iterator[None]:
    """A brain that has its root secret from a file, as every `z4j serve` without settings."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("Z4J_")}
    brain = subprocess.Popen(
        [sys.executable, "-c", SERVE, "--port", str(port), "--data-dir", str(home)],
        env=own | {"Z4J_DATABASE_URL": url}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert brain.stdout is not None
        assert brain.stdout.readline().startswith("http://")
        yield
    finally:
        brain.send_signal(signal.SIGTERM)
        brain.communicate(timeout=20)
    assert brain.returncode == 0


@pytest.mark.timeout(240)
def test_w19_a_root_rotated_three_times_under_load_disconnects_nobody(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = db.engine.url.set(drivername=db.engine.dialect.name).render_as_string(hide_password=False)
    for name in [name for name in os.environ if name.startswith("Z4J_")]:
        monkeypatch.delenv(name)
    (tmp_path / "secret.key").write_bytes(SECRET)
    port, spool = free_port(), Spool()
    sender = Sender(f"ws://127.0.0.1:{port}/api/agent/ws", credential_of(db), spool)
    sender.answer_s = 60.0
    where, roots = ["--data-dir", str(tmp_path), "--database", url], [RootKeys(SECRET).kid]

    with served_from(url, port, tmp_path):
        sender.start()
        try:
            with producing(spool, 0.05, 300) as stored:
                for _ in range(3):
                    stored()
                    assert secret.main(["rotate", *where]) == 0
                    roots.insert(0, RootKeys(read_roots(tmp_path / "secret.key")[0]).kid)
                    eventually(lambda: wrapped_by(db) == {roots[0]}, "the rows to be wrapped", 60.0)
                stored()
            spool.wait_acked(spool.produced)
            assert sessions(db) == 1
        finally:
            sender.stopped.set()
            sender.join(10)

    check(db, spool.produced)
    count_again(db, spool.produced)
    with db.reading() as conn:
        told = conn.execute(select(audit_event.c.target, audit_event.c.actor)).all()
        assert conn.execute(select(refused_attempts.c.reason)).all() == []
    assert [target for target, _ in told] == [f"root {kid}" for kid in roots[2::-1]]
    assert all(actor.startswith("cli:") for _, actor in told)


def rotated(db: Database, sender: Sender, new_kid: int) -> None:
    """One rotation as an operator does it: second key, new DSN, the old key retired."""
    cred_id, roots = sender.credential.cred_id.hex(), RootKeys(SECRET)
    with db.writing() as conn:
        key = service.second_key(conn, roots, os.urandom, cred_id, CLOCK.wall_us())
    assert key.kid == new_kid
    key_id = parse_key_id(key.key_id)
    sender.credential = Credential(*key_id, parse_secret(key_id, key.secret))
    with db.writing() as conn:
        service.retire_key(conn, cred_id, new_kid - 1, CLOCK.wall_us(), force=True)


def connected_by(db: Database) -> int | None:
    with db.reading() as conn:
        here = agents.c.connected.is_(True)
        return conn.execute(select(agents.c.kid).where(here)).scalar()


def test_an_agents_key_rotated_three_times_under_load_loses_nothing(db: Database) -> None:
    url = db.engine.url.set(drivername=db.engine.dialect.name).render_as_string(hide_password=False)
    port, spool = free_port(), Spool()
    sender = Sender(f"ws://127.0.0.1:{port}/api/agent/ws", credential_of(db), spool)
    retired = sender.credential
    sender.start()

    try:
        with served(url, port, SECRET, []):
            with producing(spool) as stored:
                for kid in (2, 3, 4):
                    stored()
                    rotated(db, sender, kid)
                    eventually(lambda kid=kid: connected_by(db) == kid, "the new key", 8.0)
                stored()
            spool.wait_acked(spool.produced)
            with pytest.raises(WireError, match="did not prove"):
                Sender(sender.url, retired, Spool()).session()
            assert connected_by(db) == 4
    finally:
        sender.stopped.set()
        sender.join(10)

    check(db, spool.produced)
    count_again(db, spool.produced)
    with db.reading() as conn:
        assert conn.execute(select(refused_attempts.c.reason)).scalars().all() == ["retired key"]
