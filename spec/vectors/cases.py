"""Makes spec/vectors/*.json with the reference. A case: name, input, expect, output.

`expect` is ok or a failure class. `python spec/vectors/cases.py` rewrites the files.
"""
# ruff: noqa: INP001  a script beside the documents, whose numbers are the cases

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import reference as r  # noqa: E402 - the directory is put on the path above
from item_cases import items  # noqa: E402
from judged import CRED, NAME, SECRET, TEXT, URL, Case, case, turned  # noqa: E402
from record_cases import records  # noqa: E402


def dsn() -> Iterable[Case]:
    other = r.secret_text(CRED, 2, SECRET)
    pairs = {
        "good": (NAME, TEXT),
        "upper case": (NAME.upper(), TEXT.upper()),
        "highest kid": (r.key_id(CRED, 255), r.secret_text(CRED, 255, SECRET)),
        "all ones": (r.key_id(b"\xff" * 16, 1), r.secret_text(b"\xff" * 16, 1, b"\xff" * 32)),
        "key id short": (NAME[:-1], TEXT),
        "key id long": (NAME + "a", TEXT),
        "key id with a 1": (NAME[:-1] + "1", TEXT),
        "swapped": (TEXT, NAME),
        "empty": ("", ""),
        "secret short": (NAME, TEXT[:-1]),
        "secret long": (NAME, TEXT + "a"),
        "secret with padding": (NAME, TEXT[:-1] + "="),
        "secret of another prefix": (NAME, "z4k_" + TEXT[4:]),
        "typo at the start of the key id": ("z4k_b" + NAME[5:], TEXT),
        "typo at the end of the key id": (NAME[:-1] + "a", TEXT),
        "letters of the key id exchanged": (NAME[:9] + NAME[10] + NAME[9] + NAME[11:], TEXT),
        "typo at the start of the secret": (NAME, "z4s_b" + TEXT[5:]),
        "typo at the end of the secret": (NAME, TEXT[:-1] + "b"),
        "secret of the other kid": (NAME, other),
        "secret of another credential": (NAME, r.secret_text(b"\x01" * 16, 1, SECRET)),
    }
    for name, pair in pairs.items():
        yield case(name, list(pair), lambda pair=pair: r.read_keys(*pair))


def keys() -> Iterable[Case]:
    for kid, secret in ((1, SECRET), (2, SECRET), (255, b"\xff" * 32)):
        given = {"cred_id": CRED.hex(), "kid": kid, "secret": secret.hex()}
        yield case(
            f"snapshot key {kid}", given, lambda k=kid, s=secret: r.snapshot_key(s, CRED, k).hex()
        )


def _hello(**changes: Any) -> list[Any]:
    fields = {
        "vmin": 2,
        "vmax": 2,
        "cred_id": CRED,
        "kid": 1,
        "nonce_a": b"\xa1" * 32,
        "cb_type": 0,
        "cb": b"",
        "url": URL,
        "project": "shop",
    }
    return list((fields | changes).values())


def _core(**changes: Any) -> list[Any]:
    fields = {
        "ver": 2,
        "brain_id": b"\xb0" * 16,
        "nonce_b": b"\xb2" * 32,
        "refuse": 0,
        "detail": "",
        "max_rec": 262_144,
        "credit": 8,
    }
    return list((fields | changes).values())


def hellos() -> Iterable[Case]:
    good = r.pack(_hello())
    messages = {
        "good": good,
        "with a binding": r.pack(_hello(cb_type=1, cb=b"\xcb" * 32)),
        "a wider range of versions": r.pack(_hello(vmin=1, vmax=9)),
        "text beyond ASCII": r.pack(_hello(url="wss://brücke.example:443/ü")),
        "only newer versions": r.pack(_hello(vmin=3, vmax=9)),
        "only older versions": r.pack(_hello(vmin=0, vmax=1)),
        "range turned round": r.pack(_hello(vmin=2, vmax=1)),
        "empty": b"",
        "nil": b"\xc0",
        "a map": b"\x80",
        "empty array": b"\x90",
        "trailing byte": good + b"\x00",
        "cut": good[:-1],
        "one element more": r.pack([*_hello(), None]),
        "one element less": r.pack(_hello()[:-1]),
        "nonce too short": r.pack(_hello(nonce_a=b"\xa1" * 31)),
        "credential too long": r.pack(_hello(cred_id=b"c" * 17)),
        "kid beyond u8": r.pack(_hello(kid=256)),
        "kid is a bool": r.pack(_hello(kid=True)),
        "negative version": r.pack(_hello(vmin=-1)),
        "binding too long": r.pack(_hello(cb=b"x" * 65)),
        "URL of 513 characters": r.pack(_hello(url="w" * 513)),
        "project as bytes": r.pack(_hello(project=b"shop")),
        "project is nil": r.pack(_hello(project=None)),
        "bad UTF-8": good.replace(b"shop", b"\xff\xfe\xfd\xfc"),
        "nested": b"\x91" * 17 + b"\xc0",
        "more than 4 KiB": r.pack(_hello(url="w" * 4_000)) + b"\x00" * 200,
    }
    for name, message in messages.items():
        yield case(name, message.hex(), lambda m=message: r.hear_hello(m) and "")


