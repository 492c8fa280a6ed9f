"""Settings from argument, environment, framework and .z4j/dev.json, in this order.

The rule: nothing here raises; all faults are gathered and told together.
"""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..errors import ConfigError
from ..wire.dsn import Dsn, is_loopback, parse_dsn

ARGS_MODES = ("none", "types", "redacted", "full")
TRANSPORTS = ("auto", "websocket", "poll")
SCHEDULERS = ("auto", "off", "only")
MIN_SPOOL_BYTES = 1 << 20
_DEV_FILE = Path(".z4j") / "dev.json"
LEASE_TTL_S = (5, 60)
"""The shortest and the longest lease, in seconds."""
LEASE_SCHEMES = ("redis", "rediss", "unix", "postgresql", "postgres", "sqlite")
_LEVEL_DEV = "all"
Fault = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything an app can say to z4j. `dsn_from` tells where the DSN was found."""

    dsn: Dsn | None = None
    dsn_from: str = ""
    dsn_file: str | None = None
    allow: str = "run"
    args: str = "redacted"
    redact: tuple[str, ...] = ()
    engines: tuple[str, ...] | None = None
    enabled: bool = True
    strict: bool = False
    environment: str = ""
    release: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    spool_dir: str | None = None
    spool_max_bytes: int = 64 << 20
    app: str | None = None
    replay: str = "on"
    ca_file: str | None = None
    tls_cert: str | None = None
    tls_key: str | None = None
    transport: str = "auto"
    schedules: Mapping[str, Any] | None = field(default=None, repr=False)
    scheduler: str = "auto"
    lease_store: str = field(default="", repr=False)
    lease_ttl_s: int | None = None
    schedule_max_stale_s: int = 0

    @property
    def active(self) -> bool:
        """Whether there is anything to do at all."""
        return self.enabled and self.dsn is not None


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings and what was wrong with what was given, as (code, text)."""

    settings: Settings
    faults: tuple[Fault, ...] = ()


def load(
    arguments: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    framework: Mapping[str, Any] | None = None,
    cwd: Path | None = None,
) -> Loaded:
    """Read all sources; `framework` uses upper-case keys as in Django's `Z4J`."""
    env = os.environ if environ is None else environ
    faults: list[Fault] = []
    values = _merge(arguments or {}, env, framework or {}, faults)
    settings = _typed(values, faults)
    return Loaded(_with_dsn(settings, values, cwd or here(), faults), tuple(faults))


def here() -> Path:
    """This directory, or the root when it is gone."""
    try:
        return Path.cwd()
    except OSError:  # the directory this process started in is gone
        return Path("/")


def read_dsn(settings: Settings) -> Dsn | None:
    """The DSN as it is now: a file is read again, so a new key needs no restart.

    Raises:
        ConfigError: the file is gone or holds a wrong DSN.
    """
    if settings.dsn_file is None:
        return settings.dsn
    return parse_dsn(_text_of(settings.dsn_file))


def label(dsn: Dsn) -> str:
    """`project@host` for people, without any secret."""
    usual = 443 if dsn.scheme == "https" else 80
    return f"{dsn.project}@{dsn.host}" + ("" if dsn.port == usual else f":{dsn.port}")


def summary(faults: tuple[Fault, ...]) -> str:
    """One line with every fault."""
    return "; ".join(f"{code} {text}" for code, text in faults)


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower()
    if text in {"1", "true", "yes", "on"}:
        return True
    if text in {"0", "false", "no", "off", ""}:
        return False
    raise ValueError("expected 1 or 0")


def _words(value: Any) -> tuple[str, ...]:
    items = value.split(",") if isinstance(value, str) else list(value)
    return tuple(text for item in items if (text := str(item).strip()))


def _pairs(value: Any) -> dict[str, str]:
    if isinstance(value, Mapping):
        return {str(k): str(v) for k, v in value.items()}
    pairs = [item.partition("=") for item in _words(value)]
    if not all(sep and key for key, sep, _ in pairs):
        raise ValueError("expected name=value,name=value")
    return {key.strip(): text.strip() for key, _, text in pairs}


def _bytes(value: Any) -> int:
    number = int(value)
    if number < MIN_SPOOL_BYTES:
        raise ValueError(f"expected at least {MIN_SPOOL_BYTES} bytes")
    return number


def _mapping(value: Any) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    raise ValueError("expected a mapping in code, not in the environment")


def _seconds(value: Any) -> int:
    number = int(value)
    if number < 0:
        raise ValueError("expected seconds, 0 for no limit")
    return number


def _lease_ttl(value: Any) -> int:
    shortest, longest = LEASE_TTL_S
    number = int(value)
    if not shortest <= number <= longest:
        raise ValueError(f"expected {shortest} to {longest} seconds")
    return number


