"""`record`: runs any `torch.nn.Module` once, unchanged, and records the output of every layer."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import nn

from ..endpoints.inputs import InputFacts
from ..predictions.class_names import Classes, ClassNames, user_class_names
from ..predictions.outputs import interpret_output
from ..recording import Edge, Maps, Network, Prediction, Progress, Recording
from ..recording.arguments import checked_arguments
from ..recording.errors import InputError
from ..version import VERSION
from .ablation import NO_ABLATION, Ablation, ChannelsByLayer
from .call_arguments import missing_arguments, omitted_arguments
from .endpoint_reading import read_inputs, read_outputs, with_layers
from .failures import model_errors
from .fold import fold
from .forward import trace_forward
from .guard import RUN_LOCK, check_module, evaluation_mode, force_eager
from .layer_paths import layer_paths
from .model_inputs import ModelInputs
from .trace.provenance import TraceStep
from .trace.run import BatchSample
from .values.capture_policy import CapturePolicy
from .values.kernels import step_kernels


@dataclass(frozen=True)
class RecordingInfo:
    """Facts that are stored with a recording and don't influence the run."""

    name: str = ""
    """Name of the network; by default the name of its class."""
    input_name: str = ""
    trained: bool = False
    """Whether the weights are trained ones; random weights are marked in the hall."""
    weights: str = ""
    """Where the weights come from."""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    """Further facts, as plain JSON values."""
    inputs: Mapping[str, InputFacts] = field(default_factory=dict)
    """What is known of the inputs, by the name of the argument."""
    words: Mapping[int, str] | None = None
    """Words by the number of their token; None if they aren't known."""


@checked_arguments
def record(
    model: nn.Module,
    inputs: Any,
    *,
    layers: str | Sequence[str] = "*",
    picture: np.ndarray | None = None,
    classes: Classes | ClassNames | None = None,
    answer: Callable[[Any], Prediction] | None = None,
    index: int = 0,
    grid: tuple[int, int] | None = None,
    positions: Mapping[str, int] | None = None,
    token: int | None = None,
    kernels: bool = False,
    ablate: ChannelsByLayer | Ablation = NO_ABLATION,
    info: RecordingInfo = RecordingInfo(),
    progress: Progress | None = None,
    on_maps: Callable[[Maps], None] | None = None,
) -> Recording:
    """Runs `model` once, in evaluation mode and without gradients, and returns its graph, maps and answer.

    inputs: a tensor, a tuple of positional arguments or a dict of keyword arguments; of a batch, input number `index`
    is recorded. layers: a glob or globs over the ids of layers whose maps are copied, "panels" for the layers that
    the fold shows, () for the graph alone. picture: the input as (H, W, 3) uint8 sRGB, top row first; by default it
    is drawn from the first tensor. classes: names of the classes, or a JSON file of them; the prediction is then read
    from the output, with () as "class 0" and so on. answer: reads the prediction where the output is a kind of its
    own. grid: (rows, columns) of tokens, if they can't be inferred. positions: by layer id, which frame, window or
    other position of the input is shown, where the network folds them into the batch; 0 by default. token: query
    token of attention maps; by default the class token, else the middle of a grid or the end of a sequence. kernels:
    also record the kernels of the chosen convolutions, as method "weights". ablate: channels by layer that become 0
    when their layer has finished; a panel stands for the layer that it shows. If the channels are given as plain
    numbers, the network runs once before, to learn its graph. on_maps: called with maps as soon as they are copied,
    while the network still runs; with "panels" also with some that the recording then leaves out.

    The network is left as it was, as are the random generators; lazy modules are initialised. Inputs are not changed,
    unless the network itself writes to them. Threads that record at the same time wait for each other. Raises
    ModelError if the forward pass fails (names the layer), UnknownName if a glob matches no layer, InputError.
    """
    check_module(model)
    paths = layer_paths(model)
    arguments = ModelInputs.from_inputs(paths, inputs)
    if missing := missing_arguments(model, arguments.args, arguments.kwargs):
        raise InputError(f"{type(model).__name__}: forward also needs {', '.join(missing)}; pass a tuple or a dict")
    if not 0 <= index < arguments.batch_size:
        raise InputError(f"no input {index}: the batch has {arguments.batch_size}, counted from 0")
    positions = _checked_positions(positions or {})
    ablation = _resolve_ablation(model, inputs, grid, ablate)
    sample = BatchSample(arguments.batch_size, index, grid, positions)
    names = None if classes is None else classes if isinstance(classes, ClassNames) else user_class_names(classes)
    read = _prediction_reader(names, answer, index)
    policy = CapturePolicy(layers, sample, token, progress, len(paths), on_maps)
    with RUN_LOCK, evaluation_mode(list(paths)):
        shown = arguments.draw(index) if picture is None else picture  # first: the network may change its input
        endpoints = read_inputs(model, arguments, index, shown, info.inputs, info.words or {})
        omitted = omitted_arguments(model, arguments.args, arguments.kwargs)
        with force_eager(paths), model_errors(paths, omitted=omitted):
            steps, output = trace_forward(model, paths, arguments, policy, sample, ablation)
        prediction = read(output, shown)  # now: the output may be a buffer itself
        endpoints = with_layers(endpoints, steps)
        outputs = read_outputs(output, steps, endpoints, shown, prediction, names, info.words)
        network = _build_network(steps, paths, info, type(model).__name__)
        shown_steps = [step for step in steps if kernels and policy.selects(network.layer(step.id))]
        weights = list(step_kernels(shown_steps))
    _check_reached(network, ablation, grid, positions)
    provenance = _provenance(info, index, ablation, positions)
    recording = Recording(
        network, info.input_name, shown, prediction, provenance=provenance, inputs=endpoints, outputs=outputs
    )
    recording.add([*policy.selected_maps(network), *weights])
    return recording


