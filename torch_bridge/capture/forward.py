"""Traces one forward pass of a network: which layers ran, what flowed between them, and what their values were.

Global module hooks report the calls, a TorchFunctionMode reports the operations between them, and a mark on every
tensor says which layers made it. The network itself is not changed. A layer's values are offered to the observer the
moment the layer has finished, because `out += identity` or ReLU(inplace=True) may overwrite them later.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from .ablation import Ablation
from .failures import call_network
from .layer_paths import own_tensors
from .model_inputs import ModelInputs
from .trace.module_tracer import ModuleTracer
from .trace.op_types import tensors_in
from .trace.operation_tracer import OperationTracer
from .trace.provenance import TraceStep, remove_marks
from .trace.run import BatchSample, Run, RunObserver


def trace_forward(
    model: nn.Module,
    paths: dict[nn.Module, str],
    inputs: ModelInputs,
    observer: RunObserver,
    sample: BatchSample,
    ablation: Ablation,
) -> tuple[list[TraceStep], Any]:
    """Runs the network once and returns its steps in order of execution, and its output.

    paths: the dotted path of every module. Exceptions of the network are not caught.
    """
    measurement = inputs.measurement(paths, sample.sample_index)
    run = Run(paths, observer, sample, ablation, measurement, is_compared=True)
    output = None
    try:
        run.add_inputs(inputs.tensors, inputs.axes)
        with traced(run, paths), torch.inference_mode(False), torch.no_grad():
            output = call_network(model, *inputs.args, **inputs.kwargs)
        run.add_outputs(call_network(list, tensors_in(output)))  # objects of the network may refuse
    finally:
        remove_marks([*inputs.tensors, *tensors_in(output)])
    return run.steps, output


@contextmanager
def traced(run: Run, paths: dict[nn.Module, str]) -> Iterator[None]:
    """Adds everything that runs inside to a run's graph.

    Afterwards the network's own tensors carry no marks, also those that the network has kept meanwhile: they would keep
    the graph alive, and be copied and saved with the network.
    """
    try:
        with ModuleTracer(run, paths).hooks(), OperationTracer(run):
            yield
    finally:
        remove_marks(own_tensors(paths))
