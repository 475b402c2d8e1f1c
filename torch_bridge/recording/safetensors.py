"""Reads and writes the safetensors layout: 8-byte little-endian header length, JSON header, raw values.

The layout is that of https://github.com/huggingface/safetensors (format section), whose library reads what this writes.
Readers check everything, because files are untrusted: header size, dtype, shape against offsets, no gap, no
overlap, no surplus.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .errors import RecordingError
from .files import failure_text, open_file, parse_json

DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BF16": "<u2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "|i1",
    "U8": "|u1",
    "BOOL": "|b1",
}
"""Type code -> numpy dtype; bfloat16, which numpy lacks, is read as uint16."""
CODES = {np.dtype(value): code for code, value in DTYPES.items() if code != "BF16"}
MAX_HEADER = 16 << 20
MAX_TENSORS = 200_000
MAX_RANK = 8
MAX_VALUES = 1 << 48
"""Largest product of a tensor's sizes, with empty axes counted as 1: the limit of numpy, also for empty arrays."""


def encode(arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str] | None = None) -> Iterator[memoryview]:
    """Yield the pieces of a body: the header, then the arrays' memory, widest dtype first so that all stay aligned.

    Arrays can have any shape; C-contiguous ones are not copied. Raises KeyError for a dtype that the layout lacks.
    """
    order = sorted(arrays, key=lambda name: (-arrays[name].dtype.itemsize, name))
    header: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    offset = 0
    for name in order:
        array = arrays[name]
        code = CODES[array.dtype.newbyteorder("<")]
        header[name] = {"dtype": code, "shape": list(array.shape), "data_offsets": [offset, offset + array.nbytes]}
        offset += array.nbytes
    head = json.dumps(header, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 8)
    yield memoryview(len(head).to_bytes(8, "little") + head)
    for name in order:
        flat = np.ascontiguousarray(arrays[name], arrays[name].dtype.newbyteorder("<")).reshape(-1)
        yield flat.view(np.uint8).data


def decode(body: np.ndarray, where: str) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Arrays by name, as views into `body`, (n,) uint8, and the metadata. Raises RecordingError that names `where`."""
    if body.size < 8 or (size := int.from_bytes(body[:8].tobytes(), "little")) > min(MAX_HEADER, body.size - 8):
        raise RecordingError(f"{where}: not a safetensors file, or cut off in its header")
    try:
        header = parse_json(body[8 : 8 + size].tobytes())
        metadata = header.pop("__metadata__", {})
        if len(header) > MAX_TENSORS:
            raise RecordingError(f"{where}: {len(header):,} tensors, at most {MAX_TENSORS:,} are read")
        entries = [_entry(name, entry) for name, entry in header.items()]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RecordingError(f"{where}: damaged safetensors header ({type(error).__name__}: {error})") from None
    data, end = body[8 + size :], 0
    arrays: dict[str, np.ndarray] = {}
    for name, dtype, shape, start, stop in sorted(entries, key=lambda entry: entry[3:]):
        if start != end or stop - start != math.prod(shape) * dtype.itemsize:
            raise RecordingError(f"{where}: tensor {name!r} has a size or offset that doesn't fit")
        if stop > data.size:
            raise RecordingError(f"{where}: cut off, tensor {name!r} ends at byte {stop:,} of {data.size:,}")
        arrays[name] = data[start:stop].view(dtype).reshape(shape)
        end = stop
    if end != data.size:
        raise RecordingError(f"{where}: {data.size - end:,} surplus bytes at the end")
    return arrays, _checked_metadata(metadata, where)


def _entry(name: str, entry: dict[str, Any]) -> tuple[str, np.dtype, tuple[int, ...], int, int]:
    shape, (start, stop) = entry["shape"], entry["data_offsets"]
    numbers = [*shape, start, stop]
    if len(shape) > MAX_RANK or any(type(number) is not int or number < 0 for number in numbers):
        raise ValueError(f"bad shape or offsets of {name!r}")
    if math.prod(max(size, 1) for size in shape) > MAX_VALUES:
        raise ValueError(f"shape of {name!r} out of bounds")
    return name, np.dtype(DTYPES[entry["dtype"]]), tuple(shape), start, stop


def _checked_metadata(metadata: Any, where: str) -> dict[str, str]:
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise RecordingError(f"{where}: safetensors metadata must map strings to strings")
    return metadata


def open_arrays(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Read-only, memory-mapped arrays of a file by name, of any shape, and its metadata; reads only the header."""
    try:
        with open_file(path) as file:
            body = np.memmap(file, np.uint8, "r")
    except OSError as error:
        raise RecordingError(f"{path}: {failure_text(error)}") from None
    except ValueError as error:  # an empty file can't be mapped
        raise RecordingError(f"{path}: can't be read ({error})") from None
    return decode(body, path.name)
