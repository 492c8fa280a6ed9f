"""What doctor found, line by line. The rule: a failure names its code and its cause."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ...errors import Z4JError

Verdict = Literal["ok", "warn", "FAIL", "skip"]
_WIDTH = 10


class Failure(Z4JError):
    """One check failed; what needs it is skipped."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code} {text}")
        self.code = code
        self.text = text


@dataclass(frozen=True, slots=True)
class Said:
    """What a check that did not fail has to tell; `code` is set when it is a warning."""

    text: str
    code: str = ""
    is_warning: bool = False


class Report:
    """Writes one line per check and remembers whether one failed."""

    def __init__(self, write: Callable[[str], object], *, as_json: bool) -> None:
        self._write = write
        self._as_json = as_json
        self.has_failed = False

    def line(self, verdict: Verdict, name: str, text: str, code: str = "") -> None:
        """Write one line."""
        self.has_failed = self.has_failed or verdict == "FAIL"
        if self._as_json:
            row = {"check": name, "verdict": verdict.lower(), "code": code or None, "text": text}
            self._write(json.dumps(row, ensure_ascii=False) + "\n")
        else:
            told = f"{code} {text}" if code else text
            self._write(f"{verdict:<5} {name:<{_WIDTH}} {told}\n")

    def check(self, name: str, look: Callable[[], Said]) -> bool:
        """Look, write what was found, and return whether it may be built upon."""
        try:
            said = look()
        except Failure as failure:
            self.line("FAIL", name, failure.text, failure.code)
            return False
        self.line("warn" if said.is_warning else "ok", name, said.text, said.code)
        return True
