"""Pickles are read, never run: nothing they name is imported, nothing they say is called."""

from __future__ import annotations

import codecs
import collections
import dataclasses
import datetime as dt
import decimal
import gzip
import json
import os
import pickle
import random
import struct
import sys
import time
import uuid
import zlib

import pytest
from z4j_core.payload import MAX_BYTES, Node, Opaque, inflated, opaque_text, peek
from z4j_core.redact import preview_value

Message = collections.namedtuple("Message", ["id", "name", "args"])  # noqa: PYI024
PLAIN = [
    None, True, False, 0, -1, 255, 65_536, 2**40, -(2**70), 1.5, "", "ä\n", b"abc", [],
    {}, (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), [1, [2, [3]]], {"a": {"b": [1, (2, None)]}},
    {1: 2, None: 3, b"k": 4},
    ["x" * 300], [{"same": 1}] * 3,
]  # fmt: skip


@dataclasses.dataclass
class Order:
    id: int
    password: str


class Bomb:
    def __reduce__(self):
        return os.system, ("touch /nonexistent/bomb",)


seen: list[str] = []
watching: list[bool] = []
FORBIDDEN = {
    "os.system",
    "exec",
    "subprocess.Popen",
    "os.exec",
    "os.fork",
    "ctypes.dlopen",
    "import",
}


def watch(event, args):
    if watching and event in FORBIDDEN:
        seen.append(f"{event} {args!r}")


for codec in ("raw_unicode_escape", "latin-1", "ascii", "utf-8"):
    codecs.lookup(codec)
sys.addaudithook(watch)


@pytest.fixture(autouse=True)
def nothing_runs():
    """Nothing is imported, executed or started while a test runs."""
    seen.clear()
    watching.append(True)
    yield
    watching.clear()
    assert seen == []


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_plain_data_is_what_it_was(protocol):
    assert peek(pickle.dumps(PLAIN, protocol)) == PLAIN


def test_sets_are_lists():
    assert sorted(peek(pickle.dumps({3, 1, 2}, 5))) == [1, 2, 3]
    assert peek(pickle.dumps(frozenset({7}), 5)) == [7]


@pytest.mark.parametrize("protocol", range(6))
def test_an_object_is_a_name_and_what_it_would_have_got(protocol):
    node = peek(pickle.dumps(Order(1, "hunter2"), protocol))

    assert type(node) is Node
    assert "hunter2" not in preview_value(node)[2]
    json.loads(preview_value(node)[2])


def test_the_fields_of_an_object_are_shown_under_its_name():
    text = preview_value(peek(pickle.dumps(Order(1, "hunter2"), 5)))[2]

    assert text == f'{{"<{__name__}.Order>":{{"id":1,"password":"[redacted]"}}}}'


def test_a_named_tuple_keeps_its_positions():
    node = peek(pickle.dumps(Message("t1", "shop.charge", (1, 2)), 5))

    assert node.name == f"{__name__}.Message"
    assert node.args == ("t1", "shop.charge", (1, 2))


@pytest.mark.parametrize(
    "value",
    [dt.datetime(2026, 1, 2, tzinfo=dt.UTC), decimal.Decimal("1.5"), uuid.UUID(int=5),
     ValueError("x"), collections.OrderedDict(a=1), collections.defaultdict(int, a=1),
    range(3), Message(1, 2, 3)],
    ids=range(8),
)  # fmt: skip
@pytest.mark.parametrize("protocol", range(6))
def test_objects_of_the_library_are_nodes(value, protocol):
    assert type(peek(pickle.dumps([value], protocol))[0]) is Node


def test_a12_a_bomb_is_named_and_does_not_go_off():
    for protocol in range(6):
        node = peek(pickle.dumps(Bomb(), protocol))
        assert node.name in {"posix.system", "os.system", "nt.system"}