def challenges() -> Iterable[Case]:
    hello = r.pack(_hello())

    def signed(core: bytes, secret: bytes = SECRET) -> bytes:
        return core + r.session(secret, hello, core)["proof"]

    good = signed(r.pack(_core()))
    messages = {
        "good": good,
        "other terms": signed(r.pack(_core(max_rec=65_536, credit=1, detail="hello"))),
        "of another key": signed(r.pack(_core()), b"\x66" * 32),
        "refused": signed(r.pack(_core(refuse=4404, detail="project"))),
        "of version 3": signed(r.pack(_core(ver=3))),
        "no core": good[-32:],
        "empty": b"",
        "too long": good + bytes(4_096),
        "garbage": b"\x5a" * 94,
        "an element more": signed(r.pack([*_core(), 1])),
        "credit beyond u16": signed(r.pack(_core(credit=65_536))),
        "detail of 201 characters": signed(r.pack(_core(detail="x" * 201))),
    } | {f"bit {bit} turned": turned(good, bit) for bit in range(0, len(good) * 8, 67)}
    for name, message in messages.items():
        given = {"secret": SECRET.hex(), "hello": hello.hex(), "challenge": message.hex()}

        def judge(m: bytes = message) -> dict[str, str]:
            return {name: key.hex() for name, key in r.hear_challenge(SECRET, hello, m).items()}

        yield case(name, given, judge)


def delivery() -> Iterable[Case]:
    batches = {
        "first batch": ([1, 0], 1, 1, [[], []]),
        "resent": ([1, 2], 1, 1, [[], []]),
        "half new": ([1, 2], 1, 2, [[], []]),
        "empty": ([1, 2], 1, 3, []),
        "taken over": ([1, 2], 2, 3, [[]]),
        "a loss in front": ([1, 0], 1, 1, [[5, 5], []]),
        "a loss of its own": ([1, 0], 1, 1, [[1, 0], []]),
        "half of a loss is known": ([1, 3], 1, 1, [[5, 5]]),
        "fewer lost than spanned": ([1, 4], 1, 1, [[2, 5]]),
        "zombie": ([2, 2], 1, 3, [[]]),
        "gap": ([1, 2], 1, 4, [[]]),
        "offset zero": ([1, 2], 1, 0, [[]]),
        "offset 2^64-1": ([1, 2], 1, 2**64 - 1, [[]]),
        "gap of a new segment": ([0, 0], 1, 2, [[]]),
    }
    for name, (stored, epoch, first, spans) in batches.items():
        given = {"stored": stored, "epoch": epoch, "first": first, "spans": spans}
        yield case(name, given, lambda s=stored, e=epoch, f=first, p=spans: r.admit(s, e, f, p))


def spool() -> Iterable[Case]:
    seed = 0x01020304
    lost, other = bytes.fromhex("9400010505"), b"\x94\x00\x07\x01\x00"
    one, two = r.frame(lost, seed), r.frame(other, seed)
    files = {
        "one frame": one,
        "two frames": one + two,
        "empty": b"",
        "an empty item": r.frame(b"", seed) + one,
        "torn at the end": one + two[:-1],
        "torn in the middle": one[:-2] + two,
        "zeros between": one + bytes(64) + two,
        "a byte of the item turned": turned(one, 100) + two,
        "a byte of the checksum turned": turned(one, 70) + two,
        "a length turned": turned(one, 63) + two,
        "another seed": r.frame(lost, seed + 1) + two,
        "a header among items": r.frame(lost, seed, 0x48) + two,
        "reserved byte set": turned(one, 24) + two,
        "text that poses as a frame": one
        + r.frame(b"x" + r.frame(lost, 0) + b"x", seed)[:-1]
        + two,
        "two torn regions": one[:-1] + two + one[:-1] + two,
        "nothing but garbage": b"z4I\x00" * 16,
    }
    for name, data in files.items():
        for sealed in (False, True):
            given = {"seed": seed, "sealed": sealed, "bytes": data.hex()}
            title = f"{name}, {'sealed' if sealed else 'growing'}"
            yield case(title, given, lambda d=data, s=sealed: r.segment(d, seed, sealed=s))


FILES = {
    "dsn": dsn,
    "keys": keys,
    "hello": hellos,
    "challenge": challenges,
    "records": records,
    "items": items,
    "delivery": delivery,
    "spool": spool,
}


def text_of(name: str) -> str:
    """What belongs into one file."""
    return json.dumps(list(FILES[name]()), indent=0, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for name in FILES:
        (HERE / f"{name}.json").write_text(text_of(name), encoding="utf-8")
