"""What a method is: a name, parameters that can be drawn as a form, and a generator of maps.

A method is one file with one generator function. Each step it yields is a place where the bridge may pause it for a new
input, show what there is, or end it, by closing the generator: what must be undone then belongs into `finally`.
"""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin, get_type_hints

from ..recording import ACTIVATIONS, Maps, Network, Recording
from ..recording.errors import InputError, UnknownName

if TYPE_CHECKING:
    import torch
    from torch import nn

    from ..data import DataSet
    from ..inputs.preprocess import Preprocessing
    from ..predictions.class_names import ClassNames
    from ..subject import Subject


@dataclass(frozen=True)
class Step:
    """What a method tells between two pieces of its work."""

    share: float
    """How much of the whole is done, 0..1."""
    told: str
    """What is being done, for a person."""
    maps: Sequence[Maps] = ()
    """What there is now; later maps of a layer replace earlier ones."""


@dataclass(frozen=True)
class MethodContext:
    """What a method works with. All of it is on one device, and nobody else runs the network during a step."""

    model: nn.Module
    arguments: tuple[Any, ...]
    """Of the input that is looked at: positional arguments of `forward`."""
    network: Network
    layers: tuple[str, ...]
    """Ids of the layers whose maps are asked for."""
    channels: tuple[int, ...]
    """Of these layers the channels that are asked about, in order; () for all of them."""
    record: Callable[[tuple[Any, ...], Sequence[str]], Recording]
    """Run the network on other arguments and keep these layers' maps."""
    feed: Callable[[Any], tuple[Any, ...]]
    """A picture (Pillow image) -> arguments of `forward`."""
    data: DataSet | None
    device: torch.device
    how: Preprocessing
    """What was done to pictures: size, mean and standard deviation of the network's own numbers."""
    names: ClassNames
    others: Mapping[str, Subject] = dataclasses.field(default_factory=dict)
    """By name: networks that are there beside this one, on the same device."""

    @property
    def picture(self) -> torch.Tensor:
        """(1, C, H, W) the first argument, in the network's own numbers. Raises InputError where it is no picture."""
        import torch

        first = self.arguments[0][0][None] if isinstance(self.arguments[0], list) else self.arguments[0]
        if not isinstance(first, torch.Tensor) or first.dim() != 4 or not first.is_floating_point():
            raise InputError("the method needs a picture; this network's first input is none")
        return first

    def given(self, pictures: torch.Tensor) -> tuple[Any, ...]:
        """(N, C, H, W) pictures, in the network's own numbers, as arguments beside the further ones of the input."""
        rest = tuple(one.expand(len(pictures), *one.shape[1:]) for one in self.arguments[1:])
        return ([*pictures], *rest) if isinstance(self.arguments[0], list) else (pictures, *rest)

    def chosen(self, layer: str) -> tuple[int, ...]:
        """The channels of a layer that are asked about. Raises InputError where it has fewer."""
        count = self.network.layer(layer).map_shape[0]
        wrong = [one for one in self.channels if not 0 <= one < count]
        if wrong:
            raise InputError(f"layer {layer} has channels 0 to {count - 1}; there is no channel {wrong[0]}")
        return self.channels or tuple(range(count))


@dataclass(frozen=True)
class Method:
    """One method, as it is listed."""

    name: str
    """Small letters, digits and _; of its maps too."""
    title: str
    text: str
    """One sentence for a person."""
    run: Callable[[MethodContext, Any], Iterator[Step]]
    parameters: type | None = None
    """A frozen dataclass of int, float, bool, str or Literal fields, made by `parameter`."""
    needs: Literal["network", "input", "data"] = "input"
    """What its result depends on besides the network."""


def parameter(
    default: Any, text: str, least: float | None = None, most: float | None = None, unit: str = ""
) -> Any:  # fmt: skip
    """A field of a method's parameters; bounds are included."""
    return dataclasses.field(default=default, metadata={"text": text, "least": least, "most": most, "unit": unit})


def parameter_form(method: Method) -> list[dict[str, Any]]:
    """The parameters as plain values, in order: name, kind (int, float, bool, str, choice), default, text, bounds."""
    if method.parameters is None:
        return []
    kinds = get_type_hints(method.parameters)
    return [_field(one, kinds[one.name]) for one in dataclasses.fields(method.parameters)]


def _field(one: dataclasses.Field[Any], kind: Any) -> dict[str, Any]:
    choices = get_args(kind) if get_origin(kind) is Literal else ()
    told = {"name": one.name, "kind": "choice" if choices else kind.__name__, "default": one.default}
    return told | dict(one.metadata) | {"choices": list(choices)}


def help_text(method: Method) -> str:
    """The method and its parameters in a few lines, for a terminal."""
    lines = [f"{method.name:<14} {method.text}"]
    for one in parameter_form(method):
        limits = f", {_plain(one['least'])} to {_plain(one['most'])}" if one["least"] is not None else ""
        choices = f", {' | '.join(map(str, one['choices']))}" if one["choices"] else ""
        unit = f" {one['unit']}" if one["unit"] else ""
        lines.append(f"  {one['name']:<12} {one['text']} ({one['default']}{unit}{limits}{choices})")
    return "\n".join(lines)


def _plain(number: float) -> str:
    return f"{number:,}" if isinstance(number, int) else f"{number:g}"


def parse_parameters(method: Method, given: Mapping[str, Any]) -> Any:
    """The method's parameters with what was given, checked; None where it has none. Raises InputError, UnknownName."""
    known = {field["name"]: field for field in parameter_form(method)}
    if not isinstance(given, Mapping):
        raise InputError(f'parameters of {method.name}: an object such as {{"seed": 1}} is needed')
    for name, value in given.items():
        if name not in known:
            raise UnknownName(f"parameter of {method.name}", name, known)
        _check(f"{method.name}: {name}", known[name], value)
    if method.parameters is None:
        return None
    return method.parameters(**{name: _as(known[name], value) for name, value in given.items()})


def activation_maps(recording: Recording) -> list[Maps]:
    """A recording's activations, without attention and other maps that come with them."""
    return [maps for (_, method), maps in recording.all_maps.items() if method == ACTIVATIONS]


def _check(where: str, field: Mapping[str, Any], value: Any) -> None:
    kind = field["kind"]
    if kind == "choice":
        if value not in field["choices"]:
            raise InputError(f"{where} is {value!r}; it must be one of {', '.join(map(str, field['choices']))}")
        return
    wanted = {"int": (int,), "float": (int, float), "bool": (bool,), "str": (str,)}[kind]
    if type(value) not in wanted or (kind == "float" and not abs(value) <= sys.float_info.max):
        raise InputError(f"{where} is {value!r}; {KINDS[kind]} is needed")
    least, most = (-math.inf if field["least"] is None else field["least"]), field["most"]
    if kind in ("int", "float") and not least <= value <= (math.inf if most is None else most):
        raise InputError(f"{where} is {value}; {field['least']} to {most} is possible")


KINDS = {"int": "a whole number", "float": "a finite number", "bool": "true or false", "str": "a text"}


def _as(field: Mapping[str, Any], value: Any) -> Any:
    return float(value) if field["kind"] == "float" else value
