"""Infers what the axes of every tensor mean, from operation to operation, while the network runs.

Nothing in a tensor says which axis is the batch, which holds the channels, and whether 196 tokens were a picture of
14 × 14. Convolutions and linear layers fix it, permutations move axes, reshapes keep the axes that they don't mix, and
all other operations inherit. Only names and sizes are read here, no values.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from ..values.map_layout import NO_GRID, Axes

Shape = tuple[int, ...]
Args = Sequence[Any]
Kwargs = Mapping[str, Any]
AxesRule = Callable[[str, Args, Kwargs, Axes, Shape, Shape], Axes]
"""Takes what `infer_axes` takes."""

SPATIAL_RANK = {
    **{f"conv{n}d": n for n in (1, 2, 3)}, **{f"conv_transpose{n}d": n for n in (1, 2, 3)},
    **{f"max_pool{n}d": n for n in (1, 2, 3)}, **{f"avg_pool{n}d": n for n in (1, 2, 3)},
    **{f"adaptive_avg_pool{n}d": n for n in (1, 2, 3)}, **{f"adaptive_max_pool{n}d": n for n in (1, 2, 3)},
    "pixel_shuffle": 2, "pixel_unshuffle": 2,
}  # fmt: skip
"""Number of spatial axes by operation; the rank then says whether there is a batch axis."""


def infer_axes(name: str, args: Args, kwargs: Kwargs, source: Axes, before: Shape, after: Shape) -> Axes:
    """Returns the axes of an operation's output.

    name: the canonical name of the operation (`add`, not `__iadd__`). source, before: axes and shape of its leading
    input. after: shape of the output.
    """
    rule = RULES.get(name)
    if rule is not None:
        return rule(name, args, kwargs, source, before, after)
    return source if len(before) == len(after) else _move_axes(source, _match_by_size(before, after))


def infer_module_axes(module: Any, source: Axes, before: Shape, after: Shape) -> Axes:
    """Returns the axes of an output of a torch.nn module; module None stands for any other module.

    source, before: axes and shape of its leading input. after: shape of the output.
    """
    name = operation_name(type(module).__name__)
    if name in ("multihead_attention", "lstm", "gru", "rnn") and len(after) == 3:
        grid = source.grid if name == "multihead_attention" else NO_GRID
        return Axes(0 if module.batch_first else 1, 2, grid=grid)
    return infer_axes(name, (None, getattr(module, "normalized_shape", ())), {}, source, before, after)


@cache
def operation_name(kind: str) -> str:
    """Returns the operation behind a class of torch.nn: `max_pool2d` for MaxPool2d."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", kind).lower()


def _spatial(name: str, args: Args, kwargs: Kwargs, source: Axes, before: Shape, after: Shape) -> Axes:
    return Axes(0, 1) if len(after) == SPATIAL_RANK[name] + 2 else Axes(None, 0)


def _channels_last(name: str, args: Args, kwargs: Kwargs, source: Axes, before: Shape, after: Shape) -> Axes:
    return Axes(source.batch, len(after) - 1, grid=source.grid)


def _layer_norm(name: str, args: Args, kwargs: Kwargs, source: Axes, before: Shape, after: Shape) -> Axes:
    sizes = args[1] if len(args) > 1 else kwargs.get("normalized_shape", ())
    return source if len(sizes) > 1 else Axes(source.batch, len(after) - 1, grid=source.grid)


def _embedding(name: str, args: Args, kwargs: Kwargs, source: Axes, before: Shape, after: Shape) -> Axes:
    return Axes(source.batch, len(after) - 1, grid=NO_GRID)


def _module_attention(name: str, args: Args, kwargs: Kwargs, source: Axes, before: Shape, after: Shape) -> Axes:
    rank = len(after)
    return Axes(1, 2, grid=source.grid) if rank == 3 else Axes(None, rank - 1, grid=source.grid)


def _scaled_attention(name: str, args: Args, kwargs: Kwargs, source: Axes, before: Shape, after: Shape) -> Axes:
    rank = len(after)
    return Axes(source.batch, rank - 1, head=rank - 3 if rank > 3 else None, grid=source.grid)


def _recurrent(name: str, args: Args, kwargs: Kwargs, source: Axes, before: Shape, after: Shape) -> Axes:
    batch_first = args and args[-1] is True
    return Axes(0 if batch_first else 1, len(after) - 1, grid=NO_GRID)


def _permuted(name: str, args: Args, kwargs: Kwargs, source: Axes, before: Shape, after: Shape) -> Axes:
    return _move_axes(source, permutation(name, args, kwargs, len(before)))


