"""Reads a tensor from a `.npy`, `.npz` or `.safetensors` file, of the dtype and shape that it has there."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from ..recording.errors import InputError, RecordingError, UnknownName
from ..recording.files import failure_text, open_file, open_zip
from ..recording.safetensors import decode, open_arrays
from .image_files import short_reason
from .source_names import ARCHIVES

if TYPE_CHECKING:
    import torch

MAX_ITEM = 8
"""Bytes of a number in an array; torch has no longer ones."""
MAX_SURPLUS = 256 << 20
"""Bytes that an array of a `.npz` file may unpack to beyond the size of its file."""


def split_name(text: str) -> tuple[Path, str]:
    """Splits "file.npz:key" into the file and the name of a tensor in it; the name is "" if the text has none."""
    for suffix in ARCHIVES:
        place, found, name = text.partition(suffix + ":")
        if found and not os.path.exists(text):
            return Path(place + suffix), name
    return Path(text), ""


def read_tensor(path: Path, name: str = "", content: bytes | None = None) -> torch.Tensor:
    """Reads one tensor of numbers or booleans, of any shape. Never unpickles objects. Raises InputError, UnknownName.

    name: which one, in a file of several. content: the bytes of the file, if they are in memory.
    """
    import torch

    from ..models.weights import array_tensor

    if path.suffix.lower() == ".safetensors":
        try:
            body = np.frombuffer(content or b"", np.uint8)
            arrays, _ = open_arrays(path) if content is None else decode(body, path.name)
        except RecordingError as error:
            raise InputError(f"tensors {error}") from None
        tensor = array_tensor(arrays[_choose(path, arrays, name)])
    else:
        tensor = torch.from_numpy(_read_numpy(path, name, content))
    if tensor.numel() == 0:
        raise InputError(f"array {path}: it is empty, {_sizes(tensor)}; at least one number is needed")
    return tensor


def _sizes(values: Any) -> str:
    return "×".join(map(str, values.shape)) or "()"


def _choose(path: Path, names: Mapping[str, Any], wanted: str) -> str:
    """The name of the tensor that is meant: the only one, if none is named."""
    if wanted:
        if wanted not in names:
            raise UnknownName(f"tensor in {path.name}", wanted, names)
        return wanted
    if len(names) != 1:
        some = ", ".join(list(names)[:6]) or "none"
        raise InputError(f"{path}: {len(names)} tensors; name one as {path.name}:NAME; there are {some}")
    return next(iter(names))


def _read_numpy(path: Path, name: str, content: bytes | None) -> np.ndarray:
    try:
        with open_file(path) if content is None else io.BytesIO(content) as file:
            array = _read_member(path, name, file) if path.suffix.lower() == ".npz" else _read_array(file)
    except OSError as error:
        raise InputError(f"array {path}: {failure_text(error)}") from None
    except (InputError, UnknownName):
        raise
    except Exception as error:  # the header is read as Python text: a damaged one may raise anything
        kind = path.suffix.lower()
        raise InputError(f"array {path}: not a {kind} file of plain numbers ({short_reason(error)})") from error
    if array.dtype.kind not in "fiub" or array.dtype.itemsize > MAX_ITEM:
        raise InputError(f"array {path}: {array.dtype} {_sizes(array)}; numbers of at most 64 bits are needed")
    return np.array(array, array.dtype.newbyteorder("="), order="C")


def _read_array(file: Any) -> np.ndarray:
    return np.lib.format.read_array(file, allow_pickle=False)


def _read_member(path: Path, name: str, file: BinaryIO) -> np.ndarray:
    size = file.seek(0, io.SEEK_END)
    with open_zip(file) as archive:
        members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
        member = members[_choose(path, members, name)]
        if member.file_size > size + MAX_SURPLUS:
            mib = (size + MAX_SURPLUS) >> 20
            raise InputError(f"array {path}: it unpacks to more than {mib:,} MiB; save it as .npy")
        with archive.open(member) as packed:
            return _read_array(packed)
