"""Settings of the brain, read once from the environment. The rule: a default needs no setting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from z4j_core.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set. Secrets are bytes of at least 32 and never shown by repr."""

    database_url: str
    data_dir: Path
    secret: bytes = field(repr=False)
    previous_secrets: tuple[bytes, ...] = field(default=(), repr=False)
    secret_file: Path | None = None
    set_previous: tuple[bytes, ...] = field(default=(), repr=False)
    host: str = "127.0.0.1"
    port: int = 4010
    prefix: str = ""
    public_url: str | None = None
    agent_urls: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    allowed_hosts: tuple[str, ...] = ()
    insecure_http: bool = False
    dev: bool = False
    heartbeat_ms: int = 10_000
    deflate_min_bytes: int = 8_192
    retention_days: int = 30
    embedded_scheduler: bool = False


SECRET_BYTES = 32


def data_dir(environ: Mapping[str, str]) -> Path:
    """Where database file and secret live: `Z4J_DATA_DIR`, else the user's data directory."""
    if given := environ.get("Z4J_DATA_DIR"):
        return Path(given)
    share = environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(share) / "z4j"


def from_environ(environ: Mapping[str, str]) -> Settings:
    """Settings of this environment.

    Raises:
        ConfigError: no root secret, a short one, or a number that is none.
    """
    where = data_dir(environ)
    file = environ.get("Z4J_SECRET_FILE")
    secret, *older = read_roots(Path(file)) if file else [_secret(environ)]
    set_previous = tuple(map(_bytes, _list(environ, "Z4J_PREVIOUS_SECRETS")))
    return Settings(
        database_url=environ.get("Z4J_DATABASE_URL") or f"sqlite:///{where / 'z4j.db'}",
        data_dir=where,
        secret=secret,
        previous_secrets=(*older, *set_previous),
        set_previous=set_previous,
        secret_file=Path(file) if file else None,
        host=environ.get("Z4J_HOST", "127.0.0.1"),
        port=_int(environ, "Z4J_PORT", 4010),
        prefix=environ.get("Z4J_PREFIX", "").rstrip("/"),
        public_url=environ.get("Z4J_PUBLIC_URL") or None,
        agent_urls=_list(environ, "Z4J_AGENT_URLS"),
        trusted_proxies=_list(environ, "Z4J_TRUSTED_PROXIES"),
        allowed_hosts=_list(environ, "Z4J_ALLOWED_HOSTS"),
        retention_days=_int(environ, "Z4J_RETENTION_DAYS", 30),
        embedded_scheduler=_flag(environ, "Z4J_EMBEDDED_SCHEDULER"),
    )


def read_roots(path: Path) -> list[bytes]:
    """Root secrets of a file: the current one in its first line, earlier ones below.

    Raises:
        ConfigError: it cannot be read, holds none, or a short one.
    """
    try:
        lines = [line.strip() for line in path.read_text("ascii").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("Z4J-E603", f"{path} cannot be read: {error}") from error
    if not lines:
        raise ConfigError("Z4J-E603", f"{path} holds no root secret")
    return list(map(_bytes, lines))


def _secret(environ: Mapping[str, str]) -> bytes:
    if text := environ.get("Z4J_SECRET"):
        return _bytes(text)
    raise ConfigError("Z4J-E603", "no root secret: set Z4J_SECRET or Z4J_SECRET_FILE")


def _bytes(text: str) -> bytes:
    secret = text.encode()
    if len(secret) < SECRET_BYTES:
        raise ConfigError("Z4J-E603", "a root secret has at least 32 random bytes")
    return secret


def _list(environ: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in environ.get(name, "").split(",") if part.strip())


def _flag(environ: Mapping[str, str], name: str) -> bool:
    text = environ.get(name, "").strip().lower()
    if text not in {"", "1", "true", "yes", "on", "0", "false", "no", "off"}:
        raise ConfigError("Z4J-E010", f"{name} is true or false, not {text!r}")
    return text in {"1", "true", "yes", "on"}


def _int(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name, "")
    if not text:
        return default
    if not text.isdigit():
        raise ConfigError("Z4J-E010", f"{name} is a whole number, not {text!r}")
    return int(text)
