"""Which inputs and outputs of a recording get a board, those of older recordings included."""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from dataclasses import replace

import numpy as np

from ...torch_bridge.recording import Endpoint, Prediction, Recording
from ...torch_bridge.recording.endpoints import PIXEL_KINDS
from ..layout.blocks import BoardLayers
from ..layout.boards import MOST_BOARDS
from .board_contents.mosaics import mosaic_grid

SHARING = ("picture", "flow", "spectrogram")
"""Kinds of outputs of which several can share a board."""
LISTED = re.compile(r"(.*)\[[0-9]+\]")
"""Name of an entry of a list, whose own name it begins with."""


def shown_inputs(recording: Recording) -> tuple[Endpoint, ...]:
    """Returns the inputs that get a board; an older recording has one, its picture."""
    if len(recording.inputs) == 1:
        only = recording.inputs[0]
        return (replace(only, source=only.source or recording.input_name),)
    if recording.inputs:
        return recording.inputs[:MOST_BOARDS]
    return (Endpoint("", "", "picture", source=recording.input_name, pixels=recording.picture[None]),)


def shown_outputs(recording: Recording) -> tuple[Endpoint, ...]:
    """Returns the outputs that get a board; an older recording has one, its prediction.

    Where there are too many, pictures of one list share a board.
    """
    groups = _grouped(recording.outputs)[:MOST_BOARDS]
    return tuple(map(_merged, groups)) or (_predicted(recording.prediction),)


def shown_layers(recording: Recording) -> BoardLayers:
    """Returns the layers of the inputs and of the outputs on each board; () where a recording doesn't say."""
    inputs = tuple((own.layer,) for own in recording.inputs[:MOST_BOARDS])
    return inputs, tuple(tuple(own.layer for own in group) for group in _grouped(recording.outputs)[:MOST_BOARDS])


def hidden_counts(recording: Recording) -> tuple[int, int]:
    """Returns how many inputs and outputs get no board, because there are too many."""
    hidden = sum(map(len, _grouped(recording.outputs)[MOST_BOARDS:]))
    return max(len(recording.inputs) - MOST_BOARDS, 0), hidden


def _grouped(outputs: Sequence[Endpoint]) -> list[list[Endpoint]]:
    """Returns the outputs of each board."""
    groups = board_groups([(own.name, own.kind, own.shape) for own in outputs])
    return [[outputs[number] for number in group] for group in groups]


def board_groups(outputs: Sequence[tuple[str, str, tuple[object, ...]]]) -> list[list[int]]:
    """Returns which outputs, given as name, kind and shape, each board shows, by their numbers: one, or several.

    Where there are more than MOST_BOARDS, those of one list share a board, if they are pictures of the same size.
    """
    groups: dict[Hashable, list[int]] = {}
    for number, (name, kind, shape) in enumerate(outputs):
        listed = LISTED.fullmatch(name) if len(outputs) > MOST_BOARDS and kind in SHARING else None
        groups.setdefault(number if listed is None else (listed[1], kind, shape), []).append(number)
    return list(groups.values())


def _merged(group: Sequence[Endpoint]) -> Endpoint:
    """Returns outputs of one board as one, its pictures in their order."""
    first, last, pictures = group[0], group[-1], [own.pixels for own in group if own.pixels is not None]
    if first is last:
        return first
    name, start = first.name.rsplit("[", 1)
    pixels = np.concatenate(pictures) if pictures else None
    return replace(last, name=f"{name}[{start[:-1]}…{last.name.rsplit('[', 1)[1]}", pixels=pixels)


def pixels_of(endpoint: Endpoint) -> np.ndarray | None:
    """Returns the pictures that a board shows, (n, H, W, 3) uint8 sRGB, top row first; None for other kinds."""
    return endpoint.pixels if endpoint.kind in PIXEL_KINDS else None


def mosaic_of(endpoint: Endpoint) -> tuple[int, int]:
    """Returns the number of pictures that a board shows, and of the columns they stand in; (1, 1) for other kinds."""
    pixels = pixels_of(endpoint)
    return (1, 1) if pixels is None else (len(pixels), mosaic_grid(*pixels.shape[:3])[1])


def _predicted(prediction: Prediction) -> Endpoint:
    """Returns the prediction of an older recording as an output."""
    labels: tuple[str, ...] = ()
    rows: list[tuple[float, ...]] = [(value,) for value in prediction.numbers]
    if prediction.kind in ("classes", "mask"):
        labels = tuple(name for _, name, _ in prediction.top)
        rows = [(index, share) for index, _, share in prediction.top]
    elif prediction.kind == "boxes":
        labels, rows = tuple(box[0] for box in prediction.boxes), [box[1:] for box in prediction.boxes]
    pixels = None if prediction.picture is None else prediction.picture[None]
    return Endpoint(
        layer="",
        name="",
        kind=prediction.kind,
        labels=labels,
        values=np.array(rows, np.float32) if rows else None,
        pixels=pixels,
    )
