"""Values become bounded JSON and no foreign code runs on the way."""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import enum
import json
import threading
import time
import uuid
from collections import OrderedDict, defaultdict, deque
from typing import Any, NamedTuple

import pytest
from z4j_core.model.tasks import ErrorText
from z4j_core.redact import Redactor, error_preview, preview_args, preview_kwargs, preview_value

touched: list[str] = []


class Hostile:
    """Every method that could be asked for is a trap."""

    def __getattribute__(self, name: str) -> Any:
        touched.append(name)
        raise RuntimeError(name)

    def _trap(self, *_args: Any) -> Any:
        touched.append("trap")
        raise RuntimeError("trap")

    __repr__ = __str__ = __len__ = __iter__ = __eq__ = __bool__ = __format__ = _trap
    __getattr__ = __int__ = __float__ = __bytes__ = __fspath__ = __index__ = _trap
    __hash__ = object.__hash__


class HostileDict(dict):
    items = keys = values = get = __iter__ = __len__ = __getitem__ = __contains__ = Hostile._trap


class HostileList(list):
    __iter__ = __len__ = __getitem__ = __repr__ = Hostile._trap


class HostileStr(str):
    __slots__ = ()
    __str__ = __repr__ = __len__ = __getitem__ = __format__ = encode = Hostile._trap


class HostileInt(int):
    __repr__ = __str__ = __int__ = __index__ = bit_length = Hostile._trap


class HostileMeta(type):
    def __getattribute__(cls, name: str) -> Any:
        touched.append(name)
        raise RuntimeError(name)


class WithHostileClass(metaclass=HostileMeta):
    pass


class WithDictProperty:
    __slots__ = ()

    @property
    def __dict__(self):  # type: ignore[override]
        touched.append("__dict__")
        raise RuntimeError


class HostileError(Exception):
    __str__ = __repr__ = Hostile._trap

    @property
    def __cause__(self):
        touched.append("cause")
        raise RuntimeError


@pytest.fixture(autouse=True)
def untouched():
    touched.clear()
    yield
    assert touched == []


HOSTILE = {
    "object": Hostile,
    "in a list": lambda: [Hostile()],
    "in a dict": lambda: {"a": Hostile()},
    "key": lambda: {Hostile(): 1},
    "dict": lambda: HostileDict(a=1),
    "list": lambda: HostileList([1]),
    "str": lambda: HostileStr("x"),
    "str key": lambda: {HostileStr("x"): 1},
    "int": lambda: HostileInt(7),
    "class of a class": WithHostileClass,
    "dict property": WithDictProperty,
    "class": lambda: Hostile,
    "name and value": lambda: {"name": Hostile(), "value": Hostile()},
    "pair": lambda: (Hostile(), Hostile()),
    "named pair": lambda: ("token", Hostile()),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a5_no_method_of_a_foreign_class_is_called(kind):
    value = HOSTILE[kind]()
    touched.clear()

    previews = preview_value(value), preview_args([value]), preview_kwargs({"x": value})

    for preview in previews:
        json.loads(preview[2])


def test_a5_no_method_of_a_foreign_exception_is_called():
    for error in (HostileError("told"), ValueError(Hostile()), KeyError(HostileStr("x"))):
        error_preview(error)

    assert error_preview(HostileError("told"))[1] == (0, 4, "told")


def test_plain_values_are_the_json_one_expects():
    value = {
        "a": [1, -2.5, True, None, "ä\n"], "b": (1, 2, 3), "d": dt.date(2026, 1, 2),
        "m": dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.UTC), "u": uuid.UUID(int=5),
        "e": decimal.Decimal("1.50"), 7: "seven", None: 0, "s": {3}, "q": deque([1]),
        "o": OrderedDict(x=1), "f": defaultdict(int, y=2), "t": dt.timedelta(seconds=61),
    }  # fmt: skip

    flags, size, text = preview_value(value)

    assert flags == 0
    assert size == len(text.encode())
    assert json.loads(text) == {
        "a": [1, -2.5, True, None, "ä\n"], "b": [1, 2, 3], "d": "2026-01-02",
        "m": "2026-01-02T03:04:00+00:00", "u": str(uuid.UUID(int=5)), "e": "1.50",
        "7": "seven", "null": 0, "s": [3], "q": [1], "o": {"x": 1}, "f": {"y": 2}, "t": "0:01:01",
    }  # fmt: skip


