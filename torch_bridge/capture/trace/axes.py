"""Infers what the axes of every tensor mean, from operation to operation, while the network runs.

Nothing in a tensor says which axis is the batch, which holds the channels, and whether 196 tokens were a picture of
14 × 14. Convolutions and linear layers fix it, permutations move axes, reshapes keep the axes that they don't mix, and
all other operations inherit. Only names and sizes are read here, no values.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

from ..values.map_layout import Axes, Part, Parts, TokenGrid
from .axis_parts import (
    BATCH,
    COLUMN,
    COPY,
    FRAME,
    GATHERED,
    NODE,
    PACKED,
    ROW,
    STEP,
    batch_axis,
    is_gathered,
    is_packed,
    parts_of,
    picture_grid,
    regroup,
    resize_batch,
    spatial_parts,
)
from .axis_positions import Args, Kwargs, index_positions, permutation

Shape = tuple[int, ...]
AxesRule = Callable[[str, Args, Kwargs, Axes, Shape, Shape], Axes]
"""Takes what `infer_axes` takes."""

SPATIAL_RANK = {
    **{f"conv{n}d": n for n in (1, 2, 3)}, **{f"conv_transpose{n}d": n for n in (1, 2, 3)},
    **{f"max_pool{n}d": n for n in (1, 2, 3)}, **{f"avg_pool{n}d": n for n in (1, 2, 3)},
    **{f"adaptive_avg_pool{n}d": n for n in (1, 2, 3)}, **{f"adaptive_max_pool{n}d": n for n in (1, 2, 3)},
    "pixel_shuffle": 2, "pixel_unshuffle": 2,
}  # fmt: skip
"""Number of spatial axes by operation; the rank then says whether there is a batch axis."""


COLOURS = 3
"""Channels of a colour picture."""


def infer_axes(name: str, args: Args, kwargs: Kwargs, source: Axes, before: Shape, after: Shape) -> Axes:
    """Returns the axes of an operation's output.

    name: the canonical name of the operation (`add`, not `__iadd__`). source, before: axes and shape of its leading
    input. after: shape of the output.
    """
    rule = RULES.get(name)
    if rule is not None:
        return rule(name, args, kwargs, source, before, after)
    return _inherited(name, args, kwargs, source, before, after)


def infer_module_axes(module: Any, source: Axes, before: Shape, after: Shape, state: bool = False) -> Axes:
    """Returns the axes of an output of a torch.nn module; module None stands for any other module.

    source, before: axes and shape of its leading input. after: shape of the output. state: whether the output is the
    last state of a recurrent layer: (layers, N, D) whatever its batch_first says.
    """
    name = operation_name(type(module).__name__)
    if name in ("multihead_attention", "lstm", "gru", "rnn") and len(after) in (2, 3):
        axes = _sequence_axes(source, before, after, 0 if module.batch_first and not state else 1)
        return axes if name == "multihead_attention" else axes._replace(grid=None)
    return infer_axes(name, (None, getattr(module, "normalized_shape", ())), {}, source, before, after)


@cache
def operation_name(kind: str) -> str:
    """Returns the operation behind a class of torch.nn: `max_pool2d` for MaxPool2d."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", kind).lower()


def _inherited(name: str, args: Args, kwargs: Kwargs, source: Axes, before: Shape, after: Shape) -> Axes:
    """Keeps the axes where the rank stays; else matches them by size, which may be wrong."""
    if len(before) != len(after):
        return _move_axes(source, _match_by_size(before, after), before, after)._replace(certain=False)
    if before == after or source.batch is None or before[source.batch] == after[source.batch]:
        return source
    parts = list(parts_of(source, before))
    kind = COPY if name in ("repeat", "repeat_interleave", "tile", "expand") else ""
    parts[source.batch] = resize_batch(parts[source.batch], after[source.batch], kind, name == "repeat_interleave")
    return source._replace(parts=tuple(parts))


def _spatial(name: str, args: Args, kwargs: Kwargs, source: Axes, before: Shape, after: Shape) -> Axes:
    rank = SPATIAL_RANK[name]
    batched = len(after) == rank + 2
    parts = spatial_parts(source, before, after, batched, rank)
    return Axes(0, 1, parts=parts, certain=source.batch in (None, 0)) if batched else Axes(None, 0, parts=parts)


