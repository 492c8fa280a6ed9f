"""Endpoints of signing in. The rule: answers do not tell whether an account exists."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qs

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ..errors import Invalid, NotFound, Problem
from ..web.ask import Ask
from ..web.context import Brain
from ..web.cookies import drop_cookie, read_cookie, set_cookie
from ..web.dispatch import Gate
from ..web.pages import local_path, page
from ..web.passwords import check_policy
from ..web.rights import ACTIONS, may
from ..web.rights import authorize as decide
from ..web.route import PUBLIC, SIGNED_IN, Table
from . import service, store
from .service import Visit

ROUTES = Table()


class Login(msgspec.Struct):
    """Who signs in."""

    email: str
    password: str


class Token(msgspec.Struct):
    """A one-time token from a link's fragment."""

    token: str


class Setup(msgspec.Struct):
    """The first account and the first project."""

    token: str
    email: str
    password: str
    name: str = ""
    project: str = "Main"


class User(msgspec.Struct):
    """Who is signed in."""

    id: str
    name: str
    email: str
    owner: bool


class Membership(msgspec.Struct):
    """A project this user may enter."""

    slug: str
    name: str
    role: str
    args_visible: bool


class Server(msgspec.Struct):
    """What serves; times are milliseconds since 1970 UTC."""

    version: str
    now_at: int


class Me(msgspec.Struct):
    """Who is signed in, and where they may go."""

    user: User
    projects: list[Membership]
    csrf: str | None
    server: Server
    args_visible: bool


class Entered(msgspec.Struct):
    """Where to go after the first account was made."""

    slug: str


def visit_of(ask: Ask) -> Visit:
    """Where this login comes from."""
    return Visit(ask.address, ask.request.headers.get("user-agent", ""))


