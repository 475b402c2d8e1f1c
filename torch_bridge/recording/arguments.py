"""Arguments of public functions: lists that may be one name, and calls that don't fit, with what would be right."""

from __future__ import annotations

import difflib
import functools
import inspect
import numbers
from collections.abc import Callable, Collection, Iterable
from pathlib import PurePath
from typing import NamedTuple, ParamSpec, TypeVar

from .errors import ArgumentError, InputError, nearest

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
BY_POSITION = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
KINDS: dict[str, type | tuple[type, ...]] = {
    "bool": bool,
    "int": numbers.Integral,
    "float": numbers.Real,
    "str": str,
    "Path": PurePath,
    "None": type(None),
}
"""Types of the values that an annotation stands for."""
VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def name_list(names: str | Iterable[str]) -> list[str]:
    """One name or several as a list: "conv1" -> ["conv1"]. Raises InputError if they aren't texts."""
    listed = [names] if isinstance(names, str) else list(names) if isinstance(names, Iterable) else [names]
    wrong = [name for name in listed if not isinstance(name, str)]
    if wrong:
        raise InputError(f"{wrong[0]!r} is not a name; write a text, or a list of texts")
    return listed


def checked_arguments(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Make a function or method raise ArgumentError when a call doesn't fit its signature, saying what would be right.

    Values of plain types, such as int or str, are checked too. Put it below @classmethod and @staticmethod.
    """
    kinds = _simple_kinds(function)

    @functools.wraps(function)
    def checked(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        if wrong := _wrong_kind(kinds, args, kwargs):
            raise ArgumentError(f"{_title(function, args)}: {wrong}")
        try:
            return function(*args, **kwargs)
        except TypeError:
            signature = inspect.signature(function)
            try:
                signature.bind(*args, **kwargs)
            except TypeError as mismatch:
                reason = _mismatch(list(signature.parameters.values()), len(args), kwargs) or str(mismatch)
                raise ArgumentError(f"{_title(function, args)}: {reason}") from None
            raise

    return checked


class _Kinds(NamedTuple):
    """The kinds of a function's arguments whose annotations consist of KINDS."""

    by_position: list[tuple[str, tuple[str, ...]]]
    """(name, kinds) of those that can be passed in order; () for an annotation of another sort."""
    by_name: dict[str, tuple[str, ...]]


def _simple_kinds(function: Callable[..., object]) -> _Kinds:
    parameters = inspect.signature(function).parameters.values()
    texts = {each.name: getattr(each.annotation, "__name__", str(each.annotation)) for each in parameters}
    parts = {name: tuple(part.strip() for part in text.split("|")) for name, text in texts.items()}
    simple = {name: kinds if set(kinds) <= KINDS.keys() else () for name, kinds in parts.items()}
    in_order = [(each.name, simple[each.name]) for each in parameters if each.kind in BY_POSITION]
    return _Kinds(in_order, {each.name: simple[each.name] for each in parameters if each.kind not in VARIADIC})


def _wrong_kind(kinds: _Kinds, args: tuple[object, ...], kwargs: dict[str, object]) -> str:
    """What is wrong with the first argument that is of none of its kinds; "" if all are right."""
    in_order = [(name, allowed, value) for (name, allowed), value in zip(kinds.by_position, args, strict=False)]
    for name, allowed, value in [*in_order, *((name, kinds.by_name.get(name, ()), kwargs[name]) for name in kwargs)]:
        if allowed and not any(isinstance(value, KINDS[kind]) for kind in allowed):
            return f"{name} is {str(value)[:40]!r} of type {type(value).__name__}; it must be {' or '.join(allowed)}"
    return ""


def _title(function: Callable[..., object], args: tuple[object, ...]) -> str:
    """The name of a function as people call it: `record`, `Bridge.record`, and `Hall` for its `__init__`."""
    first = next(iter(inspect.signature(function).parameters), "")
    if first not in ("self", "cls") or not args:
        return function.__name__
    owner = args[0] if isinstance(args[0], type) else type(args[0])
    return owner.__name__ if function.__name__ == "__init__" else f"{owner.__name__}.{function.__name__}"


def _mismatch(parameters: list[inspect.Parameter], count: int, keywords: Collection[str]) -> str:
    """What is wrong with a call of `count` positional and some keyword arguments, and what would be right."""
    if parameters and parameters[0].name in ("self", "cls"):
        parameters, count = parameters[1:], count - 1
    named = [each for each in parameters if each.kind not in VARIADIC]
    names = [each.name for each in named]
    takes = f"it takes {', '.join(names) or 'no arguments'}"
    unknown = [name for name in keywords if name not in names]
    if unknown and not any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters):
        return f"no argument {unknown[0]!r}; {nearest(unknown[0], names) or takes}"
    ordered = [each.name for each in parameters if each.kind in BY_POSITION]
    if twice := [name for name in ordered[:count] if name in keywords]:
        return f"argument {twice[0]!r} is passed twice, in order and by name"
    if count > len(ordered) and not any(each.kind is inspect.Parameter.VAR_POSITIONAL for each in parameters):
        only = f"only {', '.join(ordered)} can be passed without a name" if ordered else "all need a name"
        return f"{count} arguments are passed without a name; {only if len(ordered) < len(names) else takes}"
    passed = {*ordered[:count], *keywords}
    missing = next((each.name for each in named if each.default is each.empty and each.name not in passed), "")
    if near := difflib.get_close_matches(missing, unknown, n=1):
        return f"no argument {near[0]!r}; did you mean {missing}?"
    return f"argument {missing!r} is missing; {takes}" if missing else ""
