"""What a method is given, for a network and an input that a test has made itself."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from innerwalk.torch_bridge import data as sets
from innerwalk.torch_bridge import record
from innerwalk.torch_bridge.methods import METHODS, Step, Work, chosen
from innerwalk.torch_bridge.names import ClassNames
from innerwalk.torch_bridge.preprocess import Preprocessing
from innerwalk.torch_bridge.recording import Maps

CONCEPTS = Preprocessing(size=(64, 64), mean=(0.5,) * 3, std=(0.5,) * 3)
"""What the shipped networks take."""


def work_on(
    model: torch.nn.Module,
    given: torch.Tensor | list | tuple,
    layers: Sequence[str],
    channels: Sequence[int] = (),
    how: Preprocessing = CONCEPTS,
    names: Sequence[str] = (),
    data: sets.DataSet | None = None,
) -> Work:
    """given: the first argument, or all of them as a tuple."""
    arguments = given if isinstance(given, tuple) else (given,)

    def again(arguments, layers):
        return record(model, arguments, layers=list(layers))

    def feed(picture):
        from innerwalk.torch_bridge.inputs import see

        return (torch.from_numpy(see(picture, how)[0])[None], *arguments[1:])

    network = record(model, arguments, layers=()).network
    return Work(
        model, arguments, network, tuple(layers), tuple(channels), again, feed, data, torch.device("cpu"), how,
        ClassNames(tuple(names)),
    )  # fmt: skip


def steps(work: Work, method: str, **parameters) -> list[Step]:
    """All steps of a method."""
    return list(METHODS[method].run(work, chosen(METHODS[method], parameters)))


def made(work: Work, method: str, **parameters) -> dict[str, Maps]:
    """By layer: the last maps of a method."""
    return {maps.layer: maps for step in steps(work, method, **parameters) for maps in step.maps}
