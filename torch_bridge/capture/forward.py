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
from .arguments import Given
from .trace.modules import Modules
from .trace.op_types import tensors_in
from .trace.operations import Operations
from .trace.provenance import Step, unmark
from .trace.run import Keeper, Run, Sample


def watch(
    model: nn.Module, paths: dict[nn.Module, str], given: Given, keeper: Keeper, sample: Sample, ablation: Ablation
) -> tuple[list[Step], Any]:
    """Run the network once; return its steps in order of execution, and its output. Its errors pass through."""
    run = Run(paths, keeper, sample, ablation)
    output = None
    try:
        for tensor in dict.fromkeys(given.tensors):
            run.made(Step(run.end_id("input"), "input", family="input"), [tensor], given.axes(tensor))
        with Modules(run, paths).watching(), Operations(run), torch.inference_mode(False), torch.no_grad():
            output = model(*given.args, **given.kwargs)
        run.end(list(tensors_in(output)))
    finally:
        unmark([*given.tensors, *tensors_in(output)])
    return run.steps, output
