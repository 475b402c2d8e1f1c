"""Turns inputs that a user names into the arguments of one network, even if little is known about the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ..models.build import BuiltModel, first_line
from ..recording.errors import InputError
from .argument_checks import argument_place, check_arguments, source_arguments
from .first_layer import LENGTH, FirstLayer, argument_names, find_first_layer, takes_list
from .preprocess import MODES, Preprocessing, resolve_preprocessing, torchvision_facts
from .sources import PICTURE_RANK, Input, KeywordSource, Source, read_input
from .tokens import Vocabulary

if TYPE_CHECKING:
    import torch
    from torch import nn

NOTHING_KNOWN: Mapping[str, Any] = MappingProxyType({})
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

    vocabulary: Vocabulary | None = None
    """The words that the network knows, if a file states them."""

    def read(self, sources: Sequence[Source], index: int, known: Mapping[str, Any] = NOTHING_KNOWN) -> list[Input]:
        """Reads one input for each argument of the network; sample `index` of a batch.

        known: by the names of arguments, values of any shape that fit, which show what further inputs must be like.
        Raises InputError or UnknownName.
        """
        if not any(isinstance(source, Input) for source in sources):
            check_arguments(self.built, sources)
        names = source_arguments(self.built.module, sources)
        examples = [None, *(known.get(name) for name in names[1:])]
        inputs = [self._read_one(source, k, index, examples[k]) for k, source in enumerate(sources)]
        if index and max(read.samples for read in inputs) == 1:
            raise InputError(f"{inputs[0].name} holds 1 sample: there is no index {index}")
        return [inputs[0], *(_same_sample(read, inputs[0].samples, index) for read in inputs[1:])]

    def _read_one(self, source: Source, k: int, index: int, example: Any) -> Input:
        """Reads input number `k`, in the dtype that the network takes. example: values that fit it, or None."""
        place = argument_place(self.built.module, source, k)
        if example is not None and not isinstance(source, Input):
            return self._read_like(source, example, index)
        is_noise = _is_noise(source)
        shape = self._sample_shape(place) if place == 0 or is_noise or place < len(self.built.shapes) else ()
        read = read_input(source, self.preprocessing, shape, self._token_count(place), index, self.vocabulary)
        return read if read.unchanged else self._convert(self._repeat_in_time(read), place)

    def _read_like(self, source: Source, example: Any, index: int) -> Input:
        """Reads an input of the axes, size and dtype of an example, which the network has taken in its place."""
        import torch

        preprocessing = self.preprocessing
        if not isinstance(example, torch.Tensor) or example.dim() == 0:
            return read_input(source, preprocessing, (), 0, index, self.vocabulary)
        shape, is_float = tuple(example.shape[1:]), example.is_floating_point()
        if len(shape) == PICTURE_RANK - 1 and shape[0] in MODES:
            preprocessing = replace(preprocessing, size=shape[1:], channels=shape[0])
        # Random tokens stay below those of the example, which fit; others are only known to fit the largest embedding.
        seen = 0 if is_float or not example.numel() else int(example.max()) + 1
        count = seen if _is_noise(source) or not seen else max(seen, _most_tokens(self.built.module))
        read = read_input(source, preprocessing, shape, count, index, self.vocabulary)
        fits = read.unchanged or read.values.is_floating_point() != is_float
        return read if fits else replace(read, values=read.values.to(example.dtype))

    def _repeat_in_time(self, picture: Input) -> Input:
        """Repeats a picture as the frames of a video, if the network takes videos."""
        layer = self.first_layer
        if layer is None or layer.kind != "volume" or picture.values.ndim != layer.rank - 1:
            return picture
        video = picture.values.unsqueeze(2).repeat(1, 1, LENGTH, 1, 1)
        return replace(picture, values=video, preprocessing=f"{picture.preprocessing}; repeated as {LENGTH} frames")

    def _convert(self, read: Input, place: int) -> Input:
        """Converts values to a dtype that the network can take, and says so.

        Floats become its own; whole numbers become floats in the place of a first layer that takes such, and int64 for
        tokens. Others, as masks, stay as they are.
        """
        values, layer, own = read.values, self.first_layer, float_dtype(self.built)
        if values.is_floating_point():
            wanted = own
        elif layer is None or place:
            return read
        else:
            wanted = _token_dtype(layer, values) or (own if values.ndim == layer.rank else values.dtype)
        if values.dtype == wanted:
            return read
        line = f"{read.preprocessing}, converted to the network's {str(wanted).removeprefix('torch.')}"
        return replace(read, values=values.to(wanted), preprocessing=line)

    def arguments(self, inputs: Sequence[Input]) -> tuple[Any, ...]:
        """Returns the arguments of `forward`, those that must be named as Keywords: tensors with a batch axis.

        A network that takes a list of pictures gets a list of one (C, H, W). Unchanged inputs stay as they are.
        """
        import torch

        values = [read.values for read in inputs]
        for k, shape in enumerate(self.built.shapes[: len(values)]):
            if shape and not inputs[k].unchanged and len(values[k]) == 1:
                values[k] = values[k].repeat(shape[0], *[1] * (values[k].ndim - 1))  # exported for a fixed batch
        call = self._call(inputs, values)
        if inputs[0].unchanged:
            return call
        other = self._with_fewer_axes(values[0])
        if other is not None and not runs(self.built, call):
            call = self._call(inputs, [other, *values[1:]])
        listed = takes_list(self.built.module) and isinstance(call[0], torch.Tensor)
        return ([call[0][0]], *call[1:]) if listed else call

    def _call(self, inputs: Sequence[Input], values: Sequence[Any]) -> tuple[Any, ...]:
        """The values as arguments; of those with a name, those that may be positional are."""
        from ..capture.call_arguments import Keywords, as_arguments

        pairs = list(zip(inputs, values, strict=True))
        positional = [value for read, value in pairs if not read.keyword and not isinstance(value, Keywords)]
        named = {read.keyword: value for read, value in pairs if read.keyword}
        for _, value in pairs:
            named |= value if isinstance(value, Keywords) else {}
        return as_arguments(self.built.module, positional, named)

    def _with_fewer_axes(self, values: Any) -> Any:
        """The first input as networks take it that lay it out themselves: a picture as a row, a sound as (1, L)."""
        kind = self.first_layer.kind if self.first_layer else ""
        if kind == "vector" and values.ndim > 2:
            return values.flatten(1)
        return values[:, 0] if kind == "sequence" and values.ndim == 3 and values.shape[1] == 1 else None

    def explain(self, arguments: Sequence[Any], error: Exception) -> str:
        """Returns one line that explains why the network failed on these arguments."""
        from ..capture.trace.op_types import tensors_in

        shapes = [tuple(tensor.shape) for tensor in tensors_in(arguments)]
        text = ", ".join(map(str, shapes))
        channels = shapes[0][-3] if shapes and len(shapes[0]) > 2 else None
        layer = self.first_layer
        if layer and layer.kind == "picture" and channels not in (None, layer.channels):
            return (
                f"{self.built.name} can't run on an input of shape {text}: "
                f"its first layer {layer.path or 'of all'} takes {layer.channels} channels, not {channels}"
            )
        return f"{self.built.name} failed on inputs of shape {text}: {first_line(error)}"

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


def _is_noise(source: Source) -> bool:
    named = source.source if isinstance(source, KeywordSource) else source
    return isinstance(named, str) and named.startswith("noise:")


def _most_tokens(module: nn.Module) -> int:
    """Returns the number of different tokens that the largest embedding of a network takes; 0 without any."""
    from torch import nn

    return max((part.num_embeddings for part in module.modules() if isinstance(part, nn.Embedding)), default=0)


def _same_sample(read: Input, samples: int, index: int) -> Input:
    """Chooses a sample of a further input that has as many as the first one."""
    values = read.values
    if read.unchanged or samples == 1 or read.samples > 1 or not values.ndim or len(values) != samples:
        return read
    return replace(read, values=values[index : index + 1], samples=samples)


def _token_dtype(layer: FirstLayer, values: torch.Tensor) -> torch.dtype | None:
    """The dtype of tokens, if the first layer takes such: their own, if it can take that."""
    import torch

    if layer.kind != "tokens":
        return None
    return values.dtype if values.dtype in (torch.int32, torch.int64) else torch.int64


def make_input_adapter(
    built: BuiltModel, flags: Mapping[str, Any], stated: tuple[str, Mapping[str, Any]], latent: tuple[int, ...] = ()
) -> InputAdapter:
    """Determines the preprocessing: from the user's flags, the weights file, torchvision, or by guessing.

    stated: name of the weights file and the facts that it states. latent: shape of one input that is no picture.
    """
    first_layer = find_first_layer(built.module)
    sources: list[tuple[str, Mapping[str, Any]]] = [("options", flags), stated]
    if not stated[1] and built.preset is not None:
        side = getattr(built.module, "image_size", None)  # that of weights which aren't loaded may be another one
        built_for = {"size": (side, side)} if isinstance(side, int) else {}
        sources.append((f"torchvision {built.preset}", {**torchvision_facts(built.preset), **built_for}))
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


def runs(built: BuiltModel, values: Sequence[Any]) -> bool:
    """Whether the network runs on these arguments, tensors of any shape and dtype, named ones last as Keywords."""
    import torch

    from ..capture.call_arguments import Keywords
    from ..capture.guard import evaluation_mode
    from ..capture.layer_paths import layer_paths

    try:
        with torch.no_grad(), evaluation_mode(list(layer_paths(built.module))):
            named = values[-1] if values and isinstance(values[-1], Keywords) else {}
            built.module(*(value for value in values if not isinstance(value, Keywords)), **named)
    except Exception:  # noqa: BLE001 - networks raise anything for a wrong size
        return False
    return True


def float_dtype(built: BuiltModel) -> torch.dtype:
    """Returns the dtype of the network's first floating-point parameter; float32 if it has none."""
    import torch

    dtypes = (value.dtype for value in built.module.parameters() if value.is_floating_point())
    return next(dtypes, torch.float32)
