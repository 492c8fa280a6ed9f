"""Passwords, sessions, links: who gets in, and when it ends."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from sqlalchemy import delete, update
from z4j_brain.auth import service
from z4j_brain.auth.model import members, sessions, users
from z4j_brain.web.passwords import Passwords

PASSWORD = "correct horse battery"
ME = "/api/v1/me"


@pytest.fixture(scope="module")
def hashed():
    passwords = Passwords(b"pepper", lambda n: bytes(range(n)))
    yield passwords.hash_now(PASSWORD)
    passwords.close()


@pytest.fixture
def admin(world, hashed):
    with world.brain.db.writing() as conn:
        conn.execute(
            update(users).where(users.c.id == world.users["admin"]).values(password=hashed)
        )
    return world


def login(client, email="admin@shop.test", password=PASSWORD):
    return client.post("/api/v1/auth/login", json={"email": email, "password": password})


def test_a_password_opens_a_session_and_logout_ends_it(admin):
    client = admin.client()

    answer = login(client)
    inside = client.get(ME)
    left = client.post("/api/v1/auth/logout")
    client.cookies.set(admin.cookie, answer.cookies[admin.cookie])

    assert answer.status_code == 204
    assert inside.json()["projects"][0] == {
        "slug": "shop", "name": "Shop", "role": "admin", "args_visible": True,
    }  # fmt: skip
    assert left.status_code == 204
    assert client.get(ME).status_code == 401


def test_h7_an_unknown_account_is_answered_like_a_wrong_password(admin):
    known = login(admin.client(), password="wrong wrong wrong")
    unknown = login(admin.client(), email="nobody@shop.test")

    assert known.status_code == unknown.status_code == 401
    assert known.json() | {"request_id": ""} == unknown.json() | {"request_id": ""}


def test_h8_ten_failures_delay_and_asking_again_does_not_extend_it(admin):
    client = admin.client()
    for _ in range(10):
        assert login(client, password="wrong wrong wrong").status_code == 401

    refused = [login(client) for _ in range(5)]
    admin.clock.advance(2)
    after = login(client)

    assert {answer.status_code for answer in refused} == {429}
    assert {answer.headers["retry-after"] for answer in refused} == {"2"}
    assert after.status_code == 204


def test_h5_a_cookie_that_was_there_before_is_not_the_session_after_login(admin):
    client = admin.client()
    client.cookies.set(admin.cookie, "chosen-by-somebody-else")

    answer = login(client)

    assert answer.cookies[admin.cookie] != "chosen-by-somebody-else"
    client.cookies.clear()
    client.cookies.set(admin.cookie, "chosen-by-somebody-else")
    assert client.get(ME).status_code == 401


@pytest.mark.parametrize(("steps", "hours"), [(1, 12.1), (17, 10)])
def test_h5_a_session_ends_when_idle_for_12_hours_or_after_7_days(admin, steps, hours):
    client = admin.client("admin")
    for _ in range(steps - 1):
        admin.clock.advance(hours * 3600)
        client.get(ME)

    admin.clock.advance(hours * 3600)

    assert client.get(ME).status_code == 401


def test_h5_a_session_that_is_used_stays(admin):
    client = admin.client("admin")

    for _ in range(3):
        admin.clock.advance(10 * 3600)
        assert client.get(ME).status_code == 200


@pytest.mark.parametrize("how", ["session", "user", "membership"])
def test_h5_taking_away_session_user_or_membership_works_at_once(admin, how):
    client = admin.client("admin")
    page = "/api/v1/projects/shop/tasks"
    before = client.get(page).status_code
    statement = {
        "session": delete(sessions),
        "user": update(users).values(disabled=1),
        "membership": delete(members),
    }[how]

    with admin.brain.db.writing() as conn:
        conn.execute(statement)

    assert before == 200
    assert client.get(page).status_code == (404 if how == "membership" else 401)


def test_only_hashes_of_sessions_and_links_are_stored(admin):
    secret = admin.session("admin")

    with admin.brain.db.writing() as conn:
        link = service.make_link(conn, admin.brain.entropy, "link", admin.clock.us, "u")
        stored = conn.exec_driver_sql("SELECT * FROM sessions").all()
        stored += conn.exec_driver_sql("SELECT * FROM setup_tokens").all()

    assert secret not in str(stored)
    assert link not in str(stored)


def test_a_login_link_works_once_and_for_fifteen_minutes(admin):
    def made():
        with admin.brain.db.writing() as conn:
            user = admin.users["admin"]
            return service.make_link(conn, admin.brain.entropy, "link", admin.clock.us, user)

    def follow(token):
        return admin.client().post("/api/v1/auth/link", json={"token": token}).status_code

    first = made()
    once, twice = follow(first), follow(first)
    late = made()
    admin.clock.advance(901)

    assert (once, twice, follow(late)) == (204, 401, 401)


def test_the_form_signs_in_without_script(admin):
    client = admin.client()
    del client.headers["x-z4j"]

    answer = client.post(
        "/login", data={"email": "admin@shop.test", "password": PASSWORD, "next": "/p/shop"}
    )

    assert (answer.status_code, answer.headers["location"]) == (303, "/p/shop")
    assert client.get(ME).status_code == 200


@pytest.mark.parametrize(
    "to", ["//evil.test", "https://evil.test", "/\\evil.test", "javascript:x", "/\tx", "\\\\evil"]
)
def test_h13_no_redirect_leaves_this_server(admin, to):
    client = admin.client()

    answer = client.post(
        "/login", data={"email": "admin@shop.test", "password": PASSWORD, "next": to}
    )

    assert answer.headers["location"] == "/"
    assert to not in client.get("/login", params={"next": to}).text


class TestSetup:
    """The first account."""

    BODY = {"email": "Ann@Shop.test", "password": PASSWORD, "name": "Ann", "project": "My Shop"}  # noqa: RUF012

    @pytest.fixture
    def empty(self, world):
        with world.brain.db.writing() as conn:
            for table in ("sessions", "members", "users", "projects"):
                conn.exec_driver_sql(f"DELETE FROM {table}")
            world.token = service.make_link(conn, world.brain.entropy, "setup", world.clock.us)
        return world

    def post(self, world, **changes):
        body = self.BODY | {"token": world.token} | changes
        return world.client().post("/api/v1/auth/setup", json=body)

    def test_h28_it_makes_owner_and_project_once(self, empty):
        made = self.post(empty)
        again = self.post(empty)

        assert (made.status_code, made.json()) == (200, {"slug": "my-shop"})
        assert again.status_code == 404
        assert empty.client().get("/setup").status_code == 404
        client = empty.client()
        client.cookies.set(empty.cookie, made.cookies[empty.cookie])
        assert client.get("/api/v1/projects/my-shop/tasks").status_code == 200

    def test_h28_a_wrong_or_old_token_makes_nothing(self, empty):
        wrong = self.post(empty, token="x" * 43)
        empty.clock.advance(901)
        old = self.post(empty)

        assert (wrong.status_code, old.status_code) == (401, 401)
        assert empty.client().get("/setup").status_code == 200

    def test_h28_guessing_tokens_is_throttled(self, empty):
        guesses = [self.post(empty, token=f"{n:043d}").status_code for n in range(12)]

        assert guesses == [401] * 10 + [429] * 2

    @pytest.mark.parametrize(
        "password", ["short", "x" * 129, "aaaaaaaaaaaaaaaa", "password1234", "ann@shop.test"]
    )
    def test_h28_the_password_policy_applies(self, empty, password):
        answer = self.post(empty, password=password)

        assert (answer.status_code, answer.json()["field"]) == (422, "password")


def test_the_cookie_promises_what_the_scheme_can_keep(db, tmp_path, hashed):
    from ..conftest import World

    https = World(db, tmp_path, public_url="https://brain.shop.test")
    with db.writing() as conn:
        conn.execute(update(users).values(password=hashed))

    secure = login(https.client()).headers["set-cookie"]

    assert secure.startswith("__Host-z4j=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=lax"} <= set(secure.split("; "))
    assert urlsplit(https.base).scheme == "https"
