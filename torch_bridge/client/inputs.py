"""Inputs of requests: what a bridge runs a network on."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..recording.errors import InputError
from ..recording.files import failure_text, read_file
from .frames import MAX_REQUEST_BYTES


class BridgeInput(NamedTuple):
    """One input of a request: its JSON values and the array that goes with them."""

    values: dict[str, Any]
    array: np.ndarray | None = None
    """Bytes of a file (n,) uint8, or pixels (H, W[, 3 or 4]) uint8 sRGB."""


def file(path: Path | str) -> BridgeInput:
    """A picture, tensor (.npy, .npz, .safetensors) or .wav file of this machine, which is sent. Raises InputError."""
    line = " ".join(str(path).split())
    try:
        content = read_file(path, MAX_REQUEST_BYTES)
    except OSError as error:
        raise InputError(f"{line or 'the empty path'}: can't be read ({failure_text(error)})") from None
    return BridgeInput({"kind": "upload", "name": Path(path).name}, np.frombuffer(content, np.uint8))


def pixels(array: np.ndarray, name: str) -> BridgeInput:
    """An image as an array, (H, W), (H, W, 3) or (H, W, 4) uint8 sRGB, top row first."""
    return BridgeInput({"kind": "pixels", "name": name}, array)


def noise(seed: int) -> BridgeInput:
    """Random noise, the same as `noise:SEED` on the command line."""
    return BridgeInput({"kind": "noise", "seed": seed})


def words(text: str) -> BridgeInput:
    """Tokens, the same as on the command line: `ids:101,2054,102`, or `text:some words` for the model's vocabulary."""
    return BridgeInput({"kind": "text", "text": text})


def default() -> BridgeInput:
    """The network's own input in this place, for requests that name another one for a later place."""
    return BridgeInput({"kind": "default"})


def item(data: str, index: int) -> BridgeInput:
    """One picture of a data set that the bridge serves."""
    return BridgeInput({"kind": "data", "set": data, "index": index})


def video(name: str, seconds: float | None = None, frame: int | None = None) -> BridgeInput:
    """A frame of a video that the bridge has open: by its number, by the time in seconds, or else the next one."""
    values: dict[str, Any] = {"kind": "film", "film": name}
    if frame is not None:
        return BridgeInput(values | {"frame": frame})
    return BridgeInput(values | ({"step": 1} if seconds is None else {"at": seconds}))