def _channels_last(name: str, args: Args, kwargs: Kwargs, source: Axes, before: Shape, after: Shape) -> Axes:
    last = len(after) - 1
    parts = (*parts_of(source, before)[:last], ()) if len(before) == len(after) else ()
    return Axes(source.batch if source.batch != last else None, last, None, source.grid, parts, source.certain)


def _layer_norm(name: str, args: Args, kwargs: Kwargs, source: Axes, before: Shape, after: Shape) -> Axes:
    sizes = args[1] if len(args) > 1 else kwargs.get("normalized_shape", ())
    return source if len(sizes) > 1 else source._replace(channel=len(after) - 1, head=None)


def _embedding(name: str, args: Args, kwargs: Kwargs, source: Axes, before: Shape, after: Shape) -> Axes:
    return Axes(source.batch, len(after) - 1, parts=(*parts_of(source, before), ()), certain=source.certain)


def _module_attention(name: str, args: Args, kwargs: Kwargs, source: Axes, before: Shape, after: Shape) -> Axes:
    return _sequence_axes(source, before, after, 1)


def _sequence_axes(source: Axes, before: Shape, after: Shape, batch: int) -> Axes:
    """Returns the axes of the output of attention and recurrent layers, whose batch axis is documented."""
    rank = len(after)
    if rank < 3:
        parts = source.parts[:1] + ((),) * (rank - 1) if is_packed(source) else ()
        return Axes(None, rank - 1, None, _grid_of_as_many_tokens(source, before, after, 0), parts)
    known = len(before) == rank and source.batch == batch
    own: tuple[Part, ...] = parts_of(source, before)[batch] if known else ()
    grid = _grid_of_as_many_tokens(source, before, after, 1 - batch)
    certain = source.certain and source.batch in (None, batch)
    return Axes(batch, 2, None, grid, tuple(own if axis == batch else () for axis in range(rank)), certain)


def _grid_of_as_many_tokens(source: Axes, before: Shape, after: Shape, axis: int) -> TokenGrid | None:
    """Returns the grid of the leading input, unless the output has another number of tokens, as queries have."""
    return source.grid if len(before) == len(after) and before[axis] == after[axis] else None


def _scaled_attention(name: str, args: Args, kwargs: Kwargs, source: Axes, before: Shape, after: Shape) -> Axes:
    rank = len(after)
    grid = _grid_of_as_many_tokens(source, before, after, rank - 2)
    parts = parts_of(source, before) if len(before) == rank else ()
    return Axes(source.batch, rank - 1, rank - 3 if rank > 3 else None, grid, parts, source.certain)


def _recurrent(name: str, args: Args, kwargs: Kwargs, source: Axes, before: Shape, after: Shape) -> Axes:
    """Knows neither which output it is nor whether the input was packed: nothing here is certain."""
    return Axes(0 if args and args[-1] is True else 1, len(after) - 1, certain=False)


def _packed(name: str, args: Args, kwargs: Kwargs, source: Axes, before: Shape, after: Shape) -> Axes:
    return Axes(None, len(after) - 1, parts=((Part(PACKED, after[0]),), *((),) * (len(after) - 1)))


def _unpacked(name: str, args: Args, kwargs: Kwargs, source: Axes, before: Shape, after: Shape) -> Axes:
    return Axes(0 if args[2] else 1, len(after) - 1)


def _joined(name: str, args: Args, kwargs: Kwargs, source: Axes, before: Shape, after: Shape) -> Axes:
    """Forgets the grid if tokens come after those of the picture: only class and register tokens come first."""
    axes = _inherited(name, args, kwargs, source, before, after)
    changed = [axis for axis, (was, now) in enumerate(zip(before, after, strict=False)) if was != now]
    is_last = tuple(args[0][-1].shape) == before
    return axes if is_last or changed in ([source.batch], [source.channel]) else axes._replace(grid=None)


def _permuted(name: str, args: Args, kwargs: Kwargs, source: Axes, before: Shape, after: Shape) -> Axes:
    return _move_axes(source, permutation(name, args, kwargs, len(before)), before, after)


def _reshaped(name: str, args: Args, kwargs: Kwargs, source: Axes, before: Shape, after: Shape) -> Axes:
    return reshaped_axes(source, before, after, merges=name == "flatten")


