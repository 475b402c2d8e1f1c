"""What is sent back through a ReLU: the gradient, a deconvnet's signal, or guided backprop's.

With a ReLU's input f and R' that comes back to its output, the gradient sends R = [f > 0] R', Zeiler and Fergus 2014
("Visualizing and Understanding Convolutional Networks") R = [R' > 0] R', Springenberg et al. 2015 ("Striving for
Simplicity") R = [f > 0] [R' > 0] R'. The operations are replaced, not the modules: a ReLU counts in whatever way it is
written, also where one module is called twice or works in place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal, NamedTuple

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from ..capture.trace.op_types import canonical_name
from ..recording.errors import InputError

Rule = Literal["gradient", "deconvnet", "guided"]
OTHERS = frozenset(
    "gelu silu mish elu celu selu leaky_relu prelu rrelu softplus hardswish hardsigmoid sigmoid tanh glu".split()
)
"""They aren't rectifiers, the papers say nothing about them: their own gradient is sent back."""


class Rectifier(NamedTuple):
    """One call of a ReLU: values below 0 become 0, those above `top` become `top`."""

    values: torch.Tensor
    top: float | None
    in_place: bool


Said = Mapping[str, Any]
BOUNDS: Mapping[str, tuple[str, Callable[[Said], tuple[Any, Any]]]] = {
    "relu": ("inplace", lambda said: (0, None)),
    "relu6": ("inplace", lambda said: (0, 6.0)),
    "hardtanh": ("min_val max_val inplace", lambda said: (said.get("min_val", -1), said.get("max_val", 1))),
    "clamp": ("min max", lambda said: (said.get("min"), said.get("max"))),
    "clip": ("min max", lambda said: (said.get("min"), said.get("max"))),
    "clamp_min": ("min", lambda said: (said["min"], None)),
    "threshold": ("threshold value inplace", lambda said: (said["threshold"] or said["value"], None)),
}
"""By operation: names of its arguments after the first; from these the least and the largest value it lets through."""


def parse_rectifier(name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Rectifier | None:
    """The ReLU or ReLU6 that an operation of this `__name__` is, in one of the ways of BOUNDS, from 0 on."""
    plain = canonical_name(name).lstrip("_")
    if plain not in BOUNDS or "out" in kwargs:
        return None
    names, bounds = BOUNDS[plain]
    values = args[0] if args else kwargs.get("input", kwargs.get("self"))
    said = {**dict(zip(names.split(), args[1:], strict=False)), **kwargs}
    least, top = bounds(said)
    if type(least) not in (int, float) or least != 0 or not (top is None or type(top) in (int, float)):
        return None
    if not isinstance(values, torch.Tensor) or not values.is_floating_point():
        return None
    return Rectifier(values, top, bool(said.get("inplace")) or name.partition(".")[0].endswith("_"))


class ReluRuleMode(TorchFunctionMode):
    """While entered, ReLUs that run in this thread send a rule's signal back; values are as ever.

    A deconvnet passes local response normalisation by, as Zeiler and Fergus do.
    """

    def __init__(self, rule: Literal["deconvnet", "guided"]) -> None:
        super().__init__()
        self.guided = rule == "guided"
        self.swapped = 0
        self.kept: Counter[str] = Counter()
        """Other non-linear operations by name, whose own gradient is sent back."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        found = parse_rectifier(name, args, kwargs)
        if found is not None:
            self.swapped += 1
            made = _Ruled.apply(found.values, found.top, self.guided)
            return found.values.copy_(made) if found.in_place else made
        output = func(*args, **kwargs)
        if canonical_name(name) in OTHERS:
            self.kept[canonical_name(name)] += 1
        if name == "local_response_norm" and not self.guided:
            values = args[0] if args else kwargs["input"]
            return values + (output - values).detach()
        return output

    def told(self) -> str:
        """What was done, for a person."""
        kept = ", ".join(f"{count} {name}" for name, count in self.kept.items())
        beside = f"; {kept} as they are" if kept else ""
        return f"{self.swapped} ReLUs by the rule{beside}" if self.swapped else f"no ReLU: plain gradient{beside}"


class _Ruled(torch.autograd.Function):
    """A ReLU, up to a top where there is one."""

    @staticmethod
    def forward(ctx: Any, values: torch.Tensor, top: float | None, guided: bool) -> torch.Tensor:
        made = values.clamp(min=0, max=top)
        ctx.guided, ctx.top = guided, top
        if guided:
            ctx.save_for_backward(made)
        return made

    @staticmethod
    def backward(ctx: Any, *signals: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        back = signals[0].clamp(min=0)
        if ctx.guided:
            (made,) = ctx.saved_tensors
            passes = made > 0 if ctx.top is None else (made > 0) & (made < ctx.top)
            back = back * passes
        return back, None, None


def relu_rule(rule: Rule, model: nn.Module) -> AbstractContextManager[ReluRuleMode | None]:
    """ReLUs follow a rule inside. Raises InputError where they are out of reach, in scripted parts of a network."""
    if rule == "gradient":
        return nullcontext()
    for path, module in model.named_modules():
        if isinstance(module, torch.jit.ScriptModule):
            where = f"layer {path}" if path else "the network"
            raise InputError(f"{where} is scripted, its ReLUs can't follow another rule; saliency needs none")
    return ReluRuleMode(rule)
