"""Django's debug page shows settings and environment. The rule: never a DSN, it holds a secret."""

from __future__ import annotations

import re

from django.views.debug import SafeExceptionReporterFilter

_WORD = "DSN"


def hide_dsn() -> None:
    """Let the page mask names with DSN in them as it masks those with KEY or SECRET.

    Source: `hidden_settings`, Django documentation, "How to manage error reporting".
    """
    masked = SafeExceptionReporterFilter.hidden_settings
    if not masked.search(_WORD):
        SafeExceptionReporterFilter.hidden_settings = re.compile(
            f"{masked.pattern}|{_WORD}", masked.flags
        )