def _indexed(name: str, args: Args, kwargs: Kwargs, source: Axes, before: Shape, after: Shape) -> Axes:
    positions = index_positions(name, args, kwargs, len(before))
    moved = _move_axes(source, positions, before, after)
    if moved.batch is None or source.batch is None or before[source.batch] == after[moved.batch]:
        return moved
    parts = list(moved.parts)
    parts[moved.batch] = resize_batch(parts_of(source, before)[source.batch], after[moved.batch], "")
    return moved._replace(parts=tuple(parts))


def _reduced(name: str, args: Args, kwargs: Kwargs, source: Axes, before: Shape, after: Shape) -> Axes:
    """Removes the axes that a sum, mean or maximum names."""
    dims = kwargs.get("dim", kwargs.get("axis", args[1] if len(args) > 1 else None))
    dims = (dims,) if isinstance(dims, int) and not isinstance(dims, bool) else dims
    if len(before) == len(after) or not isinstance(dims, (tuple, list)):
        return _inherited(name, args, kwargs, source, before, after)
    gone = {axis % len(before) for axis in dims}
    kept = iter(range(len(after)))
    positions = [None if axis in gone else next(kept, None) for axis in range(len(before))]
    return _move_axes(source, positions, before, after)


def _inserted(name: str, args: Args, kwargs: Kwargs, source: Axes, before: Shape, after: Shape) -> Axes:
    """Puts in the axis of `stack` or `unsqueeze`."""
    dim = kwargs.get("dim", args[1] if len(args) > 1 else 0) % len(after)
    return _move_axes(source, [axis + (axis >= dim) for axis in range(len(before))], before, after)


def _widened(name: str, args: Args, kwargs: Kwargs, source: Axes, before: Shape, after: Shape) -> Axes:
    """Puts the new axes of `expand` and `repeat` first."""
    new = len(after) - len(before)
    moved = _move_axes(source, [axis + new for axis in range(len(before))], before, (*after[:new], *before))
    return _inherited(name, args, kwargs, moved, (*after[:new], *before), after)


def _patches(name: str, args: Args, kwargs: Kwargs, source: Axes, before: Shape, after: Shape) -> Axes:
    """Knows F.unfold: (N, C, H, W) to (N, C · k · k, L); Tensor.unfold puts an axis of windows last."""
    batch = parts_of(source, before)[:1]
    if (len(before), len(after)) == (4, 3):
        return Axes(0, 1, parts=(*batch, (), ()), certain=source.batch in (None, 0))
    return _move_axes(source, list(range(len(before))), before, after)


RULES: Mapping[str, AxesRule] = {
    **dict.fromkeys(SPATIAL_RANK, _spatial),
    **dict.fromkeys(("linear", "bilinear"), _channels_last),
    "layer_norm": _layer_norm,
    "embedding": _embedding,
    "multi_head_attention_forward": _module_attention,
    **dict.fromkeys(("scaled_dot_product_attention", "flex_attention"), _scaled_attention),
    **dict.fromkeys(("lstm", "gru", "rnn_tanh", "rnn_relu"), _recurrent),
    **dict.fromkeys(("permute", "transpose", "swapaxes", "swapdims", "t", "T", "mT", "movedim", "moveaxis"), _permuted),
    **dict.fromkeys(
        ("view", "view_as", "reshape", "reshape_as", "flatten", "unflatten", "squeeze", "ravel", "_unsafe_view"),
        _reshaped,
    ),
    **dict.fromkeys(("__getitem__", "select", "unbind"), _indexed),
    **dict.fromkeys(
        ("mean", "sum", "max", "min", "amax", "amin", "argmax", "argmin", "std", "var", "norm", "logsumexp"), _reduced
    ),
    **dict.fromkeys(("stack", "unsqueeze"), _inserted),
    **dict.fromkeys(("expand", "repeat", "expand_as"), _widened),
    "unfold": _patches,
    "_pack_padded_sequence": _packed,
    "_pad_packed_sequence": _unpacked,
    "cat": _joined,
}
"""How operations change axes, by canonical name; other operations keep them, or match them by size."""


def _move_axes(source: Axes, positions: Sequence[int | None], before: Shape, after: Shape) -> Axes:
    """Moves axis a to positions[a]; None means that the axis is gone."""

    def move(axis: int | None) -> int | None:
        return positions[axis] if axis is not None and axis < len(positions) else None

    parts: list[tuple[Part, ...]] = [()] * len(after)
    for position, own in zip(positions, parts_of(source, before), strict=False):
        if position is not None and position < len(after):
            parts[position] = own
    moved = move(source.batch), move(source.channel), move(source.head)
    return Axes(*moved, source.grid, tuple(parts), source.certain)


