"""Which errors are the database's own, and how often somebody reads of them."""

from __future__ import annotations

import asyncio
import logging
import sqlite3

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError, OperationalError
from z4j_brain.db import is_trouble, open_database
from z4j_brain.db.trouble import CALM_S, Trouble


def sqlite_error(code):
    error = sqlite3.OperationalError("told")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    "code", [sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_IOERR_WRITE]
)
def test_a_full_locked_or_broken_file_is_trouble(code):
    assert is_trouble(OperationalError("", {}, sqlite_error(code)))


@pytest.mark.parametrize(
    "error", [psycopg.errors.DiskFull, psycopg.errors.AdminShutdown, psycopg.OperationalError]
)
def test_a_server_that_is_gone_or_full_is_trouble(error):
    assert is_trouble(error("told"))


@pytest.mark.parametrize(
    "error",
    [
        sqlite_error(sqlite3.SQLITE_CONSTRAINT),
        psycopg.errors.UniqueViolation("told"),
        psycopg.errors.CharacterNotInRepertoire("told"),
        IntegrityError("", {}, psycopg.errors.UniqueViolation("told")),
        ValueError("told"),
    ],
)
def test_what_is_wrong_with_the_data_is_no_trouble(error):
    assert not is_trouble(error)


def test_a_server_that_was_never_there_is_trouble():
    with pytest.raises(OperationalError) as raised:
        create_engine("postgresql+psycopg://z4j@127.0.0.1:1/none").connect()

    assert is_trouble(raised.value)


@pytest.fixture
def now():
    return [0.0]


@pytest.fixture
def trouble(now):
    return Trouble(lambda: now[0])


def test_trouble_is_one_line_however_often_it_is_met(trouble, caplog):
    for _ in range(50):
        trouble.failed(sqlite_error(sqlite3.SQLITE_FULL))

    (line,) = caplog.messages
    assert line == "Z4J-E602 told: nothing is stored; agents keep their events"


def test_small_writes_that_go_on_to_work_do_not_end_it(trouble, now, caplog):
    caplog.set_level(logging.WARNING)
    for _ in range(20):
        now[0] += CALM_S / 2
        trouble.failed(sqlite_error(sqlite3.SQLITE_FULL))
        trouble.worked()
    assert len(caplog.messages) == 1

    now[0] += CALM_S
    trouble.worked()
    trouble.worked()

    assert caplog.messages[1:] == ["the database works again after 105 s"]


def test_a_database_tells_its_trouble_itself(tmp_path, caplog):
    db = open_database(f"sqlite:///{tmp_path / 'gone' / 'z4j.db'}")

    for _ in range(3):
        with pytest.raises(OperationalError):
            asyncio.run(db.read(lambda conn: conn.execute(text("SELECT 1"))))
    db.close()

    (line,) = caplog.messages
    assert line.startswith("Z4J-E602 unable to open database file")


@pytest.mark.parametrize("given", ["", "?connect_timeout=3"])
def test_a_server_that_is_gone_without_a_word_is_waited_for_within_bounds(given):
    db = open_database(f"postgresql://z4j@127.0.0.1:1/none{given}")
    query = db.engine.url.query
    db.close()

    assert query["connect_timeout"] == ("3" if given else "10")
    assert query["tcp_user_timeout"] == "30000"
