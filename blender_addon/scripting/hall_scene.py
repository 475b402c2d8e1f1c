"""The scene of a hall as scripts see it: what it shows, in which colours, and from where."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TypeVar

import bpy

from ...torch_bridge.recording import Network, Prediction, Recording
from ...torch_bridge.recording.arguments import checked_arguments
from ...torch_bridge.recording.errors import SceneError, UnknownName
from .. import actions
from ..actions.naming import given_names
from ..live import timer
from ..live.hall_requests import scene_with_uid
from ..naming.unit_names import UnitName
from ..scene.hall import store
from ..scene.hall.store import Appearance
from ..scene.panels import panels
from ..scene.panels.label_search import labelled_channels
from .hall_panels import Channel, Panels

Self = TypeVar("Self", bound="HallScene")


class HallScene:
    """A hall that exists in the open file."""

    def __init__(self, scene: bpy.types.Scene) -> None:
        """Takes the hall of a scene. Raises SceneError if it has none."""
        if not isinstance(scene, bpy.types.Scene):
            raise SceneError(
                f"{type(scene).__name__} is no scene: pass one of bpy.data.scenes, or use Hall.of, .open, .load"
            )
        store.stored_document(scene)  # raises
        self._uid, self._name = scene.session_uid, scene.name

    def __repr__(self) -> str:
        scene = scene_with_uid(self._uid)
        return f"<hall {scene.name}>" if scene is not None else f"<hall {self._name}, removed>"

    @property
    def scene(self) -> bpy.types.Scene:
        """Blender's scene of the hall. Raises SceneError once it was removed, and outside of the main thread."""
        if not timer.in_main_thread():
            raise SceneError("Blender's data belongs to the main thread; call halls there")
        scene = scene_with_uid(self._uid)
        if scene is None:
            raise SceneError(f"hall {self._name} was removed; build it again")
        return scene

    @property
    def camera(self) -> bpy.types.Object | None:
        """Blender's object of the scene's camera; assign another one to `hall.scene.camera`."""
        return self.scene.camera

    @property
    def recording(self) -> Recording:
        """The recording of what the hall shows: network, input, prediction and the maps of the shown method."""
        return store.read_recording(self.scene)

    @property
    def network(self) -> Network:
        """The network's layers and edges."""
        return store.read_description(self.scene).network

    @property
    def prediction(self) -> Prediction:
        """The network's prediction for the input that is shown."""
        return store.read_without_maps(self.scene).prediction

    @property
    def input_name(self) -> str:
        """The name of the input that is shown."""
        return store.read_description(self.scene).input_name

    @property
    def appearance(self) -> Appearance:
        """Theme, colour map, normalisation, gain, shown method, title and collapsed blocks."""
        return store.read_appearance(self.scene)

    @property
    def panels(self) -> Panels:
        """All panels that the hall shows, in the network's order."""
        shown = panels(self.scene)
        return Panels(self, [layer.id for layer in self.network.layers if layer.id in shown])

    def __getitem__(self, layers: str) -> Panels:
        """Returns the panel of a layer, or all that match a glob such as "layer1.*". Raises UnknownName."""
        known, layers = self.panels.layers, str(layers)
        found = [layers] if layers in known else [layer for layer in known if fnmatchcase(layer, layers)]
        if not found:
            raise UnknownName("panel of layer", layers, known)
        return Panels(self, found)

    @property
    def selected(self) -> Panels | Channel | None:
        """The selected panel or channel; None if nothing is selected."""
        layer, number = actions.selected(self.scene)
        if not layer or layer not in panels(self.scene):
            return None
        panel = Panels(self, [layer])
        return panel.channel(number) if number >= 0 else panel

    @checked_arguments
    def look(
        self: Self,
        colour_map: str | None = None,
        normalisation: str | None = None,
        gain: float | None = None,
        theme: str | None = None,
    ) -> Self:
        """Changes the colours; what is None stays as it is.

        colour_map: signed, paper or ember. normalisation: which peak values are divided by, the channel's, the layer's
        or the network's. gain: factor before values are coloured. theme: dark or paper; its own colour map is used
        unless `colour_map` is named. Raises UnknownName or SceneError.
        """
        actions.show_look(self.scene, colour_map, normalisation, gain, theme)
        return self

    @property
    def blocks(self) -> list[str]:
        """Names of the blocks that can be collapsed, in the network's order."""
        return actions.collapsible_blocks(self.scene)

    @property
    def collapsed(self) -> list[str]:
        """Names of the collapsed blocks, in the network's order."""
        return actions.collapsed_blocks(self.scene)

    @checked_arguments
    def collapse(self: Self, block: str = "all") -> Self:
        """Shows each block that matches a glob such as "layer3.*" as one panel. Raises UnknownName."""
        actions.collapse(self.scene, block)
        return self

    @checked_arguments
    def expand(self: Self, block: str = "all") -> Self:
        """Shows the panels of a collapsed block, or of all, again. Raises UnknownName."""
        actions.expand(self.scene, block)
        return self

    @checked_arguments
    def show_all(self: Self) -> Self:
        """Shows all panels again after `solo`, except those that `hide` has hidden."""
        actions.solo(self.scene)
        return self

    @checked_arguments
    def reset_layout(self: Self) -> Self:
        """Moves all panels back to where the layout planned them."""
        actions.reset_layout(self.scene)
        return self

    @checked_arguments
    def remove_overlay(self: Self) -> Self:
        """Removes the map that lies over the input picture."""
        actions.overlay(self.scene)
        return self

    @checked_arguments
    def deselect(self: Self) -> Self:
        """Selects nothing."""
        actions.select(self.scene, "")
        return self

    @checked_arguments
    def find_label(self, text: str) -> list[Channel]:
        """Selects the next channel whose label contains a text, and returns all of them. Raises UnknownName."""
        actions.find_label(self.scene, text)
        return [Panels(self, [own.layer]).channel(own.channel) for own in labelled_channels(self.scene, text)]

    @property
    def names(self) -> list[UnitName]:
        """What people have named the units, sorted by layer, unit and person."""
        return given_names(self.scene)

    @checked_arguments
    def import_names(self: Self, path: str | Path) -> Self:
        """Adds the names of a file to the hall's units. Raises InputError; then nothing is added."""
        actions.import_names(self.scene, path)
        return self

    @checked_arguments
    def export_names(self, path: str | Path) -> Path:
        """Writes all names of the hall's units to a .jsonl file, and returns it. Raises SceneError."""
        actions.export_names(self.scene, path)
        return Path(path)

    @checked_arguments
    def vote_artefact(self: Self, artefact: bool = True) -> Self:
        """Votes whether something is wrong in the generated picture of noise:SEED that the hall shows.

        The same vote again is taken back. Raises SceneError for another input.
        """
        actions.vote_artefact(self.scene, artefact)
        return self

    @checked_arguments
    def find_artefact_units(self: Self, layer: str = "", top: int = 5, wait: bool = True) -> Self:
        """Labels the channels of a layer, "" for the selected one, that are most active in pictures voted wrong.

        Raises SceneError without votes or a layer, InputError for too few votes of either kind, or BridgeError.
        """
        actions.find_artefact_units(self.scene, layer, top)
        self.settle(wait)
        return self

    @checked_arguments
    def save_votes(self, path: str | Path) -> Path:
        """Writes the votes as CSV for `innerwalk gan_dissect --votes`, and returns the file. Raises SceneError."""
        actions.save_votes(self.scene, path)
        return Path(path)

    @checked_arguments
    def pick(self: Self, origin: Sequence[float], direction: Sequence[float]) -> Self:
        """Clicks along a ray, (x, y, z) in the world in metres: selects a tile, takes or places a picture."""
        actions.pick(self.scene, origin, direction)
        return self

    @checked_arguments
    def enter(self: Self) -> Self:
        """Moves the 3D view, in the background the hall's camera, to the entrance."""
        actions.enter(self.scene)
        return self

    @checked_arguments
    def start_walk(self: Self) -> Self:
        """Starts a walk with a headset. Raises SceneError."""
        actions.start_walk(self.scene)
        return self

    @checked_arguments
    def walk_at_desk(self: Self) -> Self:
        """Starts a walk in the 3D view, with keys, mouse and a crosshair. Raises SceneError."""
        actions.walk_at_desk(self.scene)
        return self

    @checked_arguments
    def go_to_place(self: Self, place: str) -> Self:
        """Moves the walker to "Entrance", "Input", the title of a stage, or "Answer". Raises UnknownName."""
        actions.go_to_place(self.scene, place)
        return self

    @checked_arguments
    def end_walk(self: Self) -> Self:
        """Ends the walk that is running."""
        actions.end_walk(self.scene)
        return self

    @checked_arguments
    def wait(self: Self, seconds: float = 600.0) -> Self:
        """Waits until everything that was requested for this hall, and for halls that depend on it, is shown.

        Raises what has gone wrong since the last wait, or BridgeError when the time is over.
        """
        actions.wait_for_bridge(self.scene, seconds)
        return self

    def settle(self, wait: bool) -> None:
        """Waits as `wait` does; in a window only if `wait` is true."""
        if wait or timer.in_background():
            self.wait()
