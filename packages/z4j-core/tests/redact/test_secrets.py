"""Planted secrets in many shapes are masked; ordinary values are left alone."""

from __future__ import annotations

import base64
import json
import random
import string
import time
import uuid

import pytest
from z4j_core.redact import MASK, Redactor

R = Redactor()
ALNUM = string.ascii_letters + string.digits


def word(rng, size=20, alphabet=ALNUM):
    return "".join(rng.choice(alphabet) for _ in range(size))


def card(rng):
    digits = "4" + word(rng, 14, string.digits)
    total = sum(
        (int(c) * 2 - 9 * (int(c) > 4)) if i % 2 == 0 else int(c)
        for i, c in enumerate(reversed(digits))
    )
    return digits + str(-total % 10)


def spaced(digits):
    return " ".join(digits[at : at + 4] for at in range(0, 16, 4))


def iban(rng):
    account = word(rng, 18, string.digits)
    check = 98 - int(account + "131400") % 97
    return f"DE{check:02d}{account}"


# Shapes told by their name: not one of them may be shown.
NAMED = {
    "kwarg": lambda s: R.preview_kwargs({"password": s}),
    "camel": lambda s: R.preview_kwargs({"user": 1, "clientSecret": s}),
    "nested": lambda s: R.preview_kwargs({"a": {"b": [{"api_key": s}]}}),
    "pair": lambda s: R.preview_value(["Authorization", s]),
    "pairs": lambda s: R.preview_value([("x", 1), ("X-Auth-Token", s)]),
    "header object": lambda s: R.preview_value([{"name": "Cookie", "value": s}]),
    "positional": lambda s: R.preview_args((7, s), ("user_id", "password")),
    "positional later": lambda s: R.preview_args((1, 2, 3, s), ("a", "b", "c", "token")),
    "list under a name": lambda s: R.preview_kwargs({"tokens": [s, s]}),
    "dict under a name": lambda s: R.preview_kwargs({"credentials": {"user": "x", "word": s}}),
    "query": lambda s: R.preview_value(f"https://x.example/cb?state=1&access_token={s}&y=2"),
    "assignment": lambda s: R.preview_text(f"login failed password={s} for bob"),
    "quoted": lambda s: R.preview_text(f"login(password='{s}', user='bob')"),
    "double quoted": lambda s: R.preview_text(f'login(password="{s}", user="bob")'),
    "spaced": lambda s: R.preview_text(f"password = {s}"),
    "colon": lambda s: R.preview_text(f"api_key: {s}, other: 1"),
    "json text": lambda s: R.preview_value(json.dumps({"user": "bob", "password": s})),
    "json in json": lambda s: R.preview_value(json.dumps(json.dumps({"token": s}))),
    "python dict text": lambda s: R.preview_text(str({"user": "bob", "secret": s})),
    "yaml": lambda s: R.preview_text(f"user: bob\npassword: {s}\n"),
    "environment": lambda s: R.preview_text(f"DB_PASSWORD={s} AWS_REGION=eu"),
    "flag": lambda s: R.preview_text(f"curl --user bob --password {s} https://x"),
    "flag with equals": lambda s: R.preview_text(f"tool --api-key={s} run"),
    "header line": lambda s: R.preview_text(f"Authorization: Custom {s}\nAccept: x"),
    "cookie line": lambda s: R.preview_text(f"Cookie: a=1; b={s}; c=3\nAccept: x"),
    "form": lambda s: R.preview_text(f"grant_type=password&client_secret={s}"),
    "after another name": lambda s: R.preview_text(f"ValueError: password={s}"),
    "list in text": lambda s: R.preview_text(f"tokens=['{s}', '{s}']"),
    "call string": lambda s: R.preview_text(f"app.tasks.login('bob', token='{s}')"),
    "bytes literal": lambda s: R.preview_text(f"login(password=b'{s}')"),
    "arrow": lambda s: R.preview_text(f"secret => {s}"),
    "exception": lambda s: R.error_preview(ValueError(f"bad password={s}"))[1],
    "exception with a dict": lambda s: R.error_preview(ValueError("bad", {"token": s}))[1],
    "header map": lambda s: (0, 0, str(R.headers({"Authorization": s, "x": "1"}))),
}
# Shapes told by the value alone.
SHAPED = {
    "jwt": lambda r: f"eyJhbGciOiJIUzI1NiJ9.{word(r, 30)}.{word(r, 43)}",
    "bearer": lambda r: f"Bearer {word(r, 24)}",
    "bearer in text": lambda r: f"sent header bearer {word(r, 12)} to x",
    "basic": lambda r: "Basic " + base64.b64encode(word(r, 12).encode()).decode(),
    "pem": lambda r: (
        f"-----BEGIN RSA PRIVATE KEY-----\n{word(r, 128)}\n-----END RSA PRIVATE KEY-----"
    ),
    "cut pem": lambda r: f"key: -----BEGIN PRIVATE KEY-----\n{word(r, 64)}\n{word(r, 40)}",
    "aws": lambda r: "AKIA" + word(r, 16, string.ascii_uppercase + string.digits),
    "aws temporary": lambda r: "ASIA" + word(r, 16, string.ascii_uppercase + string.digits),
    "github": lambda r: "ghp_" + word(r, 36),
    "github server": lambda r: "ghs_" + word(r, 36),
    "github fine": lambda r: "github_pat_" + word(r, 40),
    "gitlab": lambda r: "glpat-" + word(r, 20),
    "stripe": lambda r: "sk_live_" + word(r, 24),
    "stripe restricted": lambda r: "rk_live_" + word(r, 24),
    "webhook": lambda r: "whsec_" + word(r, 32),
    "slack": lambda r: f"xoxb-{word(r, 12, string.digits)}-{word(r, 24)}",
    "google": lambda r: "AIza" + word(r, 35),
    "sendgrid": lambda r: f"SG.{word(r, 22)}.{word(r, 43)}",
    "npm": lambda r: "npm_" + word(r, 36),
    "pypi": lambda r: "pypi-" + word(r, 60),
    "ours": lambda r: "z4s_" + word(r, 56, "abcdefghijklmnopqrstuvwxyz234567"),
    "our tokens": lambda r: "z4jt_" + word(r, 40),
    "url": lambda r: f"postgres://bob:{word(r, 12)}@db.example/shop",
    "url without user": lambda r: f"redis://:{word(r, 12)}@cache:6379/0",
    "card": card,
    "spaced card": lambda r: spaced(card(r)),
    "iban": iban,
    "run": lambda r: word(r, 44),
    "base64": lambda r: base64.b64encode(bytes(r.randrange(256) for _ in range(48))).decode(),
}


