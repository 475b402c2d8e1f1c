"""Inputs of requests: what a bridge runs a network on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..recording.errors import InputError
from ..recording.files import failure_text, read_file
from .frames import MAX_REQUEST_BYTES

NOISE, MOST_DIGITS = "noise:", 10
WORDS = ("ids:", "text:")


class BridgeInput(NamedTuple):
    """One input of a request: its JSON values and the array that goes with them."""

    values: dict[str, Any]
    array: np.ndarray | None = None
    """Bytes of a file (n,) uint8, or pixels (H, W[, 3 or 4]) uint8 sRGB."""


def file(path: Path | str) -> BridgeInput:
    """A picture, tensor, sound or scan of this machine, which is sent. Raises InputError."""
    line = " ".join(str(path).split())
    try:
        content = read_file(path, MAX_REQUEST_BYTES)
    except OSError as error:
        raise InputError(f"{line or 'the empty path'}: can't be read ({failure_text(error)})") from None
    return BridgeInput({"kind": "upload", "name": Path(path).name}, np.frombuffer(content, np.uint8))


def named(text: str | Path) -> BridgeInput:
    """An input as it is written on the command line: `noise:7`, `ids:101,2054`, `text:some words`, or a file's path.

    Raises InputError.
    """
    if isinstance(text, str) and text.startswith(NOISE):
        seed = text.removeprefix(NOISE)
        if not (seed.isascii() and seed.isdecimal() and len(seed) <= MOST_DIGITS):
            raise InputError(f"{text[:40]!r} is no noise; write it like noise:7")
        return noise(int(seed))
    return words(text) if isinstance(text, str) and text.startswith(WORDS) else file(text)


def for_argument(name: str, own: BridgeInput) -> BridgeInput:
    """The same input, passed by the name of an argument."""
    return BridgeInput({**own.values, "argument": name}, own.array)


def by_argument(
    placed: Mapping[str, BridgeInput], names: Sequence[str], others: Sequence[BridgeInput] = ()
) -> list[BridgeInput]:
    """Inputs by the names of arguments as a list for a request.

    names: of the arguments that a request lists, in their order; further ones are passed by name. others: what those
    that aren't placed get, in the same order; by default the network's own.
    """
    left, listed = dict(placed), []
    for name, other in zip_longest(names, others, fillvalue=None):
        argument = other.values.get("argument") if other else None
        own = left.pop(argument or name or "", None)
        listed.append(for_argument(argument, own) if own and argument else own or other or default())
    return [*listed, *(for_argument(name, own) for name, own in left.items())]


def pack_inputs(inputs: Sequence[BridgeInput | str | Path]) -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
    """Returns the JSON values of inputs, and their arrays, of any shape, under the names that the values refer to.

    Raises InputError for anything but a list of inputs, and of texts that name some.
    """
    wanted = 'a list such as [file("cat.jpg"), "ids:1,2"] is needed'
    if isinstance(inputs, (BridgeInput, str, Path)) or not isinstance(inputs, Sequence):
        raise InputError(f"inputs are of type {type(inputs).__name__}; {wanted}")
    read = [named(entry) if isinstance(entry, (str, Path)) else entry for entry in inputs]
    if wrong := [entry for entry in read if not isinstance(entry, BridgeInput)]:
        raise InputError(f"an input is of type {type(wrong[0]).__name__}; {wanted}")
    arrays = {str(k): entry.array for k, entry in enumerate(read) if entry.array is not None}
    return [entry.values | {"array": str(k)} for k, entry in enumerate(read)], arrays


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
