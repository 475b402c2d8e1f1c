"""Picture files of any kind -> a Pillow image in one of three modes: L, RGB, RGBA."""

from __future__ import annotations

import struct
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from .errors import InputError

PIXELS = 178_956_970
"""Most pixels that are decoded: Pillow's own limit, 512 MB of RGB."""


def open_picture(path: str | Path) -> Image.Image:
    """Read a picture file upright: mode L, RGB or RGBA, 8 bits, sRGB assumed. First frame of an animation.

    16-bit values keep their upper half, floats are stretched unless they are 0..1. Raises InputError.
    """
    path = Path(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # large is fine, PIXELS is the limit
            with Image.open(path) as image:
                _check_pixels(path, image)
                return _plain(ImageOps.exif_transpose(image))
    except FileNotFoundError:
        raise InputError(f"picture {path}: no such file") from None
    except UnidentifiedImageError:
        raise InputError(
            f"{path}: not a picture that Pillow can read; give a PNG, JPEG, TIFF, WebP … or a .npy"
        ) from None
    except Image.DecompressionBombError:
        raise InputError(f"picture {path}: more than {PIXELS:,} pixels; make it smaller first") from None
    except (OSError, ValueError, SyntaxError, EOFError, struct.error, MemoryError) as error:
        raise InputError(f"picture {path}: damaged or cut off ({error})") from error


def _check_pixels(path: Path, image: Image.Image) -> None:
    if image.width * image.height > PIXELS:
        raise InputError(
            f"picture {path}: {image.width}×{image.height} pixels, at most {PIXELS:,} are read; make it smaller"
        )


def _plain(image: Image.Image) -> Image.Image:
    """One of the modes L, RGB, RGBA, without losing transparency or the range of deep pictures."""
    if image.mode in ("L", "RGB", "RGBA"):
        return image.convert("RGBA") if "transparency" in image.info else image.copy()
    if image.mode in ("P", "PA", "LA", "La", "RGBa"):
        return image.convert("RGBA" if image.has_transparency_data else "RGB")
    if image.mode.startswith(("I", "F")):
        return Image.fromarray(_eight_bits(np.asarray(image)))
    return image.convert("L" if image.mode == "1" else "RGB")


def _eight_bits(values: np.ndarray) -> np.ndarray:
    """(H, W) integers or floats -> uint8: 0..65535 by its upper half, 0..1 as shares, anything else stretched."""
    deep = values.astype(np.float64)
    deep = np.where(np.isfinite(deep), deep, 0.0)
    low, high = float(deep.min()), float(deep.max())
    if values.dtype.kind in "iu" and low >= 0 and high <= 65535:
        return (deep / 257 + 0.5).astype(np.uint8)
    if low < 0 or high > 1:
        deep = (deep - low) / max(high - low, 1e-30)
    return (deep * 255 + 0.5).astype(np.uint8)


def on_white(image: Image.Image) -> Image.Image:
    """Lay a transparent picture on white: what lies under full transparency is arbitrary."""
    if image.mode != "RGBA":
        return image
    ground = Image.new("RGBA", image.size, (255, 255, 255, 255))
    return Image.alpha_composite(ground, image).convert("RGB")
