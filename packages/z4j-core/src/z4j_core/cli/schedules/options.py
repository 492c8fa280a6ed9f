"""What `z4j schedules` takes. The rule: one name for one thing, on every verb."""

from __future__ import annotations

import argparse

from ...scheduler.dialects import DIALECTS
from ..tls import add_tls

_DIALECTS = f"of a cron text: {', '.join(DIALECTS)} (cron)"
_SOURCE = "a TOML, YAML or JSON file, or module:attribute; nothing: what this app declares"
_FIELDS = "as in a file: task=shop.bill cron='0 2 * * *' kwargs='{\"dry\": true}'"


def parser() -> argparse.ArgumentParser:
    """All verbs."""
    found = argparse.ArgumentParser(
        prog="z4j schedules", description="Schedules, as the dashboard has."
    )
    verbs = found.add_subparsers(dest="verb", required=True, metavar="verb")
    _looking(verbs)
    _expressions(verbs)
    _editing(verbs)
    _acting(verbs)
    _applying(verbs)
    for each in verbs.choices.values():
        each.add_argument("--project", help="slug of the project")
        each.add_argument("--json", action="store_true", help="one object per line")
        add_tls(each)
    return found


def _looking(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    listed = verbs.add_parser("list", help="schedules that match")
    listed.add_argument("-q", "--query", default="", help="name:night* is:paused tag:bill …")
    _limit(listed, 50)
    shown = verbs.add_parser("show", help="one schedule in full")
    _named(shown)
    told = verbs.add_parser("history", help="fires of a schedule, or of all, newest first")
    told.add_argument("schedule", nargs="?", help="id or name; nothing: all")
    told.add_argument("--status", help="sent, missed, skipped, failed, …")
    told.add_argument("--trigger", help="timer, manual, catchup, backfill, replay, on_start")
    _limit(told, 20)
    verbs.add_parser("groups", help="who leads, from where, and who could")
    days = verbs.add_parser("calendars", help="named days off")
    days.add_argument("act", nargs="?", default="list", choices=("list", "show", "set", "delete"))
    days.add_argument("name", nargs="?", help="which calendar")
    days.add_argument("dates", nargs="*", help="2026-12-25 …, or one .ics file")
    days.add_argument("--weekend", default="", metavar="DAYS", help="for example sat,sun")


def _expressions(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    for verb, about in (("next", "when it fires"), ("explain", "what it means, in words")):
        found = verbs.add_parser(verb, help=f"{about}: of an expression, or of a schedule")
        found.add_argument("what", help="'0 2 * * *', PT5M, an RRULE, or the name of a schedule")
        found.add_argument("-n", type=int, default=5 if verb == "next" else 3, help="how many")
        found.add_argument("--tz", help="zone of the expression, or to show a schedule in")
        found.add_argument("--dialect", help=_DIALECTS)
        found.add_argument("--after", metavar="TIME", help="2027-03-27T00:00Z (now)")


def _editing(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    added = verbs.add_parser("add", help="make a schedule")
    added.add_argument("name")
    added.add_argument("fields", nargs="+", metavar="FIELD=VALUE", help=_FIELDS)
    edited = verbs.add_parser("edit", help="change fields of a schedule")
    _named(edited)
    edited.add_argument("fields", nargs="+", metavar="FIELD=VALUE", help=_FIELDS)


def _acting(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    paused = verbs.add_parser("pause", help="fire no more until it is resumed")
    _named(paused)
    paused.add_argument("--until", metavar="TIME", help="2h, or 2027-03-27T00:00Z")
    paused.add_argument("--note", default="", help="why; everybody sees it")
    _named(verbs.add_parser("resume", help="fire again, from now on"))
    fired = verbs.add_parser("fire", help="fire once, now")
    _named(fired)
    filled = verbs.add_parser("backfill", help="fire the slots of a time that has passed")
    _named(filled)
    filled.add_argument("begin", metavar="FROM", help="2027-03-01T00:00Z")
    filled.add_argument("end", metavar="TO", help="2027-03-02T00:00Z")
    filled.add_argument("--overlap", choices=("allow", "buffer_all"), default="allow",
                        help="buffer_all: one after the other (allow)")  # fmt: skip
    filled.add_argument("--max", type=int, help="at most so many")
    filled.add_argument("--yes", action="store_true", help="do not ask")
    again = verbs.add_parser("replay", help="fire one slot again")
    _named(again)
    again.add_argument("fire", help="id of the fire, as in history")
    again.add_argument("--definition", choices=("current", "then"), default="current")
    for each in (fired, filled, again):
        each.add_argument("--reason", default="", help="kept in the audit record")


def _applying(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    for verb, about in (
        ("diff", "what apply would change; exit 1 if anything"),
        ("apply", "make the brain's schedules those that are declared"),
    ):
        found = verbs.add_parser(verb, help=about)
        found.add_argument("source", nargs="?", help=_SOURCE)
        found.add_argument("--tag", help="owner of the set, where it names none")
        found.add_argument("--engine", help="where the set names none")
        found.add_argument("--app", help="where the set names none")
        found.add_argument(
            "--prune", choices=("disable", "delete", "none"), default="disable",
            help="what becomes of those no longer declared (disable)",
        )  # fmt: skip
        found.add_argument(
            "--on-drift", choices=("keep", "overwrite", "fail"), default="keep",
            help="what becomes of fields edited elsewhere (keep)",
        )  # fmt: skip


def _named(found: argparse.ArgumentParser) -> None:
    found.add_argument("schedule", help="id or name")


def _limit(found: argparse.ArgumentParser, usual: int) -> None:
    found.add_argument("--limit", type=int, default=usual, help=f"at most so many ({usual})")
