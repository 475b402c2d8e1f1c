"""Follows attention through a transformer: the product of its layers' matrices, each mixed with the identity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from ..capture.ablation import current_ablation
from ..capture.failures import model_errors
from ..capture.forward import trace_forward
from ..capture.guard import RUN_LOCK, evaluation_mode, force_eager
from ..capture.layer_paths import layer_paths
from ..capture.model_inputs import ModelInputs
from ..capture.trace.provenance import TraceStep
from ..capture.trace.run import BatchSample
from ..capture.values.attention import READERS, attention_row
from ..capture.values.map_layout import token_grid
from ..method_support.method import MethodContext
from ..method_support.run_limits import full_precision
from ..recording.errors import InputError

HeadFusion = Literal["mean", "maximum", "one"]
"""How the matrices of a layer's heads become one: their mean, their maximum, or that of a single head."""
MAX_TOKENS = 4096
"""Most tokens: the matrices then take 64 MiB each."""


class RolledLayer(NamedTuple):
    """The rollout from the first attention layer up to one layer."""

    layer: str
    matrix: Tensor
    """(tokens, tokens) float32 on the CPU: by how much each token (row) depends on each token of the input; rows add
    up to 1."""
    grid: tuple[int, int] | None
    """Rows and columns of the tokens, without class and register tokens; None for a sequence."""
    depth: int
    """Number of attention layers up to this one."""


def fuse_heads(heads: Tensor, fusion: HeadFusion, head: int) -> Tensor:
    """(heads, …) attention -> (…): of all heads together, or of one. Raises InputError if that isn't there."""
    if fusion == "one" and not head < len(heads):
        raise InputError(f"no head {head}: the layer has {len(heads)}, counted from 0")
    return heads.mean(0) if fusion == "mean" else heads.amax(0) if fusion == "maximum" else heads[head]


def roll(attention: Tensor, before: Tensor | None, residual: float) -> Tensor:
    """Continues a rollout: (T, T) attention, (T, T) rollout before or None -> (T, T).

    residual: share of the identity, which stands for the residual connection. Rows are normalised to a sum of 1.
    """
    mixed = residual * torch.eye(len(attention)) + (1 - residual) * attention
    mixed = mixed / mixed.sum(1, keepdim=True).clamp(min=1e-30)
    return mixed if before is None else mixed @ before


class AttentionRollout:
    """Observes a run of a network and multiplies the attention of its layers as they finish."""

    def __init__(self, layers: Sequence[str], fusion: HeadFusion, head: int, residual: float) -> None:
        """layers: those whose rollout is kept."""
        self.layers, self.fusion, self.head, self.residual = layers, fusion, head, residual
        self.found: list[str] = []
        """Ids of all layers with attention."""
        self.rolled: dict[str, RolledLayer] = {}
        self.before: Tensor | None = None
        self.problem = ""
        """Why the rollout can't go on."""
        self.missing: list[str] = []
        """Ids of the requested layers from the one with the problem on."""

    def run(self, context: MethodContext) -> None:
        """Runs the network on the current input. Raises ModelError if it fails."""
        paths = layer_paths(context.model)
        inputs = ModelInputs.from_inputs(paths, context.arguments)
        self.sample = BatchSample(inputs.batch_size, positions=context.positions)
        with RUN_LOCK, evaluation_mode(list(paths)), force_eager(paths), model_errors(paths):
            with full_precision(context.device):
                trace_forward(context.model, paths, inputs, self, self.sample, current_ablation())

    def layer_finished(self, step: TraceStep, value: Tensor) -> bool:
        """Ignores the values of layers, of any shape."""
        return False

    def before_first_read(self, step: TraceStep, value: Tensor) -> None:
        """Does nothing: no output, of any shape, waits."""

    def attention_finished(self, step: TraceStep) -> None:
        """Adds the attention of a layer to the rollout."""
        self.found.append(step.id)
        if not self.problem:
            try:
                with torch.no_grad():
                    self._add(step)
            except InputError as error:
                self.problem = str(error)
            except Exception as error:  # noqa: BLE001  the arguments are the network's own; its run goes on
                self.problem = f"the attention of {step.id} can't be recomputed ({type(error).__name__})"
        if step.id in self.layers and self.problem:
            self.missing.append(step.id)

    def _add(self, step: TraceStep) -> None:
        assert step.attention is not None
        if step.layout is not None and step.layout.positions > 1:
            raise InputError(
                f"{step.id} attends within {step.layout.positions} parts; rollout needs all tokens at once"
            )
        inputs = READERS[step.attention.function](step.attention.args, step.attention.kwargs, self.sample)
        queries, keys = inputs.query.shape[-2], inputs.key.shape[-2]
        before = len(self.before) if self.before is not None else queries
        if not queries == keys == before or keys > MAX_TOKENS:
            raise InputError(
                f"{step.id} attends from {queries} to {keys} tokens; rollout needs self-attention among the same "
                f"tokens in all layers, at most {MAX_TOKENS:,}"
            )
        rows = [fuse_heads(attention_row(inputs, token), self.fusion, self.head) for token in range(queries)]
        self.before = roll(torch.stack(rows), self.before, self.residual)
        if step.id in self.layers:
            grid = token_grid(keys, step.grid, self.sample.grid)
            self.rolled[step.id] = RolledLayer(step.id, self.before, grid, len(self.found))
