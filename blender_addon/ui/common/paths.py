"""Paths as people enter them: pasted with spaces or quotes, with ~, or one step beside what is meant."""

from __future__ import annotations

from pathlib import Path
from urllib.request import url2pathname

import bpy

from ....torch_bridge.recording.errors import InputError
from ....torch_bridge.recording.files import user_path
from ...python_finder import program_in

QUOTES = "\"'“”‘’"
WEIGHTS, CLASSES, CONNECTIONS, RECIPES = (
    ("*.safetensors", "*.pt", "*.pth", "*.ckpt"),
    ("*.json",),
    ("*bridge*.json",),
    ("*.toml",),
)
"""Patterns of the files that a field takes."""


def entered_path(text: str) -> str:
    """Returns the path that a text means, without spaces and quotes around it; "" for none.

    "~" is the own folder, "//" that of the open file; an address "file://…" is a path too.
    """
    text = text.strip()
    while len(text) > 1 and text[0] in QUOTES and text[-1] in QUOTES:
        text = text[1:-1].strip()
    if text.startswith("file://"):
        text = url2pathname(text.removeprefix("file://"))
    return str(user_path(bpy.path.abspath(text))) if text else ""


def entered_file(name: str, text: str, patterns: tuple[str, ...]) -> str:
    """Returns the file that a text means: of a folder, the only one that fits a pattern. Raises InputError.

    name: what the file is, for the error's message.
    """
    path = entered_path(text)
    if not path or not Path(path).is_dir():
        return path
    found = [file for pattern in patterns for file in sorted(Path(path).glob(pattern)) if file.is_file()]
    if len(found) != 1:
        count = f"{len(found)} files" if found else "no file"
        raise InputError(f"{name} {path}: a folder with {count} {' or '.join(patterns)}; choose the file")
    return str(found[0])


def entered_folder(text: str) -> str:
    """Returns the folder that a text means: of a file, the one it lies in."""
    path = entered_path(text)
    return str(Path(path).parent) if path and Path(path).is_file() else path


def entered_python(text: str) -> str:
    """Returns the program that a text means: of an environment's folder, its Python. Raises InputError."""
    path = entered_path(text)
    if not path or not Path(path).is_dir():
        return path
    if program := program_in(Path(path)):
        return program
    raise InputError(f"Python {path}: a folder without a Python; choose the program, such as {path}/bin/python")
