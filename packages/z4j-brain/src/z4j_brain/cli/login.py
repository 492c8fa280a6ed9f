"""`z4j login URL`: let commands on this machine in. The rule: the password is kept nowhere.

It signs in, makes an API token of its own, ends the session and stores the token alone.
"""

from __future__ import annotations

import argparse
import getpass
import os
import platform
import sys
from collections.abc import Sequence

from z4j_core.cli.remote import USAGE, Failure, Place, Remote, checked, keep, kept, login_file
from z4j_core.cli.tls import add_tls, files_of


def main(argv: Sequence[str] | None = None) -> int:
    """Sign in, or with --out end the stored token; the exit status."""
    options = _options().parse_args(argv)
    try:
        return _sign_out(options) if options.out else _sign_in(options)
    except Failure as error:
        print(f"z4j login: {error}", file=sys.stderr)
        return error.status


def _options() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(prog="z4j login", description="Let commands in.")
    found.add_argument("url", nargs="?", help="address of the brain")
    found.add_argument("--email", help="asked for where it is missing")
    found.add_argument("--project", help="slug of the usual project (the first one)")
    found.add_argument("--password-stdin", action="store_true", help="read it from standard input")
    found.add_argument("--days", type=int, default=90, help="how long the token lasts (90)")
    found.add_argument("--out", action="store_true", help="end the stored token and forget it")
    add_tls(found)
    return found


def _sign_in(options: argparse.Namespace) -> int:
    if not options.url:
        raise Failure(USAGE, "give the address of the brain: z4j login https://…")
    place = Place(checked(options.url))
    email, password = _who(options)
    proof = {"email": email, "password": password}
    files = files_of(options, os.environ)
    _, cookie = Remote(place, files=files).send("POST", "/auth/login", proof)
    session = Remote(place, cookie, files=files)
    try:
        project = options.project or _first_project(session)
        label = f"z4j login on {platform.node()}"
        body = {"project": project, "label": label, "days": options.days}
        made = session.post("/tokens", body)
    finally:
        session.post("/auth/logout", {})
    path = login_file(os.environ)
    keep(Place(place.url, made["token"], project), path)
    print(f"{email} at {place.url}, project {project}; the token is in {path}")
    return 0


def _who(options: argparse.Namespace) -> tuple[str, str]:
    if options.password_stdin:
        if not options.email:
            raise Failure(USAGE, "--password-stdin needs --email")
        return options.email, sys.stdin.readline().rstrip("\n")
    if not sys.stdin.isatty():
        raise Failure(USAGE, "no terminal to ask on: give --email and --password-stdin")
    email = options.email or input("e-mail: ")
    return email, getpass.getpass("password: ")


def _first_project(session: Remote) -> str:
    projects = session.get("/me")["projects"]
    if not projects:
        raise Failure(USAGE, "this account is in no project")
    return str(projects[0]["slug"])


def _sign_out(options: argparse.Namespace) -> int:
    path = login_file(os.environ)
    place = kept(path)
    if place is not None:
        token_id = place.token.split("_")[1]
        Remote(place, files=files_of(options, os.environ)).post(f"/tokens/{token_id}/revoke", {})
    path.unlink(missing_ok=True)
    print("signed out")
    return 0
