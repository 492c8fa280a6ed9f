"""Bytes that do harm where they are unpickled. The rule: whoever looks at them runs nothing.

    for name, data in attacks(str(mark)).items(): ...   # `mark` is written by whoever loads one

`within` puts one where an engine's own message has `PLACE`; `Watch` sees what was run or imported.
"""

from __future__ import annotations

import gzip
import pickle  # noqa: TID251  (to write them: nothing is loaded by this module)
import pickletools
import struct
import sys
import zlib
from codecs import lookup
from collections.abc import Iterator
from functools import cache
from threading import get_ident
from typing import Any, Self

from .marks import Trap

PLACE = "z4j: here is the attack"
_PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
_MANY = 60_000
_LEVELS = 60
_SHOWN = 200
_BOMB_BYTES = 64 << 20
_CODECS = ("raw_unicode_escape", "latin-1", "ascii", "utf-8")
"""Text in old pickles needs them: which are imported once, by whoever reads such text first."""
_FORBIDDEN = frozenset({
    "exec", "compile", "os.system", "os.exec", "os.fork", "os.posix_spawn", "subprocess.Popen",
    "ctypes.dlopen", "pickle.find_class", "marshal.loads", "import",
})  # fmt: skip
_GADGETS = (
    ("os", "system"), ("posix", "system"), ("os", "popen"), ("builtins", "eval"),
    ("builtins", "exec"), ("builtins", "__import__"), ("importlib", "import_module"),
    ("subprocess", "check_output"), ("pickle", "loads"), ("marshal", "loads"), ("ctypes", "CDLL"),
    ("timeit", "timeit"), ("runpy", "run_path"), ("code", "interact"), ("webbrowser", "open"),
    ("operator", "methodcaller"), ("functools", "partial"), ("codecs", "decode"),
    ("z4j_never_imported", "boom"),
)  # fmt: skip


class Blank:
    """What an attack makes to give it a state."""


def attacks(mark: str) -> dict[str, bytes]:
    """Pickles by what they try; those that run code append to the file `mark`."""
    return {
        **_running(mark), **_calling(mark), **_reaching(), **_laughing(), **_endless(), **_broken(),
        **_damaged(mark),
    }  # fmt: skip


def compressed(mark: str) -> dict[str, bytes]:
    """What is packed once more, and packed bombs."""
    loaded = pickle.dumps(Trap(mark))
    return {
        "zlib of a call": zlib.compress(loaded),
        "gzip of a call": gzip.compress(loaded),
        "zlib in zlib": zlib.compress(zlib.compress(loaded)),
        **_bombs(),
        "zlib of laughs": zlib.compress(_laughing()["lists of lists"]),
        "zlib cut off": zlib.compress(loaded)[:-6],
        "gzip of many members": gzip.compress(loaded) * 200,
    }


@cache
def _bombs() -> dict[str, bytes]:
    zeros = bytes(_BOMB_BYTES)
    return {
        "zlib bomb": zlib.compress(zeros),
        "gzip bomb": gzip.compress(zeros),
        "a bomb that is a pickle": zlib.compress(pickle.dumps(zeros)),
    }


def within(message: Any, attack: bytes) -> bytes:
    """The pickle of a message that has an attack where it says `PLACE`."""
    text = PLACE.encode()
    place = b"X" + struct.pack("<I", len(text)) + text
    outer = pickletools.optimize(pickle.dumps(message, 2))
    if outer.count(place) != 1:
        raise ValueError(f"{outer.count(place)} places for an attack")
    inner = attack[2:] if attack[:1] == b"\x80" else attack
    return outer.replace(place, inner.removesuffix(b"."))


def forms(mark: str, message: Any) -> Iterator[tuple[str, bytes]]:
    """First a message that does no harm; then each attack as it is, and within a message."""
    yield "no attack", within(message, pickle.dumps("harmless", 2))
    for name, attack in attacks(mark).items():
        yield name, attack
        yield f"{name}, in a message", within(message, attack)


