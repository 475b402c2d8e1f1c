"""The process that runs parts of a dissection, told which over a pipe by a parent, as `frame_child` is."""

from __future__ import annotations

import json
import tempfile
import time
from functools import partial
from pathlib import Path

from ...torch_bridge.dissection.run import Dissection
from ...torch_bridge.inputs.tensor_files import split_name
from ...torch_bridge.recording.safetensors import open_arrays
from ...torch_bridge.subject import RecordSpec
from ..dissect import open_dissection
from ..film_files.frame_child import Render, main
from ..options.argument_values import record_fields
from ..options.parser import parser
from .part_tasks import THRESHOLDS, check_same, task_of

POLL = 0.1
"""Seconds between two looks at what other processes have done."""
WRITTEN = b"written"


def open_parts(document: Path, _: str) -> Render:
    """Opens the dissection that a document of `describe` is about; returns the function that runs a task.

    Where the document names a folder, results are written there; else into one beside it. Raises InnerwalkError.
    """
    wanted = json.loads(document.read_text(encoding="utf-8"))
    options = parser().parse_args(wanted["arguments"])
    for name, place in wanted["files"].items():
        setattr(options, name, str(document.parent / place))
    if "data" in wanted["files"]:
        options.data = (wanted["data name"], options.data)
    if "inputs" in wanted:
        options.inputs = [_placed(document.parent, source) for source in wanted["inputs"]] or None
        options.keywords = [(name, _placed(document.parent, source)) for name, source in wanted["keywords"]] or None
        options.output = document.parent / "dissection"
    own = Path(tempfile.mkdtemp(dir=document.parent))  # other processes open the same document, and write there too
    dissection = open_dissection(RecordSpec(**record_fields(options, own)), options)
    check_same(dissection.folder.about, wanted["about"])
    if (file := document.parent / THRESHOLDS).is_file():
        arrays = open_arrays(file)[0]
        dissection.thresholds = {layer: arrays[str(number)] for number, layer in enumerate(dissection.ids)}
    return partial(run_task, dissection, is_sent="inputs" in wanted)


def _placed(folder: Path, source: str) -> str:
    path, _ = split_name(source)
    return str(folder / source) if (folder / path).is_file() else source


def run_task(dissection: Dissection, number: int, is_sent: bool) -> bytes:
    """Runs a task and returns the file of its results, or WRITTEN where the sender has the folder that it is in.

    One of the second pass waits until the first one is done, by processes with the same folder.
    """
    kind, part = task_of(dissection, number)
    while kind == "counts" and "thresholds" not in vars(dissection):
        if dissection.folder.count("values") == len(dissection.parts):
            break
        time.sleep(POLL)
    dissection.run_part(kind, part)
    return dissection.folder.path(kind, part).read_bytes() if is_sent else WRITTEN


if __name__ == "__main__":
    main(open_parts)