@ROUTES.get("/api/v1/me", SIGNED_IN, gives=Me)
async def me(ask: Ask) -> Me:
    """Who is signed in; 401 otherwise."""
    who, brain = ask.principal, ask.brain
    rows = await brain.db.read(store.projects_of, list(who.roles))
    entries = [
        Membership(row.slug, row.name, who.roles[row.id][0], may(who, "task.args.read", row.id))
        for row in rows
    ]
    return Me(
        user=User(who.user_id, who.name, who.email, who.is_owner),
        projects=entries,
        csrf=None,
        server=Server(brain.version, brain.now_us() // 1000),
        args_visible=bool(entries) and all(entry.args_visible for entry in entries),
    )


async def prove(ask: Ask, email: str, password: str) -> str:
    """Verify a password and open a session; returns the cookie's value.

    Raises:
        Problem: 401 wrong, 429 too many failures.
    """
    brain = ask.brain
    email = email.strip().casefold()[:320]
    buckets = service.buckets_of(email, ask.address)
    user = await brain.db.read(service.account, email, buckets, brain.now_us())
    stored = user.password if user is not None and user.disabled is None else None
    if not await brain.passwords.verify(stored, password) or user is None:
        await brain.db.write(service.failed, brain, email, buckets)
        raise Problem("auth.wrong", "e-mail or password is wrong", status=401)
    return await brain.db.write(service.login, brain, user.id, buckets, visit_of(ask))


@ROUTES.post("/api/v1/auth/login", PUBLIC, takes=Login, status=204)
async def login(ask: Ask) -> Response:
    """Sign in with a password; sets the session cookie."""
    body = await ask.body(Login)
    secret = await prove(ask, body.email, body.password)
    return set_cookie(Response(status_code=204), ask.brain.settings, secret)


@ROUTES.post("/api/v1/auth/link", PUBLIC, takes=Token, status=204)
async def link(ask: Ask) -> Response:
    """Trade a one-time link for a session."""
    body = await ask.body(Token)
    bucket = [f"link:{ask.address}"]
    await ask.brain.db.read(service.refuse_throttled, bucket, ask.brain.now_us())
    try:
        secret = await ask.brain.db.write(service.follow_link, ask.brain, body.token, visit_of(ask))
    except Problem:
        await ask.brain.db.write(service.count_failure, bucket, ask.brain.now_us())
        raise
    return set_cookie(Response(status_code=204), ask.brain.settings, secret)


@ROUTES.post("/api/v1/auth/logout", SIGNED_IN, status=204)
async def logout(ask: Ask) -> Response:
    """End this session."""
    who, brain = ask.principal, ask.brain
    await brain.db.write(service.close_session, brain, who)
    if brain.streams is not None:
        brain.streams.revoked(who.session)
    return drop_cookie(Response(status_code=204), brain.settings)


@ROUTES.post("/api/v1/auth/setup", PUBLIC, takes=Setup, gives=Entered)
async def setup(ask: Ask) -> Response:
    """Make the owner's account and the first project with a setup token."""
    body, brain = await ask.body(Setup), ask.brain
    if await brain.db.read(store.owner_exists):
        raise NotFound("not_found", "no such page")
    bucket = [f"setup:{ask.address}"]
    await brain.db.read(service.refuse_throttled, bucket, brain.now_us())
    hashed = service.digest(body.token)
    if await brain.db.read(store.one_time, hashed, "setup", brain.now_us()) is None:
        await brain.db.write(service.count_failure, bucket, brain.now_us())
        raise Problem("auth.link", "this link was used or is too old", status=401)
    email = body.email.strip().casefold()
    if not 3 <= len(email) <= 320 or "@" not in email[1:-1]:  # noqa: PLR2004 - shortest a@b
        raise Invalid("auth.email", "this is no e-mail address", field="email")
    check_policy(body.password, email)
    password = await brain.passwords.hash(body.password)
    founder = service.Founder(email, body.name, password, body.project, hashed)
    secret, slug = await brain.db.write(service.found, brain, founder, visit_of(ask))
    response = Response(msgspec.json.encode(Entered(slug)), media_type="application/json")
    return set_cookie(response, brain.settings, secret)


@ROUTES.get("/login", PUBLIC, in_schema=False)
async def login_page(ask: Ask) -> Response:
    """The page to sign in; works without script."""
    return page("login.html", next=local_path(ask.text("next")))


@ROUTES.post("/login", PUBLIC, in_schema=False)
async def login_form(ask: Ask) -> Response:
    """The form without script: signs in and goes on."""
    fields = parse_qs((await ask.raw()).decode("utf-8", "replace"), max_num_fields=8)
    email, password = fields.get("email", [""])[0], fields.get("password", [""])[0]
    after = local_path(fields.get("next", [""])[0])
    try:
        secret = await prove(ask, email, password)
    except Problem as error:
        return page("login.html", error.status, next=after, error=error.detail)
    return set_cookie(RedirectResponse(after, 303), ask.brain.settings, secret)


@ROUTES.get("/setup", PUBLIC, in_schema=False)
async def setup_page(ask: Ask) -> Response:
    """The page of the first account; it does not exist once there is an owner."""
    if await ask.brain.db.read(store.owner_exists):
        raise NotFound("not_found", "no such page")
    return page("setup.html")


def gate(brain: Brain) -> Gate:
    """What the dispatcher asks of this feature."""

    async def identify(ask: Ask) -> None:
        await brain.db.read(_identify, ask, ask.request.path_params.get("slug"))
        who = ask.who
        if who is not None and who.idle_us > service.TOUCH_US:
            now_us = brain.now_us()
            if who.token:
                await brain.db.write(store.touch_token, who.token, now_us)
            else:
                await brain.db.write(store.touch_session, who.session, now_us)

    async def authorize(ask: Ask, action: str) -> None:
        decide(ask.who, action, ask.of)

    def cookie(request: Request) -> str | None:
        return read_cookie(request, brain.settings)

    return Gate(cookie, identify, authorize, ACTIONS)


def _identify(conn: Connection, ask: Ask, slug: str | None) -> None:
    bearer = ask.request.headers.get("authorization", "")
    now_us = ask.brain.now_us()
    if bearer:
        scheme, _, token = bearer.partition(" ")
        if scheme.lower() == "bearer":
            ask.who = service.principal_of_token(conn, token.strip(), now_us)
    elif cookie := read_cookie(ask.request, ask.brain.settings):
        ask.who = service.principal_of_session(conn, cookie, now_us)
        if ask.who is not None and ask.brain.settings.dev:
            ask.who = replace(ask.who, proved_us=now_us)  # an account without a password
    if slug is not None and ask.who is not None:
        ask.of = service.project_of(conn, slug)
        if ask.of is not None:
            ask.args_visible = may(ask.who, "task.args.read", ask.of.id)
