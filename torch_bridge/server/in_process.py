"""Runs a method about a network in this process, with the same steps as on a bridge."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ..inputs.input_adapter import make_input_adapter
from ..inputs.sources import Input, draw_sample
from ..methods import METHODS, Method, Step, parse_parameters
from ..models.build import BuiltModel
from ..predictions.class_names import ClassNames
from ..recording import Recording, check_channels
from ..recording.errors import InputError, UnknownName
from ..subject import RecordSpec, Subject
from .loaded_model import PANELS, LoadedModel
from .priority_lock import PriorityLock

if TYPE_CHECKING:
    from torch import nn

    from ..data import DataSet

OnStep = Callable[[Step], None]


def ask(
    model: nn.Module,
    inputs: Any,
    method: str,
    layers: Sequence[str] = (PANELS,),
    channels: Sequence[int] = (),
    *,
    data: DataSet | None = None,
    classes: Sequence[str] = (),
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    on_step: OnStep | None = None,
    **parameters: Any,
) -> Recording:
    """Run a method about layers of a network; the recording holds their activations and the method's maps.

    inputs: a tensor with the batch first, or a tuple of them, one sample each; images are (1, C, H, W), normalised.
    layers: ids, globs or "panels". channels: the channels of these layers, () for all. mean, std: the normalisation of
    images, for values 0..1; ImageNet's by default. on_step: called with each step. The model keeps its device and mode.

    Raises UnknownName, InputError or ModelError.
    """
    chosen = find_method(method)
    tensors = inputs if isinstance(inputs, tuple) else (inputs,)
    loaded = _load(model, tensors, {"mean": mean, "std": std}, classes)
    values = parse_parameters(chosen, parameters)
    return record_with_method(
        loaded, [_input(tensor, loaded) for tensor in tensors], chosen, layers, channels, values, data, on_step
    )


def find_method(name: str) -> Method:
    """The method of this name. Raises UnknownName."""
    if name not in METHODS:
        raise UnknownName("method", name, METHODS)
    return METHODS[name]


def record_with_method(
    loaded: LoadedModel,
    inputs: Sequence[Input],
    method: Method,
    layers: Sequence[str],
    channels: Sequence[int],
    parameters: Any,
    data: DataSet | None = None,
    on_step: OnStep | None = None,
) -> Recording:
    """Run a network on inputs, then a method to its end; the recording holds both. Raises whatever these raise."""
    with denormals_restored():
        loaded.record(inputs, (), lambda maps: None)
        ids = loaded.run_context.ids(layers)
        for id in ids:
            check_channels(loaded.run_context.network, id, channels)
        recording = loaded.record(inputs, ids, lambda maps: None)
        for step in loaded.run_method(method, ids, parameters, data, channels=channels):
            recording.add(step.maps)
            if on_step is not None:
                on_step(step)
    recording.provenance["asked"] = _request_values(method, parameters, channels, data)
    return recording


@contextmanager
def denormals_restored() -> Iterator[None]:
    """Restore this thread's treatment of denormal numbers, which a LoadedModel changes."""
    np.finfo(np.float32), np.finfo(np.float64)  # cached now: they warn once denormal numbers are flushed to zero
    flushed = bool(np.float32(2e-38) / np.float32(16) == 0)
    try:
        yield
    finally:
        torch.set_flush_denormal(flushed)


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
    model: nn.Module, tensors: Sequence[torch.Tensor], flags: Mapping[str, Any], classes: Sequence[str]
) -> LoadedModel:
    first: Any = tensors[0] if tensors else None
    if not hasattr(first, "shape"):
        raise InputError(f"inputs: a tensor or a tuple of tensors is needed, not {type(first).__name__}")
    facts = {key: tuple(value) for key, value in flags.items() if value is not None}
    if first.dim() == 4:
        facts["size"] = tuple(first.shape[-2:])
    name = type(model).__name__
    built = BuiltModel(model, name)
    adapter = make_input_adapter(built, facts, ("", {}))
    subject = Subject(built, adapter, ClassNames(tuple(classes), "given"), "as given", {})
    device = next((parameter.device for parameter in model.parameters()), first.device)
    return LoadedModel(name, RecordSpec(name), device, PriorityLock(), subject)


def _input(tensor: torch.Tensor, loaded: LoadedModel) -> Input:
    values = tensor.detach().cpu()
    return Input(
        values, draw_sample(values[0].numpy(), loaded.subject.adapter.preprocessing), "given", "values unchanged"
    )
