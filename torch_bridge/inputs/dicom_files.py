"""Reads DICOM files with pydicom: greys scaled to the units that they stand for, colours, and frames as a volume."""

from __future__ import annotations

import io
import math
import warnings
from typing import Any

import numpy as np

from ..recording.errors import InputError, as_line
from .scans import Scan, check_sizes, grey_levels

MAX_READS = 200_000
"""Reads of a file while it is parsed: each element takes some, and half a gigabyte may hold 64 million of them."""
MAX_RATIO = 64
"""Bytes that a compressed byte may stand for: as many as in run-length encoding."""
DEPTHS = (8, 16, 32)
COLOURS = ("RGB", "YBR_FULL", "YBR_FULL_422")
GREYS = ("MONOCHROME1", "MONOCHROME2")


class LimitedFile(io.BytesIO):
    """A file in memory that refuses too many reads, and one of all the rest, by which pydicom inflates a file."""

    reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """Reads up to so many bytes. Raises InputError."""
        self.reads += 1
        if size is None or size < 0:
            raise InputError("it is deflated; save it in Explicit VR Little Endian")
        if self.reads > MAX_READS:
            raise InputError(f"it has more than {MAX_READS:,} parts")
        return super().read(size)


def parse_dicom(file: io.BytesIO) -> Scan:
    """Parses a DICOM file. Large values are dark where it says so. Raises InputError, or anything for a damaged one."""
    try:
        import pydicom
    except ImportError:
        raise InputError("pydicom reads such files: pip install pydicom") from None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # remarks on values that don't matter here
        found = pydicom.dcmread(LimitedFile(file.getvalue()))
        photometric, sizes = _check_pixels(found)
        pixels = _decode(found).reshape(sizes)
        if photometric not in GREYS:
            return Scan(pixels, (0, 255), "DICOM colours")
        slope, intercept = (
            _number(found, name, value) for name, value in (("RescaleSlope", 1), ("RescaleIntercept", 0))
        )
        values = pixels.astype(np.float32) * np.float32(slope) + np.float32(intercept)
        low, high = _window(found) or grey_levels(values)
    scaled = "" if (slope, intercept) == (1, 0) else f" times {slope:g} plus {intercept:g}"
    kind = f"{int(found.BitsStored)}-bit DICOM grey{scaled}"
    return Scan(values, (high, low) if photometric == GREYS[0] else (low, high), kind)


def _check_pixels(found: Any) -> tuple[str, tuple[int, ...]]:
    """The kind of colours, and the sizes (frames, rows, columns[, 3]). Raises InputError for what can't be read."""
    if "PixelData" not in found:
        raise InputError("a DICOM file without pixels; one of a picture or volume is needed")
    photometric, colours = str(found.PhotometricInterpretation), int(found.get("SamplesPerPixel", 1))
    frames = int(found.get("NumberOfFrames", 1) or 1)
    sizes = (frames, int(found.Rows), int(found.Columns), colours)
    check_sizes(sizes)
    depth = int(found.BitsAllocated)
    is_grey = photometric in GREYS and colours == 1 and depth in DEPTHS
    if not is_grey and not (photometric in COLOURS and colours == 3 and depth == 8):
        what = f"{as_line(photometric, 40)} with {colours} samples of {depth} bits a pixel"
        raise InputError(f"{what}; grey of 8, 16 or 32 bits or colours of 8 are read")
    syntax = found.file_meta.TransferSyntaxUID
    needed = math.prod(sizes) * depth // 8
    if syntax.is_compressed:
        if needed > MAX_RATIO * len(found.PixelData):
            raise InputError("cut off, or compressed beyond belief; save it uncompressed")
    elif len(found.PixelData) < needed and photometric != COLOURS[2]:
        raise InputError(f"cut off, {len(found.PixelData):,} of {needed:,} bytes of pixels")
    return photometric, sizes if colours == 3 else sizes[:3]


def _decode(found: Any) -> np.ndarray:
    """The pixels, of any shape. Raises InputError where a compressed file needs a decoder that isn't there."""
    syntax = found.file_meta.TransferSyntaxUID
    try:
        return np.asarray(found.pixel_array)
    except (RuntimeError, NotImplementedError):
        if not syntax.is_compressed:
            raise
        name = as_line(str(syntax.name), 60)
        raise InputError(
            f"can't decode its pixels, {name}: pip install pylibjpeg[all], or save it uncompressed"
        ) from None


def _number(found: Any, name: str, default: float) -> float:
    """A finite number of the file, of its first frame where it has them by frame."""
    value = found.get(name)
    if value is None:
        groups = found.get("SharedFunctionalGroupsSequence") or [{}]
        value = (groups[0].get("PixelValueTransformationSequence") or [{}])[0].get(name)
    number = default if value is None else float(value)
    if not math.isfinite(number) or abs(number) > 1e30:
        raise InputError(f"{name} is {number}; a finite number is needed")
    return number


def _window(found: Any) -> tuple[float, float] | None:
    """The values that are black and white in the file's own first window, by the linear function of PS3.3 C.11.2.1.2.

    None if it has none.
    """
    centre, width = (np.atleast_1d(found.get(name) or []) for name in ("WindowCenter", "WindowWidth"))
    if not (centre.size and width.size):
        return None
    middle, span = float(centre[0]) - 0.5, float(width[0]) - 1
    is_usable = abs(middle) < 1e30 and 0 < span < 1e30
    return (middle - span / 2, middle + span / 2) if is_usable else None
