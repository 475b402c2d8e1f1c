"""Frames: what travels between a bridge and who asks it. Plain values and arrays in one safetensors body.

A body is a length (8 bytes, little endian) and so many bytes in the safetensors layout; the values are JSON in its
metadata. An answer is a sequence of bodies. No pickle, nothing that runs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from ..recording import safetensors
from ..recording.errors import BridgeError, RecordingError

PROTOCOL = 1
"""Raise it when an older side would misunderstand."""
MOST_BYTES = 4 << 30
"""Of a frame of an answer."""
MOST_BODY = 512 << 20
"""Bytes of a request: a picture of 8,000 × 8,000 pixels with four channels has 256 MB."""
TYPE = "application/x-innerwalk-frames"


class Stream(Protocol):
    """Something bytes come from."""

    def readinto(self, buffer: memoryview, /) -> int | None:
        """Fill some of the buffer; how many bytes, 0 at the end."""


def encode(values: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> list[memoryview | bytes]:
    """The pieces of one frame; the arrays' own memory where they are contiguous."""
    pieces = list(safetensors.encode(arrays, {"json": json.dumps(values)}))
    return [sum(map(len, pieces)).to_bytes(8, "little"), *pieces]


def read(stream: Stream, where: str, most: int = MOST_BYTES) -> tuple[dict[str, Any], dict[str, np.ndarray]] | None:
    """The next frame, its arrays views into one new buffer; None at the end. Raises BridgeError."""
    head = np.empty(8, np.uint8)
    got = fill(stream, head.data)
    if not got:
        return None
    size = int.from_bytes(head.tobytes(), "little")
    if got < 8 or size > most:
        raise BridgeError(f"{where}: a frame of {size:,} bytes; at most {most:,} are read")
    body = np.empty(size, np.uint8)
    if fill(stream, body.data) < size:
        raise BridgeError(f"{where}: ended in the middle of a frame")
    return parse(body, where)


def parse(body: np.ndarray, where: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Values and arrays of a body, (n,) uint8, everything checked. Raises BridgeError."""
    try:
        arrays, metadata = safetensors.decode(body, where)
        values = json.loads(metadata.get("json", "{}"))
    except (RecordingError, ValueError, RecursionError) as error:
        raise BridgeError(f"{where}: not a frame of innerwalk ({error})") from None
    if not isinstance(values, dict):
        raise BridgeError(f"{where}: not a frame of innerwalk (its values are no object)")
    return values, arrays


def fill(stream: Stream, buffer: memoryview) -> int:
    """Read until the buffer is full or the stream ends; how many bytes came."""
    done = 0
    while done < len(buffer):
        got = stream.readinto(buffer[done:])
        if not got:
            break
        done += got
    return done
