"""Turns values at each pixel into maps over the input, which hold only the channels that are explained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from ..method_support.picture_maps import shrink
from ..recording import Maps, pack
from .explained_values import ExplainedValues


def explained_maps(
    explained: ExplainedValues, method: str, planes: Sequence[np.ndarray], text: str = "", zero_note: str = ""
) -> Maps:
    """Returns the maps of some channels, or the map of a class.

    planes: (H, W) by channel, in order of the explained channels; missing ones at the end are 0. text: what the label
    adds to the name of a class, whose extra "values" is its probability, (1,) float32. zero_note: the note of maps that
    are zero everywhere.
    """
    channels, target = explained.channels, explained.target
    shown = [shrink(plane, len(channels)) for plane in planes]
    values = np.zeros((len(channels), *shown[0].shape), np.float32)
    values[: len(shown)] = shown
    maps = Maps(explained.layer, method, pack(values), len(channels), frame="input")
    maps = replace(maps, channel_numbers=explained.context.channels, note="" if values.any() else zero_note)
    if target is None:
        return replace(maps, **explained.forward.layouts[explained.layer].place())
    label, extras = f"{target.name}{text}", {"values": np.array([target.probability], np.float32)}
    return replace(maps, channel_numbers=(target.index,), labels=(label,), extras=extras)


def enlarge(plane: Tensor, size: Sequence[int]) -> Tensor:
    """(h, w) -> `size` (height, width), linearly between pixel centres."""
    return torch.nn.functional.interpolate(plane[None, None], tuple(size), mode="bilinear", align_corners=False)[0, 0]
