"""Reads picture files of any kind as a Pillow image in one of four modes: L, RGB, RGBA, or F for deep greys."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from ..recording.errors import InputError, as_line, message_of
from ..recording.files import failure_text, open_file

FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
"""Pillow's formats that are read, whatever a file's name: for others it would start programs such as Ghostscript."""
MAX_PIXELS = 64_000_000
"""Pixels of the largest picture that is read, such as 8,000 × 8,000; half a megabyte of PNG can stand for gigabytes."""
TOO_LARGE = f"too many pixels (the limit is {MAX_PIXELS // 1_000_000} million); make it smaller first"
BITS_PER_SAMPLE = 258
"""Number of this tag of TIFF."""
STRIP = 1 << 20
"""Pixels that are converted at once."""
MAX_REASON_LENGTH = 200
"""Characters of an exception's message that are quoted."""


def open_picture(path: str | Path, content: BinaryIO | None = None, near: int = 0) -> Image.Image:
    """Reads a picture file, or its `content`, upright, assumed sRGB: mode L, RGB or RGBA, 8 bits; the first frame.

    Greys of more bits are of mode F, as `deep_grey` returns them: 12 and 16 bits by their full range, floats 0..1 as
    they are, others stretched from their least to their largest value. Colours of 16 bits keep their upper half.
    near: if above 0, a JPEG may be decoded at a half, quarter or eighth of its size, which is much faster, as long as
    both sides keep that many pixels. Raises InputError.
    """
    path = Path(path)
    try:
        file = content or open_file(path)
    except OSError as error:
        raise InputError(f"picture {path}: {failure_text(error)}") from None
    try:
        with warnings.catch_warnings(), file:
            warnings.simplefilter("ignore")  # remarks on size and odd tags: real problems are errors below
            with Image.open(file, formats=FORMATS) as image:
                check_size(str(path), *image.size)
                if near:
                    image.draft(None, (near, near))
                bits = getattr(image, "tag_v2", {}).get(BITS_PER_SAMPLE, (16,))[0]
                return _to_plain_mode(ImageOps.exif_transpose(image), bits, image.format == "PNG")
    except InputError:
        raise
    except UnidentifiedImageError:
        raise InputError(f"{path}: not a picture; one of {', '.join(FORMATS)} or a .npy file is needed") from None
    except Image.DecompressionBombError:
        raise InputError(f"picture {path}: {TOO_LARGE}") from None
    except Exception as error:  # Pillow's many readers raise anything for a damaged file
        raise InputError(f"picture {path}: damaged or cut off ({short_reason(error)})") from error


def check_size(name: str, width: int, height: int) -> None:
    """Raises InputError for a picture of more than MAX_PIXELS."""
    if width * height > MAX_PIXELS:
        raise InputError(f"picture {name}, {width:,} × {height:,}: {TOO_LARGE}")


def short_reason(error: Exception) -> str:
    """Returns an exception's message on one line, or the name of its class."""
    return as_line(" ".join(message_of(error).split()), MAX_REASON_LENGTH) or type(error).__name__


def _to_plain_mode(image: Image.Image, bits: int, is_png: bool) -> Image.Image:
    """Converts to mode L, RGB, RGBA or F, without losing transparency or the levels of deep pictures.

    bits: of a grey that has more than 8, as the file states them.
    """
    if image.mode in ("L", "RGB", "RGBA"):
        return image.convert("RGBA") if "transparency" in image.info else image
    if image.mode in ("P", "PA", "LA"):
        return image.convert("RGBA" if image.has_transparency_data else "RGB")
    if image.mode.startswith("I;16") or (image.mode == "I" and is_png):  # Pillow's mode I;16 for PNG came in its 11.0
        return deep_grey(np.asarray(image), (0, 2 ** min(bits, 16) - 1), f"{min(bits, 16)}-bit grey")
    if image.mode == "I" and bits == 16:
        return deep_grey(np.asarray(image), (-(2**15), 2**15 - 1), "signed 16-bit grey")
    if image.mode in ("I", "F"):
        return _of_unknown_range(np.asarray(image))
    return image.convert("L" if image.mode == "1" else "RGB")


def _of_unknown_range(values: np.ndarray) -> Image.Image:
    """Converts (H, W) numbers of 32 bits: 0..1 as fractions, others stretched."""
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    if low >= 0 and high <= 1:
        return deep_grey(values, (0, 1), "grey of floats")
    return deep_grey(values, (low, high), "32-bit grey, stretched from its least to its largest value")


def deep_grey(values: np.ndarray, levels: tuple[float, float], kind: str) -> Image.Image:
    """Returns (H, W) numbers as an image of mode F, float32, with 0 for the first of two levels and 255 for the second.

    The first may be the larger. `levels` and `kind`, words for people, are in its `info`. NaN and infinity become 0.
    """
    low, high = levels
    scale = 255 / ((high - low) or 1e-30)
    grey = np.empty(values.shape, np.float32)
    rows = max(1, STRIP // max(values.shape[1], 1))  # so that little is float64 at once
    for top in range(0, values.shape[0], rows):
        part = values[top : top + rows].astype(np.float64)
        grey[top : top + rows] = (np.where(np.isfinite(part), part, 0) - low) * scale
    image = Image.fromarray(grey)
    image.info = {"levels": levels, "kind": kind}
    return image


def describe_levels(image: Image.Image) -> str:
    """Returns the levels of a deep grey as a line for people; "" for other pictures."""
    if image.mode != "F":
        return ""
    low, high = image.info["levels"]
    return f"{image.info['kind']}, {low:g}..{high:g} as 0..1"


def window_grey(image: Image.Image, window: tuple[float, float]) -> Image.Image:
    """Returns a grey picture, of mode L or F, with other levels for black and white; what lies beyond is cut.

    window: (low, high) in the file's own levels. Raises InputError for pictures of other modes.
    """
    if image.mode not in ("L", "F"):
        raise InputError(f"window {window[0]:g}:{window[1]:g}: this picture has colours; a window is for grey ones")
    low, high = image.info["levels"] if image.mode == "F" else (0, 255)
    values = np.asarray(image, np.float64) * ((high - low) / 255) + low
    turned = window if low <= high else window[::-1]
    return deep_grey(np.clip(values, *window), turned, image.info["kind"] if image.mode == "F" else "8-bit grey")


def on_white(image: Image.Image) -> Image.Image:
    """Returns a picture of 8 bits, a transparent one on white: colours under full transparency are arbitrary."""
    if image.mode == "F":
        return Image.fromarray((np.clip(np.asarray(image), 0, 255) + 0.5).astype(np.uint8))
    if image.mode != "RGBA":
        return image
    ground = Image.new("RGBA", image.size, (255, 255, 255, 255))
    return Image.alpha_composite(ground, image).convert("RGB")
