"""Root secrets are replaced under running brains: nothing is unreadable at any moment."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update
from z4j_brain.agents import service as agents
from z4j_brain.agents.model import agent_keys
from z4j_brain.app import close_brain, open_brain
from z4j_brain.audit.model import audit_event
from z4j_brain.auth.model import keyring
from z4j_brain.cli import rotation as command
from z4j_brain.commands.model import commands
from z4j_brain.commands.seal import NewCommand, add_command
from z4j_brain.db import Database
from z4j_brain.db.rootkeys import RootKeys
from z4j_brain.projects.model import projects
from z4j_brain.rotation import service
from z4j_brain.settings import Settings, read_roots
from z4j_core.errors import ConfigError

OLD, NEW = b"the old root secret of 32+ bytes!", b"the new root secret of 32+ bytes!"
PROJECT = "1" * 32
NOW = 1_780_000_000_000_000


def settings(db: Database, where: Path, secret: bytes, *previous: bytes) -> Settings:
    url = db.engine.url.set(drivername=db.engine.dialect.name).render_as_string(hide_password=False)
    return Settings(url, where, secret, previous)


def filled(db: Database, roots: RootKeys) -> agents.NewKey:
    with db.writing() as conn:
        conn.execute(insert(projects), [{"id": PROJECT, "slug": "shop", "name": "S", "created": 0}])
        return agents.create_key(conn, roots, os.urandom, project_id=PROJECT, now_us=1)


def roots_in_use(db: Database) -> set[str]:
    with db.reading() as conn:
        return {
            kid
            for table in (agent_keys, keyring)
            for kid in conn.execute(select(table.c.root_kid)).scalars()
        }


def turn(db: Database, roots: RootKeys, replica: str = "a", now_us: int = NOW) -> int:
    with db.writing() as conn:
        return service.turn(conn, roots, os.urandom, replica, now_us, 500)


def arrive(db: Database, roots: RootKeys, replica: str, now_us: int = NOW) -> None:
    with db.writing() as conn:
        service.arrive(conn, roots, replica, now_us)


def test_w20_a_root_removed_too_early_stops_the_start_and_loses_nothing(
    db: Database, tmp_path: Path
) -> None:
    close_brain(open_brain(settings(db, tmp_path, OLD)))
    key = filled(db, RootKeys(OLD))

    with pytest.raises(ConfigError, match="1 of agent_keys, 1 of keyring") as refused:
        open_brain(settings(db, tmp_path, NEW))

    assert refused.value.code == "Z4J-E603"
    assert RootKeys(OLD).kid in str(refused.value)
    assert "Z4J_PREVIOUS_SECRETS" in str(refused.value)
    brain = open_brain(settings(db, tmp_path, NEW, OLD))
    with brain.db.reading() as conn:
        assert agents.proof_of(conn, brain.roots, key.cred_id, key.kid).reason == ""
    close_brain(brain)


def test_w20_a_command_on_its_way_needs_the_root_that_sealed_it(db: Database) -> None:
    with db.writing() as conn:
        conn.execute(insert(projects), [{"id": PROJECT, "slug": "shop", "name": "S", "created": 0}])
        sealed = NewCommand(
            cmd_id="1" * 32, project_id=PROJECT, engine="celery", app="app", verb="cancel", scope=1,
            targets=["t"], deadline_us=NOW, created_us=1, actor=["u", "User"],
        )  # fmt: skip
        add_command(conn, RootKeys(OLD), sealed)

    with db.reading() as conn, pytest.raises(ConfigError, match="1 of commands"):
        service.check_roots(conn, RootKeys(NEW))
    with db.writing() as conn:
        conn.execute(update(commands).values(state="done"))
    with db.reading() as conn:
        service.check_roots(conn, RootKeys(NEW))


def test_all_rows_come_under_the_new_root_and_still_open(db: Database) -> None:
    key = filled(db, RootKeys(OLD))
    both = RootKeys(NEW, [OLD])
    with db.reading() as conn:
        before = agents.proof_of(conn, both, key.cred_id, key.kid).secret

    arrive(db, both, "a")
    first, second = turn(db, both), turn(db, both)

    assert (first, second) == (1, 0)
    assert roots_in_use(db) == {both.current}
    with db.reading() as conn:
        after = agents.proof_of(conn, RootKeys(NEW), key.cred_id, key.kid).secret
    assert after == before


def test_a_half_restarted_fleet_writes_what_all_of_it_can_read(db: Database) -> None:
    old, both = RootKeys(OLD), RootKeys(NEW, [OLD])
    key = filled(db, old)
    arrive(db, old, "old")
    arrive(db, both, "new")

    held = turn(db, both, "new")
    with db.writing() as conn:
        second = agents.second_key(conn, both, os.urandom, key.cred_id, 2)
        assert agents.proof_of(conn, old, key.cred_id, second.kid).reason == ""
        service.leave(conn, "old", NOW)
    moved = turn(db, both, "new")

    assert (held, moved) == (0, 2)
    assert roots_in_use(db) == {both.current}


def test_a_brain_that_died_holds_a_rotation_up_for_a_minute_only(db: Database) -> None:
    old, both = RootKeys(OLD), RootKeys(NEW, [OLD])
    filled(db, old)
    arrive(db, old, "killed", NOW)

    assert turn(db, both, "new", NOW + 30_000_000) == 0
    assert turn(db, both, "new", NOW + 61_000_000) == 1


def test_a_brain_that_does_not_know_the_new_root_cannot_join(db: Database) -> None:
    filled(db, RootKeys(OLD))
    both = RootKeys(NEW, [OLD])
    arrive(db, both, "new")
    turn(db, both, "new")

    with pytest.raises(ConfigError, match=both.current):
        arrive(db, RootKeys(OLD), "old")


def test_a_row_that_does_not_open_does_not_hold_up_the_others(db: Database) -> None:
    key = filled(db, RootKeys(OLD))
    with db.writing() as conn:
        agents.second_key(conn, RootKeys(OLD), os.urandom, key.cred_id, 2)
        spoilt = update(agent_keys).where(agent_keys.c.kid == 1)
        conn.execute(spoilt.values(wrapped=bytes(60)))

    assert turn(db, RootKeys(NEW, [OLD])) == 1


def test_secret_status_says_which_root_is_still_needed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("Z4J_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("Z4J_SECRET", OLD.decode())
    assert command.main(["--data-dir", str(tmp_path)]) == 0
    monkeypatch.setenv("Z4J_SECRET", NEW.decode())
    assert command.main(["--data-dir", str(tmp_path)]) == 2
    monkeypatch.setenv("Z4J_PREVIOUS_SECRETS", OLD.decode())
    assert command.main(["--data-dir", str(tmp_path)]) == 0

    said = capsys.readouterr()
    assert said.err.startswith("Z4J-E603 ")
    assert f"{RootKeys(NEW).kid}  0 rows  current" in said.out
    assert f"{RootKeys(OLD).kid}  1 rows  still needed" in said.out


def rotations(db: Database) -> list[tuple[str, str, str]]:
    with db.reading() as conn:
        found = select(audit_event.c.target, audit_event.c.actor, audit_event.c.via)
        mine = found.where(audit_event.c.action == "secret.rotate").order_by(audit_event.c.pos)
        return [tuple(row) for row in conn.execute(mine)]


def test_a_root_replaced_by_settings_is_one_audit_row_and_going_back_another(db: Database) -> None:
    filled(db, RootKeys(OLD))
    there, back = RootKeys(NEW, [OLD]), RootKeys(OLD, [NEW])

    for replica, roots in (("a", there), ("b", there), ("a", back), ("a", back)):
        turn(db, roots, replica)
        with db.writing() as conn:
            service.leave(conn, replica, NOW)

    assert rotations(db) == [
        (f"root {there.current}", "brain", "settings"),
        (f"root {back.current}", "brain", "settings"),
    ]


@pytest.fixture
def rotate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[[], tuple[int, str, str]]:
    """Run `z4j secret rotate` in an empty environment."""
    for name in [name for name in os.environ if name.startswith("Z4J_")]:
        monkeypatch.delenv(name)

    def run() -> tuple[int, str, str]:
        code = command.main(["rotate", "--data-dir", str(tmp_path)])
        return code, *capsys.readouterr()

    return run


Rotate = Callable[[], tuple[int, str, str]]


def test_secret_rotate_puts_a_new_root_first_and_shows_no_secret(
    tmp_path: Path, rotate: Rotate
) -> None:
    assert rotate()[0] == 0
    before = read_roots(tmp_path / "secret.key")
    code, out, _ = rotate()

    after = read_roots(tmp_path / "secret.key")
    assert (code, after[1:]) == (0, before)
    assert (tmp_path / "secret.key").stat().st_mode & 0o777 == 0o600
    assert f"{RootKeys(after[0]).kid}  0 rows  current" in out
    assert not any(secret.decode() in out for secret in after)


def test_a_root_set_as_a_variable_is_not_rotated_by_the_command(
    rotate: Rotate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("Z4J_SECRET", OLD.decode())

    code, _, err = rotate()

    assert code == 1
    assert err.startswith("Z4J-E603 the root secret is set by Z4J_SECRET")


def test_a_running_brain_keeps_its_roots_when_the_file_lacks_one_that_rows_need(
    db: Database,
) -> None:
    filled(db, RootKeys(OLD))
    roots = RootKeys(OLD)

    with db.writing() as conn:
        with pytest.raises(ConfigError, match="1 of agent_keys"):
            service.learn(conn, roots, [NEW])
        assert roots.kids == (RootKeys(OLD).kid,)
        assert service.learn(conn, roots, [NEW, OLD])
        assert not service.learn(conn, roots, [NEW, OLD])

    assert (roots.current, roots.kid) == (RootKeys(NEW).kid, RootKeys(OLD).kid)
