"""The parent's side of a process that renders frames, or does other work in numbered pieces."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from ...torch_bridge.recording.errors import InnerwalkError, SceneError, error_from_wire

MOST_BYTES = 1 << 30
"""Size of a frame's file."""
ATTEMPTS = 3
"""Processes that a frame may cost before it is given up."""
THREADS = ("LP_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
"""Variables by which the software graphics driver and numpy are told how many threads to use."""


class FarmWork(NamedTuple):
    """What processes of a farm do."""

    module: str
    """Runs in the process, as `frame_child` does."""
    piece: str
    """What people call a piece of the work."""
    needs: str
    """What must be installed where it is done, beside innerwalk."""


FRAMES = FarmWork(f"{__package__}.frame_child", "frame", "Blender")


class ChildProcess:
    """A process that renders frames of one film, or does pieces of other work, one at a time.

    It lives until `end`, or until its parent ends.
    """

    def __init__(self, recipe: Path, film: str, threads: int | None = None, work: FarmWork = FRAMES) -> None:
        """recipe: one that names recordings only. film: hash of what it shows. threads: None for as many as cores.

        Raises SceneError if the system starts no more processes.
        """
        environment = dict(os.environ)
        for name in THREADS if threads else ():
            environment.setdefault(name, str(threads))
        command = [sys.executable, "-m", work.module]
        try:
            self._process = subprocess.Popen(  # noqa: S603 - this very program
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, start_new_session=True
            )  # in a session of its own, so that Ctrl-C reaches the parent alone, which ends it
        except OSError as error:
            raise SceneError(f"a process can't be started ({error.strerror}); take fewer --workers") from None
        self.process_id, self.work = self._process.pid, work
        self._opening = {"recipe": str(recipe), "film": film}

    def render(self, frame: int) -> bytes | None:
        """Returns a frame, counted from 1, as a PNG file; None if the process has ended. Raises InnerwalkError."""
        try:
            answer, png = self._exchange(frame)
        except (OSError, ValueError):  # it has ended, in the middle of a line perhaps, or `end` was called
            return None
        if "error" in answer:
            raise error_from_wire(answer["error"], answer["text"])
        return png if png and len(png) == answer["bytes"] else None

    def _exchange(self, frame: int) -> tuple[dict[str, Any], bytes]:
        assert self._process.stdin and self._process.stdout
        for request in filter(None, (self._opening, {"frame": frame})):
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()
        self._opening = {}
        answer = json.loads(self._process.stdout.readline())
        return answer, self._process.stdout.read(min(answer.get("bytes", 0), MOST_BYTES))

    def end(self) -> None:
        """Ends the process at once: Blender's own way out takes long, and now and then for ever."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                try:
                    pipe.close()
                except OSError:  # what was still to be written to it
                    continue


def gave_up(work: FarmWork, number: int) -> InnerwalkError:
    """Returns the error of a piece of work that has cost too many processes."""
    return SceneError(f"{work.piece} {number}: its process ended {ATTEMPTS} times before it; is there enough memory?")
