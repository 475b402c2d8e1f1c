"""Runs methods on a test's own network and input."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image

from innerwalk.torch_bridge import data as sets
from innerwalk.torch_bridge import record
from innerwalk.torch_bridge.inputs.preprocess import Preprocessing
from innerwalk.torch_bridge.methods import METHODS, MethodContext, Step, parse_parameters
from innerwalk.torch_bridge.predictions.class_names import ClassNames
from innerwalk.torch_bridge.recording import Maps
from innerwalk.torch_bridge.recording.errors import InputError

CONCEPTS = Preprocessing(size=(64, 64), mean=(0.5,) * 3, std=(0.5,) * 3)
"""Preprocessing of the shipped networks."""


class Pictures(sets.DataSet):
    """A data set of a test's own pictures (H, W, 3) sRGB uint8; None for one that can't be read."""

    def __init__(
        self, pictures: Sequence[np.ndarray | None], labels: Sequence[int] = (), classes: Sequence[str] = ()
    ) -> None:
        self.pictures, self.opened = pictures, []
        """opened: numbers of the pictures that were read."""
        super().__init__("made", tuple(classes), np.array(labels if len(labels) else [-1] * len(pictures)))

    def _picture(self, index: int, near: int) -> Image.Image:
        self.opened.append(index)
        if self.pictures[index] is None:
            raise InputError(f"picture {index}: damaged")
        return Image.fromarray(self.pictures[index])


def make_context(
    model: torch.nn.Module,
    inputs: torch.Tensor | list | tuple,
    layers: Sequence[str],
    channels: Sequence[int] = (),
    preprocessing: Preprocessing = CONCEPTS,
    class_names: Sequence[str] = (),
    data: sets.DataSet | None = None,
) -> MethodContext:
    """Returns the context of a method. inputs: the first argument of `forward`, or all of them as a tuple."""
    arguments = inputs if isinstance(inputs, tuple) else (inputs,)

    def record_again(arguments, layers):
        return record(model, arguments, layers=list(layers))

    def arguments_from_picture(picture):
        from innerwalk.torch_bridge.inputs.sources import preprocess_picture

        return (torch.from_numpy(preprocess_picture(picture, preprocessing)[0])[None], *arguments[1:])

    network = record(model, arguments, layers=()).network
    return MethodContext(
        model,
        arguments,
        network,
        tuple(layers),
        tuple(channels),
        record_again,
        arguments_from_picture,
        data,
        torch.device("cpu"),
        preprocessing,
        ClassNames(tuple(class_names)),
    )


def method_steps(context: MethodContext, method: str, **parameters) -> list[Step]:
    """Runs a method and returns all its steps."""
    return list(METHODS[method].steps(context, parse_parameters(METHODS[method], parameters)))


def run_method(context: MethodContext, method: str, **parameters) -> dict[str, Maps]:
    """Runs a method and returns its last maps, by layer."""
    return {maps.layer: maps for step in method_steps(context, method, **parameters) for maps in step.maps}
