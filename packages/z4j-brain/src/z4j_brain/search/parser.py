"""Text to tree by recursive descent. The rule: what cannot be meant is an error with its column."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .keys import KEYS, ORDERED, Key, Kind, nearest
from .tree import EMPTY, And, Field, Node, Not, Or, QueryError, Text, Value
from .values import SHORTEST, check_value

MAX_CHARS = 1024
MAX_TERMS = 64
MAX_DEPTH = 8
MAX_VALUES = 200
_STOP = frozenset(' \t\r\n"()')
_SEGMENT = re.compile(r'\.(?:[^\s"():.]+|"(?:[^"\\]|\\.)*")')
_KEY = re.compile(rf'([^\s"():.]+)((?:{_SEGMENT.pattern})*):')
_ESCAPE = re.compile(r'\\(["\\])')
_OPS = (">=", "<=", "=", ">", "<")


def parse(text: str, keys: Mapping[str, Key] = KEYS) -> Node:
    """The tree of `text`, whose keys are of `keys`; blank text matches everything.

    Raises:
        QueryError: with code, column and, for a mistyped word, the nearest known one.
    """
    if len(text) > MAX_CHARS:
        raise QueryError("query.limit", MAX_CHARS, f"a query has at most {MAX_CHARS} characters")
    for column, char in enumerate(text):
        if char == "\0" or "\ud800" <= char <= "\udfff":
            raise QueryError("query.syntax", column, "this character cannot be searched for")
    return _Parser(text, keys).query()


class _Parser:
    """One pass over one text; `at` is the column of the next character."""

    def __init__(self, text: str, keys: Mapping[str, Key]) -> None:
        self.text = text
        self.keys = keys
        self.at = 0
        self.depth = 0
        self.terms = 0
        self.values = 0

    def query(self) -> Node:
        self._space()
        if self.at == len(self.text):
            return EMPTY
        node = self._or()
        if self.at < len(self.text):
            raise QueryError("query.syntax", self.at, f"unexpected {self.text[self.at]!r}")
        return node

    def _or(self) -> Node:
        items = [self._and()]
        while self._keyword("OR"):
            items.append(self._and())
        return items[0] if len(items) == 1 else Or(tuple(items))

    def _and(self) -> Node:
        items = [self._unary()]
        while True:
            joined = self._keyword("AND")
            if not joined and (self._at_end() or self._peek_keyword("OR")):
                return items[0] if len(items) == 1 else And(tuple(items))
            items.append(self._unary())

    def _unary(self) -> Node:
        negated = False
        while True:
            if self._keyword("NOT"):
                negated = not negated
            elif self.text[self.at : self.at + 1] == "-" and not self._at_end(self.at + 1):
                self.at += 1
                negated = not negated
            else:
                break
        node = self._primary()
        return Not(node) if negated else node

    def _primary(self) -> Node:
        self._space()
        char = self.text[self.at : self.at + 1]
        if char == "(":
            return self._group()
        if not char or char == ")":
            raise QueryError("query.syntax", self.at, "a term is missing here")
        for word in ("OR", "AND"):
            if self._peek_keyword(word):
                raise QueryError("query.syntax", self.at, f"a term is missing before {word}")
        self._count_term()
        return self._term()

    def _group(self) -> Node:
        opened = self.at
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise QueryError("query.limit", opened, f"at most {MAX_DEPTH} parentheses deep")
        self.at += 1
        self._space()
        node = self._or()
        if self.text[self.at : self.at + 1] != ")":
            raise QueryError("query.syntax", opened, "this parenthesis is never closed")
        self.at += 1
        self.depth -= 1
        self._space()
        return node

    def _term(self) -> Node:
        start = self.at
        if self.text[start] == '"':
            text = self._quoted()
            self._space()
            return _free(text, start)
        if found := _KEY.match(self.text, start):
            self.at = found.end()
            return self._field(found[1], _path(found[2]), start)
        while self.at < len(self.text) and self.text[self.at] not in _STOP:
            self.at += 1
        text = self.text[start : self.at]
        if ":" in text or self.text[self.at : self.at + 1] in ('"', "("):
            detail = "this is neither a key with its value nor a word; quote it to search as text"
            raise QueryError("query.syntax", start, detail)
        self._space()
        return _free(text, start)

    def _field(self, name: str, path: tuple[str, ...], start: int) -> Node:
        key = self.keys.get(name)
        if key is None:
            near = nearest(name, self.keys)
            detail = f"unknown key {name!r}; quote it to search as text"
            raise QueryError("query.unknown_key", start, detail, near)
        if (key.kind is Kind.ARG) != bool(path):
            detail = f"{name} has no path" if path else "arg needs a path, such as arg.order_id"
            raise QueryError("query.syntax", start, detail)
        op = self._op(key, name)
        values = [self._value(key, name, op)]
        while self.text[self.at : self.at + 1] == ",":
            self.at += 1
            values.append(self._value(key, name, op))
        self._space()
        return Field(name, path, op, tuple(values), start)

    def _op(self, key: Key, name: str) -> str:
        for op in _OPS:
            if self.text.startswith(op, self.at):
                if op != "=" and key.kind not in ORDERED:
                    raise QueryError("query.syntax", self.at, f"{name} has no order: {op}")
                self.at += len(op)
                return op
        return ""

    def _value(self, key: Key, name: str, op: str) -> Value:
        start = self.at
        self.values += 1
        if self.values > MAX_VALUES:
            raise QueryError("query.limit", start, f"at most {MAX_VALUES} values")
        if self.text[start : start + 1] == '"':
            value = Value(self._quoted(), quoted=True)
            if not self._at_end() and self.text[self.at] not in " \t\r\n),":
                raise QueryError("query.syntax", self.at, "a value ends at its quotation mark")
        else:
            value = self._bare_value(key, start)
        check_value(key, name, op, value, start)
        return value

    def _bare_value(self, key: Key, start: int) -> Value:
        while self.at < len(self.text) and self.text[self.at] not in _STOP | {","}:
            self.at += 1
        text = self.text[start : self.at]
        if not text:
            raise QueryError("query.syntax", start, "a value is missing here")
        if self.text[self.at : self.at + 1] in ('"', "("):
            raise QueryError("query.syntax", self.at, "quote a value that holds this character")
        if ".." in text and key.kind in ORDERED:
            lower, _, upper = text.partition("..")
            return Value(lower, is_range=True, upper=upper)
        return Value(text)

    def _quoted(self) -> str:
        start = self.at
        self.at += 1
        out: list[str] = []
        while self.at < len(self.text):
            char = self.text[self.at]
            if char == '"':
                self.at += 1
                return "".join(out)
            if char == "\\" and self.text[self.at + 1 : self.at + 2] in ('"', "\\"):
                self.at += 1
                char = self.text[self.at]
            out.append(char)
            self.at += 1
        raise QueryError("query.syntax", start, "this quotation mark is never closed")

    def _count_term(self) -> None:
        self.terms += 1
        if self.terms > MAX_TERMS:
            raise QueryError("query.limit", self.at, f"at most {MAX_TERMS} terms")

    def _space(self) -> None:
        while self.text[self.at : self.at + 1] in (" ", "\t", "\r", "\n"):
            self.at += 1

    def _at_end(self, at: int | None = None) -> bool:
        char = self.text[self.at if at is None else at :][:1]
        return char in ("", ")", " ", "\t", "\r", "\n")

    def _peek_keyword(self, word: str) -> bool:
        end = self.at + len(word)
        after = self.text[end : end + 1]
        return self.text.startswith(word, self.at) and (not after or after in _STOP)

    def _keyword(self, word: str) -> bool:
        if not self._peek_keyword(word):
            return False
        self.at += len(word)
        self._space()
        return True


def _path(text: str) -> tuple[str, ...]:
    """Segments of `.a.0."b c"`, quotation marks and escapes removed."""
    return tuple(
        _ESCAPE.sub(r"\1", part[2:-1]) if part[1] == '"' else part[1:]
        for part in _SEGMENT.findall(text)
    )


def _free(text: str, column: int) -> Text:
    if len(text) < SHORTEST:
        raise QueryError("query.short_text", column, "text to search for has at least 3 characters")
    return Text(text, column)