def test_numbers_json_has_no_word_for_are_text():
    values = [float("nan"), float("inf"), float("-inf"), 1e300, 1e-7]

    assert json.loads(preview_value(values)[2]) == ["NaN", "Infinity", "-Infinity", 1e300, 1e-7]


def test_big_integers_are_exact_and_endless_ones_are_named():
    exact = 10**900 + 7

    assert preview_value(exact)[2] == str(exact)
    assert preview_value(10**1_000_000)[2] == '"<int, 3321929 bits>"'


def test_lone_surrogates_are_escaped():
    text = preview_value(["\udc80", "é", {"\ud800": 1}])[2]

    text.encode("utf-8")
    assert json.loads(text) == ["\udc80", "é", {"\ud800": 1}]


@dataclasses.dataclass
class Order:
    id: int
    api_key: str


@dataclasses.dataclass(slots=True)
class Slotted:
    id: int
    password: str


class Point(NamedTuple):
    x: int
    secret: str


class Color(enum.Enum):
    RED = 1


class Level(enum.IntEnum):
    LOW = 1


def test_declared_fields_are_shown_and_masked_by_name():
    assert preview_value(Order(1, "k"))[2] == '{"id":1,"api_key":"[redacted]"}'
    assert preview_value(Slotted(1, "k"))[2] == '{"id":1,"password":"[redacted]"}'
    assert preview_value(Point(1, "k"))[2] == '{"x":1,"secret":"[redacted]"}'


def test_other_objects_are_shown_by_the_name_of_their_class():
    flags, _, text = preview_value([object(), Color.RED, Level.LOW, b"abc", Order])

    assert flags == 4
    assert json.loads(text) == ["<object>", f"<{__name__}.Color>", 1, "<bytes, 3 B>", "<type>"]


@pytest.mark.parametrize(
    "value",
    [
        "x" * 10_000_000, ["y" * 1_000] * 10_000, list(range(1_000_000)),
        dict.fromkeys(range(100_000)),
        {"k" * 100_000: "v" * 100_000}, b"z" * 10_000_000, "ü" * 5_000_000, "\x00" * 5_000_000,
        [[[[[["deep"] * 50] * 50] * 50] * 50] * 50] * 50, ["\udc80" * 5_000] * 40,
        "漢" * 5_000_000, {"漢" * 300 + str(n): 1 for n in range(50)}, [10**900] * 9,
        [object] * 900,
        [[[[["漢" * 900] * 3, uuid.UUID(int=1)] * 40, decimal.Decimal(10) ** 900] * 40] * 40] * 40,
        {f"ключ{n}": "значение" * 100 for n in range(1_000)},
    ],
    ids=range(16),
)  # fmt: skip
def test_ten_megabytes_are_bounded_in_time_and_size(value):
    begun = time.process_time()

    for flags, _, text in (
        preview_value(value),
        preview_args((value,), ("a",)),
        preview_kwargs({"a": value}),
    ):
        assert len(text.encode()) <= 2_048
        assert flags & 2 or isinstance(value, bytes)
        json.loads(text)

    assert time.process_time() - begun < 2


def test_a_value_that_holds_itself_ends():
    endless: list[Any] = [1]
    endless.append(endless)
    endless.append({"me": endless})

    flags, _, text = preview_value(endless)

    assert flags & 2
    json.loads(text)


def test_a_dict_changed_by_another_thread_never_raises():
    value = {n: n for n in range(40)}
    stop = threading.Event()

    def change():
        n = 40
        while not stop.is_set():
            value[n] = value.pop(n - 40)
            n += 1

    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(300):
            preview_value(value)
    finally:
        stop.set()
        thread.join(10)


