"""Where permutations and indexing put the axes of a tensor, from the arguments of the operation alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Args = Sequence[Any]
Kwargs = Mapping[str, Any]


def permutation(name: str, args: Args, kwargs: Kwargs, rank: int) -> list[int | None]:
    """Returns the new position of each axis under `permute`, `transpose`, `movedim` and the like."""
    dims = [*args[1:], *(value for key, value in kwargs.items() if key != "input")]
    if name in ("t", "T"):
        order = list(range(rank))[::-1]
    elif name == "permute":
        order = [axis % rank for axis in (dims[0] if isinstance(dims[0], (tuple, list)) else dims)]
    elif name in ("movedim", "moveaxis"):
        order = _move_order(dims[0], dims[1], rank)
    else:
        first, second = (dims[0] % rank, dims[1] % rank) if name != "mT" else (rank - 2, rank - 1)
        order = list(range(rank))
        order[first], order[second] = second, first
    return [order.index(axis) for axis in range(rank)]


def _move_order(source: Any, target: Any, rank: int) -> list[int]:
    sources = [axis % rank for axis in ([source] if isinstance(source, int) else source)]
    targets = [axis % rank for axis in ([target] if isinstance(target, int) else target)]
    order = [axis for axis in range(rank) if axis not in sources]
    for target_axis, source_axis in sorted(zip(targets, sources, strict=True)):
        order.insert(target_axis, source_axis)
    return order


def index_positions(name: str, args: Args, kwargs: Kwargs, rank: int) -> list[int | None]:
    """Returns the new position of each axis under `x[...]`, select or unbind; None for an axis that is gone."""
    if name != "__getitem__":
        axis = args[1] if len(args) > 1 else kwargs.get("dim", 0)
        return _without(axis % rank, rank)
    index = args[1] if isinstance(args[1], tuple) else (args[1],)
    used = sum(_axes_used(part) for part in index)
    positions: list[int | None] = []
    position = 0
    for part in index:
        if part is None or isinstance(part, bool):
            position += 1
        elif part is Ellipsis:
            positions += range(position, position + rank - used)
            position += rank - used
        elif isinstance(part, int):
            positions.append(None)
        else:  # a slice keeps its axis; lists and masks are read as one axis, which is right for the usual ones
            positions += [position] + [None] * (_axes_used(part) - 1)
            position += 1
    return positions + list(range(position, position + rank - len(positions)))


def _axes_used(part: Any) -> int:
    """Returns how many axes one part of an index applies to."""
    if part is None or part is Ellipsis or isinstance(part, bool):
        return 0
    mask = "bool" in str(getattr(part, "dtype", ""))
    return int(part.ndim) if mask else 1


def _without(axis: int, rank: int) -> list[int | None]:
    return [None if k == axis else k - (k > axis) for k in range(rank)]
