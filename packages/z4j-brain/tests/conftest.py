"""Both databases for every test of the brain."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import create_engine, insert, text
from z4j_brain.app import create_app
from z4j_brain.auth import service as auth
from z4j_brain.auth import store as auth_store
from z4j_brain.db import Database, open_database
from z4j_brain.db.rootkeys import RootKeys
from z4j_brain.migrations import upgrade
from z4j_brain.projects import service as projects
from z4j_brain.search import teach
from z4j_brain.settings import Settings
from z4j_brain.tasks.model import ref_of, tasks
from z4j_brain.web.context import Brain
from z4j_brain.web.passwords import Passwords

PG = os.environ.get("Z4J_TEST_PG", "postgresql://postgres@127.0.0.1:5432/postgres")
NAME = f"z4j_test_{os.getpid()}"


def fresh_postgres() -> str:
    """Make an empty database and return its url."""
    admin = create_engine(
        PG.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT"
    )
    with admin.connect() as conn:
        conn.execute(text(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)"))
        conn.execute(text(f"CREATE DATABASE {NAME}"))
    admin.dispose()
    return f"{PG.rsplit('/', 1)[0]}/{NAME}"


def drop_postgres() -> None:
    """Remove the database of this run."""
    admin = create_engine(
        PG.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT"
    )
    with admin.connect() as conn:
        conn.execute(text(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """A database at head, shared by the tests of a run."""
    where: Path = tmp_path_factory.mktemp("db")
    url = f"sqlite:///{where / 'z4j.db'}" if request.param == "sqlite" else fresh_postgres()
    made = open_database(url)
    teach(made.engine)
    upgrade(made.engine)
    yield made
    made.close()
    if request.param != "sqlite":
        drop_postgres()


@pytest.fixture
def db(database: Database) -> Database:
    """The shared database with empty tables."""
    from z4j_brain.migrations.tables import METADATA

    with database.writing() as conn:
        for table in METADATA.sorted_tables:
            conn.execute(table.delete())
    return database


class Clock:
    """A clock that stands until it is told to go on."""

    def __init__(self, us: int = 1_780_000_000_000_000) -> None:
        self.us = us

    def wall_us(self) -> int:
        return self.us

    def monotonic(self) -> float:
        return self.us / 1e6

    boottime = monotonic

    def advance(self, seconds: float) -> None:
        self.us += round(seconds * 1e6)


class Browser:
    """One person's client: each request runs the application to its answer, without a socket."""

    def __init__(self, app, base, headers):
        self.cookies, self.headers = httpx.Cookies(), httpx.Headers(headers)
        self._app, self._base = app, base

    def request(self, method, url, **options):
        async def once():
            transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
            async with httpx.AsyncClient(
                transport=transport, base_url=self._base, headers=self.headers,
                cookies=self.cookies,
            ) as client:  # fmt: skip
                answer = await client.request(method, url, **options)
                self.cookies = client.cookies
                return answer

        return asyncio.run(once())

    def get(self, url, **options):
        return self.request("GET", url, **options)

    def post(self, url, **options):
        return self.request("POST", url, **options)


class World:
    """A brain with one project `shop`, another `other`, and a user per role."""

    ROLES = ("viewer", "operator", "admin", "auditor")

    def __init__(self, db: Database, where: Path, **options: object) -> None:
        secret = b"a root secret of more than 32 bytes"
        url = "sqlite://" if db.is_sqlite else "postgresql://"
        self.clock = Clock()
        settings = Settings(url, where, secret, **options)
        self.brain = Brain(db, settings, self.clock, os.urandom, RootKeys(secret))
        self.brain.passwords = Passwords(b"pepper", os.urandom)
        self.base = settings.public_url or "http://localhost:4010"
        self.shop, self.other, self.users = "", "", {}
        with db.writing() as conn:
            self._people(conn)
        self.app = create_app(self.brain)

    def _people(self, conn):
        brain = self.brain
        self.shop = projects.create(conn, brain, "Shop")
        self.other = projects.create(conn, brain, "Other")
        self.users["owner"] = auth.add_owner(conn, brain, "owner@shop.test", "Owner", "!")
        for role in (*self.ROLES, "foreign"):
            row = {"id": brain.new_id(), "email": f"{role}@shop.test", "name": role}
            auth_store.add_user(
                conn, row | {"password": "!", "is_owner": False, "created": self.clock.us}
            )
            self.users[role] = row["id"]
            where = self.other if role == "foreign" else self.shop
            kept = "admin" if role == "foreign" else role
            auth_store.add_member(conn, where, row["id"], kept, self.clock.us)

    def client(self, role: str | None = None, **headers: str) -> Browser:
        """A browser of this role; None is a stranger."""
        own = {"Origin": self.base, "X-Z4J": "1"} | headers
        found = Browser(self.app, self.base, own)
        if role is not None:
            found.cookies.set(self.cookie, self.session(role))
        return found

    @property
    def cookie(self) -> str:
        return "__Host-z4j" if self.base.startswith("https") else "z4j_dev"

    def session(self, role: str) -> str:
        with self.brain.db.writing() as conn:
            visit = auth.Visit("127.0.0.1", "test")
            return auth.open_session(conn, self.brain, self.users[role], visit)

    def password(self, role: str, password: str) -> None:
        stored = self.brain.passwords.hash_now(password)
        with self.brain.db.writing() as conn:
            auth_store.set_password(conn, self.users[role], stored)

    def add_tasks(self, *rows: dict, project: str | None = None) -> list[str]:
        """Store tasks with the given columns; returns their refs."""
        project_id = project or self.shop
        made = []
        for index, row in enumerate(rows):
            task_id = row.get("task_id") or f"task-{index:04d}-{os.urandom(4).hex()}"
            base = {
                "project_id": project_id, "engine": "celery", "app": "redis/0",
                "task_id": task_id, "name": "shop.charge", "queue": "pay", "state": 9,
                "at": self.clock.us - 60_000_000 + index, "search": "shop.charge", "v": 1,
                "run": 0, "attempt": 0, "flags": 0,
            }  # fmt: skip
            base |= row
            made.append({"ref": ref_of(project_id, base["engine"], base["app"], task_id)} | base)
        columns = sorted({name for row in made for name in row})
        with self.brain.db.writing() as conn:
            conn.execute(insert(tasks), [{name: row.get(name) for name in columns} for row in made])
        return [row["ref"] for row in made]


@pytest.fixture
def world(db: Database, tmp_path: Path) -> Iterator[World]:
    """A brain on the shared database, reached without a socket."""
    made = World(db, tmp_path)
    yield made
    made.brain.passwords.close()
