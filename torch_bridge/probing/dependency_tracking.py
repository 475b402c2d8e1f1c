"""Tracks which input pixels values depend on: operations return the largest of the values that they would mix.

This works below torch's Python functions, so operations inside modules and scripted parts are tracked too. The result
of an unknown operation depends on everything, and so do all values computed from it. Tensors may have any shape; only
floating-point tensors are tracked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from ..capture.trace.op_types import read_arguments, tensor_arguments, tensors_in

MARK = "_innerwalk_tracker"
"""Attribute of a tensor that holds the tracker it belongs to."""
NOTHING, EVERYTHING = -torch.inf, torch.inf
"""Values that depend on no pixel, and on all pixels."""
ELEMENTWISE = frozenset(
    "relu hardtanh hardswish hardsigmoid leaky_relu prelu_kernel rrelu_with_noise elu celu selu silu gelu mish sigmoid "
    "log_sigmoid_forward tanh softplus softshrink hardshrink threshold clamp clamp_min clamp_max abs neg exp expm1 log "
    "log1p sqrt rsqrt square sin cos erf reciprocal sign round floor ceil trunc nan_to_num native_batch_norm "
    "native_batch_norm_legit native_batch_norm_legit_no_training cudnn_batch_norm batch_norm_with_update".split()
)
"""Operations that compute each value from one value."""
BROADCAST = frozenset("add sub mul div maximum minimum where lerp addcmul addcdiv atan2 hypot rsub pow".split())
"""Operations that compute each value from one value of each of several tensors."""
MOVERS = frozenset(
    "clone to_copy unsafe_view reshape_alias view_copy max_pool2d_with_indices adaptive_max_pool2d upsample_nearest2d "
    "upsample_nearest_exact2d reflection_pad2d replication_pad2d pixel_shuffle pixel_unshuffle channel_shuffle roll "
    "flip repeat index_select gather index squeeze_copy max_pool3d_with_indices amax".split()
)
"""Operations that move values, or return the largest of several unchanged; they run as usual."""


class DependencyTracker(TorchDispatchMode):
    """Replaces operations on the given tensors, and on all tensors computed from them, while it is entered.

    A replaced operation returns the largest of the values that it would mix.
    """

    def __init__(self, tensors: Iterable[Tensor]) -> None:
        super().__init__()
        self._mark(tensors)

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """torch loads its compiler, which takes seconds, for modes that return True."""
        return False

    def tracks(self, tensor: Tensor) -> bool:
        """Whether a tensor of any shape is one of the given tensors or computed from them."""
        return getattr(tensor, MARK, None) is self

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = func._schema.name.partition("::")[2]
        plain = name.strip("_")
        if not any(map(self.tracks, read_arguments(plain, args, kwargs))):
            return func(*args, **kwargs)
        if plain in MOVERS or (func.is_view and not func._schema.is_mutable):
            result = func(*args, **kwargs)
        else:
            result = self._largest(func, plain, args, kwargs)
            if name.endswith("_"):
                result = args[0].copy_(result[0] if isinstance(result, tuple) else result)
        self._mark(tensors_in(result))
        return result

    def _largest(self, func: Any, name: str, args: Any, kwargs: Any) -> Any:
        """Returns what replaces the result of an operation; `name` has no underscores at its ends."""
        tracked = [tensor for tensor in tensor_arguments(args, kwargs) if self.tracks(tensor)]
        if name in ("copy", "fill", "zero"):
            return args[1] if tracked[1:] or not self.tracks(args[0]) else torch.full_like(args[0], NOTHING)
        if name in BROADCAST:
            shape = torch.broadcast_shapes(*(tensor.shape for tensor in tensor_arguments(args, kwargs)))
            return torch.stack([tensor.expand(shape) for tensor in tracked]).amax(0)
        if name in ("cat", "stack"):
            parts = [part if self.tracks(part) else torch.full_like(part, NOTHING) for part in args[0]]
            return func(parts, *args[1:], **kwargs)
        if name in ("mm", "bmm", "addmm", "baddbmm"):
            return self._matrix_product(*args[-2:])
        if name in RULES:
            return RULES[name](*args, **kwargs)
        if name in ELEMENTWISE and len(func._schema.returns) == 1:
            return tracked[0].clone()
        return self._run_unreplaced(func, name, args, kwargs, tracked)

    def _run_unreplaced(self, func: Any, name: str, args: Any, kwargs: Any, tracked: list[Tensor]) -> Any:
        """Runs an operation for the shapes of its results, which then depend on everything if it is unknown."""
        output = func(*args, **kwargs)
        if name in ELEMENTWISE:
            return (tracked[0].clone(), *output[1:])
        for tensor in tensors_in(output):
            if tensor.is_floating_point():
                tensor.fill_(EVERYTHING)
        return output

    def _matrix_product(self, left: Tensor, right: Tensor) -> Tensor:
        """Replaces (..., n, k) @ (..., k, m)."""
        shape = (*left.shape[:-1], right.shape[-1])
        if self.tracks(left) and self.tracks(right):
            return left.new_full(shape, EVERYTHING)
        largest = left.amax(-1, keepdim=True) if self.tracks(left) else right.amax(-2, keepdim=True)
        return largest.expand(shape).clone()

    def _mark(self, tensors: Iterable[Tensor]) -> None:
        for tensor in tensors:
            if tensor.is_floating_point():
                setattr(tensor, MARK, self)


def _convolution(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    transposed: bool,
    output_padding: Sequence[int],
    groups: int,
    *_: Any,
) -> Tensor:
    window = tuple(weight.shape[2:])
    if len(window) != 2:
        output = torch.ops.aten.convolution(
            input, weight, None, stride, padding, dilation, transposed, output_padding, groups
        )
        return output.fill_(EVERYTHING)
    x = input.unflatten(1, (groups, -1)).amax(2)
    before, after = list(padding), list(padding)
    if transposed:
        x = _insert_gaps(x, stride)
        before = [far * (side - 1) - cut for side, far, cut in zip(window, dilation, padding, strict=True)]
        after = [start + more for start, more in zip(before, output_padding, strict=True)]
        stride = (1, 1)
    x = F.pad(x, (before[1], after[1], before[0], after[0]), value=NOTHING)
    largest = F.max_pool2d(x, window, tuple(stride), 0, tuple(dilation))
    return largest.repeat_interleave(weight.shape[1] if transposed else len(weight) // groups, 1)


def _insert_gaps(x: Tensor, stride: Sequence[int]) -> Tensor:
    """Inserts stride - 1 positions that depend on nothing between neighbours of (N, C, H, W)."""
    height, width = ((side - 1) * step + 1 for side, step in zip(x.shape[2:], stride, strict=True))
    wide = x.new_full((*x.shape[:2], height, width), NOTHING)
    wide[..., :: stride[0], :: stride[1]] = x
    return wide


def _pool2d(
    input: Tensor, window: Any, stride: Any = (), padding: Any = 0, ceil: bool = False, *_: Any, **__: Any
) -> Tensor:
    return F.max_pool2d(input, window, stride or window, padding, 1, ceil)


def _pool3d(
    input: Tensor, window: Any, stride: Any = (), padding: Any = 0, ceil: bool = False, *_: Any, **__: Any
) -> Tensor:
    return F.max_pool3d(input, window, stride or window, padding, 1, ceil)


def _adaptive_pool2d(input: Tensor, size: Sequence[int]) -> Tensor:
    return F.adaptive_max_pool2d(input, tuple(size))


def _layer_norm(input: Tensor, shape: Sequence[int], *_: Any) -> tuple[Tensor, ...]:
    largest = input.amax(tuple(range(-len(shape), 0)), keepdim=True)
    return largest.expand(input.shape).clone(), largest, largest.clone()


def _pad(input: Tensor, pad: Sequence[int], value: Any = 0) -> Tensor:
    return F.pad(input, tuple(pad), value=NOTHING)


def _softmax(input: Tensor, dim: int, *_: Any) -> Tensor:
    return input.amax(dim, keepdim=True).expand(input.shape).clone()


def _reduction(input: Tensor, dim: Sequence[int] | None = None, keepdim: bool = False, **_: Any) -> Tensor:
    return input.amax(tuple(dim), keepdim) if dim else input.new_full((), EVERYTHING)


def _resize(near: int) -> Callable[..., Tensor]:
    """Returns a rule for interpolation that mixes up to `near` pixels on either side of the nearest one."""

    def resize(input: Tensor, size: Sequence[int], *_: Any) -> Tensor:
        return F.interpolate(F.max_pool2d(input, 2 * near + 1, 1, near), tuple(size))

    return resize


RULES: Mapping[str, Callable[..., Any]] = {
    "convolution": _convolution,
    "avg_pool2d": _pool2d,
    "avg_pool3d": _pool3d,
    "adaptive_avg_pool2d": _adaptive_pool2d,
    "native_layer_norm": _layer_norm,
    "constant_pad_nd": _pad,
    "softmax": _softmax,
    "log_softmax": _softmax,
    "mean": _reduction,
    "sum": _reduction,
    "upsample_bilinear2d": _resize(1),
    "upsample_bicubic2d": _resize(2),
}
"""Replacements by operation, which return the largest of the values that the operation would mix."""
