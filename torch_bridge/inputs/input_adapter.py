"""From inputs that a person names to the arguments of one network, when little or nothing is stated about it."""

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
"""Sizes of pictures that are tried on a network of which none is known, the most usual first."""


@dataclass(frozen=True)
class InputAdapter:
    """What is known of a network's inputs."""

    built: BuiltModel
    how: Preprocessing
    stem: FirstLayer | None
    latent: tuple[int, ...] = ()
    """Shape of one input that is no picture, where the weights state it."""

    def read(self, texts: Sequence[Source], index: int) -> list[Input]:
        """Read one input for each argument; of a batch the sample `index`. Raises InputError."""
        self._check_count(texts)
        inputs = [read_input(text, self.how, self._shape(k), self._tokens(k), index) for k, text in enumerate(texts)]
        if index and max(one.samples for one in inputs) == 1:
            raise InputError(f"{inputs[0].name} holds 1 sample: there is no index {index}")
        return [self._filmed(one) for one in inputs]

    def _filmed(self, one: Input) -> Input:
        """A picture as a still film, where the network takes films."""
        if self.stem is None or self.stem.kind != "volume" or one.values.ndim != self.stem.rank - 1:
            return one
        film = one.values.unsqueeze(2).repeat(1, 1, LENGTH, 1, 1)
        return replace(one, values=film, treatment=f"{one.treatment}; {LENGTH} times, as a film")

    def arguments(self, inputs: Sequence[Input]) -> tuple[Any, ...]:
        """The positional arguments of `forward`, in the network's own number format."""
        values = [self._cast(one.values) for one in inputs]
        if self.stem and self.stem.kind == "vector" and values[0].ndim > 2 and not runs(self.built, values):
            values[0] = values[0].flatten(1)
        for k, shape in enumerate(self.built.shapes[: len(values)]):
            if shape and len(values[k]) == 1:
                values[k] = values[k].repeat(shape[0], *[1] * (values[k].ndim - 1))  # exported for a fixed batch
        return ([values[0][0]],) if takes_list(self.built.module) else tuple(values)

    def explain(self, arguments: Sequence[Any], error: Exception) -> str:
        """One line about a network that couldn't be run."""
        shapes = [tuple(one[0].shape if isinstance(one, list) else one.shape) for one in arguments]
        given = ", ".join(map(str, shapes))
        channels = shapes[0][-3] if len(shapes[0]) > 2 else None
        if self.stem and self.stem.kind == "picture" and channels not in (None, self.stem.channels):
            return (
                f"{self.built.name} can't run on an input of shape {given}: "
                f"its first layer {self.stem.path} takes {self.stem.channels} channels, not {channels}"
            )
        return f"{self.built.name}, given {given}: {first_line(error)}"

    def _check_count(self, texts: Sequence[Source]) -> None:
        wanted = argument_names(self.built.module)
        if len(texts) < len(wanted):
            raise InputError(f"{self.built.name} takes {len(wanted)} inputs ({', '.join(wanted)}), {len(texts)} given")
        if len(texts) > 1 and takes_list(self.built.module):
            raise InputError(f"{self.built.name} looks at one picture at a time, {len(texts)} given")

    def _shape(self, k: int) -> tuple[int, ...]:
        if k < len(self.built.shapes):
            return self.built.shapes[k][1:]
        if self.latent and k == 0:
            return self.latent
        size = self.how.size or (SIDES[0],) * 2
        return self.stem.sample(size) if self.stem else (self.how.channels, *size)

    def _tokens(self, k: int) -> int:
        return self.stem.channels if self.stem and self.stem.kind == "tokens" and k == 0 else 0

    def _cast(self, values: torch.Tensor) -> torch.Tensor:
        """Numbers in the network's own format; whole numbers stay whole where they may be tokens."""
        vector = self.stem is not None and self.stem.kind == "vector"
        if not values.is_floating_point() and values.ndim <= 2 and not vector:
            return values.long()
        return values.to(number_format(self.built))


def make_input_adapter(
    built: BuiltModel, flags: Mapping[str, Any], stated: tuple[str, Mapping[str, Any]], latent: tuple[int, ...] = ()
) -> InputAdapter:
    """How the network wants its pictures: as asked, as its weights state, as torchvision does, or guessed."""
    stem = find_first_layer(built.module)
    sources: list[tuple[str, Mapping[str, Any]]] = [("as asked", flags), stated]
    if not stated[1] and built.preset is not None:
        sources.append((f"torchvision {built.preset}", torchvision_facts(built.preset)))
    if built.shapes and len(built.shapes[0]) == 4:
        sources.append(("exported program", {"size": built.shapes[0][2:], "channels": built.shapes[0][1]}))
    sources += _of_stem(stem)
    how = resolve_preprocessing(sources)
    if how.size is None and not any({"size", "short"} & set(facts) for _, facts in sources) and stem:
        how = resolve_preprocessing([*sources, _tried(built, stem, how)])
    return InputAdapter(built, how, stem, latent)


def _of_stem(stem: FirstLayer | None) -> list[tuple[str, Mapping[str, Any]]]:
    """What the first layer says about pictures: channels, and for a plain vector the size of a square."""
    if stem is None:
        return []
    if stem.kind in ("picture", "volume") and stem.channels in MODES:
        return [(f"first layer {stem.path}", {"channels": stem.channels})]
    for channels in (1, 3):
        side = round((stem.channels / channels) ** 0.5)
        if stem.kind == "vector" and side > 3 and side * side * channels == stem.channels:
            return [(f"first layer {stem.path}", {"channels": channels, "size": (side, side)})]
    return []


def _tried(built: BuiltModel, stem: FirstLayer, how: Preprocessing) -> tuple[str, Mapping[str, Any]]:
    """The first usual size that the network runs on, and that it was found so."""
    import torch

    if stem.kind != "picture":
        return "default", {}
    for side in SIDES:
        blank = torch.zeros(1, how.channels, side, side, dtype=number_format(built))
        if runs(built, [blank] * max(1, len(argument_names(built.module)))):
            return "found by trying", {"size": (side, side)}
    return "default", {"size": (SIDES[0], SIDES[0])}


def runs(built: BuiltModel, values: Sequence[torch.Tensor]) -> bool:
    """Whether the network takes these arguments."""
    import torch

    try:
        with torch.no_grad():
            built.module(*values)
    except Exception:  # noqa: BLE001 - a network refuses a size by whatever comes to its author's mind
        return False
    return True


def number_format(built: BuiltModel) -> torch.dtype:
    """The floating dtype of the network's first such parameter; float32 without any."""
    import torch

    kinds = (value.dtype for value in built.module.parameters() if value.is_floating_point())
    return next(kinds, torch.float32)
