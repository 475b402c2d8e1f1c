"""Turns inputs that a user names into the arguments of one network, even if little is known about the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..models.build import BuiltModel, first_line
from ..recording.errors import InputError
from .first_layer import LENGTH, FirstLayer, argument_names, find_first_layer, takes_list
from .preprocess import MODES, Preprocessing, resolve_preprocessing, torchvision_facts
from .sources import Input, Source, read_input

if TYPE_CHECKING:
    import torch

SIDES = (224, 32, 28, 64, 96, 128, 256, 299, 384, 512)
"""Pixels a side of the pictures that are tried on a network whose input size is unknown, the most common first."""


@dataclass(frozen=True)
class InputAdapter:
    """Everything known about a network's inputs."""

    built: BuiltModel
    preprocessing: Preprocessing
    first_layer: FirstLayer | None
    latent: tuple[int, ...] = ()
    """Shape of one input that is no picture, if the weights file states it."""

    def read(self, sources: Sequence[Source], index: int) -> list[Input]:
        """Reads one input for each argument of the network; sample `index` of a batch. Raises InputError."""
        if not (sources and isinstance(sources[0], Input)):
            self._check_count(sources)
        inputs = [
            read_input(source, self.preprocessing, self._sample_shape(k), self._token_count(k), index)
            for k, source in enumerate(sources)
        ]
        if index and max(read.samples for read in inputs) == 1:
            raise InputError(f"{inputs[0].name} holds 1 sample: there is no index {index}")
        return [self._repeat_in_time(read) for read in inputs]

    def _repeat_in_time(self, picture: Input) -> Input:
        """Repeats a picture as the frames of a video, if the network takes videos."""
        layer = self.first_layer
        if picture.unchanged or layer is None or layer.kind != "volume" or picture.values.ndim != layer.rank - 1:
            return picture
        video = picture.values.unsqueeze(2).repeat(1, 1, LENGTH, 1, 1)
        return replace(picture, values=video, preprocessing=f"{picture.preprocessing}; repeated as {LENGTH} frames")

    def arguments(self, inputs: Sequence[Input]) -> tuple[Any, ...]:
        """Returns the arguments of `forward`: tensors with a batch axis, in the network's own dtype.

        A network that takes a list of pictures gets a list of one (C, H, W). Unchanged inputs stay as they are.
        """
        values = [read.values if read.unchanged else self._cast(read.values) for read in inputs]
        if inputs[0].unchanged:
            return tuple(values)
        if (
            self.first_layer
            and self.first_layer.kind == "vector"
            and values[0].ndim > 2
            and not runs(self.built, values)
        ):
            values[0] = values[0].flatten(1)
        for k, shape in enumerate(self.built.shapes[: len(values)]):
            if shape and not inputs[k].unchanged and len(values[k]) == 1:
                values[k] = values[k].repeat(shape[0], *[1] * (values[k].ndim - 1))  # exported for a fixed batch
        return ([values[0][0]],) if takes_list(self.built.module) else tuple(values)

    def explain(self, arguments: Sequence[Any], error: Exception) -> str:
        """Returns one line that explains why the network failed on these arguments."""
        from ..capture.trace.op_types import tensors_in

        shapes = [tuple(tensor.shape) for tensor in tensors_in(arguments)]
        text = ", ".join(map(str, shapes))
        channels = shapes[0][-3] if len(shapes[0]) > 2 else None
        layer = self.first_layer
        if layer and layer.kind == "picture" and channels not in (None, layer.channels):
            return (
                f"{self.built.name} can't run on an input of shape {text}: "
                f"its first layer {layer.path or 'of all'} takes {layer.channels} channels, not {channels}"
            )
        return f"{self.built.name} failed on inputs of shape {text}: {first_line(error)}"

    def _check_count(self, sources: Sequence[Source]) -> None:
        names, count = argument_names(self.built.module), len(sources)
        if count < len(names):
            raise InputError(f"{self.built.name} takes {len(names)} inputs ({', '.join(names)}), {count} given")
        if count > 1 and takes_list(self.built.module):
            raise InputError(f"{self.built.name} takes one picture at a time, {count} given")

    def _sample_shape(self, k: int) -> tuple[int, ...]:
        if k < len(self.built.shapes):
            return self.built.shapes[k][1:]
        if self.latent and k == 0:
            return self.latent
        size = self.preprocessing.size or (SIDES[0],) * 2
        return self.first_layer.sample_shape(size) if self.first_layer else (self.preprocessing.channels, *size)

    def _token_count(self, k: int) -> int:
        """Returns the number of different tokens that argument number `k` may hold; 0 if it holds no tokens."""
        layer = self.first_layer
        return layer.channels if layer and layer.kind == "tokens" and k == 0 else 0

    def _cast(self, values: torch.Tensor) -> torch.Tensor:
        """Converts values to the network's own dtype; integers that may be tokens become int64."""
        vector = self.first_layer is not None and self.first_layer.kind == "vector"
        if not values.is_floating_point() and values.ndim <= 2 and not vector:
            return values.long()
        return values.to(float_dtype(self.built))


