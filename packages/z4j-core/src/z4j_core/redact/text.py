"""Secrets inside text, told by their shape or by the name before them.

The rule: text is masked first and cut for display only then; every pattern is linear.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping

from .keys import Verdict

MASK = "[redacted]"
MAX_TEXT = 8_192
# What every pattern below has somewhere: a long word, a URL, `bearer `, spaced digits.
_SUSPECT = re.compile(r"[\w+/=.-]{13}|://|[rRcC]\s|\d[ -]\d|[-]BEGIN|\d\d\ [A-Z0-9]")
_PREFILTER = re.compile(
    r"""eyJ[\w-]{8}|-----BEGIN|[Bb][Ee][Aa][Rr][Ee][Rr]\s|[Bb][Aa][Ss][Ii][Cc]\s|://|A[KS]IA[A-Z0-9]{8}
    |gh[pousr]_|github_pat_|glpat-|[sr]k_(?:live|test)_|whsec_|xox[abeprs]-|AIza|SG\.[\w-]|npm_|pypi-
    |z4(?:s|jt)_|\d[ -]?\d{3}[ -]?\d{4}[ -]?\d|[A-Z]{2}\d{2}[ ]?[A-Z0-9]{4}|[A-Za-z0-9+/_=-]{32}""",
    re.VERBOSE,
)
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_PEM = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}-----.*?(?:-----END [A-Z0-9 ]{0,40}-----|\Z)", re.DOTALL
)
_USERINFO = re.compile(r"://[^\s/:@\"']{0,128}:[^\s/\"']{1,256}@")
_BEARER = re.compile(
    r"(?i)\b(bearer|basic)(\s+)(?!(?:tokens?|auth\w*|scheme|realm|bearer|basic)\b)([\w.~+/=:%-]{6,})"
)
_PREFIXED = re.compile(
    r"""(?<![A-Za-z0-9])(?:eyJ[\w-]{8,}(?:\.[\w-]*){1,4}|A[KS]IA[A-Z0-9]{12,}|gh[pousr]_\w{16,}
    |github_pat_\w{16,}|glpat-[\w-]{16,}|[sr]k_(?:live|test)_\w{8,}|whsec_[\w+/=]{8,}
    |xox[abeprs]-[\w-]{8,}|AIza[\w-]{30,}|SG\.[\w-]{10,}\.[\w-]{10,}|npm_\w{30,}|pypi-[\w-]{16,}
    |z4(?:s|jt)_[\w-]{16,})""",
    re.VERBOSE,
)
_DIGITS = re.compile(r"(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-])")
# By brand: numbers of databases and feeds have 17-19 digits and pass the check one time in ten.
_BRANDS = re.compile(
    r"4\d{12}(?:\d{3})?|5[1-5]\d{14}|2[2-7]\d{14}|3[47]\d{13}|3[068]\d{12}|35\d{14}"
    r"|6(?:011|5\d\d|4[4-9]\d)\d{12}|62\d{14,17}"
)
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
_RUN = re.compile(r"[A-Za-z0-9+/_=-]{32,}")
_NAMED = re.compile(
    r"""(?<![\w.-])(?P<key>[\w.\-\[\]]{2,128}+)
    (?P<sep>\\{0,3}["']?\s{0,2}(?:=>|:=|==?|:)\s{0,2}|(?<=\w)[ ](?=\S))""",
    re.VERBOSE,
)
_VALUE = re.compile(
    r"""[bruf]{0,2}\\{0,3}"(?:[^"\\]|\\.){0,4096}\\{0,3}"?
    |[bruf]{0,2}\\{0,3}'(?:[^'\\]|\\.){0,4096}\\{0,3}'?
    |[\[({][^\])}]{0,4096}[\])}]?|[^\s,;&"'<>]+""",
    re.VERBOSE,
)
_TO_LINE_END = frozenset({"cookie", "set-cookie", "authorization", "proxy-authorization"})
_PLAIN_VALUES = frozenset({"None", "True", "False", "null", "true", "false", ""})
_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,15})?")
_ENTROPY_BITS = 4.2
Judge = Mapping[str, Verdict]


