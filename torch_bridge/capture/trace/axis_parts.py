"""What each axis of a tensor is made of, as reshapes split and merge axes.

An axis is a row of parts, outermost first. After `frames.flatten(0, 1)` axis 0 is (batch, frame): item 5 of the axis is
the frame 5 % T of the input 5 // T. Only sizes are read here, no values.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

from ..values.map_layout import Axes, BatchFold, Part, Parts, TokenGrid

BATCH, ROW, COLUMN, FRAME, STEP, NODE, COPY = "batch", "row", "column", "frame", "step", "node", "copy"
PACKED, GATHERED = "packed", "gathered"
"""What a part counts; "" for anything else. PACKED: the steps of all sequences of a PackedSequence. GATHERED: items of
all inputs in an order that depends on values."""
WORDS = {(): "part", (ROW, COLUMN): "window", (FRAME,): "frame", (STEP,): "step", (ROW,): "row", (COLUMN,): "column",
         (NODE,): "node", (COPY,): "copy"}  # fmt: skip
"""What people call the items of the parts that lie in one axis with the batch."""
UNFOLDED = BatchFold()


@lru_cache(4096)  # networks repeat themselves
def parts_of(axes: Axes, shape: tuple[int, ...]) -> Parts:
    """Returns the parts of each axis of a tensor of `shape`; an axis whose parts aren't known is one part."""
    return tuple(_axis_parts(axes, shape, axis) for axis in range(len(shape)))


def _axis_parts(axes: Axes, shape: Sequence[int], axis: int) -> tuple[Part, ...]:
    parts: tuple[Part, ...] = axes.parts[axis] if len(axes.parts) == len(shape) else ()
    size = shape[axis]
    if parts and _size(parts) == size:
        return parts
    kind = parts[0].kind if len(parts) == 1 else BATCH if axis == axes.batch else ""
    return (Part(kind, size),)


def spatial_parts(source: Axes, before: Sequence[int], after: Sequence[int], batched: bool, rank: int) -> Parts:
    """Returns the parts of the output of a convolution or pooling of `rank` spatial axes."""
    names = (STEP,) if rank == 1 else ("", ROW, COLUMN)[-rank:]
    space = tuple((Part(name, size),) for name, size in zip(names, after[-rank:], strict=True))
    front: Parts = ((Part("", after[-rank - 1]),),)
    if not batched:
        return front + space
    kept = _axis_parts(source, before, 0) if len(before) == len(after) and before[0] == after[0] else ()
    return (kept if any(part.kind == BATCH for part in kept) else (Part(BATCH, after[0]),), *front, *space)


def regroup(parts: Parts, shape: Sequence[int]) -> Parts | None:
    """Returns the parts of each axis after a reshape to `shape`; None where an axis mixes what no parts describe."""
    if 0 in shape:
        return None
    left = [part for axis in parts for part in axis if part.size != 1 or part.kind == BATCH][::-1]
    found: list[tuple[Part, ...]] = []
    for size in shape:
        axis: list[Part] = []
        while left and (size > 1 or (left[-1].size == 1 and not axis)):
            part = left.pop()
            if size % part.size == 0:
                _append(axis, part)
                size //= part.size
            elif part.size % size == 0:
                _append(axis, Part(part.kind, size))
                left.append(Part("" if part.kind == BATCH else part.kind, part.size // size))
                size = 1
            else:
                return None
        found.append(tuple(axis))
    if left and found:
        found[-1] += tuple(left[::-1])
    return tuple(found)


def _append(axis: list[Part], part: Part) -> None:
    """Appends a part to an axis; parts that count the same thing, such as rows of windows and in them, are one."""
    if axis and axis[-1].kind == part.kind != BATCH:
        part = Part(part.kind, axis.pop().size * part.size)
    axis.append(part)


def batch_axis(parts: Parts) -> int | None:
    """Returns the axis that holds the batch, alone or with other parts; None if there is none."""
    return next((k for k, axis in enumerate(parts) if any(part.kind == BATCH for part in axis)), None)


def resize_batch(parts: tuple[Part, ...], size: int, kind: str, inner: bool = False) -> tuple[Part, ...]:
    """Returns the parts of an axis whose size an operation has changed, as `cat`, `repeat` and `chunk` do.

    kind: what a new part counts. inner: whether each item is repeated where it is, as `repeat_interleave` does, rather
    than the axis as a whole.
    """
    before = _size(parts)
    if before and size % before == 0 and size > before:
        more = (Part(kind, size // before),)
        return (*parts, *more) if inner else (*more, *parts)
    first = parts[0]
    if size and before % size == 0 and first.kind in ("", COPY) and first.size % (before // size) == 0:
        return (Part(first.kind, first.size * size // before), *parts[1:])
    return (Part(BATCH, size),)


def scaled_axes(axes: Axes, shape: Sequence[int], scale: float) -> Axes:
    """Returns the axes of a tensor of `shape` if there were `scale` times as many inputs."""
    if axes.batch is None:
        return axes._replace(parts=())
    parts = list(parts_of(axes, shape))
    parts[axes.batch] = tuple(
        Part(part.kind, round(part.size * scale)) if part.kind == BATCH else part for part in parts[axes.batch]
    )
    return axes._replace(parts=tuple(parts))


def fold_of(axes: Axes, shape: Sequence[int], batch_size: int) -> BatchFold | None:
    """Returns how `batch_size` inputs lie in the batch axis of a tensor of `shape`; None if that isn't known."""
    parts = _axis_parts(axes, shape, axes.batch) if axes.batch is not None else ()
    batch = next((k for k, part in enumerate(parts) if part.kind == BATCH), None)
    if batch is None or parts[batch].size != batch_size:
        return None
    if len(parts) == 1:
        return UNFOLDED
    others = [part for part in (*parts[:batch], *parts[batch + 1 :]) if part.size > 1]
    word = WORDS.get(tuple(dict.fromkeys(part.kind for part in others)), "part")
    return BatchFold(_size(parts[:batch]), _size(parts[batch + 1 :]), word)


def is_packed(axes: Axes) -> bool:
    """Whether a tensor holds the steps of all inputs in one axis, sorted by step."""
    return _has_items_of(PACKED, axes)


def is_gathered(axes: Axes) -> bool:
    """Whether a tensor holds items of all inputs in one axis, in an order that depends on values."""
    return _has_items_of(GATHERED, axes)


def _has_items_of(kind: str, axes: Axes) -> bool:
    return bool(axes.parts) and any(part.kind == kind for part in axes.parts[0])


def picture_grid(parts: Parts) -> TokenGrid | None:
    """Returns (rows, columns) if one axis without the batch is a flattened picture."""
    for axis in parts:
        if [part.kind for part in axis] == [ROW, COLUMN]:
            return axis[0].size, axis[1].size
    return None


def _size(parts: Sequence[Part]) -> int:
    return parts[0].size if len(parts) == 1 else math.prod(part.size for part in parts)
