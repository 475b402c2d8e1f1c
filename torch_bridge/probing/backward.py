"""Gradients of a network's values; a backward pass that fails is a ModelError of one line."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge

from ..capture.failures import call_network, model_errors


def gradients(
    outputs: Sequence[Tensor],
    inputs: Sequence[Tensor | GradientEdge],
    weights: Sequence[Tensor | None] | None = None,
    *,
    of: str,
    keep_graph: bool = False,
    batched: bool = False,
) -> tuple[Tensor | None, ...]:
    """Returns the gradients of outputs with respect to inputs, each of any shape; None for an input without influence.

    weights: gradients at the outputs, 1 by default. of: names the outputs in errors, such as "layer conv1". keep_graph:
    whether further passes follow. batched: weights have a further first axis, of several passes in one, which the
    gradients get too; a network's own functions may not allow it. Raises ModelError if the network's backward pass
    fails, as that of a re-entrant checkpoint, of a function without one, and after in-place changes does.
    """
    with model_errors({}, f"the network's backward pass from {of} failed"):
        return call_network(
            torch.autograd.grad,
            outputs,
            inputs,
            weights,
            retain_graph=keep_graph or None,
            allow_unused=True,
            is_grads_batched=batched,
        )
