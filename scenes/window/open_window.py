"""Starts Blender with a hall on the screen: of a recording, a series, a .blend file, or a network."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from ...torch_bridge.recording.errors import SceneError
from .blender_finder import find_blender

AT_START = Path(__file__).with_name("at_start.py")


def open_window(
    path: Path | str, blender: Path | str | None = None, *, temporary: bool = False
) -> subprocess.Popen[bytes]:
    """Starts Blender, which shows the hall of a recording, series or .blend file at its entrance, and returns it.

    blender: the program; by default the one that is found. temporary: whether Blender removes the folder once it has
    built the hall. Raises SceneError if there is no such Blender.
    """
    command = window_command(find_blender(blender), Path(path).resolve(), temporary=temporary)
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603


def window_command(program: Path, path: Path, *, temporary: bool = False) -> list[str]:
    """Returns the command line that shows the hall of a folder or .blend file."""
    if path.suffix == ".blend":
        return [str(program), str(path), "--python", str(AT_START)]
    return [str(program), "--python", str(AT_START), "--", str(path), *["temporary"][: int(temporary)]]


def wait_for_window(window: subprocess.Popen[bytes]) -> None:
    """Returns when a person has closed Blender. Raises SceneError if it ended by an error."""
    if window.wait():
        command = shlex.join(map(str, window.args)) if isinstance(window.args, list) else window.args
        raise SceneError(f"Blender ended with status {window.returncode}; to see why: {command!s}")


def show(model: Any, *inputs: Any, blender: Path | str | None = None, **options: Any) -> subprocess.Popen[bytes]:
    """Runs a network and opens Blender in its hall, at the entrance; returns Blender, which goes on by itself.

    model, inputs, options: as in `Hall.of`: an `nn.Module` or a name, pictures or tensors, and fields of a `RecordSpec`
    such as size, mean, std, classes. blender: the program; by default the one that is found. Raises SceneError if there
    is no Blender, ModelError or InputError.
    """
    from ..in_process_hall import InProcessHall

    program = find_blender(blender)
    hall = InProcessHall.of(model, *inputs, **options)
    folder = Path(tempfile.mkdtemp(prefix="innerwalk-"))
    try:
        hall.recording.save(folder)
        return open_window(folder, program, temporary=True)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    finally:
        hall.remove()
