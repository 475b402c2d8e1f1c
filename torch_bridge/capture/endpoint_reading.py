"""Reads the inputs and outputs of a run as the endpoints of a recording."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import nn

from ..endpoints.content import Content
from ..endpoints.inputs import EndpointSample, InputFacts, make_input
from ..endpoints.outputs import OutputContext, make_output
from ..endpoints.tensor_names import named_arguments, named_tensors
from ..predictions.class_names import ClassNames
from ..predictions.outputs import main_tensor
from ..recording import Endpoint, Prediction
from ..recording.endpoints import MAX_ENDPOINTS
from .model_inputs import ModelInputs
from .trace.provenance import TraceStep
from .trace.run import MAX_OUTPUTS

UNKNOWN_INPUT = InputFacts()


def read_inputs(
    model: nn.Module,
    arguments: ModelInputs,
    index: int,
    picture: np.ndarray,
    facts: Mapping[str, InputFacts],
    words: Mapping[int, str],
) -> tuple[Endpoint, ...]:
    """Returns the inputs of a run, still without their layers. Called before the run, which may change them.

    index: which input of a batch. picture: (H, W, 3) uint8 sRGB, of the first one. facts: by name of the argument.
    """
    named: dict[torch.Tensor, str] = {}
    for name, tensor in named_arguments(model, arguments.args, arguments.kwargs):
        named.setdefault(tensor, name)
    found = []
    for tensor, name in list(named.items())[:MAX_ENDPOINTS]:
        known = facts.get(re.split(r"[.\[]", name)[0], UNKNOWN_INPUT)
        if tensor is arguments.tensors[0] and known.picture is None:
            known = replace(known, picture=picture)
        sample = EndpointSample(name, _input_sample(tensor, arguments, index), known, arguments.is_graph)
        found.append(_endpoint("", name or "input", tensor, make_input(sample, words), known))
    return tuple(found)


def with_layers(inputs: Sequence[Endpoint], steps: Sequence[TraceStep]) -> tuple[Endpoint, ...]:
    """Returns the inputs of a run with the layers that its steps name."""
    ids = [step.id for step in steps if step.family == "input"]
    return tuple(replace(own, layer=id) for own, id in zip(inputs, ids, strict=False))


def read_outputs(
    output: Any,
    steps: Sequence[TraceStep],
    inputs: tuple[Endpoint, ...],
    picture: np.ndarray,
    prediction: Prediction,
    names: ClassNames | None,
    words: Mapping[int, str] | None,
) -> tuple[Endpoint, ...]:
    """Returns the outputs of a run.

    output: what the network has returned. picture: (H, W, 3) uint8 sRGB, the first input. prediction: what its main
    tensor means. names: of classes, None if the network isn't known to tell any. words: of tokens, None if they aren't
    known.
    """
    own_steps = [step for step in steps if step.family == "output"]
    named = list(named_tensors(output))
    main, is_graph = main_tensor(output), any(own.kind == "graph" for own in inputs)
    pairs = list(zip(named, own_steps, strict=False))
    if len(named) > len(own_steps):
        pairs = pairs[: MAX_OUTPUTS - 1]
    samples = {
        name: EndpointSample(name, _output_sample(tensor, step), is_graph=is_graph) for (name, tensor), step in pairs
    }
    main_name = next((name for name, tensor in named if tensor is main), named[0][0] if named else "")
    context = OutputContext(samples, main_name, prediction, inputs, picture, names, words)
    found = [
        _endpoint(step.id, name or "output", tensor, make_output(samples[name], context))
        for (name, tensor), step in pairs
    ]
    if len(named) > len(pairs):
        found.append(Endpoint(own_steps[-1].id, f"{len(named) - len(pairs)} more", "none"))
    return tuple(found)


def _endpoint(
    layer: str, name: str, tensor: torch.Tensor, content: Content, facts: InputFacts = UNKNOWN_INPUT
) -> Endpoint:
    note = "; ".join(filter(None, [facts.note, content.note]))
    shape = () if tensor.is_nested else tuple(tensor.shape)
    arrays = content._asdict() | {"note": note}
    return Endpoint(
        layer, name, shape=shape, dtype=str(tensor.dtype).removeprefix("torch."), source=facts.source, **arrays
    )


def _input_sample(tensor: torch.Tensor, arguments: ModelInputs, index: int) -> torch.Tensor:
    """One input of a batch; the tensor itself where it holds no batch."""
    if tensor.is_nested:
        return tensor
    axis = arguments.axes(tensor).batch
    has_batch = axis is not None and tensor.shape[axis] == arguments.batch_size and not arguments.is_graph
    return tensor.select(axis, index) if has_batch else tensor


def _output_sample(tensor: torch.Tensor, step: TraceStep) -> torch.Tensor:
    """The output for one input of a batch; the tensor itself where it isn't known to hold a batch."""
    layout = step.layout
    if layout is None or layout.is_empty:
        return tensor
    if layout.batch_axis is not None:
        return tensor.select(layout.batch_axis, layout.batch_index)
    return tensor[0] if tensor.dim() > 1 and len(tensor) == 1 else tensor
