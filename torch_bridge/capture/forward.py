"""Watch one forward pass of a network: which layers ran, what flowed between them, and what their values were.

Global module hooks give the calls, a TorchFunctionMode gives the operations between them, and a mark on every tensor
says which layers made it. Nothing in the network is changed. A layer's values are offered to the keeper at the moment
it has finished, because `out += identity` or ReLU(inplace=True) overwrite them later.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from .ablation import Ablation
from .model_inputs import ModelInputs
from .trace.module_tracer import ModuleTracer
from .trace.op_types import tensors_in
from .trace.operation_tracer import OperationTracer
from .trace.provenance import TraceStep, remove_marks
from .trace.run import BatchSample, Run, RunObserver


def trace_forward(
    model: nn.Module, paths: dict[nn.Module, str], given: ModelInputs, keeper: RunObserver, sample: BatchSample, ablation: Ablation
) -> tuple[list[TraceStep], Any]:
    """Run the network once; return its steps in order of execution, and its output. Its errors pass through."""
    run = Run(paths, keeper, sample, ablation)
    output = None
    try:
        for tensor in dict.fromkeys(given.tensors):
            run.made(TraceStep(run.end_id("input"), "input", family="input"), [tensor], given.axes(tensor))
        with ModuleTracer(run, paths).watching(), OperationTracer(run), torch.inference_mode(False), torch.no_grad():
            output = model(*given.args, **given.kwargs)
        run.end(list(tensors_in(output)))
    finally:
        remove_marks([*given.tensors, *tensors_in(output)])
    return run.steps, output
