"""Searches the labels of channels in all panels of a hall, such as the concepts that they detect."""

from __future__ import annotations

import re
from typing import NamedTuple

import bpy

from ...properties import PANEL_LAYER_ID, PANEL_ORDER
from .objects import held_channels, panels
from .panel_metadata import read_metadata

NUMBER = re.compile(r"\s*[+−-]?[\d.][\d.e+-]*$")
"""The number at the end of a label, such as the IoU of "ring .31"."""


class LabelledChannel(NamedTuple):
    """A channel with its label."""

    layer: str
    channel: int
    label: str


def labelled_channels(scene: bpy.types.Scene, text: str = "") -> list[LabelledChannel]:
    """Returns the channels whose labels contain a text, whatever its case, in the network's order."""
    found = []
    for panel in sorted(panels(scene).values(), key=lambda panel: panel.get(PANEL_ORDER, 0)):
        numbers, labels = held_channels(panel).tolist(), read_metadata(panel).labels
        for number, label in zip(numbers, labels, strict=False):
            if label and text.casefold() in label.casefold():
                found.append(LabelledChannel(panel[PANEL_LAYER_ID], int(number), label))
    return found


def label_names(scene: bpy.types.Scene) -> list[str]:
    """Returns the different labels of a hall without the numbers at their ends, sorted."""
    return sorted({NUMBER.sub("", found.label) for found in labelled_channels(scene)} - {""})


def has_label(panel: bpy.types.Object, text: str) -> bool:
    """Returns whether a channel of a panel has a label with a text in it, whatever its case."""
    return any(text.casefold() in label.casefold() for label in read_metadata(panel).labels)
