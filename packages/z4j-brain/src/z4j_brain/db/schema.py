"""Column types and the one MetaData. The rule: a type means the same on both databases.

Ids are lower-case hex text, times are bigint microseconds since 1970 UTC, durations
microseconds, documents JSON. Keyed text sorts by code point on PostgreSQL too.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Integer, LargeBinary, MetaData, SmallInteger, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

KEY: TypeEngine[str] = Text().with_variant(Text(collation="C"), "postgresql")
DOCUMENT: TypeEngine[Any] = JSON(none_as_null=True).with_variant(
    JSONB(none_as_null=True), "postgresql"
)


def key(name: str, **options: Any) -> Column[str]:
    """Text that is compared, sorted or indexed; not null unless said."""
    settled: dict[str, Any] = {"nullable": False} | options
    return Column(name, KEY, **settled)


def words(name: str, **options: Any) -> Column[str]:
    """Text that is only shown; nullable unless said."""
    return Column(name, Text, **options)


def us(name: str, **options: Any) -> Column[int]:
    """Microseconds: since 1970 UTC, or a duration; nullable unless said."""
    return Column(name, BigInteger, **options)


def count(name: str, **options: Any) -> Column[int]:
    """A 64-bit number, 0 unless said."""
    settled: dict[str, Any] = {"nullable": False, "server_default": "0"} | options
    return Column(name, BigInteger, **settled)


def number(name: str, **options: Any) -> Column[int]:
    """A 32-bit number; nullable unless said."""
    return Column(name, Integer, **options)


def small(name: str, **options: Any) -> Column[int]:
    """A small number such as a state or flags, 0 unless said."""
    settled: dict[str, Any] = {"nullable": False, "server_default": "0"} | options
    return Column(name, SmallInteger, **settled)


def blob(name: str, **options: Any) -> Column[bytes]:
    """Bytes; nullable unless said."""
    return Column(name, LargeBinary, **options)


def document(name: str, **options: Any) -> Column[Any]:
    """A JSON document; nullable unless said."""
    return Column(name, DOCUMENT, **options)
