"""Recognises ReLUs among operations, however they are written: functions, bounds, maxima, and choices by sign."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch.utils.weak import WeakIdKeyDictionary

from ..capture.trace.op_types import canonical_name


class Rectifier(NamedTuple):
    """One call of a ReLU or ReLU6."""

    values: torch.Tensor
    """Input, of any shape."""
    top: float | None
    """Largest value that is passed on; None for no limit."""
    in_place: bool


Arguments = Mapping[str, Any]
BOUNDS: Mapping[str, tuple[str, Callable[[Arguments], tuple[Any, Any]]]] = {
    "relu": ("inplace", lambda a: (0, None)),
    "relu6": ("inplace", lambda a: (0, 6.0)),
    "hardtanh": ("min_val max_val inplace", lambda a: (a.get("min_val", -1), a.get("max_val", 1))),
    "clamp": ("min max", lambda a: (a.get("min"), a.get("max"))),
    "clip": ("min max", lambda a: (a.get("min"), a.get("max"))),
    "clamp_min": ("min", lambda a: (a["min"], None)),
    "threshold": ("threshold value inplace", lambda a: (a["threshold"] or a["value"], None)),
}
"""By operation: the names of its arguments after the first, and the bounds (smallest, largest) that these set."""
COMPARISONS = {"gt": True, "ge": True, "greater": True, "greater_equal": True}
COMPARISONS |= {"lt": False, "le": False, "less": False, "less_equal": False}
"""By comparison with 0: whether it is true for positive values."""
CASTS = frozenset("to float double half bfloat16 type type_as".split())
"""Operations that give a mask another type."""


class SignMask(NamedTuple):
    """Where a mask came from."""

    values: torch.Tensor
    """Of any shape."""
    above: bool
    """Whether it is true where the values are above 0."""
    versions: tuple[int, int]
    """Of the values and the mask: how often they had been changed in place."""


class SignMasks:
    """The masks that a network has computed from the signs of values, such as `x > 0`."""

    def __init__(self) -> None:
        self._masks: WeakIdKeyDictionary = WeakIdKeyDictionary()  # mask -> SignMask

    def add(self, name: str, args: Sequence[Any], output: Any) -> None:
        """Remembers the output of an operation with this `__name__` if it is such a mask."""
        plain = canonical_name(name)
        if plain in COMPARISONS and len(args) == 2 and isinstance(args[0], torch.Tensor) and _is_zero(args[1]):
            self._masks[output] = SignMask(args[0], COMPARISONS[plain], _versions(args[0], output))
        elif plain in CASTS and isinstance(output, torch.Tensor) and args and (known := self._find(args[0])):
            self._masks[output] = known._replace(versions=_versions(known.values, output))

    def _find(self, mask: Any) -> SignMask | None:
        """Returns where a mask came from, unless it or the values have changed since."""
        known = self._masks.get(mask) if isinstance(mask, torch.Tensor) else None
        return known if known is not None and known.versions == _versions(known.values, mask) else None

    def chooses(self, mask: Any, values: Any, *, positive: bool) -> bool:
        """Whether a mask is true (or 1) just where these values are positive; where they are not if not `positive`."""
        known = self._find(mask)
        return known is not None and known.values is values and known.above == positive


def _versions(values: torch.Tensor, mask: torch.Tensor) -> tuple[int, int]:
    """How often tensors of any shape have been changed in place; 0 for those of inference, which don't count it."""
    return tuple(0 if each.is_inference() else each._version for each in (values, mask))  # type: ignore[return-value]


def parse_rectifier(
    name: str, args: Sequence[Any], kwargs: Mapping[str, Any], masks: SignMasks | None = None
) -> Rectifier | None:
    """Returns the ReLU or ReLU6 that an operation with this `__name__` and these arguments is, or None.

    masks: those computed before, for ReLUs that are written as `where(x > 0, x, 0)` or `x * (x > 0)`.
    """
    plain = canonical_name(name).lstrip("_")
    if "out" in kwargs:
        return None
    written = name.partition(".")[0]
    in_place = written.startswith("__i") if written.endswith("__") else written.endswith("_")
    if plain in CHOICES:
        values = CHOICES[plain]([*args, *kwargs.values()], masks or SignMasks())
        return None if values is None else Rectifier(values, None, in_place and values is args[0])
    if plain not in BOUNDS:
        return None
    names, bounds = BOUNDS[plain]
    values = args[0] if args else kwargs.get("input", kwargs.get("self"))
    named = {**dict(zip(names.split(), args[1:], strict=False)), **kwargs}
    bottom, top = bounds(named)
    if type(bottom) not in (int, float) or bottom != 0 or not (top is None or type(top) in (int, float)):
        return None
    if not isinstance(values, torch.Tensor) or not values.is_floating_point():
        return None
    return Rectifier(values, top, bool(named.get("inplace")) or in_place)


def _is_zero(value: Any) -> bool:
    """Whether a value is the number 0 or a constant tensor of zeros."""
    if isinstance(value, torch.Tensor):
        return not value.requires_grad and not bool(value.any())
    return type(value) in (int, float) and value == 0


def _larger(operands: Sequence[Any], masks: SignMasks) -> torch.Tensor | None:
    """The values in `maximum(values, 0)`."""
    if len(operands) != 2 or not all(isinstance(operand, torch.Tensor) for operand in operands):
        return None
    for values, other in (operands, operands[::-1]):
        if values.is_floating_point() and other.dim() <= values.dim() and other.numel() <= values.numel():
            if values.requires_grad and _is_zero(other):
                return values
    return None


def _chosen(operands: Sequence[Any], masks: SignMasks) -> torch.Tensor | None:
    """The values in `where(values > 0, values, 0)`, `values.where(values > 0, 0)` or `where(values < 0, 0, values)`."""
    if len(operands) != 3:
        return None
    for mask, first, second in (operands, (operands[1], operands[0], operands[2])):
        if masks.chooses(mask, first, positive=True) and _is_zero(second):
            return first
        if masks.chooses(mask, second, positive=False) and _is_zero(first):
            return second
    return None


def _filled(operands: Sequence[Any], masks: SignMasks) -> torch.Tensor | None:
    """The values in `values.masked_fill(values < 0, 0)`."""
    is_filled = len(operands) == 3 and masks.chooses(operands[1], operands[0], positive=False) and _is_zero(operands[2])
    return operands[0] if is_filled else None


def _masked(operands: Sequence[Any], masks: SignMasks) -> torch.Tensor | None:
    """The values in `values * (values > 0)`."""
    pairs = (operands, operands[::-1]) if len(operands) == 2 else ()
    return next((values for values, mask in pairs if masks.chooses(mask, values, positive=True)), None)


CHOICES: Mapping[str, Callable[[Sequence[Any], SignMasks], torch.Tensor | None]] = {
    "maximum": _larger,
    "max": _larger,
    "fmax": _larger,
    "where": _chosen,
    "masked_fill": _filled,
    "mul": _masked,
}
"""By operation: the values that it rectifies, or None if it is no ReLU."""
