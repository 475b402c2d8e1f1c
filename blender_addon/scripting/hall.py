"""A hall as scripts see it: how it is made, and the files that are made of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import bpy

from ...torch_bridge.recording import Recording
from ...torch_bridge.recording.arguments import checked_arguments
from .. import actions
from ..actions.exporting import export_steps, run_export
from ..actions.opening import DEMO_FOLDER, show_hall
from ..output.figure import render_figure
from ..output.figure_options import FigureOptions
from ..output.flat_figure import write_flat_figure
from ..output.hall_files import append_hall, save_hall
from ..pages.page_options import PAGE_PRESETS, PageOptions
from ..scene.hall import store
from ..scene.hall.build import create_hall
from ..scene.hall.series import create_folder_hall
from ..scene.hall.store import Appearance
from . import bridges
from .hall_inputs import HallInputs

Self = TypeVar("Self", bound="Hall")


class Hall(HallInputs):
    """A hall: the layers of a network as panels of feature maps, in a scene of its own.

    Make one with `of`, `open`, `load` or `join`, or `Hall(scene)` for one that is in the open file.
    """

    @classmethod
    @checked_arguments
    def of(
        cls: type[Self], model: str, *inputs: Any, name: str = "", python: str = "", device: str = "", **spec: Any
    ) -> Self:
        """Runs a network in a Python that has PyTorch, and builds its hall.

        model: a torchvision name, package.module:function, a .pt2 file, or a shipped network. inputs: as in `place`;
        without any, the network's own first input. name: of the network on the bridge. python: the Python to start the
        bridge with, by default the preferences' or the first that is found. device: such as cuda or cpu. spec: fields
        of a `RecordSpec`, such as weights, classes, arguments, size. Raises BridgeError, ModelError or InputError.
        """
        network = bridges.serve_in_child(name or str(model), {"model": model} | spec, python, device)
        return cls._built(network, inputs)

    @classmethod
    @checked_arguments
    def join(cls: type[Self], bridge: Path | str, network: str, *inputs: Any, token: str = "") -> Self:
        """Builds the hall of a network of a bridge that runs already.

        bridge: its connection file, or its address as host:port with the token; "" for the one that was joined before.
        inputs: as in `place`; without any, the network's own first input. Raises BridgeError or UnknownName.
        """
        bridges.join(bridge, token)
        return cls._built(network, inputs)

    @classmethod
    @checked_arguments
    def open(
        cls: type[Self], recording: Recording | Path | str, method: str = "activations", title: str | None = None
    ) -> Self:
        """Builds the hall of a recording in memory or in a folder, or of a series in a folder; this needs no PyTorch.

        method: the recorded method whose maps the panels show. title: instead of the network's name. Raises
        RecordingError, UnknownName or SceneError.
        """
        appearance = Appearance(method=method, title=title)
        if isinstance(recording, Recording):
            return cls._shown(create_hall(recording, appearance))
        return cls._shown(create_folder_hall(recording, appearance))

    @classmethod
    @checked_arguments
    def demo(cls: type[Self]) -> Self:
        """Builds the hall of the recording that comes with Innerwalk."""
        return cls.open(DEMO_FOLDER)

    @classmethod
    @checked_arguments
    def load(cls: type[Self], path: Path | str, name: str | None = None) -> Self:
        """Adds a hall of a .blend file to the open file, as it was saved.

        name: of the hall's scene, by default the first. Raises SceneError or UnknownName.
        """
        return cls._shown(append_hall(path, name))

    @classmethod
    @checked_arguments
    def all(cls: type[Self]) -> list[Self]:
        """Returns the halls of the open file."""
        return [cls(scene) for scene in store.halls()]

    @staticmethod
    @checked_arguments
    def leave_bridge() -> None:
        """Leaves the bridge, and ends it if this Blender has started it; halls keep what they show."""
        actions.leave_bridge()

    @staticmethod
    @checked_arguments
    def rebuild_groups() -> None:
        """Rebuilds the halls of the open file that an older version has built; moved panels stay where they are."""
        actions.rebuild_groups()

    @classmethod
    def _built(cls: type[Self], network: str, inputs: tuple[Any, ...]) -> Self:
        """Runs a network of the bridge and builds its hall."""
        return cls(bridges.build(network, cls._bridge_inputs(network, inputs)))

    @classmethod
    def _shown(cls: type[Self], scene: bpy.types.Scene) -> Self:
        show_hall(scene)
        return cls(scene)

    @checked_arguments
    def figure(self, path: Path | str, preset: str = "overview", layer: str | None = None, **options: Any) -> Path:
        """Draws a picture of the hall into a PNG file that carries its provenance; waits first; returns its path.

        preset: overview, walk, entrance, layer, tile, or camera for the scene as it is, with its own camera. layer: the
        layer of the presets layer, tile and walk. options: fields of `FigureOptions`, such as size, samples, engine,
        theme, transparent, collapse. The presets plate, grid, overlay and chart are flat, for .svg and .png files, and
        take fields of `PageOptions`, such as width (mm) and channels. Raises SceneError or UnknownName; then nothing is
        written.
        """
        self.wait()
        if preset in PAGE_PRESETS:
            flat = checked_arguments(PageOptions)(**({"preset": preset, "layer": layer} | options))
            return write_flat_figure(self.scene, path, flat)
        return render_figure(self.scene, path, _figure_options({"preset": preset, "layer": layer} | options))

    @checked_arguments
    def save(self, path: Path | str) -> Path:
        """Writes the hall, with what its scene shows beside it, to a .blend file; waits first; returns its path.

        The file needs neither this session nor Innerwalk to open. Raises SceneError.
        """
        self.wait()
        return save_hall(self.scene, path)

    @checked_arguments
    def save_recipe(self, path: Path | str) -> Path:
        """Writes a recipe of figures of this hall with its colours, blocks and moved panels; returns its path.

        The hall must be in a saved .blend file, which the recipe names. Raises SceneError.
        """
        self.wait()
        actions.save_recipe(self.scene, path)
        return Path(path)

    @checked_arguments
    def open_recipe(self: Self, path: Path | str) -> Self:
        """Gives the hall the colours, blocks and moved panels of a recipe. Raises InputError or UnknownName."""
        self.wait()
        actions.open_recipe(self.scene, path)
        return self

    @checked_arguments
    def key_shot(
        self: Self,
        kind: str = "tour",
        layer: str = "",
        channel: int = -1,
        seconds: float = 0.0,
        speed: float = 1.4,
        first: int = 1,
        beside: str = "",
    ) -> Self:
        """Keys a shot: tour, forward, orbit, dolly, follow, series or split beside another hall; see docs/films.md.

        Raises InputError, UnknownName or SceneError.
        """
        actions.key_shot(self.scene, kind, layer, channel, seconds, speed, first, beside)
        return self

    @checked_arguments
    def preview_film(self: Self) -> Self:
        """Plays the keyed camera in the 3D view. Raises SceneError where no window shows the hall."""
        actions.preview_film(self.scene)
        return self

    @checked_arguments
    def export(self, folder: Path | str) -> Path:
        """Exports values, statistics and 16-bit pictures into a new folder in `folder`; waits first; returns it."""
        self.wait()
        return run_export(export_steps(self.scene, folder)).folder

    @checked_arguments
    def remove(self) -> None:
        """Removes the hall from the open file with all of its data; a person's own objects stay."""
        actions.remove_hall(self.scene)


def _figure_options(options: Mapping[str, Any]) -> FigureOptions:
    return checked_arguments(FigureOptions)(**options)
