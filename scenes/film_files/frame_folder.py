"""A folder of a film's frames: PNG files that are whole or not there, and that say which film they are of."""

from __future__ import annotations

import io
import json
import struct
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, PngImagePlugin

from ...blender_addon.imaging.png import SIGNATURE
from ...blender_addon.output.output_files import replaced
from ...blender_addon.output.png_text import read_texts
from ...torch_bridge.recording.errors import SceneError
from ...torch_bridge.recording.files import parse_json, read_file

KEYWORD = "innerwalk"
"""PNG keyword of what a frame says of itself."""
MAX_BYTES = 1 << 30
"""Size of a frame's file."""


class FrameFacts(NamedTuple):
    """What a frame's file says of itself."""

    film: str
    """Hash of all that the film shows."""
    renderer: str
    """Versions and graphics driver that rendered it; frames are promised to be equal by the same renderer only."""


def encode_frame(pixels: np.ndarray, facts: FrameFacts) -> bytes:
    """Returns a frame as a PNG file that carries its facts. pixels: (H, W, 4) uint8 sRGB, straight alpha."""
    texts, file = PngImagePlugin.PngInfo(), io.BytesIO()
    texts.add_itxt(KEYWORD, json.dumps(facts._asdict()))
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, "PNG", pnginfo=texts)
    return file.getvalue()


def as_plain_png(pixels: np.ndarray) -> bytes:
    """Returns a picture as a small PNG file without facts. pixels: (H, W, 4) uint8 sRGB, straight alpha."""
    image, file = Image.fromarray(np.ascontiguousarray(pixels)), io.BytesIO()
    (image.convert("RGB") if pixels[..., 3].min() == 255 else image).save(file, "PNG", optimize=True)
    return file.getvalue()


def read_facts(png: bytes, size: tuple[int, int]) -> FrameFacts | None:
    """Returns the facts of a whole frame; None for bytes that are damaged, no frame, or not of a (width, height)."""
    if not _is_whole(png) or png[16:24] != struct.pack(">2I", *size):
        return None
    try:
        facts = parse_json(read_texts(png)[KEYWORD])
        return FrameFacts(str(facts["film"]), str(facts["renderer"]))
    except (ValueError, KeyError, TypeError, IndexError):
        return None


def _is_whole(png: bytes) -> bool:
    """Whether bytes are chunks of a PNG file up to its end, each with the checksum that it states."""
    offset, kind = len(SIGNATURE) if png.startswith(SIGNATURE) else len(png), b""
    while offset + 12 <= len(png) and kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", png, offset)
        end = offset + 12 + length
        if end > len(png) or zlib.crc32(memoryview(png)[offset + 4 : end - 4]) != int.from_bytes(png[end - 4 : end]):
            return False
        offset = end
    return kind == b"IEND" and offset == len(png)


class FrameFolder:
    """The folder of one film's frames, 0001.png for the first."""

    def __init__(self, path: Path, size: tuple[int, int], film: str) -> None:
        """path: made when the first frame is written. size: (width, height). film: hash of all that the film shows."""
        self.path, self.size, self.film = path, size, film

    def file(self, frame: int) -> Path:
        """Returns the place of a frame, counted from 1."""
        return self.path / f"{frame:04d}.png"

    def renderer(self, frame: int) -> str | None:
        """Returns what has rendered a frame; None for one that is missing, damaged or of another film."""
        try:
            facts = read_facts(read_file(self.file(frame), MAX_BYTES), self.size)
        except OSError:
            return None
        return facts.renderer if facts and facts.film == self.film else None

    def renderers(self, frames: Iterable[int]) -> dict[int, str]:
        """Returns what has rendered each frame that is there, whole and of this film."""
        found = ((frame, self.renderer(frame)) for frame in frames)
        return {frame: renderer for frame, renderer in found if renderer is not None}

    def write(self, frame: int, png: bytes) -> None:
        """Writes a frame completely or not at all. Raises SceneError for bytes that are no frame, or a full disk."""
        facts = read_facts(png, self.size)
        if facts is None or facts.film != self.film:
            raise SceneError(f"frame {frame}: what was rendered is no whole frame of this film; render it again")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SceneError(f"{self.path}: the folder can't be made ({error.strerror}); choose another") from None
        with replaced(self.file(frame), ".png") as part:
            part.write_bytes(png)

    def pixels(self, frame: int) -> np.ndarray:
        """Returns a frame that is there, (H, W, 4) uint8 sRGB, straight alpha. Raises SceneError."""
        try:
            png = read_file(self.file(frame), MAX_BYTES)
        except OSError as error:
            raise SceneError(f"{self.file(frame)}: can't be read ({error.strerror}); render it again") from None
        facts = read_facts(png, self.size)
        if facts is None or facts.film != self.film:
            raise SceneError(f"{self.file(frame)}: no whole frame of this film any more; render it again")
        try:
            with Image.open(io.BytesIO(png), formats=["PNG"]) as image:
                return np.asarray(image.convert("RGBA"))
        except (OSError, SyntaxError, ValueError) as error:
            raise SceneError(f"{self.file(frame)}: no picture that can be read ({error}); remove it") from None
