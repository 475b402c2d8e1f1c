"""Which inputs and outputs of a recording get a board, those of older recordings included."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from ...torch_bridge.recording import Endpoint, Prediction, Recording
from ...torch_bridge.recording.endpoints import PIXEL_KINDS
from ..layout.boards import MOST_BOARDS
from .board_contents.mosaics import mosaic_grid

AXES = 3
"""Axes of a volume."""
SLICES = re.compile(r"slices along axis ([012])")


def slice_axis(volume: Endpoint) -> int:
    """Returns the axis, 0 to 2, that the slices of a volume are along, as its note says; 0 where it says nothing."""
    found = SLICES.search(volume.note)
    return int(found[1]) if found else 0


def shown_inputs(recording: Recording) -> tuple[Endpoint, ...]:
    """Returns the inputs that get a board; an older recording has one, its picture."""
    if len(recording.inputs) == 1:
        only = recording.inputs[0]
        return (replace(only, source=only.source or recording.input_name),)
    if recording.inputs:
        return recording.inputs[:MOST_BOARDS]
    return (Endpoint("", "", "picture", source=recording.input_name, pixels=recording.picture[None]),)


def shown_outputs(recording: Recording) -> tuple[Endpoint, ...]:
    """Returns the outputs that get a board; an older recording has one, its prediction."""
    return recording.outputs[:MOST_BOARDS] or (_predicted(recording.prediction),)


def shown_layers(recording: Recording) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Returns the layers of the inputs and of the outputs that get a board; () where a recording doesn't say."""
    inputs, outputs = recording.inputs[:MOST_BOARDS], recording.outputs[:MOST_BOARDS]
    return tuple(endpoint.layer for endpoint in inputs), tuple(endpoint.layer for endpoint in outputs)


def hidden_counts(recording: Recording) -> tuple[int, int]:
    """Returns how many inputs and outputs get no board, because there are too many."""
    return max(len(recording.inputs) - MOST_BOARDS, 0), max(len(recording.outputs) - MOST_BOARDS, 0)


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
