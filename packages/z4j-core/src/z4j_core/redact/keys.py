"""Which names announce a secret. The rule: a name is judged by its words, however it is spelled."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from enum import IntEnum
from fnmatch import translate
from itertools import pairwise


class Verdict(IntEnum):
    """What may be shown of the value under a key."""

    OPEN = 0
    COUNT = 1
    SECRET = 2


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_HALF = 64
_KEPT = 4_096
_TOKEN = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[^\W\d_A-Za-z]+")
_ANY = _words(
    """password passwords passwd passwds passphrase passphrases passcode passcodes pwd pwds pass
    secret secrets token tokens jwt jwts authorization authorizations bearer bearers cookie cookies
    credential credentials creds cred apikey apikeys otp otps totp totps cvv cvvs cvc cvcs ssn ssns
    iban ibans hmac hmacs mnemonic mnemonics contrasena senha passwort motdepasse"""
)
_LAST = _words(
    """auth pw pin pan sin cred sid sig dsn seed salt pepper nonce signature cert sas pins pans
    salts seeds nonces signatures certs dsns"""
)
_FOREIGN = ("contraseña", "motdepasse", "пароль", "密码", "密碼", "パスワード", "비밀번호")
_PAIRS = (
    ("""api access private secret encryption signing session master account shared storage license
     ssh pgp hmac auth""", "key keys"),
    ("session", "id"),
    ("auth", "code header"),
    ("card", "number numbers"),
    ("credit debit", "card cards"),
    ("security recovery backup verification", "code codes"),
    ("connection conn", "string strings"),
    ("database db broker redis amqp webhook", "url urls"),
    ("tax national", "id ids"),
    ("bank", "account"),
    ("account routing", "number numbers"),
    ("security", "answer answers"),
    ("shared", "access"),
)  # fmt: skip
_PAIR = frozenset((a, b) for first, second in _PAIRS for a in first.split() for b in second.split())
_ENDS = (
    "password", "passwords", "passwd", "passphrase", "secret", "token", "apikey", "accesskey",
    "privatekey", "secretkey", "credential", "credentials", "cookie", "sessionid", "sessid", "jwt",
    "motdepasse", "contrasena", "passwort",
)  # fmt: skip
_COUNTED = _words("token tokens pass password secret secrets otp cookie cookies credentials")
_COUNTERS = _words(
    """tokens count limit max min used total num ttl expires expired expiry length size age budget
    per attempts retries"""
)


def _normal(key: str) -> str:
    if len(key) > 2 * _HALF:
        key = key[:_HALF] + key[-_HALF:]
    if key.isascii():
        return key
    plain = unicodedata.normalize("NFKC", key)
    return "".join(char for char in plain if unicodedata.category(char) != "Cf")


def judge(key: str) -> Verdict:
    """Verdict on one key by the words in it; pure, 5 µs."""
    tokens = [token.casefold() for token in _TOKEN.findall(_normal(key))]
    if not tokens or not _is_sensitive(tokens):
        return Verdict.OPEN
    if _COUNTED.intersection(tokens) and _COUNTERS.intersection(tokens):
        return Verdict.COUNT
    return Verdict.SECRET


def _is_sensitive(tokens: list[str]) -> bool:
    if tokens[-1] in _LAST or not _ANY.isdisjoint(tokens):
        return True
    if any(pair in _PAIR for pair in pairwise(tokens)):
        return True
    joined = "".join(tokens)
    if joined.endswith(_ENDS) or joined.startswith("password"):
        return True
    return not joined.isascii() and any(word in joined for word in _FOREIGN)


class Verdicts(dict[str, Verdict]):
    """Verdicts by key, made at the first look; `verdicts[key]` is the cheapest call there is."""

    def __init__(self, redact: Iterable[str] = (), unredact: Iterable[str] = ()) -> None:
        """Take globs of further keys to mask, and keys to spare, both without regard to case."""
        super().__init__()
        self._globs = [re.compile(translate(glob.casefold())) for glob in redact]
        self._spared = frozenset(key.casefold() for key in unredact)

    def __missing__(self, key: str) -> Verdict:
        """Judge a key for the first time, keep the verdict if the key is a short one."""
        verdict = self._judged(key)
        if len(key) <= 2 * _HALF:
            if len(self) >= _KEPT:
                self.clear()
            self[key] = verdict
        return verdict

    def _judged(self, key: str) -> Verdict:
        plain = _normal(key).casefold()
        if any(glob.match(plain) for glob in self._globs):
            return Verdict.SECRET
        return Verdict.OPEN if plain in self._spared else judge(key)
