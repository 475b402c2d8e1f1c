"""Rules for the backward pass through a ReLU: the gradient, the deconvnet's rule, or guided backpropagation.

For a ReLU with input f and the signal R' at its output, the signal at its input is R = [f > 0] R' for the gradient,
R = [R' > 0] R' for Zeiler and Fergus 2014 ("Visualizing and Understanding Convolutional Networks"), and
R = [f > 0] [R' > 0] R' for Springenberg et al. 2015 ("Striving for Simplicity"). Operations are replaced, not modules:
so functional and in-place ReLUs, and modules that are called twice, follow the rule too.
"""

from __future__ import annotations

from collections import Counter
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from ..capture.failures import call_network
from ..capture.layer_paths import layer_paths
from ..capture.trace.op_types import canonical_name
from ..recording.errors import InputError
from .rectifiers import SignMasks, parse_rectifier

Rule = Literal["gradient", "deconvnet", "guided"]
OTHER_ACTIVATIONS = frozenset(
    "gelu silu mish elu celu selu leaky_relu prelu rrelu softplus hardswish hardsigmoid sigmoid tanh glu".split()
)
"""Activations that are no ReLUs, so the rules don't apply: they keep their own gradient."""
PLAIN = "plain gradient: no ReLU on the way"


class ReluRuleMode(TorchFunctionMode):
    """Replaces the backward pass of ReLUs that run in this thread while it is entered; forward values don't change.

    For the deconvnet the backward pass skips local response normalisation, as in Zeiler and Fergus.
    """

    def __init__(self, rule: Literal["deconvnet", "guided"]) -> None:
        super().__init__()
        self.guided = rule == "guided"
        self.replaced = 0
        """Number of ReLUs that have followed the rule."""
        self.other_activations: Counter[str] = Counter()
        """Number of other activations by name, which have kept their own gradient."""
        self._masks = SignMasks()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        relu = parse_rectifier(name, args, kwargs, self._masks)
        if relu is not None:
            self.replaced += 1
            result = _RuleFunction.apply(relu.values, relu.top, self.guided)
            return relu.values.copy_(result) if relu.in_place else result
        output = call_network(func, *args, **kwargs)
        self._masks.add(name, args, output)
        if canonical_name(name) in OTHER_ACTIVATIONS:
            self.other_activations[canonical_name(name)] += 1
        if name == "local_response_norm" and not self.guided:
            values = args[0] if args else kwargs["input"]
            return values + (output - values).detach()
        return output

    def summary(self) -> str:
        """Returns how many activations have followed the rule, for status messages."""
        others = ", ".join(f"{count} {name}" for name, count in self.other_activations.items())
        unchanged = f"; {others} as they are" if others else ""
        return f"{self.replaced} ReLUs by the rule{unchanged}" if self.replaced else f"{PLAIN}{unchanged}"

    def note(self) -> str:
        """Returns what the gradients are besides the rule, for a note of maps; "" if all activations followed it."""
        others = ", ".join(self.other_activations)
        kept = [f"own gradient of {others}"] if others else []
        return "; ".join(kept if self.replaced else [PLAIN, *kept])


class _RuleFunction(torch.autograd.Function):
    """A ReLU or ReLU6 whose backward pass follows a rule; tensors of any shape and floating dtype."""

    @staticmethod
    def forward(ctx: Any, values: torch.Tensor, top: float | None, guided: bool) -> torch.Tensor:
        result = values.clamp(min=0, max=top)
        ctx.guided, ctx.top = guided, top
        if guided:
            ctx.save_for_backward(result)
        return result

    @staticmethod
    def backward(ctx: Any, *signals: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        signal = signals[0].clamp(min=0)
        if ctx.guided:
            (result,) = ctx.saved_tensors
            passes = result > 0 if ctx.top is None else (result > 0) & (result < ctx.top)
            signal = signal * passes
        return signal, None, None


def relu_rule(rule: Rule, model: nn.Module) -> AbstractContextManager[ReluRuleMode | None]:
    """Returns a context in which ReLUs follow a rule. Raises InputError if the network has scripted parts."""
    if rule == "gradient":
        return nullcontext()
    for module, path in layer_paths(model).items():
        if isinstance(module, torch.jit.ScriptModule):
            part = f"layer {path}" if path else "the network"
            raise InputError(f"{part} is scripted, its ReLUs can't follow another rule; saliency needs none")
    return ReluRuleMode(rule)