def make_input_adapter(
    built: BuiltModel, flags: Mapping[str, Any], stated: tuple[str, Mapping[str, Any]], latent: tuple[int, ...] = ()
) -> InputAdapter:
    """Determines the preprocessing: from the user's flags, the weights file, torchvision, or by guessing.

    stated: name of the weights file and the facts that it states. latent: shape of one input that is no picture.
    """
    first_layer = find_first_layer(built.module)
    sources: list[tuple[str, Mapping[str, Any]]] = [("options", flags), stated]
    if not stated[1] and built.preset is not None:
        sources.append((f"torchvision {built.preset}", torchvision_facts(built.preset)))
    if built.shapes and len(built.shapes[0]) == 4:
        sources.append(("exported program", {"size": built.shapes[0][2:], "channels": built.shapes[0][1]}))
    sources += _first_layer_facts(first_layer)
    preprocessing = resolve_preprocessing(sources)
    size_stated = any({"size", "short"} & set(facts) for _, facts in sources)
    if preprocessing.size is None and not size_stated and first_layer:
        preprocessing = resolve_preprocessing([*sources, _try_sizes(built, first_layer, preprocessing.channels)])
    return InputAdapter(built, preprocessing, first_layer, latent)


def _first_layer_facts(layer: FirstLayer | None) -> list[tuple[str, Mapping[str, Any]]]:
    """Returns the number of channels that the first layer takes, and for a plain vector the size of a square."""
    if layer is None:
        return []
    if layer.kind in ("picture", "volume") and layer.channels in MODES:
        return [(f"first layer {layer.path}", {"channels": layer.channels})]
    for channels in (1, 3):
        side = round((layer.channels / channels) ** 0.5)
        if layer.kind == "vector" and side > 3 and side * side * channels == layer.channels:
            return [(f"first layer {layer.path}", {"channels": channels, "size": (side, side)})]
    return []


def _try_sizes(built: BuiltModel, layer: FirstLayer, channels: int) -> tuple[str, Mapping[str, Any]]:
    """Returns the first of the common sizes that the network runs on, with the source of this fact."""
    import torch

    if layer.kind != "picture":
        return "default", {}
    for side in SIDES:
        blank = torch.zeros(1, channels, side, side, dtype=float_dtype(built))
        if runs(built, [blank] * max(1, len(argument_names(built.module)))):
            return "first size that ran", {"size": (side, side)}
    return "default", {"size": (SIDES[0], SIDES[0])}


def runs(built: BuiltModel, values: Sequence[torch.Tensor]) -> bool:
    """Whether the network runs on these arguments, tensors of any shape and dtype."""
    import torch

    from ..capture.guard import evaluation_mode
    from ..capture.layer_paths import layer_paths

    try:
        with torch.no_grad(), evaluation_mode(list(layer_paths(built.module))):
            built.module(*values)
    except Exception:  # noqa: BLE001 - networks raise anything for a wrong size
        return False
    return True


def float_dtype(built: BuiltModel) -> torch.dtype:
    """Returns the dtype of the network's first floating-point parameter; float32 if it has none."""
    import torch

    dtypes = (value.dtype for value in built.module.parameters() if value.is_floating_point())
    return next(dtypes, torch.float32)
