"""What values depend on, by the network's own run: operations take the largest of what they would mix.

Below the level where torch is called, so that scripted parts and what runs inside modules are seen, too. An operation
that isn't known here depends on everything, and so does all that comes of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from ..capture.trace.op_types import SHAPE_ONLY, tensor_arguments, tensors_in

MARK = "_innerwalk_follows"
NOTHING, EVERYTHING = -torch.inf, torch.inf
SINGLE = frozenset(
    "relu hardtanh hardswish hardsigmoid leaky_relu prelu_kernel rrelu_with_noise elu celu selu silu gelu mish sigmoid "
    "log_sigmoid_forward tanh softplus softshrink hardshrink threshold clamp clamp_min clamp_max abs neg exp expm1 log "
    "log1p sqrt rsqrt square sin cos erf reciprocal sign round floor ceil trunc nan_to_num native_batch_norm "
    "native_batch_norm_legit native_batch_norm_legit_no_training cudnn_batch_norm batch_norm_with_update".split()
)
"""They make each value of one value."""
SEVERAL = frozenset("add sub mul div maximum minimum where lerp addcmul addcdiv atan2 hypot rsub pow".split())
"""They make each value of one value each of some tensors."""
MOVERS = frozenset(
    "clone to_copy unsafe_view reshape_alias view_copy max_pool2d_with_indices adaptive_max_pool2d upsample_nearest2d "
    "upsample_nearest_exact2d reflection_pad2d replication_pad2d pixel_shuffle pixel_unshuffle channel_shuffle roll "
    "flip repeat index_select gather index squeeze_copy max_pool3d_with_indices amax".split()
)
"""They move values, or take the largest as it is."""


class DependencyTracker(TorchDispatchMode):
    """While entered, operations on some tensors, and on what came of them, take the largest of what they would mix."""

    def __init__(self, tensors: Iterable[Tensor]) -> None:
        super().__init__()
        self._mark(tensors)

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """torch asks this of its modes: if they say yes, it loads its compiler, which takes seconds."""
        return False

    def follows(self, tensor: Tensor) -> bool:
        """Whether a tensor has come of those."""
        return getattr(tensor, MARK, None) is self

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = func._schema.name.partition("::")[2]
        plain = name.strip("_")
        if plain in SHAPE_ONLY or not any(map(self.follows, tensor_arguments(args, kwargs))):
            return func(*args, **kwargs)
        if plain in MOVERS or (func.is_view and not func._schema.is_mutable):
            made = func(*args, **kwargs)
        else:
            made = self._made(func, plain, args, kwargs)
            if name.endswith("_"):
                made = args[0].copy_(made[0] if isinstance(made, tuple) else made)
        self._mark(tensors_in(made))
        return made

    def _made(self, func: Any, name: str, args: Any, kwargs: Any) -> Any:
        """What an operation, by its name without _, would have made anew."""
        followed = [one for one in tensor_arguments(args, kwargs) if self.follows(one)]
        if name in ("copy", "fill", "zero"):
            return args[1] if followed[1:] or not self.follows(args[0]) else torch.full_like(args[0], NOTHING)
        if name in SEVERAL:
            shape = torch.broadcast_shapes(*(one.shape for one in tensor_arguments(args, kwargs)))
            return torch.stack([one.expand(shape) for one in followed]).amax(0)
        if name in ("cat", "stack"):
            parts = [one if self.follows(one) else torch.full_like(one, NOTHING) for one in args[0]]
            return func(parts, *args[1:], **kwargs)
        if name in ("mm", "bmm", "addmm", "baddbmm"):
            return self._product(*args[-2:])
        if name in RULES:
            return RULES[name](*args, **kwargs)
        if name in SINGLE and len(func._schema.returns) == 1:
            return followed[0].clone()
        output = func(*args, **kwargs)
        if name in SINGLE:
            return (followed[0].clone(), *output[1:])
        for one in tensors_in(output):
            if one.is_floating_point():
                one.fill_(EVERYTHING)
        return output

    def _product(self, left: Tensor, right: Tensor) -> Tensor:
        """(..., n, k) @ (..., k, m)."""
        shape = (*left.shape[:-1], right.shape[-1])
        if self.follows(left) and self.follows(right):
            return left.new_full(shape, EVERYTHING)
        most = left.amax(-1, keepdim=True) if self.follows(left) else right.amax(-2, keepdim=True)
        return most.expand(shape).clone()

    def _mark(self, tensors: Iterable[Tensor]) -> None:
        for one in tensors:
            if one.is_floating_point():
                setattr(one, MARK, self)


def _convolution(
    input: Tensor, weight: Tensor, bias: Tensor | None, stride: Sequence[int], padding: Sequence[int],
    dilation: Sequence[int], transposed: bool, output_padding: Sequence[int], groups: int, *_: Any,
) -> Tensor:  # fmt: skip
    window = tuple(weight.shape[2:])
    if len(window) != 2:
        made = torch.ops.aten.convolution(
            input, weight, None, stride, padding, dilation, transposed, output_padding, groups
        )
        return made.fill_(EVERYTHING)
    x = input.unflatten(1, (groups, -1)).amax(2)
    before, after = list(padding), list(padding)
    if transposed:
        x = _apart(x, stride)
        before = [far * (side - 1) - cut for side, far, cut in zip(window, dilation, padding, strict=True)]
        after = [start + more for start, more in zip(before, output_padding, strict=True)]
        stride = (1, 1)
    x = F.pad(x, (before[1], after[1], before[0], after[0]), value=NOTHING)
    made = F.max_pool2d(x, window, tuple(stride), 0, tuple(dilation))
    return made.repeat_interleave(weight.shape[1] if transposed else len(weight) // groups, 1)


def _apart(x: Tensor, stride: Sequence[int]) -> Tensor:
    """(N, C, H, W) with places that depend on nothing between each two."""
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


def _adaptive(input: Tensor, size: Sequence[int]) -> Tensor:
    return F.adaptive_max_pool2d(input, tuple(size))


def _layer_norm(input: Tensor, shape: Sequence[int], *_: Any) -> tuple[Tensor, ...]:
    most = input.amax(tuple(range(-len(shape), 0)), keepdim=True)
    return most.expand(input.shape).clone(), most, most.clone()


def _pad(input: Tensor, pad: Sequence[int], value: Any = 0) -> Tensor:
    return F.pad(input, tuple(pad), value=NOTHING)


def _softmax(input: Tensor, dim: int, *_: Any) -> Tensor:
    return input.amax(dim, keepdim=True).expand(input.shape).clone()


def _mean(input: Tensor, dim: Sequence[int] | None = None, keepdim: bool = False, **_: Any) -> Tensor:
    return input.amax(tuple(dim), keepdim) if dim else input.new_full((), EVERYTHING)


def _resized(near: int) -> Callable[..., Tensor]:
    """Of so many pixels to either side of the nearest, at most."""

    def resized(input: Tensor, size: Sequence[int], *_: Any) -> Tensor:
        return F.interpolate(F.max_pool2d(input, 2 * near + 1, 1, near), tuple(size))

    return resized


RULES: Mapping[str, Callable[..., Any]] = {
    "convolution": _convolution, "avg_pool2d": _pool2d, "avg_pool3d": _pool3d, "adaptive_avg_pool2d": _adaptive,
    "native_layer_norm": _layer_norm, "constant_pad_nd": _pad, "softmax": _softmax, "log_softmax": _softmax,
    "mean": _mean, "sum": _mean, "upsample_bilinear2d": _resized(1), "upsample_bicubic2d": _resized(2),
}  # fmt: skip
"""By operation: the largest of what it would mix, instead of the operation."""
