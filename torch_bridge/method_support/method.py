"""The interface of a method: its name, its parameters (drawn as a form), and the generator that computes its maps.

A method is one file with one generator function. At each step that it yields, the bridge may pause it for a new input,
show its maps so far, or end it by closing the generator; clean up in `finally`.
"""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin, get_type_hints

from ..recording import ACTIVATIONS, Maps, Network, Recording
from ..recording.channels import check_channels
from ..recording.errors import InputError, UnknownName, nearest
from ..recording.progress import Repeats

if TYPE_CHECKING:
    import torch
    from torch import nn

    from ..capture.values.map_layout import MapLayout
    from ..data import DataSet
    from ..inputs.preprocess import Preprocessing
    from ..predictions.class_names import ClassNames
    from ..subject import Subject

CLASS_PARAMETER = "of_class"
"""Parameter of methods that holds the index of a class; its name may be passed instead."""

ZERO = "zero everywhere"
"""First words of the note of maps that are 0."""


@dataclass(frozen=True)
class Step:
    """Progress of a method between two pieces of its work."""

    share: float
    """Share of the whole work that is done, 0..1."""
    message: str
    """What is being done, as shown to the user."""
    maps: Sequence[Maps] = ()
    """New maps; later maps of a layer replace earlier ones."""


@dataclass(frozen=True)
class MethodContext:
    """Everything that a method works with, on one device. Nothing else runs the network during a step."""

    model: nn.Module
    arguments: tuple[Any, ...]
    """Arguments of `forward` for the current input, with those passed by name as Keywords at the end."""
    network: Network
    layers: tuple[str, ...]
    """Ids of the layers to compute maps for."""
    channels: tuple[int, ...]
    """Selected channels of these layers, in order; () selects all."""
    record: Callable[[tuple[Any, ...], Sequence[str]], Recording]
    """Runs the network on other arguments and keeps these layers' maps."""
    arguments_from_picture: Callable[[Any], tuple[Any, ...]]
    """Turns a picture (Pillow image) into arguments of `forward`."""
    data: DataSet | None
    device: torch.device
    preprocessing: Preprocessing
    """How pictures become the network's input: size, mean and standard deviation."""
    class_names: ClassNames
    positions: Mapping[str, int] = dataclasses.field(default_factory=dict)
    """By layer id the frame, window or other position of an input that is looked at; 0 for all other layers."""
    other_networks: Mapping[str, Subject] = dataclasses.field(default_factory=dict)
    """The other networks that the bridge serves, by name, on the same device."""

    @property
    def picture(self) -> torch.Tensor:
        """The first argument: (1, C, H, W) float, normalised. Raises InputError if it is not a picture."""
        import torch

        from ..capture.call_arguments import first_argument

        first = first_argument(self.arguments)
        first = first[0][None] if isinstance(first, list) else first
        if not isinstance(first, torch.Tensor) or first.dim() != 4 or not first.is_floating_point():
            raise InputError("the method needs a picture, but this network's first input is not one")
        return first

    def arguments_with(self, pictures: torch.Tensor) -> tuple[Any, ...]:
        """Returns the current arguments with the first one replaced by (N, C, H, W) float pictures, normalised."""
        from ..capture.call_arguments import with_pictures

        return with_pictures(self.arguments, pictures)

    def selected_channels(self, layer: str) -> tuple[int, ...]:
        """Returns the selected channels of a layer. Raises InputError if the layer lacks one of them."""
        check_channels(self.network, layer, self.channels)
        return self.channels or tuple(range(self.network.layer(layer).map_shape[0]))


@dataclass(frozen=True)
class Method:
    """A method and how it is listed."""

    name: str
    """Lower-case letters, digits and _; also the name of its maps."""
    title: str
    text: str
    """One sentence of help."""
    run: Callable[[MethodContext, Any], Iterator[Step]]
    """Its generator; `steps` runs it."""
    parameters: type | None = None
    """A frozen dataclass of int, float, bool, str or Literal fields, each made by `parameter`."""
    needs: Literal["network", "input", "data", "input and data"] = "input"
    """What the result depends on besides the network."""
    repeats: Repeats = ""
    """Whether its work is done again for each selected channel, so that the time it takes can be said."""

    def steps(self, context: MethodContext, parameters: Any) -> Iterator[Step]:
        """Runs the method; maps that are zero or blank everywhere have a note that says so."""
        with closing(self.run(context, parameters)) as steps:  # type: ignore[type-var]
            for step in steps:
                yield replace(step, maps=tuple(map(with_zero_note, step.maps)))


def with_zero_note(maps: Maps) -> Maps:
    """Returns maps with a note that says so if all of them are 0, or no channel has a picture, and none says it yet."""
    values = maps.texels[..., 3] if maps.colour else maps.texels
    if values.any() or maps.note.startswith(ZERO):
        return maps
    return replace(maps, note="; ".join(filter(None, ["no picture" if maps.colour else ZERO, maps.note])))