def texts() -> dict[str, bytes]:
    """JSON that is no less of a burden."""
    return {
        "deep lists": b"[" * _MANY + b"]" * _MANY,
        "deep objects": b'{"a":' * _MANY + b"1" + b"}" * _MANY,
        "a huge number": b"9" * _MANY,
        "a huge exponent": b"1e999999999",
        "no number": b"[NaN, Infinity, -Infinity]",
        "lone surrogates": b'"\\ud800\\udfff"',
        "a key many times": b"{" + b'"a":1,' * 9_999 + b'"a":1}',
        "a type by name": b'{"__type__": "decimal", "__value__": "1e1000000"}',
        "a type nobody has": b'{"__type__": "os.system", "__value__": "true"}',
        "an object of a class": b'{"py/object": "os.system", "py/reduce": [{}]}',
    }


def _running(mark: str) -> dict[str, bytes]:
    return {f"a call, protocol {n}": pickle.dumps(Trap(mark), n) for n in _PROTOCOLS}


def _calling(mark: str) -> dict[str, bytes]:
    code = f"open({mark!r}, 'a').write('1\\n')".encode()
    shell = b"echo 1 >> " + mark.encode()
    text = b"X" + struct.pack("<I", len(code)) + code
    said = b"X" + struct.pack("<I", len(shell)) + shell
    found = {
        f"{module}.{name}": b"c%b\n%b\n%b\x85R." % (module.encode(), name.encode(), said)
        for module, name in _GADGETS
    }
    blank = Blank.__module__.encode(), Blank.__qualname__.encode()
    return found | {
        "INST": b"(" + text + b"ibuiltins\nexec\n.",
        "OBJ": b"(cbuiltins\nexec\n" + text + b"o.",
        "NEWOBJ": b"\x80\x02cbuiltins\nexec\n" + text + b"\x85\x81.",
        "NEWOBJ_EX": b"\x80\x04cbuiltins\nexec\n" + text + b"\x85}\x92.",
        "STACK_GLOBAL": b"\x80\x04\x8c\x08builtins\x8c\x04exec\x93" + text + b"\x85R.",
        "STACK_GLOBAL of a dotted name": b"\x80\x04\x8c\x02os\x8c\x0bpath.os.sep\x93.",
        "BUILD of a __setstate__": b"\x80\x02c%b\n%b\n)\x81}X\x0c\x00\x00\x00__setstate__" % blank
        + b"cos\nsystem\nsb" + said + b"b.",
        "a call whose result is called": b"cbuiltins\ngetattr\ncbuiltins\n__import__\nX\x02\x00\x00"
        b"\x00os\x85RX\x06\x00\x00\x00system\x86R" + said + b"\x85R.",
        "a call in a key": b"}cbuiltins\nexec\n" + text + b"\x85RNs.",
        "a pickle in a pickle": pickle.dumps({"data": pickle.dumps(Trap(mark))}),
        "after the end": pickle.dumps(1) + pickle.dumps(Trap(mark)),
    }  # fmt: skip


def _reaching() -> dict[str, bytes]:
    return {
        "PERSID": b"Pwhatever\n.",
        "BINPERSID": b"K\x01Q.",
        "EXT1": b"\x80\x02\x82\x01.",
        "EXT2": b"\x80\x02\x83\x01\x00.",
        "EXT4": b"\x80\x02\x84\x01\x00\x00\x00.",
        "NEXT_BUFFER": b"\x80\x05\x97.",
        "READONLY_BUFFER": b"\x80\x05\x97\x98.",
    }


def _laughing() -> dict[str, bytes]:
    lists, tuples, dicts = b"]", b")", b"}"
    for level in range(_LEVELS):
        at = bytes([level])
        lists += b"q" + at + b"]q\x3f(" + (b"h" + at) * 9 + b"e"
        tuples += b"q" + at + (b"h" + at) * 2 + b"\x86"
        dicts += b"q" + at + b"}K\x01h" + at + b"sK\x02h" + at + b"s"
    return {
        "lists of lists": b"\x80\x02" + lists + b".",
        "tuples of tuples": b"\x80\x02" + tuples + b".",
        "dicts of dicts": b"\x80\x02" + dicts + b".",
        "laughs as a key": b"\x80\x02}" + tuples + b"Ns.",
        "laughs as a name": b"\x80\x04" + lists + b"\x8c\x01x\x93.",
        "laughs as arguments": b"\x80\x02cos\nsystem\n" + lists + b"\x85R.",
        "a list in itself": b"]q\x00h\x00a.",
        "a dict in itself": b"}q\x00K\x01h\x00s.",
        "one text many times": b"X\x60\xea\x00\x00" + b"x" * _MANY + b"q\x00](" + b"h\x00" * 900
        + b"e.",
    }  # fmt: skip


