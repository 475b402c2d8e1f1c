"""`innerwalk show` and `innerwalk open`: a network's or a recording's hall in the window of Blender."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from ...torch_bridge.recording import load
from ...torch_bridge.recording.errors import InputError
from ...torch_bridge.recording.series import SERIES_DOCUMENT, load_series
from ..options.argument_values import record_fields
from ..options.model_arguments import add_grid, add_input, add_model
from ..progress import ProgressBar
from .blender_finder import VARIABLE, find_blender
from .open_window import open_window, wait_for_window

SHOW_EXAMPLES = """\
MODEL is the same as for record; nothing is kept when Blender is closed, unless you save there.

examples
  innerwalk show object
  innerwalk show resnet50 --weights DEFAULT --image parrot.jpg
"""
OPEN_EXAMPLES = """\
examples
  innerwalk open parrot
  innerwalk open hall.blend --blender ~/blender-5.2/blender
"""


def add_show(sub: argparse.ArgumentParser) -> None:
    """Adds the options of `show`."""
    sub.add_argument("model", metavar="MODEL")
    _add_blender(sub)
    add_model(sub)
    add_grid(add_input(sub))


def add_open(sub: argparse.ArgumentParser) -> None:
    """Adds the options of `open`."""
    sub.add_argument("hall", type=Path, metavar="RECORDING|FILE.blend")
    _add_blender(sub)


def _add_blender(sub: argparse.ArgumentParser) -> None:
    sub.add_argument(
        "--blender", type=Path, metavar="PROGRAM", help=f"Blender's program ({VARIABLE}, or the one that is found)"
    )


def show(options: argparse.Namespace, progress: ProgressBar) -> None:
    """Runs `innerwalk show`; returns when Blender is closed."""
    from ...torch_bridge.subject import RecordSpec, record_from

    program = find_blender(options.blender)
    with tempfile.TemporaryDirectory() as scratch:
        recording = record_from(RecordSpec(**record_fields(options, Path(scratch))), progress)
        recording.save(Path(scratch) / "recording")
        window = open_window(Path(scratch) / "recording", program)
        progress.close()
        wait_for_window(window)


def open_hall(options: argparse.Namespace, progress: ProgressBar) -> None:
    """Runs `innerwalk open`; returns when Blender is closed."""
    if options.hall.suffix != ".blend" and options.hall.is_file():
        raise InputError(f"{options.hall}: no hall; open the folder of a recording or a .blend file of a hall")
    if options.hall.suffix != ".blend":  # what can't be read is said here, not in a window
        (load_series if (options.hall / SERIES_DOCUMENT).exists() else load)(options.hall)
    elif not options.hall.is_file():
        raise InputError(f"{options.hall}: no such file")
    wait_for_window(open_window(options.hall, options.blender))
