"""However a person saves the file of a hall, another process without innerwalk opens exactly its images."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from innerwalk.torch_bridge import recording as rec

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from innerwalk.blender_addon.scene.hall import session_events, store  # noqa: E402
from innerwalk.blender_addon.scene.hall.build import create_hall  # noqa: E402

OPEN = """
import json, os, sys
import bpy, numpy as np
sys.modules["innerwalk"] = None
bpy.ops.wm.open_mainfile(filepath=sys.argv[1])
found = {}
for image in bpy.data.images:
    if image.get("innerwalk_raw") and image.size[0]:
        pixels = np.zeros(4 * image.size[0] * image.size[1], np.float32)
        image.pixels.foreach_get(pixels)
        found[image.name] = pixels.tobytes().hex()
print("FOUND", json.dumps(found), flush=True)
os._exit(0)  # Blender 4.5 may wait for its own threads for ever
"""


def save(path: Path, **options) -> None:
    bpy.ops.wm.save_as_mainfile(filepath=str(path), **options)


def save_unpacked(path: Path) -> None:
    """Images as files in textures/ beside the .blend file."""
    save(path)
    bpy.ops.file.unpack_all(method="WRITE_LOCAL")
    save(path)


def save_in_a_moved_folder(path: Path) -> None:
    place = path.parent / "before"
    place.mkdir()
    save_unpacked(place / path.name)
    for content in place.iterdir():
        shutil.move(content, path.parent)


WAYS = {
    "once": save,
    "twice": lambda path: (save(path), save(path)),
    "as copy": lambda path: save(path, copy=True),
    "compressed": lambda path: save(path, compress=True),
    "absolute paths": lambda path: save(path, relative_remap=False),
    "packed": lambda path: (bpy.ops.file.pack_all(), save(path)),
    "unpacked": save_unpacked,
    "moved": save_in_a_moved_folder,
}


def raw_images() -> dict[str, np.ndarray]:
    found = {}
    for image in bpy.data.images:
        if "innerwalk_raw" in image and image.size[0]:
            found[image.name] = np.zeros(4 * image.size[0] * image.size[1], np.float32)
            image.pixels.foreach_get(found[image.name])
    return found


@pytest.mark.parametrize("way", WAYS)
def test_images_are_saved_as_they_were(empty_scene, recorded, tmp_path, way):
    session_events.update_handlers()  # an extension may have been disabled in this process
    create_hall(rec.load(recorded))
    shown, path = raw_images(), tmp_path / "saved" / "hall.blend"
    path.parent.mkdir()
    WAYS[way](path)
    command = [sys.executable, "-c", OPEN, str(path)]
    run = subprocess.run(command, cwd=os.sep, capture_output=True, text=True, check=True, timeout=120)
    opened = json.loads(run.stdout.split("FOUND ")[1].splitlines()[0])
    assert len(shown) == 9 and opened == {name: pixels.tobytes().hex() for name, pixels in shown.items()}
    assert all(np.array_equal(pixels, shown[name]) for name, pixels in raw_images().items()), "the session keeps them"


def test_numbers_near_the_largest_are_kept(empty_scene, recorded):
    recording = rec.load(recorded)
    largest = np.finfo(np.float32).max
    data = np.full((5, 6, 4), 2e38, np.float32)
    data[1], data[2, 0], data[3], data[4, 1] = -largest, 3.4e38, 1e-45, np.nan
    recording.add([rec.Maps("a", rec.ACTIVATIONS, rec.pack(data), 5)])
    hall = create_hall(recording)
    shown = store.read_maps(hall.objects["a"], "a", rec.ACTIVATIONS).data
    assert np.array_equal(shown, data, equal_nan=True)
