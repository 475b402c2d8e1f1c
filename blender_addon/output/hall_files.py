"""Saves a hall as a self-contained .blend file, and appends a hall from one."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bpy

from ...torch_bridge.recording.errors import SceneError, UnknownName
from ...torch_bridge.recording.files import check_file, failure_text
from ..atomic_folders import write_error
from ..scene.engine import cycles_named
from ..scene.hall import store
from ..scene.hall.stored_paths import resolve_paths
from ..scene.materials import images
from ..scene.panels import update_point_values
from ..scene.state.data_blocks import all_or_nothing, new_data, reachable_from, session_uids, temporary_data
from .appended_data import disarm
from .output_files import replaced, temporary_copy


def save_hall(scene: bpy.types.Scene, path: Path | str) -> Path:
    """Writes a hall, with what its scene shows beside it, and nothing else of this session, to a .blend file.

    The file is self-contained. Returns its path. Raises SceneError.
    """
    path = Path(path)
    if not store.is_hall(scene):
        raise SceneError(f"scene {scene.name!r} is not a hall; build one from a recording")
    update_point_values(scene)
    images.pack_images(block for block in reachable_from([scene]) if isinstance(block, bpy.types.Image))
    for layer in scene.view_layers:
        layer.update()  # Blender 5.2.3 crashes when it copies a view layer that was never updated
    with replaced(path, ".blend") as part, cycles_named():
        try:
            bpy.data.libraries.write(str(part), {scene}, fake_user=False, compress=True)
        except RuntimeError as error:
            raise write_error(path, error) from None
    return path


def append_hall(path: Path | str, name: str | None = None) -> bpy.types.Scene:
    """Appends the scene of a hall of a .blend file, by name or the first, without what acts by itself in the file.

    Other scenes of the file are not appended; `disarm` says what is taken out. Raises SceneError, or UnknownName when
    `name` is not a hall of the file.
    """
    path = Path(path)
    try:
        check_file(path)
    except OSError as error:
        raise SceneError(f"{path}: {failure_text(error)}") from None
    with _openable(path) as file:
        with temporary_data():
            halls = [found for found, scene in _append(file, path, None).items() if store.is_hall(scene)]
        if not halls:
            hint = f"`innerwalk scene RECORDING -o {shlex.quote(path.name)}` makes one"
            raise SceneError(f"{path}: this file holds no hall; {hint}")
        if name is not None and name not in halls:
            raise UnknownName("hall", name, halls)
        with all_or_nothing():
            before = session_uids()
            scene = _append(file, path, name or halls[0]).popitem()[1]
            disarm(new_data(before), path)
    resolve_paths(scene, path.resolve().parent)
    return scene


@contextmanager
def _openable(path: Path) -> Iterator[Path]:
    """Yields a file to append from: a copy of the open file, from which Blender refuses to append, else itself.

    The copy lies beside it, because paths in it may be relative. Raises SceneError.
    """
    if not (bpy.data.filepath and path.samefile(bpy.data.filepath)):
        yield path.resolve()
        return
    with temporary_copy(path) as copy:
        yield copy


def _append(file: Path, path: Path, name: str | None) -> dict[str, bpy.types.Scene]:
    """Appends a scene, or all with None, of a file or its copy; returns them by the names they have in the file."""
    try:
        with bpy.data.libraries.load(str(file)) as (available, wanted):  # type: ignore[func-returns-value]
            names = list(available.scenes) if name is None else [name]
            wanted.scenes = list(names)
    except (OSError, RuntimeError):
        raise SceneError(f"{path}: not a Blender file, or a damaged one") from None
    pairs = zip(names, wanted.scenes, strict=True)  # an appended scene may have been renamed
    return {original: scene for original, scene in pairs if scene is not None}
