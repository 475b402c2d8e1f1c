"""Searches the labels of channels in all panels of a hall: concepts that they detect, names that people gave them."""

from __future__ import annotations

import re
from typing import NamedTuple

import bpy

from ...properties import PANEL_LAYER_ID, PANEL_ORDER
from .concepts import read_concepts
from .given_names import read_given_names
from .objects import held_channels, panels
from .panel_metadata import read_metadata

NUMBER = re.compile(r"\s*[+−-]?[\d.][\d.e+-]*$")
"""The number at the end of a label, such as the IoU of "ring .31"."""
NO_CATEGORY = "other"
"""Category of labels that have none."""


class LabelledChannel(NamedTuple):
    """A channel with its label."""

    layer: str
    channel: int
    label: str


def labelled_channels(scene: bpy.types.Scene, text: str = "") -> list[LabelledChannel]:
    """Returns the channels whose labels contain a text, whatever its case, in the network's order.

    Labels are those of the maps that are shown, of concepts that were found earlier, and names that people have given.
    """
    found = []
    for panel in _in_order(scene):
        matching = {k: own for k, own in _labels(panel).items() if any(_holds(label, text) for label in own)}
        for channel, own in sorted(matching.items()):
            label = next(label for label in own if _holds(label, text))
            found.append(LabelledChannel(panel[PANEL_LAYER_ID], channel, label))
    return found


def label_names(scene: bpy.types.Scene) -> list[str]:
    """Returns the different labels of a hall without the numbers at their ends, sorted."""
    labels = {label for panel in panels(scene).values() for own in _labels(panel).values() for label in own}
    return sorted({NUMBER.sub("", label) for label in labels} - {""})


def has_label(panel: bpy.types.Object, text: str) -> bool:
    """Returns whether a channel of a panel has a label with a text in it, whatever its case."""
    return any(_holds(label, text) for own in _labels(panel).values() for label in own)


def concept_channels(scene: bpy.types.Scene) -> dict[str, dict[str, list[int]]]:
    """Returns the channels that detect each concept, by concept and then by layer, in the network's order."""
    found: dict[str, dict[str, list[int]]] = {}
    for panel in _in_order(scene):
        for channel, concept in sorted(read_concepts(panel).items()):
            found.setdefault(concept.name, {}).setdefault(panel[PANEL_LAYER_ID], []).append(channel)
    return found


def names_by_category(scene: bpy.types.Scene) -> dict[str, dict[str, int]]:
    """Returns how many channels have each label, by category and then by name; sorted.

    Labels that are neither concepts nor given by people are in a category of their own, NO_CATEGORY.
    """
    found: dict[str, dict[str, int]] = {}
    for panel in _in_order(scene):
        concepts, by_people = read_concepts(panel), read_given_names(panel)
        for channel, own in _labels(panel).items():
            known = {name.word: name.category for name in by_people.get(channel, ())}
            if channel in concepts:
                known[concepts[channel].name] = concepts[channel].category
            for name in {NUMBER.sub("", label) for label in own} - {""}:
                names = found.setdefault(known.get(name) or NO_CATEGORY, {})
                names[name] = names.get(name, 0) + 1
    return {category: dict(sorted(found[category].items())) for category in sorted(found)}


def _in_order(scene: bpy.types.Scene) -> list[bpy.types.Object]:
    return sorted(panels(scene).values(), key=lambda panel: panel.get(PANEL_ORDER, 0))


def _labels(panel: bpy.types.Object) -> dict[int, list[str]]:
    """Returns the labels of each channel that has one: that of the maps shown, its concept, people's names for it."""
    shown = zip(held_channels(panel).tolist(), read_metadata(panel).labels, strict=False)
    found = {int(channel): [label] for channel, label in shown if label}
    for channel, concept in read_concepts(panel).items():
        if concept.label not in found.setdefault(channel, []):
            found[channel].append(concept.label)
    for channel, names in read_given_names(panel).items():
        own = found.setdefault(channel, [])
        own += [word for word in dict.fromkeys(name.word for name in names) if word not in own]
    return found


def _holds(label: str, text: str) -> bool:
    return text.casefold() in label.casefold()