def _prediction_reader(
    names: ClassNames | None, answer: Callable[[Any], Prediction] | None, index: int
) -> Callable[[Any, np.ndarray], Prediction]:
    """The function that turns the network's output and the picture of its input, (H, W, 3) uint8, into a prediction."""
    if answer is not None:
        return lambda output, picture: answer(output)
    if names is None:
        return lambda output, picture: Prediction()
    return lambda output, picture: interpret_output(output, picture, names, index)


def _resolve_ablation(
    model: nn.Module, inputs: Any, grid: tuple[int, int] | None, ablate: ChannelsByLayer | Ablation
) -> Ablation:
    if isinstance(ablate, Ablation):
        return ablate
    return Ablation.resolve(record(model, inputs, layers=(), grid=grid).network, ablate) if ablate else NO_ABLATION


def _checked_positions(positions: Mapping[str, int]) -> dict[str, int]:
    if not isinstance(positions, Mapping):
        raise InputError(f"positions: {str(positions)[:40]!r} must be a dict of whole numbers by layer")
    for id, position in positions.items():
        if isinstance(position, bool) or not hasattr(position, "__index__") or operator.index(position) < 0:
            raise InputError(f"positions: {position!r} for layer {id!r} must be a whole number from 0")
    return {id: operator.index(position) for id, position in positions.items()}


def _check_reached(
    network: Network, ablation: Ablation, grid: tuple[int, int] | None, positions: Mapping[str, int]
) -> None:
    """Raises InputError if the run has not met an ablated layer, or no layer with the stated grid of tokens.

    Raises UnknownName for a position of a layer that isn't there.
    """
    for id in positions:
        network.layer(id)
    if missed := [id for id in ablation.layers if id not in network.by_id]:
        raise InputError(f"layer {missed[0]} isn't reached with this input; it can't be ablated")
    if grid is not None and all(layer.map_shape[1:] != grid for layer in network.layers):
        raise InputError(f"no layer has {grid[0]} rows and {grid[1]} columns of tokens; leave the grid to be inferred")


def _build_network(
    steps: list[TraceStep], modules: Iterable[nn.Module], info: RecordingInfo, class_name: str
) -> Network:
    roles = fold(step.facts() for step in steps)
    layers = tuple(step.layer(*roles[step.id]) for step in steps)
    edges: tuple[Edge, ...] = tuple(edge for step in steps for edge in step.edges())
    unique = {id(own): own for module in modules for own in module._parameters.values() if own is not None}
    known = (own for own in unique.values() if not isinstance(own, nn.parameter.UninitializedParameter))
    parameters = sum(parameter.numel() for parameter in known)
    return Network(info.name or class_name, layers, edges, info.trained, info.weights, parameters)


def _provenance(info: RecordingInfo, index: int, ablation: Ablation, positions: Mapping[str, int]) -> dict[str, Any]:
    run = {
        "index": index,
        "ablated": ablation.as_json(),
        "strokes": ablation.strokes_as_json(),
        "positions": dict(positions),
    }
    versions = {"innerwalk": VERSION, "torch": str(torch.__version__)}
    return versions | {key: value for key, value in run.items() if value} | {**info.provenance}
