"""Registered functions as z4j shows them. The rule: reading a signature runs nothing of the app."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import FunctionType
from typing import Any

from .model.tasks import Parameter, TaskDef

OPTIONS = "__z4j_options__"
Hidden = Callable[[inspect.Parameter], bool]
_STRANGE = ("__wrapped__", "__signature__")
"""What a function may say that is truer than its code."""
_NAMED = int(inspect.Parameter.POSITIONAL_OR_KEYWORD)
MAX_DEFAULT = 100
"""Characters of a default that are shown."""


def definition(name: str, function: Any, **more: Any) -> TaskDef:
    """Describe a task by its function; of one whose function is not here, its name alone.

    `more` are fields of `TaskDef` that only the engine knows.
    """
    if not callable(function):
        return TaskDef(name, **more)
    options = dict(more.pop("options", {}))
    if (said := getattr(function, OPTIONS, None)) is not None:
        options["z4j"] = said
    return TaskDef(
        name,
        module=more.pop("module", None) or getattr(function, "__module__", None),
        params=parameters(function),
        doc=inspect.getdoc(function) or "",
        is_async=inspect.iscoroutinefunction(function),
        options=options,
        **more,
    )


def brief(name: str, function: Any) -> TaskDef:
    """Describe a task by what masks its arguments: for a process that runs one job and ends.

    A plain function tells the names of its parameters without a signature being made of it.
    """
    if type(function) is not FunctionType or not vars(function).keys().isdisjoint(_STRANGE):
        return definition(name, function)
    said = getattr(function, OPTIONS, None)
    code = function.__code__
    count, keywords = code.co_argcount, code.co_kwonlyargcount
    names = list(code.co_varnames[: count + keywords])
    rest = iter(code.co_varnames[count + keywords :])
    if code.co_flags & inspect.CO_VARARGS:
        names.insert(count, next(rest))
    if code.co_flags & inspect.CO_VARKEYWORDS:
        names.append(next(rest))
    params = tuple(Parameter(each, _NAMED) for each in names)
    options = {} if said is None else {"z4j": said}
    return TaskDef(name, module=function.__module__, params=params, options=options)


def parameters(function: Any, *, but: Hidden | None = None) -> tuple[Parameter, ...]:
    """Parameters of a function by name; none when it has no signature to read.

    `but` tells which ones the engine fills in itself: no sender gives them.
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return ()
    given = signature.parameters.values()
    return tuple(_parameter(each) for each in given if but is None or not but(each))


def _parameter(given: inspect.Parameter) -> Parameter:
    has_default = given.default is not inspect.Parameter.empty
    has_annotation = given.annotation is not inspect.Parameter.empty
    return Parameter(
        given.name,
        int(given.kind),
        has_default,
        repr(given.default)[:MAX_DEFAULT] if has_default else None,
        inspect.formatannotation(given.annotation) if has_annotation else None,
    )