def test_positional_arguments_are_named_by_their_parameters():
    flags, _, text = preview_args((1, "hunter2", 3), ("user_id", "password"))

    assert (flags, text) == (1, '[1,"[redacted]",3]')


def test_args_may_be_withheld_told_by_type_or_shown():
    args, kwargs = (1, Order(1, "k")), {"password": "x", "n": 1}

    assert Redactor(mode="none").preview_args(args) == (8, 0, "")
    assert Redactor(mode="none").preview_kwargs(kwargs) == (8, 0, "")
    assert Redactor(mode="types").preview_args(args)[2] == f'["int","{__name__}.Order"]'
    assert Redactor(mode="types").preview_kwargs(kwargs)[2] == '{"password":"str","n":"int"}'
    assert Redactor(mode="full").preview_kwargs(kwargs) == (0, 22, '{"password":"x","n":1}')
    assert Redactor(mode="bogus").preview_value("x") == (8, 0, "")
    assert Redactor().preview_args(args, mode="none") == (8, 0, "")


def raised(error: BaseException) -> BaseException:
    password = "a local that is never shown"
    assert password
    try:
        raise error
    except type(error) as caught:
        return caught


def test_an_error_is_its_type_its_message_and_where_it_happened():
    name, message, trace = error_preview(raised(ValueError("no such order")))

    assert name == "ValueError"
    assert message == (0, 13, "no such order")
    assert trace is not None
    assert trace[2].startswith("Traceback (most recent call last):\n  File ")
    assert "in raised\n    raise error\n" in trace[2]
    assert trace[2].endswith("ValueError: no such order\n")
    assert "a local" not in trace[2]


def test_the_cause_is_told_before_the_error():
    try:
        try:
            {}["token"]
        except KeyError as error:
            raise OSError(2, "No such file", "/etc/shop") from error
    except OSError as error:
        _, message, trace = error_preview(error)

    assert message is not None
    assert trace is not None
    assert message[2] == "[Errno 2] No such file: /etc/shop"
    assert (
        trace[2].index("KeyError: token") < trace[2].index("direct cause") < trace[2].index("Errno")
    )


def test_a_secret_in_an_error_is_masked_everywhere():
    _, message, trace = error_preview(raised(ValueError("password=hunter2 is wrong")))

    assert message is not None
    assert trace is not None
    assert "hunter2" not in message[2] + trace[2]
    assert message[0] == trace[0] & 1 == 1


def test_a_deep_recursion_keeps_its_head_and_its_tail():
    def deep(n):
        if n == 0:
            raise ValueError("x" * 5_000)
        deep(n - 1)

    try:
        deep(300)
    except ValueError as error:
        _, message, trace = error_preview(error)

    assert message is not None
    assert trace is not None
    assert len(message[2].encode()) <= 1_024
    assert len(trace[2].encode()) <= 6_144
    assert trace[0] & 2
    assert trace[2].startswith("Traceback")


def test_text_of_an_engine_is_treated_as_an_exception():
    name, message, trace = error_preview(
        ErrorText("shop.Refused", "token=abc", "Traceback\n token=abc")
    )

    assert name == "shop.Refused"
    assert message == (1, 16, "token=[redacted]")
    assert trace is not None
    assert "abc" not in trace[2]


def test_a_long_name_ends_in_a_digest():
    name, _, _ = error_preview(ErrorText("x" * 1_000, ""))

    assert len(name) == 256
    assert name[223] == "#"


def test_an_error_whose_message_lies_in_an_attribute_is_told():
    class Detailed(Exception):
        def __init__(self, detail):
            super().__init__()
            self.detail = detail

    assert error_preview(Detailed("not allowed"))[1] == (0, 11, "not allowed")


def test_headers_are_bounded_and_masked():
    headers = {
        "Authorization": "Bearer abc",
        "lang": "py",
        "n": 5,
        **{f"h{n}": "x" for n in range(30)},
    }

    shown = Redactor().headers(headers)

    assert len(shown) == 16
    assert shown["Authorization"] == "[redacted]"
    assert shown["lang"] == "py"
    assert shown["n"] == "5"
