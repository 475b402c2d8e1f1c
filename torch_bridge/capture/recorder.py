"""`record`: run any `torch.nn.Module` once, unchanged, and write down what every layer did."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from ..recording import Edge, Maps, Network, Prediction, Recording
from ..recording.errors import InputError, ModelError
from .ablation import NO_ABLATION, Ablation, ChannelsByLayer
from .fold import fold
from .forward import trace_forward
from .guard import RUN_LOCK, evaluation_mode, force_eager, model_errors
from .model_inputs import ModelInputs
from .trace.provenance import TraceStep
from .trace.run import BatchSample
from .values.capture_policy import CapturePolicy, Progress
from .values.kernels import step_kernels


def record(
    model: nn.Module,
    inputs: Any,
    *,
    layers: str | Sequence[str] = "*",
    name: str = "",
    picture: np.ndarray | None = None,
    input_name: str = "",
    answer: Callable[[Any], Prediction] | None = None,
    trained: bool = False,
    weights: str = "",
    provenance: Mapping[str, Any] | None = None,
    index: int = 0,
    grid: tuple[int, int] | None = None,
    progress: Progress | None = None,
    kernels: bool = False,
    token: int | None = None,
    copied: Callable[[Maps], None] | None = None,
    ablate: ChannelsByLayer | Ablation = NO_ABLATION,
) -> Recording:
    """Run `model` once, in evaluation mode and without gradients, and return its graph, maps and answer.

    inputs: a tensor, a tuple of positional arguments or a dict of keyword arguments; with a batch, of which number
    `index` is recorded. layers: a glob or globs over layer ids (whose maps are copied), "panels" for just what the
    fold shows, () for the graph alone. picture: (H, W, 3) uint8 sRGB of the input, else made from the first tensor.
    answer: from the network's output to a Prediction. grid: (rows, columns) of tokens, where it can't be inferred.
    kernels: also the weights of the chosen convolutions, as method "weights". token: attention is of this query token;
    by default the class token, else the middle of a grid or the end of a sequence. copied: is told of maps the moment
    they are copied, while the network still runs; with "panels" also of some that the recording then leaves out.
    ablate: by layer, channels whose values become 0 when their layer has finished; a panel stands for the layer that it
    shows. Its names cost a run before, to learn the graph. Mode and buffers are left as they were, and so are inputs,
    unless the network itself writes to them. Threads that record at the same time wait for each other.

    Raises ModelError (the forward pass failed; says in which layer), UnknownName (a glob fits no layer), InputError.
    """
    if not isinstance(model, nn.Module):
        raise ModelError(f"{type(model).__name__} is not a torch.nn.Module; pass the network itself")
    paths = {module: path for path, module in model.named_modules()}
    given = ModelInputs.of(list(paths), inputs)
    if not 0 <= index < given.batch:
        raise InputError(f"no input {index}: the batch has {given.batch}, counted from 0")
    if not isinstance(ablate, Ablation):
        ablate = Ablation.of(record(model, inputs, layers=(), grid=grid).network, ablate) if ablate else NO_ABLATION
    sample = BatchSample(given.batch, index, grid)
    keep = CapturePolicy(layers, sample, token, progress, len(paths), copied)
    with RUN_LOCK, evaluation_mode(model, list(paths)):
        shown = given.picture(index) if picture is None else picture  # first: the network may change its input
        with force_eager(paths), model_errors(paths):
            steps, output = trace_forward(model, paths, given, keep, sample, ablate)
        prediction = Prediction() if answer is None else answer(output)  # the output may be a buffer itself
    network = _network(steps, paths, name or type(model).__name__, trained, weights)
    if missed := [id for id in ablate.channels if id not in network.by_id]:
        raise InputError(f"layer {missed[0]} isn't reached with this input; it can't be ablated")
    if grid is not None and all(layer.map_shape[1:] != grid for layer in network.layers):
        raise InputError(f"no layer has {grid[0]} rows and {grid[1]} columns of tokens; leave the grid to be inferred")
    recording = Recording(network, input_name, shown, prediction, provenance=_provenance(provenance, index, ablate))
    recording.add(keep.chosen(network))
    if kernels:
        recording.add(step_kernels(step for step in steps if keep.chooses(network.layer(step.id))))
    return recording


def _network(steps: list[TraceStep], modules: Iterable[nn.Module], name: str, trained: bool, weights: str) -> Network:
    roles = fold(step.unit() for step in steps)
    layers = tuple(step.layer(*roles[step.id]) for step in steps)
    edges: tuple[Edge, ...] = tuple(edge for step in steps for edge in step.edges())
    every = {id(own): own for module in modules for own in module._parameters.values() if own is not None}
    known = (own for own in every.values() if not isinstance(own, nn.parameter.UninitializedParameter))
    return Network(name, layers, edges, trained, weights, sum(parameter.numel() for parameter in known))


def _provenance(given: Mapping[str, Any] | None, index: int, ablation: Ablation) -> dict[str, Any]:
    told = {"index": index, "ablated": ablation.plain()}
    return {"torch": str(torch.__version__)} | {key: value for key, value in told.items() if value} | dict(given or {})
