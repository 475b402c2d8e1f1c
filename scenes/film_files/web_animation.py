"""Writes films for pages, by Pillow: animated WebP, and GIF where nothing else is taken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from ...blender_addon.output.output_files import replaced
from ...torch_bridge.recording.errors import SceneError

ENDINGS = (".webp", ".gif")
MAX_PIXELS = {".gif": 1 << 28, ".webp": 1 << 30}
"""Pixels of all frames, which Pillow holds in memory: four bytes each."""
GIF_TICK, GIF_RATE = 10, 50.0
"""Milliseconds: GIF counts time in hundredths of a second. Frames a second above which browsers show a GIF slowly."""
QUALITY = 90
"""Of a WebP's frames, 0 to 100."""


def check_web_animation(out: Path, size: tuple[int, int], count: int, rate: float) -> None:
    """Raises SceneError for a film that is too long, large or quick for its kind of file; rate: frames a second."""
    if out.suffix == ".gif" and rate > GIF_RATE:
        raise SceneError(f"{out.name}: browsers slow a GIF of {rate:g} frames a second down; take rate = 50, or .webp")
    if size[0] * size[1] * count > MAX_PIXELS[out.suffix]:
        kind = out.suffix[1:].upper()
        raise SceneError(f"{out.name}: {count} frames of {size[0]} × {size[1]} are too much for {kind}; take .mp4")
    if out.suffix == ".webp" and max(size) > 16383:
        raise SceneError(f"{out.name}: WebP holds up to 16383 pixels a side; take .mp4")


def frame_times(count: int, rate: float, tick: int) -> list[int]:
    """Returns how long each frame is shown, in whole ticks of milliseconds, at least one.

    Up to a frame a tick, their sum is never off by a tick.
    """
    ends = [round(number * 1000 / rate / tick) * tick for number in range(count + 1)]
    return [max(tick, after - before) for before, after in zip(ends[:-1], ends[1:], strict=True)]


def write_web_animation(
    frames: Iterable[np.ndarray], out: Path, size: tuple[int, int], count: int, rate: float
) -> Path:
    """Writes an animation that repeats for ever, .webp or .gif by the file's ending, completely or not at all.

    frames: `count` of them, each (H, W, 4) uint8 sRGB, straight alpha. rate: frames a second. Raises SceneError.
    """
    check_web_animation(out, size, count, rate)
    images: Iterator[Image.Image] = (Image.fromarray(np.ascontiguousarray(pixels)) for pixels in frames)
    first = next(images, None)
    if first is None:
        raise SceneError(f"{out.name}: a film without frames can't be written")
    with replaced(out, out.suffix) as part:
        if out.suffix == ".webp":
            times = frame_times(count, rate, 1)
            first.save(
                part, "WEBP", save_all=True, append_images=images, duration=times, loop=0, quality=QUALITY, method=3
            )
        else:
            times = frame_times(count, rate, GIF_TICK)
            rest = (_with_palette(image) for image in images)
            first = _with_palette(first)
            first.save(part, "GIF", save_all=True, append_images=rest, duration=times, loop=0, disposal=2)
    return out


def _with_palette(image: Image.Image) -> Image.Image:
    """Returns a frame in its own 256 colours, diffused; where it is transparent it becomes black."""
    before = Image.alpha_composite(Image.new("RGBA", image.size, "black"), image).convert("RGB")
    return before.quantize(256, dither=Image.Dither.FLOYDSTEINBERG)
