"""What a method is given, for a network and an input that a test has made itself."""

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
"""What the shipped networks take."""


class Pictures(sets.DataSet):
    """Pictures that a test has made; None for one that can't be read."""

    def __init__(
        self, pictures: Sequence[np.ndarray | None], labels: Sequence[int] = (), classes: Sequence[str] = ()
    ) -> None:
        self.pictures, self.opened = pictures, []
        """opened: numbers of those that were asked for."""
        super().__init__("made", tuple(classes), np.array(labels if len(labels) else [-1] * len(pictures)))

    def _picture(self, index: int, near: int) -> Image.Image:
        self.opened.append(index)
        if self.pictures[index] is None:
            raise InputError(f"picture {index}: damaged")
        return Image.fromarray(self.pictures[index])


def work_on(
    model: torch.nn.Module,
    given: torch.Tensor | list | tuple,
    layers: Sequence[str],
    channels: Sequence[int] = (),
    how: Preprocessing = CONCEPTS,
    names: Sequence[str] = (),
    data: sets.DataSet | None = None,
) -> MethodContext:
    """given: the first argument, or all of them as a tuple."""
    arguments = given if isinstance(given, tuple) else (given,)

    def again(arguments, layers):
        return record(model, arguments, layers=list(layers))

    def feed(picture):
        from innerwalk.torch_bridge.inputs.sources import preprocess_picture

        return (torch.from_numpy(preprocess_picture(picture, how)[0])[None], *arguments[1:])

    network = record(model, arguments, layers=()).network
    return MethodContext(
        model, arguments, network, tuple(layers), tuple(channels), again, feed, data, torch.device("cpu"), how,
        ClassNames(tuple(names)),
    )  # fmt: skip


def steps(work: MethodContext, method: str, **parameters) -> list[Step]:
    """All steps of a method."""
    return list(METHODS[method].run(work, parse_parameters(METHODS[method], parameters)))


def made(work: MethodContext, method: str, **parameters) -> dict[str, Maps]:
    """By layer: the last maps of a method."""
    return {maps.layer: maps for step in steps(work, method, **parameters) for maps in step.maps}
