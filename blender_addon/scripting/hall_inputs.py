"""Inputs, methods and comparisons of a hall as scripts see them: what a network is run on, and what is asked of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from ...torch_bridge.client import BridgeInput
from ...torch_bridge.recording import Series
from ...torch_bridge.recording.arguments import checked_arguments
from ...torch_bridge.recording.channels import read_channels
from ...torch_bridge.recording.errors import InputError, SceneError, UnknownName
from .. import actions
from ..actions.placing import argument_names
from ..live import timer
from ..scene.hall.series import series_of
from .hall_scene import HallScene
from .inputs import arguments_in, bridge_inputs

Self = TypeVar("Self", bound="HallInputs")


def scene_name(hall: HallScene) -> str:
    """Returns the name of a hall's scene. Raises SceneError for anything else."""
    if not isinstance(hall, HallScene):
        raise SceneError(f"{type(hall).__name__} is no hall; pass the other Hall")
    return hall.scene.name


class HallInputs(HallScene):
    """A hall whose network can be run on other inputs.

    Everything is shown when a method returns. Only in a window `wait=False` returns at once, and Blender goes on; then
    `wait` waits. Errors are raised by whichever waits.
    """

    @checked_arguments
    def place(self: Self, *inputs: Any, data: Path | str = "", index: int = 0, wait: bool = True, **named: Any) -> Self:
        """Runs the network on one input, or on one for each of its arguments; the panels show its layers.

        inputs: a path of a picture, array or sound, "noise:SEED", a channel of a panel, a picture as (H, W, 3) uint8
        sRGB, or an array or tensor of values; "ids:101,2054" or "text:some words" for tokens; for several arguments
        also one tuple of these, or a dict by their names. data, index: instead, a picture of a data set. named:
        instead, inputs by the names of arguments; the others stay as they are. A hall that shares inputs with this one
        runs them too. Raises InputError, ModelError, BridgeError or UnknownName; then the hall stays as it was.
        """
        known = argument_names(self.scene) if named else ()
        for name in [name for name in named if name not in known]:
            raise UnknownName("argument", name, [*known, "data", "index", "wait"])
        if (inputs or named) and (data or index):
            raise InputError("place: pass inputs, or data and index, not both")
        if inputs and named:
            raise InputError("place: pass inputs in order, or by the names of arguments, not both")
        if named:
            own = {
                name: self._bridge_inputs(actions.network_of(self.scene), (value,))[0] for name, value in named.items()
            }
            actions.place_named(self.scene, own)
        elif data or not inputs:
            actions.place_input(self.scene, data=self._data_name(data), index=index)
        else:
            actions.place_inputs(self.scene, *self._bridge_inputs(actions.network_of(self.scene), inputs))
        self.settle(wait)
        return self

    @checked_arguments
    def ask(
        self: Self,
        method: str,
        layers: str | Sequence[str] = "panels",
        channels: str | Sequence[int] = (),
        data: Path | str = "",
        wait: bool = True,
        **parameters: Any,
    ) -> Self:
        """Runs a method about the input that is shown; the panels show its maps.

        layers: ids or globs, "panels" for all; the panels of other layers are empty meanwhile. channels: of these
        layers, () for all, or a text such as "0,3,8-11". data: the data set, for methods that need one. parameters: of
        the method; `innerwalk methods` lists them. Raises UnknownName, InputError, ModelError or BridgeError.
        """
        actions.ask_method(self.scene, method, parameters, self._data_name(data), layers, channels)
        self.settle(wait)
        return self

    @checked_arguments
    def cancel(self: Self) -> Self:
        """Cancels the method that is running; the panels keep what it has computed."""
        actions.cancel_method(self.scene)
        return self

    @checked_arguments
    def show_activations(self: Self, wait: bool = True) -> Self:
        """Shows the activations again, in place of a method or a difference. Raises SceneError."""
        actions.show_activations(self.scene)
        self.settle(wait)
        return self

    @checked_arguments
    def ablate_concept(self: Self, concept: str, layer: str = "", wait: bool = True) -> Self:
        """Sets all channels to 0 that detect a concept, of one layer or of all, and runs the input again.

        What channels detect is known once the hall has shown the method dissection. Raises UnknownName, InputError or
        BridgeError.
        """
        actions.ablate_concept(self.scene, concept, layer)
        self.settle(wait)
        return self

    @checked_arguments
    def take_brush(
        self: Self,
        layer: str = "",
        channels: str | Sequence[int] = (),
        concept: str = "",
        insert: bool = False,
        size: float = 0.25,
    ) -> Self:
        """Takes a brush, with which `paint_at` changes channels of a layer at a place.

        layer: "" for the selected one. channels: such as "0,3,8-11", or those that detect the concept, else the
        selected one. insert: whether they get the value that they have where they are active; else 0. size: the
        brush's diameter as a share of the picture's side. Raises BridgeError, UnknownName, InputError or SceneError.
        """
        actions.take_brush(self.scene, layer, read_channels(channels), concept, insert, size)
        return self

    @checked_arguments
    def paint_at(self: Self, across: float, down: float, wait: bool = True) -> Self:
        """Paints with the brush at shares of the picture from its left and its top, and runs the input again.

        Raises SceneError if no brush is held, or BridgeError.
        """
        actions.paint_at(self.scene, across, down)
        self.settle(wait)
        return self

    @checked_arguments
    def put_brush_away(self: Self) -> Self:
        """Puts the brush away; what it has painted stays."""
        actions.put_brush_away(self.scene)
        return self

    @checked_arguments
    def clear_strokes(self: Self, count: int = 0, wait: bool = True) -> Self:
        """Takes back the last strokes, 0 for all that was painted, and runs the input again.

        Raises InputError where nothing is painted, or BridgeError.
        """
        actions.clear_strokes(self.scene, count)
        self.settle(wait)
        return self

    @checked_arguments
    def restore_channels(self: Self, wait: bool = True) -> Self:
        """Ends all ablations and runs the input again. Raises InputError if nothing is ablated, or BridgeError."""
        actions.restore_channels(self.scene)
        self.settle(wait)
        return self

    @checked_arguments
    def follow(self: Self, network: str) -> Self:
        """Connects the hall, such as one of a recording, to a network of the bridge. Raises UnknownName."""
        actions.follow(self.scene, network)
        return self

    @checked_arguments
    def turn_slices(self: Self, endpoint: str = "") -> Self:
        """Shows the slices of a volume along its next axis. endpoint: name of an input or output; "" for all volumes.

        Raises UnknownName if there is no such volume.
        """
        actions.turn_slices(self.scene, endpoint)
        return self

    @checked_arguments
    def show_difference(self: Self, other: HallScene, wait: bool = True) -> Self:
        """Shows the activations minus those of another hall, and follows new inputs of both. Raises SceneError."""
        actions.show_difference(self.scene, scene_name(other))
        self.settle(wait)
        return self

    @checked_arguments
    def stand_beside(self: Self, other: HallScene, share: bool = False) -> Self:
        """Shows another hall of this file beside this one. share: run each input of this hall in the other too."""
        actions.stand_beside(self.scene, scene_name(other), share)
        return self

    @checked_arguments
    def stand_alone(self: Self) -> Self:
        """Removes the hall that stands beside this one; its own scene stays as it is."""
        actions.stand_alone(self.scene)
        return self

    @checked_arguments
    def open_series(self: Self, folder: Path | str) -> Self:
        """Opens a series of the hall's network, and shows its first entry. Raises RecordingError or SceneError."""
        actions.open_series(self.scene, folder)
        return self

    @property
    def series(self) -> Series:
        """The series that is open: axis, rate, labels and recordings. Raises SceneError if there is none."""
        return series_of(self.scene)

    @checked_arguments
    def show_position(self: Self, position: int) -> Self:
        """Shows an entry of the series, counted from 0. Raises SceneError or RecordingError."""
        actions.show_position(self.scene, position)
        return self

    @checked_arguments
    def key_series(self: Self, first: int = 1, step: int = 1) -> Self:
        """Keys all entries of the series on the timeline, each for `step` frames from the scene's frame `first` on.

        Each rendered frame then shows its own entry. Raises InputError, SceneError or RecordingError.
        """
        actions.key_series(self.scene, first, step)
        return self

    @checked_arguments
    def close_series(self: Self) -> Self:
        """Closes the series and removes its keys; the hall keeps what it shows. Raises SceneError."""
        actions.close_series(self.scene)
        return self

    @checked_arguments
    def record_series(
        self: Self, source: Path | str, folder: Path | str, first: int = 0, step: int = 1, wait: bool = True
    ) -> Self:
        """Runs the network on frames first, first + step, … of a video file, and writes a series of them to a folder.

        The series is opened and keyed, an entry a frame from the scene's frame 1 on. Raises InputError or BridgeError;
        what is recorded until then stays in the folder.
        """
        actions.record_series(self.scene, folder, str(source), first, step)
        if wait or timer.in_background():
            self.wait(math.inf)
        return self

    @checked_arguments
    def stop_recording(self: Self) -> Self:
        """Ends the recording of a series in a window; what is recorded is opened and keyed."""
        actions.stop_recording(self.scene)
        return self

    @checked_arguments
    def play_video(self: Self, source: Path | str = "") -> Self:
        """Plays a video or a camera in a window; without `source`, goes on with the one that is open."""
        actions.play_video(self.scene, str(source))
        return self

    @checked_arguments
    def pause_video(self: Self) -> Self:
        """Pauses the video at the frame that is shown."""
        actions.pause_video(self.scene)
        return self

    @checked_arguments
    def step_video(self: Self, by: int = 1, wait: bool = True) -> Self:
        """Shows the frame `by` frames later, or earlier if negative. Raises InputError or BridgeError."""
        actions.step_video(self.scene, by)
        self.settle(wait)
        return self

    @checked_arguments
    def show_video_frame(self: Self, frame: int, wait: bool = True) -> Self:
        """Shows a frame of the open video, counted from 0. Raises InputError or BridgeError."""
        actions.show_video_frame(self.scene, frame)
        self.settle(wait)
        return self

    @checked_arguments
    def stop_video(self: Self) -> Self:
        """Closes the video; the last frame stays on the panels."""
        actions.stop_video(self.scene)
        return self

    @checked_arguments
    def draw_shelf(self: Self, data: Path | str, seed: int = 0, of_class: str = "", wait: bool = True) -> Self:
        """Puts random pictures of a data set of the bridge on the shelf. of_class: "" for all classes."""
        actions.draw_shelf(self.scene, self._data_name(data), seed, of_class)
        self.settle(wait)
        return self

    @checked_arguments
    def page_shelf(self: Self, data: Path | str, page: int = 0, of_class: str = "", wait: bool = True) -> Self:
        """Puts one page of the pictures of a data set, in their order, on the shelf. page: counted from 0."""
        actions.page_shelf(self.scene, self._data_name(data), page, of_class)
        self.settle(wait)
        return self

    @property
    def shelf(self) -> dict[str, Any]:
        """What is on the shelf: set, class, indices, and seed or page; {} if it is empty."""
        return actions.shelved(self.scene)

    @checked_arguments
    def place_shelved(self: Self, index: int, wait: bool = True) -> Self:
        """Runs the network on the shelf's picture of this number, counted from 0. Raises InputError."""
        actions.hold(self.scene, index)
        actions.place_held(self.scene)
        self.settle(wait)
        return self

    @classmethod
    def _bridge_inputs(cls, network: str, inputs: tuple[Any, ...]) -> list[BridgeInput]:
        """Returns what a script passes as inputs of a network of the bridge. Raises InputError."""
        return bridge_inputs(network, arguments_in(inputs))

    def _data_name(self, data: Path | str) -> str:
        """Returns the name of a data set on the bridge."""
        return str(data)
