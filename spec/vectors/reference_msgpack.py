"""The msgpack of the second implementation: standard library, nothing of ours."""
# ruff: noqa: INP001, PLR2004  a script beside the documents, whose numbers are those of the text

from __future__ import annotations

import struct
from typing import Any


class Fault(Exception):
    """One failure class."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


def need(condition: object, kind: str = "Malformed") -> None:
    """Refuse with a class unless the condition holds."""
    if not condition:
        raise Fault(kind)


def pack(value: Any) -> bytes:
    """Shortest form of a value."""
    if value is None or value is False or value is True:
        return {None: b"\xc0", False: b"\xc2", True: b"\xc3"}[value]
    if isinstance(value, int):
        return _pack_int(value)
    if isinstance(value, float):
        return b"\xcb" + struct.pack(">d", value)
    if isinstance(value, str):
        data = value.encode()
        return _head(len(data), 0xA0, 32, (0xD9, 0xDA, 0xDB)) + data
    if isinstance(value, bytes):
        return _head(len(value), None, 0, (0xC4, 0xC5, 0xC6)) + value
    if isinstance(value, (list, tuple)):
        return _head(len(value), 0x90, 16, (None, 0xDC, 0xDD)) + b"".join(map(pack, value))
    pairs = b"".join(pack(key) + pack(one) for key, one in value.items())
    return _head(len(value), 0x80, 16, (None, 0xDE, 0xDF)) + pairs


def _pack_int(value: int) -> bytes:
    if -32 <= value < 128:
        return struct.pack(">b", value)
    codes = "BHIQ" if value >= 0 else "bhiq"
    first = 0xCC if value >= 0 else 0xD0
    for n, code in enumerate(codes):
        size = 8 << n
        low, high = (0, 1 << size) if value >= 0 else (-(1 << (size - 1)), 1 << (size - 1))
        if low <= value < high:
            return bytes((first + n,)) + struct.pack(">" + code, value)
    raise Fault("Malformed")


def _head(length: int, fixed: int | None, below: int, codes: tuple[int | None, ...]) -> bytes:
    if fixed is not None and length < below:
        return bytes((fixed | length,))
    for code, form, limit in zip(
        codes, (">BB", ">BH", ">BI"), (1 << 8, 1 << 16, 1 << 32), strict=True
    ):
        if code is not None and length < limit:
            return struct.pack(form, code, length)
    raise Fault("Malformed")


class Reader:
    """Reads one value at a time, refusing what the wire does not allow."""

    def __init__(self, data: bytes, max_array: int = 4_096, depth: int = 16) -> None:
        self.data, self.at, self.max_array, self.depth = data, 0, max_array, depth

    def take(self, size: int) -> bytes:
        """The next bytes."""
        need(self.at + size <= len(self.data))
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, form: str) -> Any:
        """The next bytes as one number."""
        return struct.unpack(">" + form, self.take(struct.calcsize(form)))[0]

    def value(self) -> Any:
        """The next value."""
        byte = self.take(1)[0]
        if byte < 0x80:
            return byte
        if byte >= 0xE0:
            return byte - 256
        if byte < 0x90:
            return self.map(byte & 15)
        if byte < 0xA0:
            return self.array(byte & 15)
        if byte < 0xC0:
            return self.text(byte & 31)
        return self.coded(byte)

    def coded(self, byte: int) -> Any:
        """A value whose form is a whole byte."""
        if byte in (0xC0, 0xC2, 0xC3):
            return {0xC0: None, 0xC2: False, 0xC3: True}[byte]
        if 0xCC <= byte <= 0xD3:
            return self.number("BHIQbhiq"[byte - 0xCC])
        if byte in (0xCA, 0xCB):
            found = self.number("f" if byte == 0xCA else "d")
            need(found == found and abs(found) != float("inf"))  # noqa: PLR0124 - NaN
            return found
        sized = {0xC4: ("B", self.take), 0xC5: ("H", self.take), 0xC6: ("I", self.take),
                 0xD9: ("B", self.text), 0xDA: ("H", self.text), 0xDB: ("I", self.text),
                 0xDC: ("H", self.array), 0xDD: ("I", self.array),
                 0xDE: ("H", self.map), 0xDF: ("I", self.map)}  # fmt: skip
        need(byte in sized)
        form, read = sized[byte]
        return read(self.number(form))

    def text(self, size: int) -> str:
        """Text of so many bytes."""
        try:
            return self.take(size).decode()
        except UnicodeDecodeError:
            raise Fault("Malformed") from None

    def deeper(self) -> None:
        """Enter an array or map."""
        need(self.depth, "Depth")
        self.depth -= 1

    def array(self, size: int) -> list[Any]:
        """So many values."""
        need(size <= self.max_array)
        self.deeper()
        found = [self.value() for _ in range(size)]
        self.depth += 1
        return found

    def map(self, size: int) -> dict[str, Any]:
        """So many pairs; of equal keys the last counts."""
        need(size <= 256)
        self.deeper()
        found = {}
        for _ in range(size):
            key = self.value()
            need(type(key) is str)
            found[key] = self.value()
        self.depth += 1
        return found


def unpack(data: bytes) -> Any:
    """The one value of some bytes."""
    reader = Reader(data)
    value = reader.value()
    need(reader.at == len(data))
    return value
