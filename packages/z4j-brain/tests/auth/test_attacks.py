"""Attacks on the HTTP side, by their names."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import insert, select
from z4j_brain.app import ENDPOINTS, create_app
from z4j_brain.auth import service
from z4j_brain.auth.model import api_tokens
from z4j_brain.web.dispatch import http_routes
from z4j_brain.web.rights import GRANTS, ROLES_OF
from z4j_brain.web.route import PUBLIC, SIGNED_IN, Endpoint
from z4j_brain.web.shield import HEADERS

LIST = "/api/v1/projects/shop/tasks"
PREVIEW = "/api/v1/projects/shop/bulk/preview"
NAMES = [f"{each.method} {each.path}" for each in ENDPOINTS]
ROLES = ("viewer", "operator", "admin", "auditor", "owner", "foreign")


def address(endpoint, slug="shop"):
    path = endpoint.path.replace("{slug}", slug)
    return re.sub(r"\{\w+(:path)?\}", "nothing-here", path)


def ask(client, endpoint, slug="shop"):
    body = {"json": {}} if endpoint.method == "POST" else {}
    return client.request(endpoint.method, address(endpoint, slug), **body)


def without_streams():
    return [each for each in ENDPOINTS if not each.streams]


def test_h1_a_stranger_learns_nothing_from_any_route(world):
    client = world.client()
    world.add_tasks({"name": "secret.name"})
    asked = 0

    for endpoint in ENDPOINTS:
        if endpoint.action == PUBLIC:
            continue
        answer = ask(client, endpoint)
        assert answer.status_code in {401, 404}, endpoint.path
        assert "shop" not in answer.text.replace("shop.test", ""), endpoint.path
        assert "secret" not in answer.text
        asked += 1

    assert asked > 25


def test_h1_what_is_public_is_a_short_list():
    public = {f"{each.method} {each.path}" for each in ENDPOINTS if each.action == PUBLIC}

    assert public == {
        "GET /", "GET /login", "POST /login", "GET /setup", "GET /healthz", "GET /{file}",
        "GET /assets/{file:path}", "GET /auth/{file}", "GET /p/{rest:path}",
        "POST /api/v1/auth/login", "POST /api/v1/auth/link", "POST /api/v1/auth/setup",
    }  # fmt: skip


@pytest.mark.parametrize("role", ROLES)
def test_h2_each_route_is_open_exactly_to_the_roles_of_its_action(world, role):
    client = world.client(role)
    cells = 0

    for endpoint in without_streams():
        if endpoint.action == PUBLIC or endpoint.path.endswith("/logout"):
            continue
        status = ask(client, endpoint).status_code
        if endpoint.action == SIGNED_IN:
            usual = 404 if "{id}" in endpoint.path else 200
            assert status == (422 if endpoint.takes else usual), endpoint.path
        elif role in {"owner", "foreign"}:
            assert status == 404, endpoint.path
        elif role not in ROLES_OF[endpoint.action]:
            assert status == 403, endpoint.path
        else:
            assert status not in {401, 403, 500}, (endpoint.path, status)
        cells += 1

    assert cells > 25


def test_h2_a_foreign_project_is_not_told_from_none(world):
    client = world.client("foreign")
    there = client.get(LIST)
    nowhere = client.get("/api/v1/projects/nowhere/tasks")

    assert there.json() | {"request_id": ""} == nowhere.json() | {"request_id": ""}


def test_h2_a_task_of_another_project_is_not_found_by_its_ref(world):
    (ref,) = world.add_tasks({"name": "other.task"}, project=world.other)

    assert world.client("admin").get(f"{LIST}/{ref}").status_code == 404
    assert world.client("admin").get(f"{LIST}/{ref}/flow").status_code == 404
    answer = world.client("foreign").get(f"/api/v1/projects/other/tasks/{ref}")
    assert answer.json()["task"] == "other.task"


FORGED = {
    "no mark": {"X-Z4J": ""},
    "other site": {"Sec-Fetch-Site": "cross-site"},
    "sibling": {"Sec-Fetch-Site": "same-site"},
    "typed address": {"Sec-Fetch-Site": "none"},
    "foreign origin": {"Origin": "https://evil.test"},
    "null origin": {"Origin": "null"},
    "other port": {"Origin": "http://localhost:4011"},
    "other scheme": {"Origin": "https://localhost:4010"},
    "prefix": {"Origin": "http://localhost:4010.evil.test"},
}


@pytest.mark.parametrize("headers", FORGED.values(), ids=FORGED)
def test_h3_a_request_another_site_may_have_sent_is_refused(world, headers):
    answer = world.client("admin", **headers).post(PREVIEW, json={"action": "retry", "q": ""})

    assert (answer.status_code, answer.json()["code"]) == (403, "request.cross_site")


def test_h3_a_cookie_without_any_sign_of_origin_is_refused(world):
    client = world.client("admin")
    del client.headers["origin"]

    assert client.post(PREVIEW, json={"action": "retry"}).status_code == 403


def test_h3_our_own_page_is_let_through(world):
    for headers in ({}, {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost:4010"}):
        client = world.client("admin", **headers)
        assert client.post(PREVIEW, json={"action": "retry", "q": ""}).status_code == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_h3_json_in_disguise_is_refused(world, kind):
    client = world.client("admin", **{"Content-Type": kind})

    assert client.post(PREVIEW, content=b'{"action": "retry", "q": ""}').status_code == 415


def test_h3_a_method_cannot_be_overridden(world):
    client = world.client("admin", **{"X-HTTP-Method-Override": "POST"})

    assert client.get(PREVIEW).status_code in {404, 405}


@pytest.mark.parametrize(
    "host",
    ["evil.test", "localhost.evil.test", "127.0.0.1.evil.test:4010", "", "[::1", "localhost:x",
     "evil.test:4010", "localhost@evil.test", "169.254.169.254"],
)  # fmt: skip
def test_h9_a_host_that_is_not_ours_is_refused_before_anything_else(world, host):
    answer = world.client("admin", Host=host).get("/healthz")

    assert answer.status_code == 400
    assert "evil" not in answer.text
    assert answer.headers["content-security-policy"]


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "[::1]:4010", "LOCALHOST"])
def test_h9_our_own_names_are_served(world, host):
    assert world.client(Host=host).get("/healthz").text == "ok"


@pytest.mark.parametrize(
    ("parameter", "value", "status"),
    [
        ("limit", "1000000000", 200), ("limit", "-1", 422), ("limit", "1e9", 422),
        ("limit", "٣", 422), ("limit", "9" * 400, 422), ("limit", "0", 200),
        ("cursor", "AAAA", 422), ("cursor", "é", 422), ("cursor", "!" * 9000, 422),
        ("sort", "password", 422), ("sort", "--at", 422), ("range", "1y", 422),
        ("range", "5..4..3", 422), ("range", f"{'9' * 30}..1", 422), ("q", "a\0bc", 422),
        ("q", "x" * 1025, 422), ("q", "(" * 9 + "abc", 422),
    ],
)  # fmt: skip
def test_h15_odd_parameters_are_bounded_or_refused(world, parameter, value, status):
    answer = world.client("viewer").get(LIST, params={parameter: value})

    assert answer.status_code == status, answer.text
    assert status == 200 or answer.json()["code"].startswith(("request.", "query."))


def test_h15_a_cursor_serves_one_list_unchanged(world):
    world.add_tasks({}, {}, {})
    client = world.client("viewer")
    cursor = client.get(LIST, params={"limit": 1}).json()["next"]
    flipped = cursor[:-1] + ("A" if cursor[-1] != "A" else "B")

    good = client.get(LIST, params={"limit": 1, "cursor": cursor})
    tampered = client.get(LIST, params={"limit": 1, "cursor": flipped})
    elsewhere = client.get(LIST, params={"limit": 1, "cursor": cursor, "sort": "took"})

    assert good.status_code == 200
    assert tampered.json()["code"] == elsewhere.json()["code"] == "request.cursor"


def test_h15_names_with_bars_and_slashes_survive(world):
    (ref,) = world.add_tasks({"task_id": "a|b/c ü", "name": "x|y", "queue": "q|/é"})
    client = world.client("viewer")

    found = client.get(LIST, params={"q": 'queue:"q|/é" id:"a|b/"'}).json()["items"]

    assert [(each["ref"], each["id"]) for each in found] == [(ref, "a|b/c ü")]
    assert client.get(f"{LIST}/{ref}").json()["id"] == "a|b/c ü"


def _broken(_ask):
    raise ZeroDivisionError("/etc/secret-path in z4j_brain 2.0.0")


async def broken(_ask):
    """Fail."""
    _broken(_ask)


def test_h18_errors_tell_no_name_path_version_or_trace(world):
    app = create_app(world.brain, [Endpoint("GET", "/api/v1/broken", PUBLIC, broken)])
    world.app = app
    client = world.client("admin")

    answers = [
        client.get("/api/v1/broken"), client.get("/api/v1/nothing"), client.get(LIST + "/zz"),
        client.request("DELETE", LIST), client.get("/api/v1/projects/nope/tasks"),
        world.client(Host="evil.test").get("/"),
    ]  # fmt: skip

    assert [each.status_code for each in answers] == [500, 404, 404, 405, 404, 400]
    for answer in answers:
        assert answer.headers["content-type"] == "application/problem+json"
        for word in ("secret-path", "Traceback", "2.0.0", "z4j_brain", "starlette", "evil", ".py"):
            assert word not in answer.text
        assert "server" not in answer.headers
    assert world.brain.swallowed == 1


def test_h19_h20_every_status_carries_the_headers_and_is_not_stored(world):
    client = world.client("admin")
    big = {"action": "retry", "q": "x" * (1 << 20)}
    answers = {
        200: client.get(LIST), 401: world.client().get(LIST), 404: client.get("/nope/nope"),
        403: world.client("viewer").post("/api/v1/projects/shop/keys", json={"label": "x"}),
        400: world.client(Host="evil.test").get("/"), 405: client.request("PUT", LIST),
        413: client.post(PREVIEW, json=big), 415: client.post(PREVIEW, content=b"x"),
        422: client.get(LIST, params={"q": "nope:1"}),
    }  # fmt: skip

    for status, answer in answers.items():
        assert answer.status_code == status
        for name, value in HEADERS.items():
            assert answer.headers[name] == value, (status, name)
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    ["/api", "/api/", "/api/v1", "/api/v1/nothing", "/api/v1/projects", "/metrics", "/health",
     "/api/v1/openapi.json", "/docs", "/redoc", "/openapi.json"],
)  # fmt: skip
def test_h21_h22_the_dashboard_never_answers_for_api_metrics_or_schema(world, path):
    answer = world.client().get(path)

    assert answer.status_code in {401, 404}
    assert "<html" not in answer.text


def test_h22_the_schema_needs_somebody(world):
    assert world.client().get("/api/v1/openapi.json").status_code == 401
    found = world.client("viewer").get("/api/v1/openapi.json").json()
    assert found["openapi"] == "3.1.0"
    assert len(found["paths"]) > 25


@pytest.mark.parametrize(
    "path",
    ["/assets/../index.html", "/assets/..%2f..%2fapp.py", "/auth/..%2fbase.html", "/auth/auth.py",
     "/%2e%2e/app.py", "/assets/%00", "/app.py"],
)  # fmt: skip
def test_h35_a_path_never_leaves_its_folder(world, path):
    assert world.client().get(path).status_code == 404


def test_h24_a_token_has_its_scopes_its_project_and_its_end(world):
    brain, day = world.brain, 86_400_000_000
    token = "z4jt_test"
    with brain.db.writing() as conn:
        conn.execute(
            insert(api_tokens).values(
                id="t", token_hash=service.digest(token), project_id=world.shop,
                user_id=world.users["admin"], scopes=["task.read"], created=world.clock.us,
                expires=world.clock.us + day,
            )
        )  # fmt: skip

    def status(path, given=token):
        client = world.client(Authorization=f"Bearer {given}")
        return client.get(path).status_code

    assert status(LIST) == 200
    assert status("/api/v1/projects/shop/keys") == 403
    assert status("/api/v1/projects/other/tasks") == 404
    assert status(LIST, token + "x") == status(LIST, "") == 401
    world.clock.advance(86_401)
    assert status(LIST) == 401


def test_h24_a_token_needs_no_origin_and_a_bad_one_hides_no_cookie(world):
    client = world.client("admin", Authorization="Bearer z4jt_wrong")

    assert client.get(LIST).status_code == 401


@pytest.mark.parametrize("action", ["", "task.raed", "nothing"])
def test_h37_a_route_without_a_known_action_stops_the_start(world, action):
    with pytest.raises(RuntimeError, match="/api/v1/new declares no known action"):
        create_app(world.brain, [Endpoint("GET", "/api/v1/new", action, broken)])


def test_h37_every_route_of_the_application_is_declared(world):
    routes = world.app.app.routes
    declared = {each.name for each in http_routes(world.brain, _gate(world), ENDPOINTS)}

    undeclared = {each.path for each in routes if each.name not in declared}

    assert len(routes) > 30
    assert undeclared == {"/api/agent/ws"} or all("agent" in path for path in undeclared)


def _gate(world):
    from z4j_brain.auth.api import gate

    return gate(world.brain)


def test_without_the_right_arguments_are_absent_and_cannot_be_asked_for(world):
    (ref,) = world.add_tasks({
        "state": 8, "args": '["tok_secret"]', "kwargs": "{}", "result": '"secret result"',
        "exc_type": "Boom", "exc_message": "secret message",
        "search": 'shop.charge\nboom: secret message\n["tok_secret"]',
    })  # fmt: skip
    viewer, operator = world.client("viewer"), world.client("operator")

    hidden = viewer.get(LIST).text + viewer.get(f"{LIST}/{ref}").text

    assert "secret" not in hidden
    assert viewer.get(f"{LIST}/{ref}").json()["args"] == {"hidden": True}
    assert "tok_secret" in operator.get(f"{LIST}/{ref}").text
    for q in ("arg.0:tok*", "args:secret", "error:secret", "result:secret", "NOT args:secret"):
        assert viewer.get(LIST, params={"q": q}).json()["code"] == "query.args_hidden"
        assert operator.get(LIST, params={"q": q}).status_code == 200
    assert viewer.get(LIST, params={"q": "secret"}).json()["items"] == []
    assert len(operator.get(LIST, params={"q": "secret"}).json()["items"]) == 1


def test_a_grant_opens_arguments_to_a_viewer(world):
    from z4j_brain.auth.model import members

    (ref,) = world.add_tasks({"args": '["tok_1"]'})
    assert {"task.args.read"} == GRANTS

    with world.brain.db.writing() as conn:
        conn.execute(
            members.update()
            .where(members.c.user_id == world.users["viewer"])
            .values(grants=["task.args.read"])
        )

    assert world.client("viewer").get(f"{LIST}/{ref}").json()["args"]["text"] == '["tok_1"]'


def test_signing_in_and_its_failures_are_written_down(world):
    from z4j_brain.audit.model import audit_event

    world.client().post("/api/v1/auth/login", json={"email": "x@y.z", "password": "wrong"})
    world.client("admin").post("/api/v1/auth/logout")

    with world.brain.db.reading() as conn:
        rows = conn.execute(select(audit_event).order_by(audit_event.c.pos)).all()
    assert [(row.action, row.outcome) for row in rows] == [
        ("session.login", "denied"), ("session.logout", "ok"),
    ]  # fmt: skip
