"""A pickle as plain data, by walking its opcodes with a stack of our own.

The rule: opcodes that would import, build or call leave a Node with a name; whatever else reaches
outside the bytes is refused.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from typing import Any

MAX_PICKLE_BYTES = 64 * 1024
MAX_OPCODES = 2_000
_NAME_CHARS = 200
_SCALARS = frozenset({str, int, float, bool, bytes, type(None)})
_MARK = object()
# Bad escapes are a DeprecationWarning, which an app may have turned into an error.
_DAMAGED = (ValueError, LookupError, OverflowError, MemoryError, DeprecationWarning, SyntaxWarning)


class Opaque(ValueError):
    """The bytes cannot be read without code of the app, or not within bounds."""


class Node:
    """Where an object would have been made: the name of its class and what it would have got.

    Compared and hashed by identity; a key of a dict is never a node.
    """

    __slots__ = ("args", "name", "state")

    def __init__(self, name: str, args: tuple[Any, ...] = (), state: Any = None) -> None:
        self.name = name
        self.args = args
        self.state = state

    def __repr__(self) -> str:
        return f"<{self.name}>"


class _Machine:
    """Stack and memo of one walk."""

    __slots__ = ("memo", "stack")

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def pop(self) -> Any:
        value = self.stack.pop()
        if value is _MARK:
            raise Opaque("a mark where a value should be")
        return value

    def top(self, kind: type) -> Any:
        value = self.stack[-1]
        if type(value) is not kind and type(value) is not Node:
            raise Opaque("a value of another kind")
        return value

    def since_mark(self) -> list[Any]:
        values: list[Any] = []
        while (value := self.stack.pop()) is not _MARK:
            values.append(value)
        return values[::-1]


def peek(data: bytes, *, max_bytes: int = MAX_PICKLE_BYTES, max_opcodes: int = MAX_OPCODES) -> Any:
    """The value of a pickle: built-in containers and scalars, with a Node for every object.

    Sets are lists, and a key that is no scalar is the text of its kind. The result may hold itself:
    show it only through a bounded walk.

    Raises:
        Opaque: too large, damaged, or in need of something outside the bytes.
    """
    if len(data) > max_bytes:
        raise Opaque(f"larger than {max_bytes} bytes")
    try:
        return _walked(data, max_opcodes)
    except Opaque:
        raise
    except _DAMAGED as error:
        raise Opaque("damaged") from error


def _walked(data: bytes, max_opcodes: int) -> Any:
    machine = _Machine()
    for count, (opcode, arg, _) in enumerate(pickletools.genops(data)):
        if count >= max_opcodes:
            raise Opaque(f"more than {max_opcodes} steps")
        step = _STEPS.get(opcode.name)
        if step is None:
            raise Opaque(f"{opcode.name} reaches outside the bytes")
        step(machine, arg)
    return machine.pop()


def _pushed(value: Callable[[], Any]) -> Callable[[_Machine, Any], None]:
    return lambda machine, _arg: machine.stack.append(value())


def _constant(machine: _Machine, arg: Any) -> None:
    machine.stack.append(arg)


def _nothing(_machine: _Machine, _arg: Any) -> None:
    """Protocol and frames say nothing about the value."""


def _collected(make: Callable[[list[Any]], Any]) -> Callable[[_Machine, Any], None]:
    return lambda machine, _arg: machine.stack.append(make(machine.since_mark()))


def _tuple_of(count: int) -> Callable[[_Machine, Any], None]:
    def step(machine: _Machine, _arg: Any) -> None:
        values = [machine.pop() for _ in range(count)]
        machine.stack.append(tuple(values[::-1]))

    return step


def _key(value: Any) -> Any:
    """A key that is safe to hash: nested tuples can take for ever."""
    return value if type(value) in _SCALARS else f"<{type(value).__name__.lower()}>"


def _dict_of(values: list[Any]) -> dict[Any, Any]:
    if len(values) % 2:
        raise Opaque("a key without a value")
    pairs = iter(values)
    return {_key(key): value for key, value in zip(pairs, pairs, strict=True)}


def _append(machine: _Machine, _arg: Any) -> None:
    value = machine.pop()
    _extend(machine.top(list), [value])


def _appends(machine: _Machine, _arg: Any) -> None:
    values = machine.since_mark()
    _extend(machine.top(list), values)


def _extend(into: Any, values: list[Any]) -> None:
    if type(into) is Node:
        into.args = (*into.args, *values)
    else:
        into.extend(values)


def _set_item(machine: _Machine, _arg: Any) -> None:
    value, key = machine.pop(), machine.pop()
    _update(machine.top(dict), {_key(key): value})


def _set_items(machine: _Machine, _arg: Any) -> None:
    values = _dict_of(machine.since_mark())
    _update(machine.top(dict), values)


def _update(into: Any, values: dict[Any, Any]) -> None:
    if type(into) is Node:
        into.state = {**into.state, **values} if type(into.state) is dict else values
    else:
        into.update(values)


def _put(machine: _Machine, arg: Any) -> None:
    value = machine.stack[-1]
    if value is _MARK:
        raise Opaque("a mark where a value should be")
    machine.memo[len(machine.memo) if arg is None else arg] = value


def _get(machine: _Machine, arg: Any) -> None:
    machine.stack.append(machine.memo[arg])


def _named(module: Any, name: Any) -> Node:
    if type(module) is not str or type(name) is not str:
        raise Opaque("a name that is no text")
    return Node(f"{module[:_NAME_CHARS]}.{name[:_NAME_CHARS]}"[:_NAME_CHARS])


def _global(machine: _Machine, arg: Any) -> None:
    module, _, name = str(arg).partition(" ")
    machine.stack.append(_named(module, name))


def _stack_global(machine: _Machine, _arg: Any) -> None:
    name, module = machine.pop(), machine.pop()
    machine.stack.append(_named(module, name))


def _made(machine: _Machine, made_of: Any, args: Any, state: Any = None) -> None:
    if type(made_of) is not Node or type(args) is not tuple:
        raise Opaque("a call of something without a name")
    machine.stack.append(Node(made_of.name, args, state))


def _reduce(machine: _Machine, _arg: Any) -> None:
    args, made_of = machine.pop(), machine.pop()
    _made(machine, made_of, args)


def _new_with_names(machine: _Machine, _arg: Any) -> None:
    state, args, made_of = machine.pop(), machine.pop(), machine.pop()
    _made(machine, made_of, args, state)


def _inst(machine: _Machine, arg: Any) -> None:
    args = tuple(machine.since_mark())
    _global(machine, arg)
    _made(machine, machine.pop(), args)


def _obj(machine: _Machine, _arg: Any) -> None:
    made_of, *args = machine.since_mark()
    _made(machine, made_of, tuple(args))


def _build(machine: _Machine, _arg: Any) -> None:
    state, into = machine.pop(), machine.stack[-1]
    if type(into) is Node:
        into.state = state


def _dropped(machine: _Machine, _arg: Any) -> None:
    machine.stack.pop()


def _dropped_to_mark(machine: _Machine, _arg: Any) -> None:
    machine.since_mark()


_STEPS: dict[str, Callable[[_Machine, Any], None]] = {
    **dict.fromkeys(("PROTO", "FRAME", "STOP"), _nothing),
    **dict.fromkeys(
        (
            "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT",
            "STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "BINUNICODE8",
            "SHORT_BINUNICODE", "BINBYTES", "BINBYTES8", "SHORT_BINBYTES",
        ),
        _constant,
    ),
    "BYTEARRAY8": lambda machine, arg: machine.stack.append(bytes(arg)),
    "NONE": _pushed(lambda: None),
    "NEWTRUE": _pushed(lambda: True),
    "NEWFALSE": _pushed(lambda: False),
    "MARK": _pushed(lambda: _MARK),
    "EMPTY_LIST": _pushed(list),
    "EMPTY_DICT": _pushed(dict),
    "EMPTY_TUPLE": _pushed(tuple),
    "EMPTY_SET": _pushed(list),
    "LIST": _collected(list),
    "TUPLE": _collected(tuple),
    "FROZENSET": _collected(list),
    "DICT": _collected(_dict_of),
    "TUPLE1": _tuple_of(1),
    "TUPLE2": _tuple_of(2),
    "TUPLE3": _tuple_of(3),
    "POP": _dropped,
    "POP_MARK": _dropped_to_mark,
    "DUP": lambda machine, _arg: machine.stack.append(machine.stack[-1]),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"), _put),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), _get),
    "APPEND": _append,
    "APPENDS": _appends,
    "ADDITEMS": _appends,
    "SETITEM": _set_item,
    "SETITEMS": _set_items,
    "GLOBAL": _global,
    "STACK_GLOBAL": _stack_global,
    "REDUCE": _reduce,
    "NEWOBJ": _reduce,
    "NEWOBJ_EX": _new_with_names,
    "INST": _inst,
    "OBJ": _obj,
    "BUILD": _build,
}  # fmt: skip
