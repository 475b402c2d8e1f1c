"""Names the modules of a network, also those that it keeps in plain lists, dicts and objects, where torch sees none.

self.stem = conv                  stem          as in `named_modules()`; wrappers such as DataParallel keep their own
                                                name in it: `module.stem`
self.blocks = [Block(), Block()]  blocks[0].conv
self.heads = {"mask": conv}       heads['mask']
self.helper = Helper(conv)        helper.conv   any object with attributes
"""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Iterable, Iterator, Mapping
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType, NoneType
from typing import Any
from weakref import ProxyTypes

import torch
from torch import nn

COMMON_ATTRIBUTES = frozenset(vars(nn.Module()))
"""Attributes of every module: its registered children, parameters and buffers, its hooks and its mode."""
PLAIN_TYPES = (
    *(str, int, float, complex, bytes, NoneType, type),
    *(FunctionType, BuiltinFunctionType, MethodType, ModuleType),
)
"""Values that aren't searched."""
EXPORTED = "torch.export."
"""Package of modules that hold the code which they run as a module too: it is no part of them."""
COMMON_TYPES = frozenset((str, int, float, bool, NoneType))
MAX_SIZES = 6
"""Longest tuple or list that is looked through for plain values alone: strides, paddings."""
MAX_DEPTH = 4
"""Number of nested lists, dicts and objects that are searched: a trainer that a network refers to holds everything."""
MAX_ENTRIES = 1000
"""Longer lists and dicts aren't searched, nor more lists, dicts and objects of one module: they are vocabularies."""


def layer_paths(model: nn.Module) -> dict[nn.Module, str]:
    """Returns the path of every module of a network, "" for the network itself; no two have the same path.

    Registered modules come first, in the order of `named_modules()`, then the others.
    """
    paths = {module: path for path, module in model.named_modules()}
    taken = set(paths.values())
    queue = list(paths)
    for owner in queue:  # which grows
        for path, part in plain_parts(owner):
            if isinstance(part, nn.Module) and part not in paths:
                prefix = unused_path(f"{paths[owner]}{path}".removeprefix("." if not paths[owner] else ""), taken)
                found = {inner: name for name, inner in part.named_modules(prefix=prefix) if inner not in paths}
                paths |= found
                taken |= set(found.values())
                queue += found
    return paths


def modules_by_path(model: nn.Module) -> dict[str, nn.Module]:
    """Returns the modules of a network by their paths."""
    return {path: module for module, path in layer_paths(model).items()}


def unused_path(path: str, taken: Container[str]) -> str:
    """Returns `path`, or the first of `path[1]`, `path[2]`, … that isn't taken."""
    number, unused = 0, path
    while unused in taken:
        number += 1
        unused = f"{path}[{number}]"
    return unused


def owners_of_unregistered(paths: Mapping[nn.Module, str]) -> frozenset[nn.Module]:
    """Returns the modules that hold others without registering them. paths: from `layer_paths`."""
    return frozenset(
        owner
        for owner, path in paths.items()
        for way, part in plain_parts(owner)
        if isinstance(part, nn.Module) and paths.get(part) == f"{path}{way}".removeprefix("." if not path else "")
    )


def plain_parts(module: nn.Module) -> Iterator[tuple[str, nn.Module | torch.Tensor]]:
    """Yields the modules and tensors (of any shape) that a module's own attributes hold without being registered.

    Each comes with the way to it: `.blocks[0]`, `.cache['key']`.
    """
    own = vars(module)
    searched = {name for name in own.keys() - COMMON_ATTRIBUTES if not _is_plain(own[name])}
    seen: set[int] = set()
    if type(module).__module__.startswith(EXPORTED):
        return
    for name, value in list(own.items()) if searched else ():
        if name in searched:
            yield from _search(value, f".{name}", seen, 0)


def own_tensors(modules: Iterable[nn.Module]) -> Iterator[torch.Tensor]:
    """Yields the tensors of any shape that modules hold besides their parameters: buffers, caches and the like."""
    for module in modules:
        yield from (buffer for buffer in module._buffers.values() if buffer is not None)
        yield from (part for _, part in plain_parts(module) if isinstance(part, torch.Tensor))


def _search(value: Any, path: str, seen: set[int], depth: int) -> Iterator[tuple[str, nn.Module | torch.Tensor]]:
    if isinstance(value, (nn.Module, torch.Tensor)):
        yield path, value
    elif depth < MAX_DEPTH and len(seen) < MAX_ENTRIES and id(value) not in seen:
        seen.add(id(value))
        for name, entry in _entries(value):
            if not _is_plain(entry):
                yield from _search(entry, path + name, seen, depth + 1)


def _entries(value: Any) -> list[tuple[str, Any]]:
    """Returns what a list, a dict or an object holds, each with its part of a path."""
    if isinstance(value, dict):
        if len(value) > MAX_ENTRIES:
            return []
        return [(_key(key, k), entry) for k, (key, entry) in enumerate([*dict.items(value)])]
    if isinstance(value, (list, tuple, set, frozenset, deque)):
        return [(f"[{k}]", entry) for k, entry in enumerate(value)] if len(value) <= MAX_ENTRIES else []
    return [(f".{name}", entry) for name, entry in list(getattr(value, "__dict__", {}).items())]


def _is_plain(value: Any) -> bool:
    kind = type(value)
    if kind in COMMON_TYPES:  # nearly all: every module is searched in every run
        return True
    if kind in (tuple, list) and len(value) <= MAX_SIZES:
        return COMMON_TYPES.issuperset(map(type, value))
    return kind in ProxyTypes or isinstance(value, PLAIN_TYPES)  # a dead proxy has no class


def _key(key: Any, position: int) -> str:
    readable = isinstance(key, int) or (isinstance(key, str) and not any(sign in key for sign in ".:@"))
    return f"[{key!r}]" if readable else f"[{position}]"
