"""What the axes of every tensor mean, followed from operation to operation while the network runs.

Nothing in a tensor says which axis is the batch, which the channels, and whether a row of 196 tokens was a picture of
14 × 14. Convolutions and linear layers say it, permutations move it, reshapes keep what they don't mix; the rest
inherits. Only names and sizes are read here, no values.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from ..values.map_layout import NO_GRID, Axes

Shape = tuple[int, ...]
Arguments = Sequence[Any]
Named = Mapping[str, Any]

SPATIAL_RANK = {
    **{f"conv{n}d": n for n in (1, 2, 3)}, **{f"conv_transpose{n}d": n for n in (1, 2, 3)},
    **{f"max_pool{n}d": n for n in (1, 2, 3)}, **{f"avg_pool{n}d": n for n in (1, 2, 3)},
    **{f"adaptive_avg_pool{n}d": n for n in (1, 2, 3)}, **{f"adaptive_max_pool{n}d": n for n in (1, 2, 3)},
    "pixel_shuffle": 2, "pixel_unshuffle": 2,
}  # fmt: skip
"""How many axes of space an operation works on: its rank then says whether there is a batch."""
CHANNELS_LAST = {"linear", "layer_norm", "bilinear"}
RECURRENT = {"lstm", "gru", "rnn_tanh", "rnn_relu"}
PERMUTED = {"permute", "transpose", "swapaxes", "swapdims", "t", "T", "mT", "movedim", "moveaxis"}
RESHAPED = {"view", "reshape", "flatten", "unflatten", "squeeze", "unsqueeze", "ravel", "_unsafe_view"}


def infer_axes(name: str, args: Arguments, kwargs: Named, source: Axes, before: Shape, after: Shape) -> Axes:
    """The axes of an operation's output, from those of its leading input.

    `name` is the plain name of the operation (`add`, not `__iadd__`); before, after: shapes of that input and output.
    """
    rank = len(after)
    if name in SPATIAL_RANK:
        batched = rank == SPATIAL_RANK[name] + 2
        return Axes(0, 1) if batched else Axes(None, 0)
    if name in CHANNELS_LAST:
        return _channels_last(name, args, kwargs, source, rank)
    if name == "embedding":
        return Axes(source.batch, rank - 1, grid=NO_GRID)
    if name == "multi_head_attention_forward":
        return Axes(1, 2, grid=source.grid) if rank == 3 else Axes(None, rank - 1, grid=source.grid)
    if name in RECURRENT:
        return Axes(0 if args and args[-1] is True else 1, rank - 1, grid=NO_GRID)
    if name == "scaled_dot_product_attention":
        return Axes(source.batch, rank - 1, head=rank - 3 if rank > 3 else None, grid=source.grid)
    if name in PERMUTED:
        return _moved(source, permutation(name, args, kwargs, len(before)))
    if name in RESHAPED:
        return reshaped_axes(source, before, after)
    if name in ("__getitem__", "select", "unbind"):
        return _moved(source, _indexed(name, args, kwargs, len(before)))
    return source if len(before) == rank else _moved(source, _matched(before, after))


def infer_module_axes(module: Any, source: Axes, before: Shape, after: Shape) -> Axes:
    """The axes of an output of a module of torch.nn, from those of its leading input; None: of any other module."""
    name = operation_name(type(module).__name__)
    if name in ("multihead_attention", "lstm", "gru", "rnn") and len(after) == 3:
        grid = source.grid if name == "multihead_attention" else NO_GRID
        return Axes(0 if module.batch_first else 1, 2, grid=grid)
    return infer_axes(name, (None, getattr(module, "normalized_shape", ())), {}, source, before, after)


@cache
def operation_name(kind: str) -> str:
    """The operation behind a class of torch.nn: `max_pool2d` for MaxPool2d."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", kind).lower()


def _channels_last(name: str, args: Arguments, kwargs: Named, source: Axes, rank: int) -> Axes:
    if name == "layer_norm":
        sizes = args[1] if len(args) > 1 else kwargs.get("normalized_shape", ())
        if len(sizes) > 1:
            return source
    return Axes(source.batch, rank - 1, grid=source.grid)


def _moved(source: Axes, places: Sequence[int | None]) -> Axes:
    """`source` after axis a has gone to places[a] (None: it is gone)."""

    def place(axis: int | None) -> int | None:
        return places[axis] if axis is not None and axis < len(places) else None

    return Axes(place(source.batch), place(source.channel), place(source.head), source.grid)


