"""A Blender with a bridge of its own, and what its halls hold."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import bpy
import numpy as np

import innerwalk
from innerwalk.blender_addon import actions
from innerwalk.blender_addon.live import timer
from innerwalk.blender_addon.live.session import current
from innerwalk.blender_addon.properties import OBJECT_ROLE
from innerwalk.blender_addon.scene.hall import store
from innerwalk.blender_addon.scene.paint import pictures
from innerwalk.blender_addon.scene.panels import values
from innerwalk.torch_bridge.client import Bridge
from innerwalk.torch_bridge.recording import Recording, load_series

OWN = Path(__file__).parent / "own_networks.py"
OBJECT = {"model": "object"}
KINDS = ("images", "meshes", "objects", "materials", "texts", "node_groups", "collections", "scenes", "fonts", "curves")


def own(name: str, **fields) -> dict:
    """The spec of a network of `own_networks`."""
    return {"model": f"own_networks:{name}", "size": [16, 16], "mean": [0.5] * 3, "std": [0.25] * 3, **fields}


def start(python: str, networks: dict, data: dict, folder: Path) -> None:
    shutil.copy(OWN, folder)
    actions.start_bridge(python, networks, data, str(folder), "cpu")
    actions.wait_for_bridge()


@contextmanager
def registered() -> Iterator[None]:
    innerwalk.register()
    try:
        yield
    finally:
        innerwalk.unregister()


def built(network: str) -> bpy.types.Scene:
    """Build the hall of a network and show it in the window."""
    before = set(store.halls())
    actions.build_hall(network)
    actions.wait_for_bridge()
    (scene,) = set(store.halls()) - before
    bpy.context.window.scene = scene
    return scene


def empty_file() -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)


def counts() -> dict[str, int]:
    """Number of data-blocks of each kind in the file."""
    return {kind: len(getattr(bpy.data, kind)) for kind in KINDS}


def bridge() -> Bridge:
    """Another connection to the bridge that this Blender is connected to."""
    return current().link.bridge.new_connection()


def job_maps(connection: Bridge, job: dict) -> dict[str, np.ndarray]:
    """Texels of a job's maps by layer, once it has succeeded."""
    step, found = 0, {}
    while job["state"] in ("waiting", "running") or step < job["step"]:
        job, new_maps = connection.job(job["id"], step, 5.0)
        step, found = job["step"], found | {maps.layer: maps.texels for maps in new_maps}
    assert job["state"] == "done", job
    return found


def texels(scene: bpy.types.Scene) -> dict[str, np.ndarray]:
    """What all panels hold, also those that wait outside the scene, by the layer whose maps they show."""
    return {layer: store.read_maps(panel, layer, "").texels for layer, panel in store.panels_by_layer(scene).items()}


def peaks(scene: bpy.types.Scene) -> dict[str, np.ndarray]:
    return {layer: values.peaks_of(panel) for layer, panel in store.panels_by_layer(scene).items()}


def equal(first: dict, second: dict) -> bool:
    return first.keys() == second.keys() and all(np.array_equal(first[id], second[id], equal_nan=True) for id in first)


def of_role(scene: bpy.types.Scene, role: str) -> bpy.types.Object:
    return next(object for object in scene.objects if object.get(OBJECT_ROLE) == role)


def picture(scene: bpy.types.Scene, role: str = "input") -> np.ndarray:
    """(H, W, 3) uint8 of the picture in the scene."""
    return pictures.read_pixels(pictures.picture_image(of_role(scene, role)))


def points(scene: bpy.types.Scene, role: str) -> np.ndarray:
    """(n, 3) of a painted object."""
    mesh = of_role(scene, role).data
    found = np.zeros(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", found)
    return found.reshape(-1, 3)


def maps_of(recording: Recording) -> dict[str, np.ndarray]:
    return {layer: maps.texels for (layer, _), maps in recording.all_maps.items()}


def peaks_of(recording: Recording) -> dict[str, np.ndarray]:
    least = np.float32(1e-12)
    return {layer: np.maximum(maps.peak, least) for (layer, _), maps in recording.all_maps.items()}


def assert_shows(scene: bpy.types.Scene, expected: Recording, series: Path | None = None) -> None:
    """Everything in the hall is of this recording, and nothing of another; series: the folder whose peaks it has."""
    assert equal(texels(scene), maps_of(expected))
    found, wanted = peaks(scene), peaks_of(expected)
    if series is not None:
        wanted = {layer: load_series(series).peaks[layer, method] for layer, method in expected.all_maps}
    assert all(np.allclose(found[id], wanted[id], rtol=1e-6, atol=1e-9) for id in wanted)
    assert np.array_equal(picture(scene), expected.picture)
    assert of_role(scene, "input frame")["innerwalk_input"] == expected.input_name
    recording = store.read_description(scene)
    assert recording.input_name == expected.input_name
    assert (
        recording.prediction.top == expected.prediction.top
        and recording.prediction.numbers == expected.prediction.numbers
    )


def until(holds: Callable[[], bool]) -> None:
    timer.wait(holds, 60.0)


def settled() -> None:
    """Everything that can be shown without the bridge is shown."""
    until(lambda: not current().has_queued)


def texels_that_are_there(scene: bpy.types.Scene) -> dict[str, np.ndarray]:
    """As `texels`, without panels that have lost what a hall needs to read them."""
    maps_by_layer = {layer: store.read_maps(panel, layer, "") for layer, panel in store.panels_by_layer(scene).items()}
    return {layer: maps.texels for layer, maps in maps_by_layer.items() if maps is not None}
