"""What needs no brain: spool, policy, adapters. The rule: what is opened is closed as found."""

from __future__ import annotations

import os
import re
from importlib.metadata import EntryPoint, PackageNotFoundError, requires

from ...agent.meta import version_of
from ...agent.policy import PolicyError, parse_policy
from ...clock import Clock
from ...config import Dsn, Settings
from ...errors import AdapterBroken
from ...registry import installed, load_detect
from ...spool import SpoolSettings, open_spool
from .report import Failure, Said

_ELSEWHERE = "; not used: "


def spool(dsn: Dsn, settings: Settings, clock: Clock) -> Said:
    """Open a stream as an agent would, and leave nothing of it.

    Raises:
        Failure: Z4J-E120, events would be held in memory only.
    """
    found = open_spool(
        SpoolSettings(
            root=settings.spool_dir,
            origin=dsn.origin + dsn.prefix,
            project=dsn.project,
            cred_id=dsn.credential.cred_id,
            max_bytes=settings.spool_max_bytes,
        ),
        {"role": "script"},
        clock=clock,
        entropy=os.urandom,
    )
    note, storage = found.note, found.storage
    found.close(offline=True)
    if storage != "disk":
        raise Failure("Z4J-E120", note)
    text = f"{note}, at most {settings.spool_max_bytes >> 20} MiB"
    if _ELSEWHERE in note:
        return Said(text, "Z4J-E123", is_warning=True)
    return Said(text)


def policy(settings: Settings) -> Said:
    """The local policy as it is read.

    Raises:
        Failure: Z4J-E013, it cannot be read and everything but looking is refused.
    """
    try:
        return Said(parse_policy(settings.allow).text)
    except PolicyError as error:
        raise Failure("Z4J-E013", f"{error}; `observe` holds: commands are refused") from error


def adapters(settings: Settings) -> dict[str, EntryPoint]:
    """The adapters that are installed and asked for.

    Raises:
        Failure: Z4J-E201, there is none.
    """
    found = installed(settings.engines)
    if found:
        return dict(sorted(found.items()))
    others = ", ".join(sorted(installed()))
    if others:
        asked = ", ".join(settings.engines or ())
        text = f"Z4J_ENGINES names {asked or 'none'}, installed: {others}"
    else:
        text = "no adapter is installed: pip install 'z4j[<your engine>]'"
    raise Failure("Z4J-E201", text)


def adapter(name: str, point: EntryPoint) -> Said:
    """An adapter and its engine with their versions; both are imported.

    Raises:
        Failure: Z4J-E204, it does not load; Z4J-E202, its engine is older than it supports.
    """
    have, floor = version_of(name), _floor(name)
    if have and floor and _numbers(have) < _numbers(floor):
        raise Failure("Z4J-E202", f"{name} {have} is installed, the adapter needs {floor} or newer")
    try:
        load_detect(point)
    except AdapterBroken as error:
        raise Failure(error.code, error.text) from error
    return Said(f"{have or 'of unknown version'}, adapter {version_of(f'z4j-{name}')}")


def _floor(name: str) -> str:
    """The oldest version of an engine that its adapter declares; empty when it declares none."""
    try:
        needs = requires(f"z4j-{name}") or []
    except PackageNotFoundError:
        return ""
    found = (re.match(rf"{re.escape(name)}\s*>=\s*([\d.]+)", need) for need in needs)
    return next((match[1] for match in found if match), "")


def _numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", text)[:3]]