def _endless() -> dict[str, bytes]:
    most = b"\xff\xff\xff\x7f"
    return {
        "LONG_BINPUT": b"Nr\xff\xff\xff\xff.",
        "PUT": b"Np99999999999999999999\n.",
        "GET": b"g99999999999999999999\n.",
        "LONG4": b"\x8b" + struct.pack("<i", _MANY) + b"\x7f" * _MANY + b".",
        "LONG4 that is longer than it is": b"\x8b" + most + b"\x7f" * 9 + b".",
        "LONG4 of less than nothing": b"\x8b\xff\xff\xff\xff.",
        "LONG": b"L" + b"9" * _MANY + b"L\n.",
        "INT": b"I" + b"9" * _MANY + b"\n.",
        "FLOAT": b"F" + b"9" * _MANY + b"\n.",
        "BINUNICODE8": b"\x8d" + b"\xff" * 7 + b"\x3fx.",
        "BINBYTES8": b"\x8e" + b"\xff" * 7 + b"\x3fx.",
        "BYTEARRAY8": b"\x96\x00\x00\x00\x00\x00\x01\x00\x00x.",
        "FRAME": b"\x80\x04\x95" + b"\xff" * 8 + b"N.",
        "marks": b"(" * _MANY + b".",
        "lists, one in the other": b"]" * 30_000 + b"a" * 29_999 + b".",
        "tuples, one in the other": b")" + b"\x85" * _MANY + b".",
        "pushed and dropped": b"N0" * 30_000 + b"N.",
        "doubled": b"]" + b"2a" * 30_000 + b".",
        "a list of many": b"](" + b"K\x01" * 30_000 + b"e.",
        "a dict of many": b"}(" + b"K\x01N" * 20_000 + b"u.",
    }


def _broken() -> dict[str, bytes]:
    return {
        "nothing": b"",
        "an end": b".",
        "a protocol of the future": b"\x80\xffN.",
        "no end": b"]" * 9,
        "an empty stack": b"0.",
        "a mark as a value": b"(.",
        "a bad escape": b"S'\\x'\n.",
        "a text that is none": b"X\x04\x00\x00\x00\xff\xfe\xff\xfe.",
        "no pickle": b"\x00\xff" * 500,
    }


def _damaged(mark: str) -> dict[str, bytes]:
    whole = pickle.dumps(Trap(mark))
    quarter = len(whole) // 4
    cut = {f"cut after {n} quarters": whole[: n * quarter] for n in (1, 2, 3)}
    return cut | {"cut before the end": whole[:-1]}


class Watch:
    """`with Watch() as watch:` and look at `watch.seen`: what was run, found or imported in there.

    Only in the thread that entered it. What the interpreter is told to call it calls for ever, so
    there is one such call for all.
    """

    _now: Watch | None = None
    _is_planted = False

    def __init__(self) -> None:
        self.seen: list[str] = []
        self._thread = get_ident()

    def __enter__(self) -> Self:
        for codec in _CODECS:
            lookup(codec)
        if not Watch._is_planted:
            Watch._is_planted = True
            sys.addaudithook(_heard)
        Watch._now = self
        return self

    def __exit__(self, *_: object) -> None:
        Watch._now = None

    def hear(self, event: str, args: tuple[object, ...]) -> None:
        """Remember an event that must not be."""
        if event in _FORBIDDEN and get_ident() == self._thread:
            self.seen.append(f"{event} {args!r}"[:_SHOWN])


def _heard(event: str, args: tuple[object, ...]) -> None:
    now = Watch._now  # noqa: SLF001  (of this module)
    if now is not None:
        now.hear(event, args)