def permutation(name: str, args: Arguments, kwargs: Named, rank: int) -> list[int | None]:
    """Where each axis goes: out[a] is the new place of axis a."""
    given = [*args[1:], *(value for key, value in kwargs.items() if key != "input")]
    if name in ("t", "T"):
        order = list(range(rank))[::-1]
    elif name == "permute":
        order = [axis % rank for axis in (given[0] if isinstance(given[0], (tuple, list)) else given)]
    elif name in ("movedim", "moveaxis"):
        order = _move_order(given[0], given[1], rank)
    else:
        first, second = (given[0] % rank, given[1] % rank) if name != "mT" else (rank - 2, rank - 1)
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


def reshaped_axes(source: Axes, before: Shape, after: Shape) -> Axes:
    """Axes after a reshape: those that hold the same values as before still stand; a batch may merge with windows."""
    batch = _same_axis(source.batch, before, after, 0)
    squeezed = [size for size in before[1:] if size > 1] == [size for size in after if size > 1]
    if batch is None and source.batch == 0 and after and not squeezed and _divides(before[0], after[0]):
        batch = 0
    first = 0 if batch is None else batch + 1
    channel, head = (_same_axis(axis, before, after, first) for axis in (source.channel, source.head))
    return Axes(batch, channel, head if head != channel else None, _flattened_grid(source, before, after))


def _same_axis(axis: int | None, before: Shape, after: Shape, first: int) -> int | None:
    """The axis of `after`, not before `first`, that holds the same values in the same order."""
    if axis is None or axis >= len(before):
        return None
    start = math.prod(before[:axis])
    for place in range(first, len(after)):
        if after[place] == before[axis] and math.prod(after[:place]) == start:
            return place
    return None


def _divides(one: int, other: int) -> bool:
    return bool(one and other) and (one % other == 0 or other % one == 0)


def _flattened_grid(source: Axes, before: Shape, after: Shape) -> tuple[int, int] | None:
    """The grid of tokens that were a picture up to this reshape."""
    space = [axis for axis in range(len(before)) if axis not in (source.batch, source.channel)]
    if len(before) == len(after) + 1 and len(space) == 2 and space[1] == space[0] + 1 and source.channel is not None:
        rows, columns = before[space[0]], before[space[1]]
        if after[space[0]] == rows * columns:
            return rows, columns
    return source.grid


def _indexed(name: str, args: Arguments, kwargs: Named, rank: int) -> list[int | None]:
    """Where each axis goes under `x[...]`, select or unbind."""
    if name != "__getitem__":
        axis = args[1] if len(args) > 1 else kwargs.get("dim", 0)
        return _without(axis % rank, rank)
    index = args[1] if isinstance(args[1], tuple) else (args[1],)
    used = sum(_consumed(part) for part in index)
    places: list[int | None] = []
    at = 0
    for part in index:
        if part is None or isinstance(part, bool):
            at += 1
        elif part is Ellipsis:
            places += range(at, at + rank - used)
            at += rank - used
        elif isinstance(part, int):
            places.append(None)
        else:  # a slice keeps its axis; lists and masks are read as one axis, which is right for the usual ones
            places += [at] + [None] * (_consumed(part) - 1)
            at += 1
    return places + list(range(at, at + rank - len(places)))


def _consumed(part: Any) -> int:
    """How many axes one part of an index takes up."""
    if part is None or part is Ellipsis or isinstance(part, bool):
        return 0
    mask = "bool" in str(getattr(part, "dtype", ""))
    return int(part.ndim) if mask else 1


def _without(axis: int, rank: int) -> list[int | None]:
    return [None if place == axis else place - (place > axis) for place in range(rank)]


def _matched(before: Shape, after: Shape) -> list[int | None]:
    """Axes matched by size, in order: for reductions, stacks and whatever else changes the rank."""
    places: list[int | None] = []
    at = 0
    for size in before:
        found = next((place for place in range(at, len(after)) if after[place] == size), None)
        places.append(found)
        at = at if found is None else found + 1
    return places


def input_axes(shape: Shape, listed: bool, tokens: bool, sequence_first: bool) -> Axes:
    """What an input's axes are taken for until a layer says better.

    listed: it came in a list of inputs without batch, as detection models take them. tokens: whole numbers, not values.
    sequence_first: the network's attention or recurrent layers want (L, batch, D).
    """
    rank = len(shape)
    if rank < 2 or (listed and rank == 3):
        return Axes(None, 0 if rank else None)
    batch = 1 if sequence_first and rank <= 3 else 0
    if tokens and rank == 2:
        return Axes(batch, None, grid=NO_GRID)
    return Axes(batch, 1 if batch == 0 and rank != 3 else rank - 1 if batch else None, grid=NO_GRID if batch else None)
