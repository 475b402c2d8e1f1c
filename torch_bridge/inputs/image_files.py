"""Reads picture files of any kind as a Pillow image in one of three modes: L, RGB, RGBA."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from ..recording.errors import InputError

MAX_REASON_LENGTH = 200
"""Characters of an exception's message that are quoted."""


def open_picture(path: str | Path, content: BinaryIO | None = None, near: int = 0) -> Image.Image:
    """Reads a picture file, or its `content`, upright: mode L, RGB or RGBA, 8 bits, assumed sRGB; the first frame.

    16-bit values keep their upper half; deeper ones are stretched to the full range, unless they are floats 0..1.
    near: if above 0, a JPEG may be decoded at a half, quarter or eighth of its size, which is much faster, as long as
    both sides keep that many pixels. Raises InputError.
    """
    path = Path(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # remarks on size and odd tags: real problems are errors below
            with Image.open(content or path) as image:
                if near:
                    image.draft(None, (near, near))
                return _to_plain_mode(ImageOps.exif_transpose(image))
    except (FileNotFoundError, IsADirectoryError):
        raise InputError(f"picture {path}: no such file") from None
    except UnidentifiedImageError:
        raise InputError(f"{path}: not a picture that Pillow can read; give a PNG, a JPEG … or a .npy file") from None
    except Image.DecompressionBombError:
        raise InputError(f"picture {path}: too many pixels (the limit is 179 million); make it smaller first") from None
    except Exception as error:  # Pillow's many readers raise anything for a damaged file
        raise InputError(f"picture {path}: damaged or cut off ({short_reason(error)})") from error


def short_reason(error: Exception) -> str:
    """Returns an exception's message on one line, or the name of its class."""
    return " ".join(str(error).split())[:MAX_REASON_LENGTH] or type(error).__name__


def _to_plain_mode(image: Image.Image) -> Image.Image:
    """Converts to mode L, RGB or RGBA, without losing transparency or the range of deep pictures."""
    if image.mode in ("L", "RGB", "RGBA"):
        return image.convert("RGBA") if "transparency" in image.info else image.copy()
    if image.mode in ("P", "PA", "LA"):
        return image.convert("RGBA" if image.has_transparency_data else "RGB")
    if image.mode.startswith(("I", "F")):
        return Image.fromarray(_to_eight_bits(np.asarray(image), sixteen=image.mode.startswith("I;16")))
    return image.convert("L" if image.mode == "1" else "RGB")


def _to_eight_bits(values: np.ndarray, sixteen: bool) -> np.ndarray:
    """Converts (H, W) numbers to uint8: 16-bit ones by their upper half, 0..1 as fractions, others stretched."""
    deep = np.nan_to_num(values.astype(np.float64), posinf=0.0, neginf=0.0)
    low, high = float(deep.min()), float(deep.max())
    if sixteen:
        deep = deep / 65535
    elif low < 0 or high > 1:
        deep = (deep - low) / max(high - low, 1e-30)
    return (deep * 255 + 0.5).astype(np.uint8)


def on_white(image: Image.Image) -> Image.Image:
    """Composes a transparent picture on white: colours under full transparency are arbitrary."""
    if image.mode != "RGBA":
        return image
    ground = Image.new("RGBA", image.size, (255, 255, 255, 255))
    return Image.alpha_composite(ground, image).convert("RGB")
