"""Names of the tensors in the arguments and in the output of a network: the way to each."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import torch
from torch import nn

from ..recording.errors import as_line

MAX_NAME = 200
"""Characters of a name that are kept."""
MAX_OBJECTS = 3
"""Plain objects are searched up to this depth, as `tensors_in` does."""


def named_tensors(value: Any, name: str = "", depth: int = 0) -> Iterator[tuple[str, torch.Tensor]]:
    """Yields the tensors that `tensors_in` finds in a value, of any shape, in the same order, with the way to each.

    The way is made of keys and attributes with dots between them and of places in brackets: `heads.boxes`, `[1].x`;
    "" for a value that is a tensor itself. name: the way to the value.
    """
    if isinstance(value, torch.Tensor):
        yield as_line(name, MAX_NAME), value
    elif isinstance(value, tuple) and hasattr(value, "_fields"):
        yield from _named_parts(zip(value._fields, value, strict=False), name, depth)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for k, item in enumerate(value):
            yield from named_tensors(item, f"{name}[{k}]", depth + 1)
    elif isinstance(value, dict):
        yield from _named_parts(value.items(), name, depth)
    elif is_dataclass(value) and not isinstance(value, type):
        yield from _named_parts(((own.name, getattr(value, own.name, None)) for own in fields(value)), name, depth)
    elif depth < MAX_OBJECTS and hasattr(value, "__dict__") and not callable(value):
        yield from _named_parts(list(vars(value).items()), name, depth)


def _named_parts(parts: Any, name: str, depth: int) -> Iterator[tuple[str, torch.Tensor]]:
    for key, part in parts:
        yield from named_tensors(part, f"{name}.{key}" if name else str(key), depth + 1)


def named_arguments(
    model: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Iterator[tuple[str, torch.Tensor]]:
    """Yields the tensors among the arguments of a network, of any shape, with the names of the arguments in `forward`.

    Arguments that the signature doesn't name are `input`, `input[1]` and so on.
    """
    names = positional_names(model, len(args))
    for name, value in [*zip(names, args, strict=True), *kwargs.items()]:
        yield from named_tensors(value, name)


def positional_names(model: nn.Module, count: int) -> list[str]:
    """Returns the names in `forward` of so many positional arguments of a network."""
    parameters = _parameters(model)
    names = [own.name for own in parameters if own.kind in (own.POSITIONAL_ONLY, own.POSITIONAL_OR_KEYWORD)]
    rest = next((own.name for own in parameters if own.kind is own.VAR_POSITIONAL), "input")
    return [*names[:count], *(f"{rest}[{k}]" if k or count > 1 else rest for k in range(count - len(names)))]


def _parameters(model: nn.Module) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(model.forward).parameters.values())
    except (TypeError, ValueError):  # scripted, or made outside Python
        return []