@lru_cache(4096)  # networks repeat themselves
def reshaped_axes(source: Axes, before: Shape, after: Shape, merges: bool = False) -> Axes:
    """Returns the axes after a reshape: those that still hold the same values; the batch may merge with others.

    merges: whether a batch of one has merged with an axis rather than vanished, which sizes alone don't tell.
    """
    parts = regroup(parts_of(source, before), after)
    batch = None if parts is None else batch_axis(parts)
    squeezed = not merges and [size for size in before if size > 1] == [size for size in after if size > 1]
    if squeezed and source.batch is not None and before[source.batch] == 1:
        batch = _same_axis(source.batch, before, after, 0)  # a batch of one can be merged or squeezed, the rest can't
        parts = None if batch is None else parts
    first = 0 if batch is None or after[batch] != before[source.batch or 0] else batch + 1
    channel, head = (_same_axis(axis, before, after, first) for axis in (source.channel, source.head))
    channel, head = (None if axis == batch else axis for axis in (channel, head))
    grid = (picture_grid(parts) if parts else None) or source.grid
    return Axes(batch, channel, head if head != channel else None, grid, parts or (), source.certain)


def _same_axis(axis: int | None, before: Shape, after: Shape, first: int) -> int | None:
    """Returns the axis of `after`, from `first` on, that holds the values of `axis` in the same order; or None."""
    if axis is None or axis >= len(before):
        return None
    start = math.prod(before[:axis])
    for position in range(first, len(after)):
        if after[position] == before[axis] and math.prod(after[:position]) == start:
            return position
    return None


def _match_by_size(before: Shape, after: Shape) -> list[int | None]:
    """Matches axes by size, in order: for reductions, stacks and other operations that change the rank."""
    positions: list[int | None] = []
    start = 0
    for size in before:
        found = next((k for k in range(start, len(after)) if after[k] == size), None)
        positions.append(found)
        start = start if found is None else found + 1
    return positions


def gathered_axes(source: Axes, after: Shape) -> Axes:
    """Returns the axes after rows were picked by computed indices: of all inputs, or sorted back if they were it."""
    others = ((),) * (len(after) - 1)
    channel = len(after) - 1 if len(after) > 1 else None
    if is_gathered(source):
        return Axes(0, channel, parts=((Part(BATCH, after[0]),), *others), certain=False)
    return Axes(None, channel, parts=((Part(GATHERED, after[0]),), *others))


def input_axes(shape: Shape, unbatched: bool, tokens: bool, sequence_first: bool) -> Axes:
    """Returns what an input's axes are assumed to mean until a layer fixes them.

    unbatched: it has no batch axis, as the pictures in a detection model's list. tokens: it holds integers.
    sequence_first: the batch is axis 1, after the tokens.
    """
    rank = len(shape)
    if unbatched or rank < 2:
        channel = None if not rank else 0 if rank == 3 or rank < 2 else rank - 1
        return Axes(None, channel, parts=_input_parts(shape, None))
    batch = 1 if sequence_first and rank <= 3 else 0
    parts = _input_parts(shape, batch)
    if tokens and rank == 2:
        return Axes(batch, None, parts=parts)
    return Axes(batch, 1 if batch == 0 and rank != 3 else rank - 1 if batch else None, parts=parts)


def graph_axes(shape: Shape) -> Axes:
    """Returns the axes of the nodes (V, D) of one graph: positions of one input, not a batch."""
    return Axes(0, 1, parts=((Part(BATCH, 1), Part(NODE, shape[0])), ()))


def _input_parts(shape: Shape, batch: int | None) -> Parts:
    """Returns the parts of an input's axes: (N, L, D), (N, C, H, W) or colour video, with or without N.

    Five axes are a video only if there are COLOURS: else they may as well be a volume's slices or what is seen from
    several sides.
    """
    kinds = [STEP] * len(shape)
    if len(shape) - (batch is not None) >= 3:
        is_video = len(shape) == 5 and COLOURS in shape[1:3]
        kinds = [FRAME if is_video else ""] * (len(shape) - 2) + [ROW, COLUMN]
    if batch is not None:
        kinds[batch] = BATCH
    return tuple((Part(kind, size),) for kind, size in zip(kinds, shape, strict=True))