def test_a12_classic_attacks_do_nothing():
    for data in (
        b"cos\nsystem\n(S'touch /nonexistent/x'\ntR.",
        b"(S'touch /nonexistent/x'\nios\nsystem\n.",
        b"c__builtin__\neval\n(S'1/0'\ntR.",
        b"\x80\x04\x8c\x08builtins\x8c\x04exec\x93\x8c\x03x=1\x85R.",
    ):
        assert type(peek(data)) is Node


@pytest.mark.parametrize(
    "data",
    [b"", b".", b"(.", b"0.", b"2.", b"Pid\n.", b"Q.", b"\x82\x01.", b"\x97.", b"(t", b"]a.",
     b"}s.", b"\x86.", b"h\x05.", b"NR.", b"NNR.", b"]N\x93.", b"K\x01K\x02\x93.", b"((a.",
     b"}(K\x01u.", b"not a pickle"],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(data):
    with pytest.raises(Opaque):
        peek(data)


def test_what_is_too_large_or_too_long_is_refused():
    with pytest.raises(Opaque, match="larger"):
        peek(pickle.dumps("x" * MAX_BYTES))
    with pytest.raises(Opaque, match="steps"):
        peek(pickle.dumps([[n] for n in range(3_000)]))
    assert len(peek(pickle.dumps([[n] for n in range(3_000)]), max_opcodes=20_000)) == 3_000


def test_a_shared_graph_as_a_name_or_a_key_takes_no_time():
    graph = b"]"
    for step in range(60):
        graph += b"q" + bytes([step]) + b"]q\x3f(h" + bytes([step]) + b"h" + bytes([step]) + b"e"
    begun = time.process_time()
    for tail in (b"\x8c\x01x\x93.", b"N\x93.", b"\x85}2N.", b"."):
        try:
            preview_value(peek(b"\x80\x04" + graph + tail))
        except Opaque:
            continue

    assert time.process_time() - begun < 1


def test_a_nested_tuple_as_a_key_is_never_hashed():
    data = b")" + b"q\x01h\x01\x86" + b"2\x86" * 60 + b"q\x02}h\x02Ns."
    begun = time.process_time()

    assert peek(data) == {"<tuple>": None}
    assert time.process_time() - begun < 1


def test_a12_a_huge_memo_index_allocates_nothing():
    assert peek(b"Nr\xff\xff\xff\xff.") is None


def test_a12_endless_integers_are_bounded():
    huge = b"\x8b" + struct.pack("<i", 60_000) + b"\x7f" * 60_000 + b"."

    assert preview_value(peek(huge))[0] == 2
    with pytest.raises(Opaque):
        peek(b"L" + b"9" * 60_000 + b"L\n.")


def test_a_value_that_holds_itself_is_shown_within_bounds():
    endless = []
    endless.append(endless)

    text = preview_value(peek(pickle.dumps(endless)))[2]

    json.loads(text)


def test_a12_mutated_pickles_are_read_or_refused_and_nothing_runs():
    rng = random.Random(1)
    seeds = [pickle.dumps(value, protocol) for protocol in range(6)
             for value in (PLAIN, Order(1, "x"), Bomb(), Message("t", "n", (1,)))]  # fmt: skip
    begun = time.process_time()

    for n in range(6_000):
        data = bytearray(seeds[n % len(seeds)])
        for _ in range(rng.randrange(1, 6)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        try:
            preview_value(peek(bytes(data)))
        except Opaque:
            continue

    assert time.process_time() - begun < 30


def test_a16_compressed_bytes_are_inflated_within_bounds():
    data = pickle.dumps((1, 2))

    assert peek(inflated(zlib.compress(data))) == (1, 2)
    assert peek(inflated(gzip.compress(data))) == (1, 2)
    assert inflated(data) == data
    with pytest.raises(Opaque):
        inflated(zlib.compress(bytes(100_000_000)))
    with pytest.raises(Opaque):
        inflated(b"x\x9cgarbage")


def test_what_cannot_be_read_is_told_by_kind_and_size():
    assert opaque_text("pickle", bytes(312)) == "opaque (pickle, 312 B)"
