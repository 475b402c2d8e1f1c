"""Runs a method about a network in this process, with the same steps as on a bridge."""

from __future__ import annotations

import dataclasses
import inspect
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image

from ..capture.call_arguments import Keywords, as_arguments, map_leaves
from ..capture.guard import check_module
from ..capture.layer_paths import layer_paths
from ..capture.model_inputs import ModelInputs
from ..capture.trace.op_types import shape_of, tensors_in
from ..data import DataSet, open_data
from ..inputs.input_adapter import make_input_adapter
from ..inputs.preprocess import Preprocessing
from ..inputs.sample_drawing import draw_sample
from ..inputs.source_names import names_input
from ..inputs.sources import Input, KeywordSource, NamedContent, Source
from ..methods import METHODS, Method, Step, parameter_form, parse_parameters
from ..models.build import BuiltModel
from ..predictions.class_names import Classes, ClassNames, user_class_names
from ..recording import Recording, check_channels
from ..recording.arguments import checked_arguments
from ..recording.channels import read_channels
from ..recording.errors import InputError, UnknownName
from ..recording.progress import expected_time, run_count
from ..subject import RecordSpec, Subject
from .loaded_model import PANELS, LoadedModel
from .priority_lock import PriorityLock

if TYPE_CHECKING:
    from torch import nn

OnStep = Callable[[Step], None]
LOGGER = logging.getLogger("innerwalk")
"""Says what a long job will take; on the error stream unless a program has set up logging."""


@checked_arguments
def ask(
    model: nn.Module,
    inputs: Any,
    method: str,
    layers: str | Sequence[str] = PANELS,
    channels: str | Sequence[int] = (),
    *,
    data: DataSet | Path | str | None = None,
    classes: Classes = (),
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    positions: Mapping[str, int] | None = None,
    on_step: OnStep | None = None,
    **parameters: Any,
) -> Recording:
    """Run a method about layers of a network; the recording holds their activations and the method's maps.

    inputs: as in `record`, one sample; the network gets exactly these. The first one is a picture for methods that need
    it: (1, C, H, W), normalised. layers: ids, globs or "panels", one or several. channels: the channels of these
    layers, as numbers or as "0,3,8-11", () for all. data: a data set, or the place of one, such as a folder of
    pictures. classes: names of the classes, or a JSON file of them. mean, std: the normalisation of pictures, for
    values 0..1; ImageNet's by default. positions: as in `record`; the method looks at these too. on_step: called with
    each step. The model keeps its device and mode. What a long job will take is logged before it starts.

    Raises ArgumentError, UnknownName, InputError or ModelError.
    """
    chosen = find_method(method)
    _check_names(chosen, parameters)
    parse_parameters(chosen, parameters)  # raises before the network is looked at
    names = user_class_names(classes)
    numbers = read_channels(channels)
    opened = open_data(str(data)) if isinstance(data, str | Path) else data
    loaded = _load(model, inputs, {"mean": mean, "std": std}, names, positions or {})
    values = parse_parameters(chosen, parameters, names.names)
    read = loaded.read(loaded.default_sources)
    return record_with_method(loaded, read, chosen, layers, numbers, values, opened, on_step, LOGGER.warning)


def _check_names(method: Method, parameters: Mapping[str, Any]) -> None:
    """Raises UnknownName for a parameter that neither the method nor `ask` has, with what is near in both."""
    own = [entry["name"] for entry in parameter_form(method)]
    for name in parameters:
        if name not in own:
            arguments = list(inspect.signature(ask).parameters)[:-1]
            raise UnknownName(f"parameter of {method.name}", name, own + arguments)


def find_method(name: str) -> Method:
    """The method of this name. Raises UnknownName."""
    if name not in METHODS:
        raise UnknownName("method", name, METHODS)
    return METHODS[name]


def record_with_method(
    loaded: LoadedModel,
    inputs: Sequence[Input],
    method: Method,
    layers: str | Sequence[str],
    channels: Sequence[int],
    parameters: Any,
    data: DataSet | None = None,
    on_step: OnStep | None = None,
    announce: Callable[[str], None] | None = None,
) -> Recording:
    """Run a network on inputs, then a method to its end; the recording holds both. Raises whatever these raise.

    announce: called before a long job with a line that says what it will take.
    """
    with denormals_restored():
        loaded.record(inputs, (), lambda maps: None)
        ids = loaded.run_context.ids(layers)
        for id in ids:
            check_channels(loaded.run_context.network, id, channels)
        start = time.monotonic()
        recording = loaded.record(inputs, ids, lambda maps: None)
        if announce is not None:
            takes = _expected(method, recording, ids, channels, parameters, time.monotonic() - start)
            if takes:
                announce(takes)
        for step in loaded.run_method(method, ids, parameters, data, channels=channels):
            recording.add(step.maps)
            if on_step is not None:
                on_step(step)
    recording.provenance["asked"] = _request_values(method, parameters, channels, data)
    return recording


def _expected(
    method: Method,
    recording: Recording,
    ids: Sequence[str],
    channels: Sequence[int],
    parameters: Any,
    run_seconds: float,
) -> str:
    """What a method will take, in words, by the time of one run; "" for a short one."""
    values = dataclasses.asdict(parameters) if parameters is not None else {}
    selected = sum(len(channels) or recording.network.layer(id).map_shape[0] for id in ids)
    return expected_time(run_count(values, method.repeats, selected), run_seconds)


