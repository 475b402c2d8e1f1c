"""A method is asked about a network in this process: the same steps as on a bridge, one after the other."""

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
from ..recording import Network, Recording
from ..recording.errors import InputError, UnknownName
from ..subject import RecordSpec, Subject
from .loaded_model import PANELS, LoadedModel
from .priority_lock import PriorityLock

if TYPE_CHECKING:
    from torch import nn

    from ..data import DataSet

Told = Callable[[Step], None]


def ask(
    model: nn.Module, inputs: Any, method: str, layers: Sequence[str] = (PANELS,), channels: Sequence[int] = (), *,
    data: DataSet | None = None, classes: Sequence[str] = (), mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None, told: Told | None = None, **parameters: Any,
) -> Recording:  # fmt: skip
    """Ask a method about layers of a network; the recording holds their activations and the method's maps.

    inputs: a tensor with the batch first, or a tuple of them, one sample each. layers: ids, globs or "panels";
    channels: of these, () for all. mean, std: what was subtracted from pictures, of values 0..1, and divided by;
    ImageNet's where nothing is said. told: hears of every step. The model stays on its device, in its mode.

    Raises UnknownName, InputError or ModelError.
    """
    asked, given = find_method(method), inputs if isinstance(inputs, tuple) else (inputs,)
    live = _live(model, given, {"mean": mean, "std": std}, classes)
    seen = [_input(values, live) for values in given]
    return record_with_method(live, seen, asked, layers, channels, parse_parameters(asked, parameters), data, told)


def find_method(method: str) -> Method:
    """The method of this name. Raises UnknownName."""
    if method not in METHODS:
        raise UnknownName("method", method, METHODS)
    return METHODS[method]


def record_with_method(
    live: LoadedModel, inputs: Sequence[Input], method: Method, layers: Sequence[str], channels: Sequence[int],
    parameters: Any, data: DataSet | None = None, told: Told | None = None,
) -> Recording:  # fmt: skip
    """Run a network on inputs, then a method to its end; the recording holds both. Raises whatever these do."""
    with denormals_restored():
        live.record(inputs, (), lambda maps: None)
        ids = live.run_context.ids(layers)
        _check(live.run_context.network, ids, channels)
        made = live.record(inputs, ids, lambda maps: None)
        for step in live.run_method(method, ids, parameters, data, channels=channels):
            made.add(step.maps)
            if told is not None:
                told(step)
    made.provenance["asked"] = _asked(method, parameters, channels, data)
    return made


@contextmanager
def denormals_restored() -> Iterator[None]:
    """What a Live sets for its thread is as it was afterwards: a script has numbers of its own."""
    np.finfo(np.float32), np.finfo(np.float64)  # they warn once denormal numbers are zero
    flushed = bool(np.float32(2e-38) / np.float32(16) == 0)
    try:
        yield
    finally:
        torch.set_flush_denormal(flushed)


def _check(network: Network, ids: Sequence[str], channels: Sequence[int]) -> None:
    for id in ids:
        count = network.layer(id).map_shape[0]
        wrong = [one for one in channels if not 0 <= one < count]
        if wrong:
            raise InputError(f"layer {id} has channels 0 to {count - 1}; there is no channel {wrong[0]}")


def _asked(method: Method, parameters: Any, channels: Sequence[int], data: DataSet | None) -> dict[str, Any]:
    """Plain JSON values, for figures and whoever asks the same again."""
    plain = dataclasses.asdict(parameters) if parameters is not None else {}
    told = {"method": method.name, "parameters": plain, "channels": list(channels), "data": data.name if data else ""}
    return {name: value for name, value in told.items() if value}


def _live(model: nn.Module, given: Sequence[torch.Tensor], flags: Mapping[str, Any], classes: Sequence[str]) -> LoadedModel:
    first: Any = given[0] if given else None
    if not hasattr(first, "shape"):
        raise InputError(f"inputs: a tensor or a tuple of them is needed, not {type(first).__name__}")
    facts = {key: tuple(value) for key, value in flags.items() if value is not None}
    if first.dim() == 4:
        facts["size"] = tuple(first.shape[-2:])
    name = type(model).__name__
    built = BuiltModel(model, name)
    subject = Subject(built, make_input_adapter(built, facts, ("", {})), ClassNames(tuple(classes), "given"), "as given", {})
    where = next((one.device for one in model.parameters()), first.device)
    return LoadedModel(name, RecordSpec(name), where, PriorityLock(), subject)


def _input(values: torch.Tensor, live: LoadedModel) -> Input:
    plain = values.detach().cpu()
    return Input(plain, draw_sample(plain[0].numpy(), live.subject.adapter.how), "given", "values as they are")