def clipped(text: str, limit: int = MAX_TEXT) -> str:
    """At most `limit` characters, cut at white space so that no secret is cut in two."""
    if len(text) <= limit:
        return text
    head = text[:limit]
    space = max(head.rfind(" "), head.rfind("\n"))
    return head[:space] if space > limit // 2 else head


def masked(text: str, judge: Judge) -> str:
    """`text`, at most `MAX_TEXT` characters, without its secrets; the same object without any."""
    if "=" in text or ":" in text or "--" in text:
        text = _masked_names(text, judge)
    if _SUSPECT.search(text) is None:
        return text
    if _PREFILTER.search(text) is None or _UUID.fullmatch(text) is not None:
        return text
    if "-----BEGIN" in text:
        text = _PEM.sub(MASK, text)
    if "://" in text:
        text = _USERINFO.sub(f"://{MASK}@", text)
    text = _PREFIXED.sub(MASK, text)
    text = _BEARER.sub(_masked_bearer, text)
    text = _DIGITS.sub(_masked_card, text)
    text = _IBAN.sub(_masked_iban, text)
    return _RUN.sub(_masked_run, text)


def _masked_names(text: str, judge: Judge) -> str:
    parts: list[str] = []
    at = copied = 0
    while (found := _NAMED.search(text, at)) is not None:
        at = found.end()
        key, sep = found["key"], found["sep"]
        if sep == " " and not key.startswith("-"):
            at -= 1
            continue
        verdict = judge[key]
        value = _VALUE.match(text, at) if verdict else None
        if value is None or _is_plain(value[0], verdict):
            continue
        end = value.end()
        if ":" in sep and key.lower() in _TO_LINE_END and text[at] not in "\"'\\":
            line = text.find("\n", at)
            end = len(text) if line < 0 else line
        parts += (text[copied:at], MASK)
        at = copied = end
    return text if not copied else "".join(parts) + text[copied:]


def _is_plain(value: str, verdict: Verdict) -> bool:
    if value in _PLAIN_VALUES:
        return True
    return verdict is Verdict.COUNT and _NUMBER.fullmatch(value.rstrip(")]}.")) is not None


def _masked_bearer(found: re.Match[str]) -> str:
    word = found[3]
    if found[1].lower() == "basic" and word.isalpha() and (word.islower() or word.istitle()):
        return found[0]
    return f"{found[1]}{found[2]}{MASK}"


def is_card(digits: str) -> bool:
    """Whether digits begin like a payment card of their length, and check."""
    if _BRANDS.fullmatch(digits) is None:
        return False
    odd, even = digits[-1::-2], digits[-2::-2]
    return (sum(map(int, odd)) + sum(_DOUBLED[int(digit)] for digit in even)) % 10 == 0


def _masked_card(found: re.Match[str]) -> str:
    digits = found[0].replace(" ", "").replace("-", "")
    return MASK if is_card(digits) else found[0]


def _masked_iban(found: re.Match[str]) -> str:
    compact = found[0].replace(" ", "")
    number = int("".join(str(int(char, 36)) for char in compact[4:] + compact[:4]))
    return MASK if number % 97 == 1 else found[0]


def _masked_run(found: re.Match[str]) -> str:
    run = found[0].strip("=-_/")
    has_all = (
        any(char.islower() for char in run)
        and any(char.isupper() for char in run)
        and any(char.isdigit() for char in run)
    )
    if not has_all or _UUID.search(run) is not None:
        return found[0]
    size = len(run)
    bits = -sum(n / size * math.log2(n / size) for n in Counter(run).values())
    return MASK if bits >= _ENTROPY_BITS else found[0]
