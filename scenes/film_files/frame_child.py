"""The process that renders frames: Blender in its main thread, told what to do over a pipe by a parent.

Requests are lines of JSON: {"recipe": file, "film": hash} first, then {"frame": number}. Each answer is a line of JSON,
{"bytes": count} with a PNG file of so many bytes after it, or {"error": class, "text": line}. It ends with its parent.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, BinaryIO

from ...torch_bridge.recording.errors import InnerwalkError

IDLE = 900.0
"""Seconds without a request after which the process ends: a Dask worker may never hear that a sender is gone."""


Render = Callable[[int], bytes]
"""Returns a frame as a PNG file, or what other work makes of a number."""


def serve(requests: SimpleQueue[dict[str, Any]], answers: BinaryIO, open_work: Callable[[Path, str], Render]) -> None:
    """Answers requests, one after the other, until the process ends. open_work: gets the opening request's values."""
    render: Render
    while True:
        try:
            request = requests.get(timeout=IDLE)
        except Empty:
            os._exit(0)  # whoever wanted the film has gone without a word; who comes back gets another process
        try:
            if "recipe" in request:
                render = open_work(Path(request["recipe"]), request["film"])
                continue
            png = render(request["frame"])
            answers.write(json.dumps({"bytes": len(png)}).encode() + b"\n" + png)
        except InnerwalkError as error:
            answers.write(json.dumps({"error": type(error).__name__, "text": str(error)}).encode() + b"\n")
        answers.flush()


def read_requests(pipe: BinaryIO, requests: SimpleQueue[dict[str, Any]]) -> None:
    """Passes requests on; ends the process when its parent has closed the pipe or is gone, whatever Blender is at."""
    for line in pipe:
        requests.put(json.loads(line))
    os._exit(0)


def open_film(recipe: Path, film: str) -> Render:
    """Opens a film in Blender and returns the function that renders its frames."""
    from .rendering import open_bundled_film, render_frame

    return partial(render_frame, open_bundled_film(recipe, film))


def main(open_work: Callable[[Path, str], Render] = open_film) -> None:
    """Runs the process. Standard output is kept for answers; what Blender prints there goes to standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    requests: SimpleQueue[dict[str, Any]] = SimpleQueue()
    threading.Thread(target=read_requests, args=(sys.stdin.buffer, requests), daemon=True).start()
    serve(requests, answers, open_work)


if __name__ == "__main__":
    main()
