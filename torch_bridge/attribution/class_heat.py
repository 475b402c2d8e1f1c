"""The heat maps that attribution methods draw for a class, in one form: a number for each pixel of the picture."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from ..capture.values.attention import READERS
from ..method_support.input_gradients import GradientTarget, compute_input_gradients
from ..method_support.method import CLASS_PARAMETER, Method, MethodContext, Step, parameter_form, parse_parameters
from ..method_support.run_limits import full_precision
from ..predictions.classes import class_scores
from ..probing.partial_forward import PartialForward
from ..probing.relu_rules import Rule
from ..recording.errors import InputError
from .explained_maps import enlarge
from .explained_values import ExplainedValues

Place = Literal["classes", "maps", "attention"]
"""The layer that a method is asked about: that of the classes, the last one before it with positions that the class
depends on, or the last one with attention."""
MAX_CANDIDATES = 24
"""Layers with positions, counted from the end, among which that one is searched."""


@dataclass(frozen=True)
class HeatSource:
    """An attribution method, and how its heat map for a class is computed."""

    name: str
    method: Method | None = None
    """None for a gradient by a rule."""
    place: Place = "classes"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Parameters other than the class."""
    rule: Rule = "gradient"

    def compute(self, context: MethodContext, explained: ExplainedValues) -> Generator[Step, None, np.ndarray]:
        """Returns the heat of each pixel, (H, W) float32, for the class that is explained.

        NaN and infinity count as 0. Raises InputError or ModelError if the method can't answer for this network.
        """
        heat = yield from (self._gradient_sizes if self.method is None else self._method_map)(context, explained)
        finite = heat.float().cpu().nan_to_num(nan=0.0, posinf=0.0, neginf=0.0)
        values: np.ndarray = enlarge(finite, explained.picture.shape[2:]).numpy()
        return values

    def _gradient_sizes(self, context: MethodContext, explained: ExplainedValues) -> Generator[Step, None, Tensor]:
        index, signal = explained.channels[0], torch.zeros(explained.picture.shape)
        target = GradientTarget("class", index, self.rule)
        for found in compute_input_gradients(replace(context, channels=(index,)), explained.layer, target):
            yield Step(0.5, "gradient")
            signal = signal if found is None else found.signals
        return signal[0].abs().amax(0)

    def _method_map(self, context: MethodContext, explained: ExplainedValues) -> Generator[Step, None, Tensor]:
        assert self.method is not None
        index, last = explained.channels[0], None
        values = dict(self.parameters)
        if any(entry["name"] == CLASS_PARAMETER for entry in parameter_form(self.method)):
            values[CLASS_PARAMETER] = index
        layer = find_place(explained, self.place)
        class_context = replace(context, layers=(layer,), channels=())
        steps = self.method.steps(class_context, parse_parameters(self.method, values))
        for step in steps:
            last = step.maps[-1] if step.maps else last
            yield Step(step.share, step.message)
        if last is None:
            raise InputError(f"{self.name} gives no map of {layer}")
        if last.frame != "input":
            raise InputError(f"the maps of {layer} don't lie over the picture")
        return torch.from_numpy(last.data[last.index(index)].copy())


def find_place(explained: ExplainedValues, place: Place) -> str:
    """Returns the layer that a method is asked about. Raises InputError if there is none, ModelError as the network."""
    if place == "classes":
        return explained.layer
    network = explained.context.network
    inner = [layer for layer in network.layers if layer.role not in ("input", "output") and layer.id != explained.layer]
    if place == "attention":
        found = [layer.id for layer in inner if layer.kind in READERS]
    else:
        found = [layer.id for layer in inner if min(layer.map_shape[1:]) > 1]
    if not found:
        raise InputError(f"no layer of the network has {'attention' if place == 'attention' else 'positions'}")
    return found[-1] if place == "attention" else _last_used(explained, found[-MAX_CANDIDATES:])


def _last_used(explained: ExplainedValues, layers: Sequence[str]) -> str:
    """Returns the last of these layers whose maps the score depends on; just the last one if it depends on none.

    Behind its last attention, a transformer still computes tokens of the picture, but reads its class token only.
    """
    context = explained.context
    forward = PartialForward(context.model, layers, context.arguments, context.positions)
    with torch.enable_grad(), full_precision(context.device):
        picture = context.picture.detach().clone().requires_grad_()
        result = forward(context.arguments_with(picture), to_output=True)
        score = class_scores(result.output)[0, explained.channels].sum()
        slopes = result.gradients(score) if score.requires_grad and result.edges else {}
    return next((id for id in reversed(layers) if id in slopes and slopes[id].any()), layers[-1])