def core(shaped):
    """The part of a planted value that must not be seen."""
    if shaped[4:5] == " " and shaped[:4].isdigit():
        return shaped
    return max(shaped.replace("://", " ").replace("@", " ").replace("\n", " ").split(), key=len)


@pytest.mark.parametrize("shape", NAMED)
def test_a15_what_is_named_a_secret_is_never_shown(shape):
    rng = random.Random(shape)

    for size in (6, 9, 12, 20, 40) * 7:
        secret = word(rng, size)
        flags, _, text = NAMED[shape](secret)
        assert secret not in text
        assert MASK in text
        assert flags & 1 or shape == "header map"


def test_a15_what_is_shaped_like_a_secret_is_masked_in_nearly_all_of_two_thousand_cases():
    rng = random.Random(5)
    shown = []
    planted = 0
    for _ in range(70):
        for shape, make in SHAPED.items():
            secret = make(rng)
            for value in (secret, f"saw {secret} today"):
                planted += 1
                if core(secret) in R.preview_value(value)[2]:
                    shown.append((shape, value))

    assert planted > 2_000
    assert len(shown) <= planted * 0.005, shown[:5]


def test_ordinary_values_are_shown_as_they_are():
    rng = random.Random(6)
    names = ["pending", "user@example.com", "/var/lib/app/data.json", "Müller GmbH", "2026-01-02"]
    makers = [
        lambda: str(uuid.UUID(int=rng.getrandbits(128))),
        lambda: uuid.UUID(int=rng.getrandbits(128)).hex,
        lambda: word(rng, 26, "0123456789ABCDEFGHJKMNPQRSTVWXYZ"),
        lambda: word(rng, 64, "0123456789abcdef"),
        lambda: rng.getrandbits(63),
        lambda: rng.randrange(1_600_000_000_000_000, 1_800_000_000_000_000),
        lambda: rng.choice(names),
        lambda: f"order-{rng.randrange(10**9)}",
        lambda: f"https://shop.example/orders/{rng.randrange(10**6)}?page=2&sort=name",
        lambda: " ".join(
            rng.choice(["basic", "usage", "of", "the", "token", "ring", "Bearer"]) for _ in range(8)
        ),
        lambda: f"+49 30 {rng.randrange(10**7)}",
        lambda: f"{rng.randrange(10**4)}x{rng.randrange(10**4)}",
        lambda: f"shop.orders.tasks.charge_customer_with_retry_{rng.randrange(99)}",
    ]
    masked = []
    for n in range(5_000):
        value = makers[n % len(makers)]()
        if MASK in R.preview_value(value)[2]:
            masked.append(value)

    assert len(masked) <= 50, masked[:10]


def test_a_secret_behind_the_eighth_kilobyte_is_cut_off_not_shown():
    text = "word " * 2_000 + "password=hunter2hunter2"

    flags, _, shown = R.preview_text(text)

    assert "hunter2" not in shown
    assert flags & 2


def test_a_secret_at_the_cut_is_not_half_shown():
    secret = "sk_live_" + "a1B2" * 10

    for padding in range(8_100, 8_200):
        text = "x" * 40 + " " + "y " * ((padding - 41) // 2) + secret
        assert "sk_live_a1B2a1B2a1" not in R.preview_text(text, 9_000)[2]


def test_the_mask_tells_neither_length_nor_digest():
    short, long = R.preview_kwargs({"token": "a"}), R.preview_kwargs({"token": "a" * 5_000})

    assert short == long


def test_masking_a_masked_text_changes_nothing():
    once = R.preview_text("password=hunter2 Bearer abcdefgh12 postgres://a:b@c/d")[2]

    assert R.preview_text(once)[2] == once


@pytest.mark.parametrize(
    "text",
    [
        "a=" * 4_000, "a:'" * 3_000, "=" * 8_000, '"' * 8_000, "\\" * 8_000, "://" * 2_700,
        "://a:" * 1_600, "a" * 8_192, "A1b2" * 2_048, "1 " * 4_000, "1-" * 4_000, "DE12 " * 1_600,
        "password='" + "\\" * 8_000, "-" * 8_000, "eyJ" * 2_700, "-----BEGIN " * 700, "[" * 8_000,
        "password=[" * 800, "bearer " * 1_100, "token " * 1_300, "--a " * 2_000, "password:" * 900,
    ],
)  # fmt: skip
def test_no_text_takes_more_than_linear_time(text):
    begun = time.process_time()
    R.preview_text(text)

    assert time.process_time() - begun < 1