@contextmanager
def denormals_restored() -> Iterator[None]:
    """Restore this thread's treatment of denormal numbers, which a LoadedModel changes."""
    np.finfo(np.float32), np.finfo(np.float64)  # cached now: they warn once denormal numbers are flushed to zero
    flushed = _flushes_denormals()
    try:
        yield
    finally:
        torch.set_flush_denormal(flushed)


def _flushes_denormals() -> bool:
    return bool(np.float32(2e-38) / np.float32(16) == 0)


def _request_values(method: Method, parameters: Any, channels: Sequence[int], data: DataSet | None) -> dict[str, Any]:
    """The request as plain JSON values, for figures and for repeating it."""
    values = {
        "method": method.name,
        "parameters": dataclasses.asdict(parameters) if parameters is not None else {},
        "channels": list(channels),
        "data": data.name if data else "",
    }
    return {name: value for name, value in values.items() if value}


def _load(
    model: nn.Module, inputs: Any, flags: Mapping[str, Any], names: ClassNames, positions: Mapping[str, int]
) -> LoadedModel:
    """The network with its inputs as the defaults. Only the shape of the inputs is read; the network doesn't run."""
    check_module(model)
    passed = ModelInputs.from_inputs(layer_paths(model), inputs)
    first, name = passed.tensors[0], type(model).__name__
    facts = {key: tuple(value) for key, value in flags.items() if value is not None}
    if len(shape_of(first)) > 2:
        facts["size"] = tuple(first.shape[-2:])
    built = BuiltModel(model, name)
    adapter = make_input_adapter(built, facts, ("", {}))
    device = module_device(model, first.device)
    own_inputs = unchanged_inputs(model, inputs, adapter.preprocessing)
    spec = RecordSpec(name, inputs=own_inputs, positions=positions)
    loaded = LoadedModel(name, spec, device, PriorityLock(), Subject(built, adapter, names, "as given", {}))
    loaded.flushes_denormals = _flushes_denormals()  # values are those of `record`
    return loaded


def module_device(model: nn.Module, default: Any = "cpu") -> Any:
    """The device of a network's first parameter that has values, by default another."""
    return next((parameter.device for parameter in model.parameters() if not parameter.is_meta), default)


def unchanged_inputs(model: nn.Module, inputs: Any, preprocessing: Preprocessing) -> list[Input]:
    """The inputs of `record` as one `Input` for each argument, which the network gets as it is; the first is drawn.

    Raises InputError if there is no tensor among them.
    """
    passed = ModelInputs.from_inputs(layer_paths(model), inputs)
    if 0 in shape_of(passed.tensors[0]):
        raise InputError(f"the first tensor is empty, of shape {tuple(passed.tensors[0].shape)}; pass a sample")
    first, batch = passed.tensors[0].detach(), passed.axes(passed.tensors[0]).batch
    if first.is_complex() or first.is_quantized or first.is_nested or first.layout is not torch.strided:
        picture = passed.draw(0)
    else:
        sample = (first if batch is None else first.select(batch, 0)).cpu()
        picture = draw_sample(sample.float().numpy(), preprocessing)
    arguments = map_leaves(
        lambda leaf: leaf.detach() if isinstance(leaf, torch.Tensor) else leaf,
        as_arguments(model, passed.args, passed.kwargs),
    )
    pairs = [pair for own in arguments for pair in (own.items() if isinstance(own, Keywords) else [("", own)])]
    return [
        Input(value, picture, _shape_name(value), "values unchanged", unchanged=True, keyword=keyword)
        for keyword, value in pairs
    ]


def argument_sources(model: nn.Module, inputs: Any, preprocessing: Preprocessing) -> list[Source]:
    """A source for each argument, in the order of `forward`: what names an input as it is, else an unchanged `Input`.

    inputs: as in `record`, where a path or a text such as `ids:1,2` may stand for a tensor. Raises InputError if there
    is neither among them.
    """
    is_several = isinstance(inputs, (dict, tuple, list))
    pairs = list(inputs.items()) if isinstance(inputs, dict) else [("", own) for own in (inputs if is_several else [])]
    if not any(_is_source(value) for _, value in pairs):
        return list(unchanged_inputs(model, inputs, preprocessing))
    order = list(inspect.signature(model.forward).parameters)
    pairs.sort(key=lambda pair: order.index(pair[0]) if pair[0] in order else len(order))
    return [_argument_source(name, value, preprocessing) for name, value in pairs]


def _is_source(value: Any) -> bool:
    return names_input(value) or isinstance(value, Image.Image)


def _argument_source(name: str, value: Any, preprocessing: Preprocessing) -> Source:
    if _is_source(value):
        source = NamedContent("a picture", value) if isinstance(value, Image.Image) else str(value)
        return KeywordSource(name, source) if name else source
    plain = torch.from_numpy(np.array(value)) if isinstance(value, np.ndarray) else value
    first = next(iter(tensors_in(plain)), torch.zeros(1)).detach().cpu()
    picture = draw_sample((first[0] if first.dim() > 1 else first.reshape(-1)).float().numpy(), preprocessing)
    return Input(plain, picture, _shape_name(plain), "values unchanged", unchanged=True, keyword=name)


def _shape_name(value: Any) -> str:
    """A name for an argument: the shapes of the tensors in it, or what it is."""
    shapes = [
        "nested" if tensor.is_nested else "×".join(map(str, tensor.shape)) or "number" for tensor in tensors_in(value)
    ]
    return f"tensor {', '.join(shapes)}" if shapes else str(value)[:20]