def independence_note(class_name: str, layout: MapLayout) -> str:
    """Returns the note of a layer's maps that a class's score doesn't depend on."""
    count = layout.skipped_tokens
    tokens = f"; {count} special token{'s' * (count > 1)}, left out, may carry it" if count else ""
    return f"{ZERO}: the score of {class_name} depends on none of these values{tokens}"


def parameter(
    default: Any, text: str, minimum: float | None = None, maximum: float | None = None, unit: str = ""
) -> Any:
    """Returns a dataclass field for one parameter of a method, with its help text; both bounds are allowed values."""
    return dataclasses.field(default=default, metadata={"text": text, "least": minimum, "most": maximum, "unit": unit})


def parameter_form(method: Method) -> list[dict[str, Any]]:
    """Returns a method's parameters in order, as JSON values: name, kind, default, text, least, most, unit, choices.

    A kind is int, float, bool, str or choice.
    """
    if method.parameters is None:
        return []
    types = get_type_hints(method.parameters)
    return [_form_entry(field, types[field.name]) for field in dataclasses.fields(method.parameters)]


def _form_entry(field: dataclasses.Field[Any], annotation: Any) -> dict[str, Any]:
    choices = get_args(annotation) if get_origin(annotation) is Literal else ()
    entry = {"name": field.name, "kind": "choice" if choices else annotation.__name__, "default": field.default}
    return entry | dict(field.metadata) | {"choices": list(choices)}


def help_text(method: Method) -> str:
    """Returns the help of a method and its parameters, as lines for a terminal."""
    lines = [f"{method.name:<20} {method.text}"]
    for entry in parameter_form(method):
        limits = f", {_plain(entry['least'])} to {_plain(entry['most'])}" if entry["least"] is not None else ""
        choices = f", {' | '.join(map(str, entry['choices']))}" if entry["choices"] else ""
        unit = f" {entry['unit']}" if entry["unit"] else ""
        lines.append(f"  {entry['name']:<12} {entry['text']} ({entry['default']}{unit}{limits}{choices})")
    return "\n".join(lines)


def _plain(number: float) -> str:
    return f"{number:,}" if isinstance(number, int) else f"{number:g}"


def parse_parameters(method: Method, values: Mapping[str, Any], class_names: Sequence[str] | None = None) -> Any:
    """Checks JSON values and returns the method's parameters; None if it has none.

    class_names: the classes of the network, so that CLASS_PARAMETER may be a name; None before they are known, when any
    name passes for class 0. Raises InputError or UnknownName.
    """
    entries = {entry["name"]: entry for entry in parameter_form(method)}
    if not isinstance(values, Mapping):
        raise InputError(f'parameters of {method.name}: an object such as {{"seed": 1}} is needed')
    if isinstance(class_name := values.get(CLASS_PARAMETER), str) and CLASS_PARAMETER in entries:
        values = {**values, CLASS_PARAMETER: _class_index(class_name, class_names)}
    for name, value in values.items():
        if name not in entries:
            raise UnknownName(f"parameter of {method.name}", name, entries)
        _check(f"{method.name}: {name}", entries[name], value)
    if method.parameters is None:
        return None
    return method.parameters(**{name: _convert(entries[name], value) for name, value in values.items()})


def _class_index(name: str, class_names: Sequence[str] | None) -> int:
    if class_names is not None and name in class_names:
        return list(class_names).index(name)
    if name.removeprefix("-").isdecimal():
        return int(name)
    if class_names is None:
        return 0
    raise UnknownName("class", name, class_names)


def activation_maps(recording: Recording) -> list[Maps]:
    """Returns the activations of a recording, without attention and other maps recorded beside them."""
    return [maps for (_, method), maps in recording.all_maps.items() if method == ACTIVATIONS]


def _check(where: str, entry: Mapping[str, Any], value: Any) -> None:
    kind = entry["kind"]
    if kind == "choice":
        if value not in entry["choices"]:
            choices = [str(choice) for choice in entry["choices"]]
            hint = (isinstance(value, str) and nearest(value, choices)) or f"it must be one of {', '.join(choices)}"
            raise InputError(f"{where} is {value!r}; {hint}")
        return
    types = {"int": (int,), "float": (int, float), "bool": (bool,), "str": (str,)}[kind]
    if type(value) not in types or (kind == "float" and not abs(value) <= sys.float_info.max):
        raise InputError(f"{where} is {value!r}; {KIND_NAMES[kind]} is needed")
    minimum, maximum = (-math.inf if entry["least"] is None else entry["least"]), entry["most"]
    if kind in ("int", "float") and not minimum <= value <= (math.inf if maximum is None else maximum):
        raise InputError(f"{where} is {value}; it must be {entry['least']} to {entry['most']}")


KIND_NAMES = {"int": "a whole number", "float": "a finite number", "bool": "true or false", "str": "a text"}


def _convert(entry: Mapping[str, Any], value: Any) -> Any:
    return float(value) if entry["kind"] == "float" else value