def _lease_store(value: Any) -> str:
    text = str(value).strip()
    if text not in {"brain", "file"} and urlsplit(text).scheme not in LEASE_SCHEMES:
        schemes = ", ".join(f"{scheme}://" for scheme in LEASE_SCHEMES)
        raise ValueError(f"expected brain, file, or a URL that begins with one of {schemes}")
    return text


def _one_of(*known: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if value not in known:
            raise ValueError(f"expected one of {', '.join(known)}")
        return str(value)

    return read


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "dsn": str, "dsn_file": str, "allow": str, "args": _one_of(*ARGS_MODES), "redact": _words,
    "engines": _words, "enabled": _flag, "strict": _flag, "environment": str, "release": str,
    "tags": _pairs, "spool_dir": str, "spool_max_bytes": _bytes, "app": str, "replay": str,
    "ca_file": str, "tls_cert": str, "tls_key": str, "transport": _one_of(*TRANSPORTS),
    "schedules": _mapping,
    "scheduler": _one_of(*SCHEDULERS), "lease_store": _lease_store,
    "lease_ttl_s": _lease_ttl,
    "schedule_max_stale_s": _seconds,
}  # fmt: skip


def _merge(
    arguments: Mapping[str, Any],
    env: Mapping[str, str],
    framework: Mapping[str, Any],
    faults: list[Fault],
) -> dict[str, Any]:
    named = {key[4:].lower(): value for key, value in env.items() if key.startswith("Z4J_")}
    given = {str(key).lower(): value for key, value in framework.items()}
    unknown = [k for k in arguments if k not in _READERS]
    unknown += [k.upper() for k in given if k not in _READERS]
    unknown += [f"Z4J_{k.upper()}" for k in named if k not in _READERS and _nearest(k, 0.8)]
    if unknown:
        faults.append(("Z4J-E010", "unknown setting " + ", ".join(map(_suggestion, unknown))))
    merged = {}
    for key in _READERS:
        for source in (arguments, named, given):
            value = source.get(key)
            if value is not None and value != "":
                merged[key] = value
                break
    if "dsn" in merged and arguments.get("dsn") is None and "dsn_file" in named:
        merged.pop("dsn") if not named.get("dsn") else merged.pop("dsn_file", None)
    return merged


def _nearest(key: str, cutoff: float) -> str | None:
    close = difflib.get_close_matches(key.lower(), _READERS, n=1, cutoff=cutoff)
    return close[0] if close else None


def _suggestion(key: str) -> str:
    bare = key.removeprefix("Z4J_")
    near = _nearest(bare, 0.5)
    if near is None:
        return key
    shown = near if key.islower() else key[: len(key) - len(bare)] + near.upper()
    return f"{key} (did you mean {shown}?)"


def _typed(values: Mapping[str, Any], faults: list[Fault]) -> Settings:
    read: dict[str, Any] = {}
    for key, value in values.items():
        if key in {"dsn", "dsn_file"}:
            continue
        try:
            read[key] = _READERS[key](value)
        except (TypeError, ValueError) as error:
            faults.append(("Z4J-E014", f"{key}: {error}"))
    if "tls_key" in read and "tls_cert" not in read:
        faults.append(("Z4J-E014", "tls_key: a key without tls_cert, its certificate"))
    return Settings(**read)


def _with_dsn(
    settings: Settings, values: Mapping[str, Any], cwd: Path, faults: list[Fault]
) -> Settings:
    try:
        if values.get("dsn"):
            return replace(settings, dsn=parse_dsn(str(values["dsn"])), dsn_from="setting")
        if values.get("dsn_file"):
            path = str(values["dsn_file"])
            return replace(settings, dsn=parse_dsn(_text_of(path)), dsn_from=path, dsn_file=path)
        return _with_dev(settings, values, cwd)
    except ConfigError as error:
        faults.append((error.code, error.text))
        return settings


def _text_of(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("Z4J-E011", f"cannot read the DSN file {path}: {error}") from error


def _with_dev(settings: Settings, values: Mapping[str, Any], cwd: Path) -> Settings:
    for folder in (cwd, *cwd.parents):
        path = folder / _DEV_FILE
        found = _dev_dsn(path)
        if found is not None:
            allow = values.get("allow", _LEVEL_DEV)
            return replace(settings, dsn=found, dsn_from=str(path), allow=str(allow))
    return settings


def _dev_dsn(path: Path) -> Dsn | None:
    """The DSN of a development brain: own file, nobody else may read it, loopback only."""
    try:
        info = path.stat()
        if info.st_uid != os.getuid() or info.st_mode & 0o077:
            return None
        dsn = parse_dsn(str(json.loads(path.read_text(encoding="utf-8"))["dsn"]))
    except (OSError, ValueError, KeyError, TypeError, ConfigError):
        return None
    return dsn if is_loopback(dsn.host) else None
