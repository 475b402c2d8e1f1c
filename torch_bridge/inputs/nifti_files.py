"""Reads NIfTI files with nibabel's header: a volume, turned so that its axes point right, forward and up."""

from __future__ import annotations

import gzip
import io
import math
import warnings
from typing import Any

import numpy as np

from ..recording.errors import InputError
from .scans import Scan, check_sizes, grey_levels

HEADERS = {348: "Nifti1Header", 540: "Nifti2Header"}
"""nibabel's class by the size of a header in bytes, which a file begins with."""
GZIP = b"\x1f\x8b"
MAX_OFFSET = 1 << 24
"""Bytes before the values: a header and what programs have added to it, which is not read."""
MAX_ITEM = 8
FREE_VALUES, MAX_RATIO = 1 << 24, 16
"""Numbers that a compressed file of any size may have, and a compressed byte of a larger one."""


def parse_nifti(file: io.BytesIO) -> Scan:
    """Parses a NIfTI file of one volume, or the first of several. Raises InputError, or anything for a damaged one."""
    try:
        import nibabel
    except ImportError:
        raise InputError("nibabel reads such files: pip install nibabel") from None
    content = file.getbuffer()
    is_packed = content[:2] == GZIP
    stream: Any = gzip.GzipFile(fileobj=file) if is_packed else file
    header = _read_header(nibabel, stream)
    shape, dtype = tuple(int(size) for size in header.get_data_shape()), header.get_data_dtype()
    if not 2 <= len(shape) <= 4:
        raise InputError(f"it has {len(shape)} axes; a plane, a volume or several volumes are read")
    sizes = (*shape, 1)[:3]
    check_sizes(sizes)
    if dtype.kind not in "fiu" or dtype.itemsize > MAX_ITEM:
        raise InputError(f"its values are {dtype}; real numbers of at most 64 bits are read")
    count, offset = math.prod(sizes), int(header.get_data_offset())
    if is_packed and count > max(FREE_VALUES, MAX_RATIO * len(content)):
        raise InputError(f"compressed beyond belief, {count:,} values in {len(content):,} bytes; save it as .nii")
    if not 0 <= offset <= MAX_OFFSET:
        raise InputError(f"its values start at byte {offset:,}; at most {MAX_OFFSET:,} are passed over")
    stream.seek(offset)
    packed = stream.read(count * dtype.itemsize)
    if len(packed) < count * dtype.itemsize:
        raise InputError(f"cut off, {len(packed):,} of {count * dtype.itemsize:,} bytes of values")
    values = np.frombuffer(packed, dtype).reshape(sizes, order="F").astype(np.float32)
    return _turned(
        nibabel, header, values, f"NIfTI {dtype.name}{f', the first of {shape[3]}' if shape[3:] > (1,) else ''}"
    )


def _read_header(nibabel: Any, stream: Any) -> Any:
    """The header at the start of a file's bytes, in either byte order."""
    start = stream.read(4)
    size = next((size for order in ("little", "big") if (size := int.from_bytes(start, order)) in HEADERS), 0)
    if not size:
        raise ValueError("it doesn't begin with the size of a header")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return getattr(nibabel, HEADERS[size])(start + stream.read(size - 4), check=False)


def _turned(nibabel: Any, header: Any, values: np.ndarray, kind: str) -> Scan:
    """A volume (X, Y, Z) of a file in its header's units and orientation, as a scan."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        slope, intercept = header.get_slope_inter()
        if slope is not None:
            values = values * np.float32(slope) + np.float32(intercept)
        orientation = nibabel.io_orientation(header.get_best_affine())
        values = np.ascontiguousarray(nibabel.apply_orientation(values, orientation))
        low, high = float(header["cal_min"]), float(header["cal_max"])
    scaled = "" if slope is None or (slope, intercept) == (1, 0) else f" times {slope:g} plus {intercept:g}"
    levels = (low, high) if math.isfinite(high - low) and low < high else grey_levels(values)
    return Scan(values, levels, kind + scaled, "axes turned to right, anterior, superior", 2)
