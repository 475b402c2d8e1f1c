"""The arguments of one call of a network, positional ones first, and what methods do with them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from typing import Any

import torch
from torch import nn


class Keywords(dict[str, Any]):
    """Arguments that are passed by name: the last entry of a tuple of arguments."""


def as_arguments(model: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Any, ...]:
    """A call of the network as a tuple; of the named arguments, those that may be positional are."""
    if not kwargs:
        return tuple(args)
    try:
        bound = inspect.signature(model.forward).bind(*args, **kwargs)
    except TypeError:  # the run says what is wrong with them
        return (*args, Keywords(kwargs))
    return (*bound.args, Keywords(bound.kwargs)) if bound.kwargs else bound.args


def missing_arguments(model: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[str]:
    """Returns the names of the arguments that `forward` needs besides these; [] if its signature isn't known."""
    return [own.name for own in _left_out(model, args, kwargs) if own.default is own.empty]


def omitted_arguments(model: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[str]:
    """Returns the names of the optional arguments of `forward` that are not among these; [] if they aren't known."""
    return [own.name for own in _left_out(model, args, kwargs) if own.default is not own.empty]


def _left_out(model: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[inspect.Parameter]:
    try:
        signature = inspect.signature(model.forward)
        bound = signature.bind_partial(*args, **kwargs).arguments
    except (TypeError, ValueError):  # the run says what is wrong
        return []
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [own for own in signature.parameters.values() if own.kind not in variable and own.name not in bound]


def map_leaves(function: Callable[[Any], Any], value: Any) -> Any:
    """A copy of nested lists, tuples and dicts with the function's result for everything else in them."""
    if isinstance(value, dict):
        mapped = copy(value)  # of the same class, which may be the network's own
        mapped.update({key: map_leaves(function, entry) for key, entry in value.items()})
        return mapped
    if isinstance(value, list | tuple):
        entries = [map_leaves(function, entry) for entry in value]
        return type(value)(*entries) if hasattr(value, "_fields") else type(value)(entries)
    return function(value)


def first_argument(arguments: tuple[Any, ...]) -> Any:
    """The first argument, positional or named."""
    return next(iter(arguments[0].values())) if isinstance(arguments[0], Keywords) else arguments[0]


def with_first(arguments: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
    """The arguments with another value for the first one."""
    if isinstance(arguments[0], Keywords):
        return (Keywords(arguments[0] | {next(iter(arguments[0])): value}),)
    return (value, *arguments[1:])


def repeat_arguments(arguments: tuple[Any, ...], count: int) -> tuple[Any, ...]:
    """The arguments for `count` copies of the first sample; tensors without the batch axis stay as they are."""
    first = first_argument(arguments)
    batch = len(first) if isinstance(first, torch.Tensor) and first.dim() else 1

    def repeat(value: Any) -> Any:
        if isinstance(value, torch.Tensor) and value.dim() and len(value) == batch:
            return value[:1].expand(count, *value.shape[1:])
        return value

    repeated = map_leaves(repeat, arguments)
    return with_first(repeated, first[:1] * count) if isinstance(first, list) else repeated


def with_pictures(arguments: tuple[Any, ...], pictures: torch.Tensor) -> tuple[Any, ...]:
    """The arguments with (N, C, H, W) pictures for the first one, a list if it is one, and N copies of the others."""
    is_list = isinstance(first_argument(arguments), list)
    return with_first(repeat_arguments(arguments, len(pictures)), [*pictures] if is_list else pictures)
