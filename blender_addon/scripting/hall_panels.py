"""Panels and channels of a hall, as scripts see them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import bpy
import numpy as np

from ...torch_bridge.recording import Maps, channel_picture
from ...torch_bridge.recording.arguments import checked_arguments
from ...torch_bridge.recording.channels import read_channels
from ...torch_bridge.recording.errors import InputError, SceneError
from .. import actions
from ..actions.exporting import export_steps, run_export
from ..actions.inspecting import Inspection
from ..live.hall_requests import method_of
from ..live.session import current
from ..plans.number_text import format_count
from ..properties import METHOD_TAG, PANEL_SHOWN_LAYER
from ..scene.hall import store
from ..scene.panels import panel_of


class PanelOwner(Protocol):
    """What panels need of their hall."""

    @property
    def scene(self) -> bpy.types.Scene:
        """Blender's scene of the hall."""

    def settle(self, wait: bool) -> None:
        """Waits until what was requested is shown."""


class Panels:
    """One or several panels of a hall: what they show, and where they stand.

    `hall["layer1.0.conv1"]` is one panel, `hall["layer1.*"]` are several, `hall.panels` all. Iterating yields each as a
    `Panels` of its own. Methods that return the panels can be chained.
    """

    def __init__(self, hall: PanelOwner, layers: Sequence[str]) -> None:
        self.hall, self.layers = hall, tuple(layers)
        """The hall, and the ids of the panels' layers in the network's order."""

    def __repr__(self) -> str:
        names, count = ", ".join(self.layers[:3]), len(self.layers)
        return f"<{format_count(count, 'panel')}: {names}{', …' if count > 3 else ''}>"

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[Panels]:
        return (Panels(self.hall, [layer]) for layer in self.layers)

    def __getitem__(self, place: int) -> Panels:
        """One of the panels, counted from 0 in the network's order, -1 for the last. Raises IndexError."""
        return Panels(self.hall, [self.layers[place]])

    @property
    def layer(self) -> str:
        """The id of the panel's layer. Raises SceneError if these are several panels."""
        if len(self.layers) != 1:
            raise SceneError(f"{len(self.layers)} panels, first {self.layers[0]}: name the layer of one, or iterate")
        return self.layers[0]

    @property
    def object(self) -> bpy.types.Object:
        """Blender's object of the panel. Raises UnknownName once it was deleted or collapsed."""
        return panel_of(self.hall.scene, self.layer)

    @property
    def objects(self) -> list[bpy.types.Object]:
        """Blender's objects of all these panels."""
        return [panel_of(self.hall.scene, layer) for layer in self.layers]

    @property
    def maps(self) -> Maps:
        """The maps that the panel shows, with labels and the method's numbers.

        Raises SceneError where the panel is empty because the method wasn't asked about its layer.
        """
        scene, panel = self.hall.scene, self.object
        results = current().results_of(str(scene.get(METHOD_TAG, "")))
        if isinstance(results, dict) and self.shown_layer not in results:
            raise SceneError(f"{method_of(scene)} wasn't asked about {self.layer}; its panel is empty")
        found = store.read_maps(panel, self.shown_layer, method_of(scene))
        if found is None:
            raise SceneError(f"panel {panel.name!r} has lost its image; build the hall again")
        return found

    @property
    def shown_layer(self) -> str:
        """The id of the layer whose output the panel shows: of its batch norm, where one follows it directly."""
        return str(self.object.get(PANEL_SHOWN_LAYER, self.layer))

    @property
    def values(self) -> np.ndarray:
        """A copy of the values that the panel shows, (C, H, W) float32; of colour maps (C, H, W, 3) float32 sRGB.

        They are of all channels of `shown_layer`, or of those that the method was asked about: `maps.numbers`. Values
        that aren't finite are NaN.
        """
        return self.maps.data

    @property
    def channels(self) -> int:
        """Number of channels of the panel's layer."""
        return len(self.object.data.vertices)

    @property
    def positions(self) -> int:
        """Number of frames, windows or other positions of one input that the panel's layer has values for, mostly 1."""
        return actions.position_of(self.hall.scene, self.layer)[1]

    @property
    def position(self) -> int:
        """Which of the positions the panel shows, from 0. Set it to show another one, also of later inputs.

        Raises InputError for one that isn't there, or BridgeError.
        """
        return actions.position_of(self.hall.scene, self.layer)[0]

    @position.setter
    def position(self, number: int) -> None:
        actions.choose_position(self.hall.scene, self.layer, number)
        self.hall.settle(True)

    @checked_arguments
    def channel(self, number: int) -> Channel:
        """Returns a channel of the panel, counted from 0. Raises InputError."""
        if not (isinstance(number, (int, np.integer)) and 0 <= number < self.channels):
            raise InputError(f"no channel {number} of {self.layer}; it has {self.channels}, counted from 0")
        return Channel(self, number)

    @checked_arguments
    def hide(self) -> Panels:
        """Hides the panels in views and renders."""
        for layer in self.layers:
            actions.hide(self.hall.scene, layer)
        return self

    @checked_arguments
    def show(self) -> Panels:
        """Shows panels again that were hidden."""
        for layer in self.layers:
            actions.hide(self.hall.scene, layer, hidden=False)
        return self

    @checked_arguments
    def solo(self) -> Panels:
        """Hides all panels but this one; `Hall.show_all` shows them again."""
        actions.solo(self.hall.scene, self.layer)
        return self

    @checked_arguments
    def move(self, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Panels:
        """Moves the panels along the world's axes, in metres. Raises SceneError for numbers that aren't finite."""
        for layer in self.layers:
            actions.move(self.hall.scene, layer, (x, y, z))
        return self

    @checked_arguments
    def scale(self, factor: float) -> Panels:
        """Scales each panel about the middle of its lower edge. Raises SceneError unless the factor is positive."""
        for layer in self.layers:
            actions.scale(self.hall.scene, layer, factor)
        return self

    @checked_arguments
    def align(self, how: str) -> Panels:
        """Aligns the panels with the first: "height", "parallel" or "row". Raises UnknownName or SceneError."""
        actions.align(self.hall.scene, self.layers, how)
        return self

    @checked_arguments
    def reset(self) -> Panels:
        """Moves the panels back to where the layout planned them."""
        actions.reset_layout(self.hall.scene, self.layers)
        return self

    @checked_arguments
    def select(self) -> Panels:
        """Selects the panel's layer."""
        actions.select(self.hall.scene, self.layer)
        return self

    @checked_arguments
    def jump(self) -> Panels:
        """Selects the panel and moves the 3D view, in the background the hall's camera, to where it is read."""
        actions.jump(self.hall.scene, self.layer)
        return self

    @checked_arguments
    def ablate(self, *channels: int | str | Sequence[int], wait: bool = True) -> Panels:
        """Sets channels of the panel's layer to 0, such as 0, 5 or "0,5,8-11", and runs the input again.

        Raises InputError or BridgeError.
        """
        actions.ablate(self.hall.scene, self.layer, _numbers(channels))
        self.hall.settle(wait)
        return self

    @checked_arguments
    def paint(
        self,
        channels: int | str | Sequence[int],
        cells: Sequence[Sequence[int]],
        insert: bool = False,
        wait: bool = True,
    ) -> Panels:
        """Changes channels of the panel's layer at (row, column) of their maps, and runs the input again.

        insert: whether they get the value that they have where they are active; else 0. Raises InputError, BridgeError.
        """
        actions.paint(self.hall.scene, self.layer, _numbers((channels,)), cells, insert)
        self.hall.settle(wait)
        return self

    @checked_arguments
    def restore(self, *channels: int | str | Sequence[int], wait: bool = True) -> Panels:
        """Ends the ablation of channels of the panel's layer, by default of all, and runs the input again."""
        actions.restore_channels(self.hall.scene, self.layer, _numbers(channels))
        self.hall.settle(wait)
        return self

    @checked_arguments
    def inspect(self, logarithmic: bool = False) -> Inspection:
        """Returns facts about all values of the layer, with histograms. logarithmic: scale of their counts."""
        return actions.inspect_layer(self.hall.scene, self.layer, logarithmic)

    @checked_arguments
    def export(self, folder: Path | str) -> Path:
        """Exports the layer into a new folder in `folder`; waits first; returns the new folder. Raises SceneError."""
        self.hall.settle(True)
        return run_export(export_steps(self.hall.scene, folder, self.layer)).folder


def _numbers(channels: Sequence[int | str | Sequence[int]]) -> tuple[int, ...]:
    """Returns channels that are passed one by one, or as one text or list. Raises InputError."""
    is_list = len(channels) == 1 and not hasattr(channels[0], "__index__")
    return tuple(read_channels(channels[0] if is_list else channels))  # type: ignore[arg-type]


class Channel(NamedTuple):
    """One channel of a panel."""

    panel: Panels
    number: int
    """Counted from 0."""

    @property
    def values(self) -> np.ndarray:
        """A copy of the channel's map, (H, W) float32; of colour maps (H, W, 3) float32 sRGB.

        Raises UnknownName where the method wasn't asked about the channel.
        """
        maps = self.panel.maps
        return maps.data[maps.index(self.number)]

    @property
    def picture(self) -> np.ndarray:
        """The channel's map as an input: (H, W) or (H, W, 3) uint8 sRGB, grey from its least to its largest value."""
        return channel_picture(self.panel.maps, self.number)

    @checked_arguments
    def value(self, row: int, column: int) -> float | np.ndarray:
        """Returns one value, of a colour map (3,) float32; rows are counted from 0 at the top. Raises InputError."""
        values = self.values
        if not (0 <= row < len(values) and 0 <= column < values.shape[1]):
            raise InputError(f"no value ({row}, {column}) in {self.panel.layer}: {' × '.join(map(str, values.shape))}")
        found = values[row, column]
        return found if found.ndim else float(found)

    @checked_arguments
    def select(self) -> Channel:
        """Selects the channel."""
        actions.select(self.panel.hall.scene, self.panel.layer, self.number)
        return self

    @checked_arguments
    def step(self, by: int = 1) -> Channel:
        """Selects the channel `by` further and returns it; the last is followed by the first."""
        self.select()
        actions.step_channel(self.panel.hall.scene, by)
        return Channel(self.panel, actions.selected(self.panel.hall.scene).channel)

    @checked_arguments
    def overlay(self) -> Channel:
        """Lays the channel's map over the input picture, if it is about the input. Raises SceneError."""
        actions.overlay(self.panel.hall.scene, self.panel.layer, self.number)
        return self

    @checked_arguments
    def inspect(self) -> Inspection:
        """Returns facts about the channel, with its map or, for a single value, a bar."""
        return actions.inspect_channel(self.panel.hall.scene, self.panel.layer, self.number)

    @checked_arguments
    def ablate(self, wait: bool = True) -> Channel:
        """Sets the channel to 0 and runs the input again. Raises BridgeError."""
        self.panel.ablate(self.number, wait=wait)
        return self

    @checked_arguments
    def restore(self, wait: bool = True) -> Channel:
        """Ends the ablation of the channel and runs the input again. Raises InputError or BridgeError."""
        self.panel.restore(self.number, wait=wait)
        return self

    @checked_arguments
    def name_unit(
        self, word: str, category: str, misfits: Sequence[int] = (), shown: int = 0, note: str = "", rater: str = ""
    ) -> Channel:
        """Names the channel, as something of a category such as "object"; it replaces the same person's last name.

        misfits: numbers of the pictures that don't fit, from 1. shown: how many you have looked at, 0 for the top
        images that the hall shows. rater: who names it, "" for you. Raises InputError.
        """
        place = self.panel.layer, self.number
        actions.name_unit(self.panel.hall.scene, word, category, *place, misfits, shown, note, rater)
        return self

    @checked_arguments
    def remove_name(self, rater: str = "") -> Channel:
        """Removes the name that a person, "" for you, has given to the channel. Raises InputError."""
        actions.remove_name(self.panel.hall.scene, self.panel.layer, self.number, rater)
        return self
