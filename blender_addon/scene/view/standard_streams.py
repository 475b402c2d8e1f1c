"""Keeps what Blender's C code prints while it renders away from a person's terminal."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import bpy

NOISE = b"EGL Error (0x3009)"
"""Start of the line that Blender prints without a display whenever it begins to draw, although it then draws."""
MOST_READ = 1 << 16


@contextmanager
def silence_stdout() -> Iterator[None]:
    """Redirects standard output's file descriptor to nowhere, because Blender writes its progress from C."""
    stdout = os.dup(1)
    with tempfile.TemporaryFile() as sink:
        os.dup2(sink.fileno(), 1)
        try:
            yield
        finally:
            os.dup2(stdout, 1)
            os.close(stdout)


@contextmanager
def without_egl_errors() -> Iterator[None]:
    """Leaves lines that begin with NOISE out of standard error; in a window, where there are none, it does nothing."""
    if not bpy.app.background:
        yield
        return
    stderr, (source, sink) = os.dup(2), os.pipe()
    os.dup2(sink, 2)
    os.close(sink)
    reader = threading.Thread(target=_pass_on, args=(source, stderr), daemon=True)
    reader.start()
    try:
        yield
    finally:
        os.dup2(stderr, 2)  # closes the last end that writes, so that the reader ends
        reader.join()
        os.close(source)
        os.close(stderr)


def _pass_on(source: int, target: int) -> None:
    """Copies bytes at once, but for lines of noise."""
    held, is_start, is_noise = b"", True, False
    while read := os.read(source, MOST_READ):
        kept = b""
        for line in (held + read).splitlines(keepends=True):
            held = b""
            if is_start and len(line) < len(NOISE) and NOISE.startswith(line):
                held = line  # what it becomes isn't known yet
                continue
            is_noise = line.startswith(NOISE) if is_start else is_noise
            kept += b"" if is_noise else line
            is_start = line.endswith((b"\n", b"\r"))
        os.write(target, kept)
    os.write(target, held)