def _reshaped(name: str, args: Args, kwargs: Kwargs, source: Axes, before: Shape, after: Shape) -> Axes:
    return reshaped_axes(source, before, after)


def _indexed(name: str, args: Args, kwargs: Kwargs, source: Axes, before: Shape, after: Shape) -> Axes:
    return _move_axes(source, _index_positions(name, args, kwargs, len(before)))


RULES: Mapping[str, AxesRule] = {
    **dict.fromkeys(SPATIAL_RANK, _spatial),
    **dict.fromkeys(("linear", "bilinear"), _channels_last),
    "layer_norm": _layer_norm,
    "embedding": _embedding,
    "multi_head_attention_forward": _module_attention,
    "scaled_dot_product_attention": _scaled_attention,
    **dict.fromkeys(("lstm", "gru", "rnn_tanh", "rnn_relu"), _recurrent),
    **dict.fromkeys(("permute", "transpose", "swapaxes", "swapdims", "t", "T", "mT", "movedim", "moveaxis"), _permuted),
    **dict.fromkeys(
        ("view", "reshape", "flatten", "unflatten", "squeeze", "unsqueeze", "ravel", "_unsafe_view"), _reshaped
    ),
    **dict.fromkeys(("__getitem__", "select", "unbind"), _indexed),
}
"""How operations change axes, by canonical name; other operations keep them, or match them by size."""


def _move_axes(source: Axes, positions: Sequence[int | None]) -> Axes:
    """Moves axis a to positions[a]; None means that the axis is gone."""

    def move(axis: int | None) -> int | None:
        return positions[axis] if axis is not None and axis < len(positions) else None

    return Axes(move(source.batch), move(source.channel), move(source.head), source.grid)


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


def reshaped_axes(source: Axes, before: Shape, after: Shape) -> Axes:
    """Returns the axes after a reshape: those that still hold the same values; a batch may merge with windows."""
    batch = _same_axis(source.batch, before, after, 0)
    squeezed = [size for size in before[1:] if size > 1] == [size for size in after if size > 1]
    if batch is None and source.batch == 0 and after and not squeezed and _divides(before[0], after[0]):
        batch = 0
    first = 0 if batch is None else batch + 1
    channel, head = (_same_axis(axis, before, after, first) for axis in (source.channel, source.head))
    return Axes(batch, channel, head if head != channel else None, _flattened_grid(source, before, after))


def _same_axis(axis: int | None, before: Shape, after: Shape, first: int) -> int | None:
    """Returns the axis of `after`, from `first` on, that holds the values of `axis` in the same order; or None."""
    if axis is None or axis >= len(before):
        return None
    start = math.prod(before[:axis])
    for position in range(first, len(after)):
        if after[position] == before[axis] and math.prod(after[:position]) == start:
            return position
    return None


def _divides(a: int, b: int) -> bool:
    return bool(a and b) and (a % b == 0 or b % a == 0)


def _flattened_grid(source: Axes, before: Shape, after: Shape) -> tuple[int, int] | None:
    """Returns (rows, columns) if this reshape flattens a picture into tokens, else the grid known before."""
    space = [axis for axis in range(len(before)) if axis not in (source.batch, source.channel)]
    if len(before) == len(after) + 1 and len(space) == 2 and space[1] == space[0] + 1 and source.channel is not None:
        rows, columns = before[space[0]], before[space[1]]
        if after[space[0]] == rows * columns:
            return rows, columns
    return source.grid


def _index_positions(name: str, args: Args, kwargs: Kwargs, rank: int) -> list[int | None]:
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


def _match_by_size(before: Shape, after: Shape) -> list[int | None]:
    """Matches axes by size, in order: for reductions, stacks and other operations that change the rank."""
    positions: list[int | None] = []
    start = 0
    for size in before:
        found = next((k for k in range(start, len(after)) if after[k] == size), None)
        positions.append(found)
        start = start if found is None else found + 1
    return positions


def input_axes(shape: Shape, unbatched: bool, tokens: bool, sequence_first: bool) -> Axes:
    """Returns what an input's axes are assumed to mean until a layer fixes them.

    unbatched: it has no batch axis, as the pictures in a detection model's list. tokens: it holds integers.
    sequence_first: the network's attention or recurrent layers take (L, batch, D).
    """
    rank = len(shape)
    if rank < 2 or (unbatched and rank == 3):
        return Axes(None, 0 if rank else None)
    batch = 1 if sequence_first and rank <= 3 else 0
    if tokens and rank == 2:
        return Axes(batch, None, grid=NO_GRID)
    return Axes(batch, 1 if batch == 0 and rank != 3 else rank - 1 if batch else None, grid=NO_GRID if batch else None)
