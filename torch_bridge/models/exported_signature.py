"""Gives an exported program back the names of its arguments, which its own `forward` takes as `*args, **kwargs`."""

from __future__ import annotations

import inspect
from types import FunctionType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

EITHER, NAMED = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY


def name_arguments(module: nn.Module) -> None:
    """Makes `inspect.signature` of an unflattened program's `forward` list the arguments that it was exported with.

    A program that doesn't name them stays as it is. The module gets a class of its own with the same code, so that
    copies of it run on their own weights, and what fails in it is not our failure.
    """
    stated = module.module_call_graph[0].signature  # type: ignore[index, union-attr]
    positional, named = stated.in_spec.children()
    names = list(getattr(stated, "forward_arg_names", None) or ())[: positional.num_children]
    if len(names) < positional.num_children or not all(map(str.isidentifier, [*names, *named.context])):
        return
    parameters = [inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)]
    parameters += [inspect.Parameter(name, EITHER) for name in names]
    parameters += [inspect.Parameter(name, NAMED) for name in named.context]
    own: Any = type(module)
    forward = FunctionType(own.forward.__code__, own.forward.__globals__, "forward", None, own.forward.__closure__)
    forward.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    namespace = {"forward": forward, "__module__": own.__module__, "__qualname__": own.__qualname__}
    module.__class__ = type(own.__name__, (own,), namespace)
