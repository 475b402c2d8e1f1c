"""What scripts pass as an input of a network, as an input of a bridge."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ...torch_bridge import client
from ...torch_bridge.client import BridgeInput
from ...torch_bridge.recording.errors import InputError
from ..actions.placing import listed_arguments
from .hall_panels import Channel

PNG_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")
"""Modes of Pillow images that a PNG file holds."""


def bridge_input(value: Any) -> BridgeInput:
    """Returns an input for a bridge: a picture or values, by its type.

    value: path of a picture, array or sound; "noise:SEED"; "ids:1,2,3" or "text:words"; a channel, for its picture; an
    array or tensor: (H, W), (H, W, 3) or (H, W, 4) uint8 is a sRGB picture, top row first, anything else values that
    stay as they are, with or without a batch axis; a Pillow image; or an input made with `torch_bridge.client`. Raises
    InputError.
    """
    if isinstance(value, BridgeInput):
        return value
    if isinstance(value, Channel):
        return client.pixels(value.picture, f"{value.panel.layer}, channel {value.number}")
    if isinstance(value, (str, Path)):
        return client.named(bpy.path.abspath(str(value)))
    return _image_input(value) if hasattr(value, "getbands") else _array_input(value)


def arguments_in(inputs: tuple[Any, ...]) -> Any:
    """Returns the arguments that a script passes: the only one if it is a dict, tuple or list of them, else all."""
    first = inputs[0] if len(inputs) == 1 else None
    is_several = isinstance(first, (dict, tuple, list)) and not isinstance(first, BridgeInput)
    return first if is_several else inputs


def bridge_inputs(network: str, arguments: Any) -> list[BridgeInput]:
    """Returns inputs of a network of the bridge: a tuple or list in order, or a dict by the names of arguments.

    A list of numbers is one array. Raises InputError or BridgeError.
    """
    if isinstance(arguments, dict):
        own = {str(name): bridge_input(value) for name, value in arguments.items()}
        return client.by_argument(own, listed_arguments(network))
    is_array = isinstance(arguments, list) and not any(isinstance(value, (str, Path)) for value in arguments)
    return [bridge_input(value) for value in ([arguments] if is_array else arguments)]


def _image_input(image: Any) -> BridgeInput:
    """Sends a Pillow image as a PNG file, so that modes, transparency and orientation are read as those of files."""
    content = io.BytesIO()
    mode = image.mode if image.mode in PNG_MODES else "RGB"
    image.convert(mode).save(content, "PNG", exif=image.getexif())
    return BridgeInput({"kind": "upload", "name": "picture.png"}, np.frombuffer(content.getvalue(), np.uint8))


def _array_input(value: Any) -> BridgeInput:
    try:
        if hasattr(value, "detach"):  # a tensor; torch isn't imported here
            value = value.detach().cpu()
            value = (value.float() if str(value.dtype) == "torch.bfloat16" else value).numpy()  # NumPy has no bfloat16
        array = np.asarray(value)
    except Exception:  # noqa: BLE001 - an object may raise anything when it is read as an array
        array = np.zeros(0, object)
    if isinstance(value, np.ma.MaskedArray):
        raise InputError("a masked array is no input: fill its masked values first")
    if array.dtype.kind not in "fiub" or not array.size or not array.ndim:
        what = f"an array of shape {array.shape}" if isinstance(value, np.ndarray) else type(value).__name__
        raise InputError(f"{what} is no input: pass a file, noise:SEED, or an array or tensor with values")
    if array.dtype == np.uint8 and (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))):
        return client.pixels(np.ascontiguousarray(array), "picture")
    content = io.BytesIO()
    np.save(content, array, allow_pickle=False)
    return BridgeInput(
        {"kind": "upload", "name": f"array {'×'.join(map(str, array.shape))}.npy"},
        np.frombuffer(content.getvalue(), np.uint8),
    )
