"""Writes videos by PyAV: H.264 for everybody, VP9 for pages, ProRes 4444 with alpha for those who edit, FFV1 to keep.

Every file says how its colours are stored, on the stream and on each frame; without that, players take them for others.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from ...blender_addon.output.output_files import replaced
from ...torch_bridge.recording.errors import SceneError
from ...torch_bridge.video.frame import error_text, import_pyav
from .spherical_boxes import mark_spherical

RGB, BT709 = 0, 1
"""FFmpeg's numbers of no matrix, and of the matrix, primaries and transfer of HD video."""
LIMITED, FULL = 1, 2
"""Those of a range from 16 to 235, and of all values."""


@dataclass(frozen=True)
class VideoCodec:
    """How a kind of video is encoded."""

    name: str
    """FFmpeg's name of the encoder."""
    pixels: str
    """FFmpeg's pixel format."""
    options: dict[str, str] = field(default_factory=dict)
    alpha: bool = False
    """Whether the video keeps what is transparent."""
    multiple: int = 1
    """Pixels that width and height are a multiple of."""


H264 = VideoCodec("libx264", "yuv420p", {"crf": "18", "preset": "medium", "bf": "2", "profile": "high"}, False, 2)
VP9 = VideoCodec("libvpx-vp9", "yuv420p", {"crf": "18", "b": "0", "cpu-used": "5", "row-mt": "1"}, False, 2)
FFV1 = VideoCodec("ffv1", "bgra", {"level": "3"}, True)
PRORES_4444 = VideoCodec("prores_ks", "yuva444p10le", {"profile": "4", "vendor": "apl0"}, True)
CODECS = {".mp4": H264, ".mov": PRORES_4444, ".webm": VP9, ".mkv": FFV1}
"""By the ending of a file's name."""


def check_video_size(out: Path, size: tuple[int, int]) -> None:
    """Raises SceneError for a size (width, height) that the video's codec can't hold."""
    codec = CODECS[out.suffix]
    if any(side % codec.multiple for side in size):
        raise SceneError(f"{out.name}: a video of {size[0]} × {size[1]} pixels can't be made; both sides must be even")


def write_video(
    frames: Iterable[np.ndarray], out: Path, size: tuple[int, int], rate: float, *, spherical: bool = False
) -> Path:
    """Writes a video of the kind that the file's ending names, in CODECS, completely or not at all.

    frames: each (H, W, 4) uint8 sRGB, straight alpha. size: (width, height). rate: frames a second.
    spherical: whether an .mp4 tells players that its frames are spheres for two eyes. Raises SceneError, and InputError
    without PyAV.
    """
    check_video_size(out, size)
    av, codec = import_pyav(), CODECS[out.suffix]
    with replaced(out, out.suffix) as part:
        try:
            options = {"movflags": "+faststart+write_colr"} if out.suffix in (".mp4", ".mov") else {}
            with av.open(str(part), "w", options=options) as container:
                stream = _add_stream(container, codec, size, rate)
                for number, pixels in enumerate(frames):
                    container.mux(stream.encode(_video_frame(pixels, number, codec)))
                container.mux(stream.encode())
            if spherical:
                part.write_bytes(mark_spherical(part.read_bytes()))
        except av.FFmpegError as error:
            if isinstance(error, OSError):
                raise  # such as a full disk, which `replaced` tells
            raise SceneError(f"{out}: the video can't be encoded ({error_text(error)})") from None
    return out


def _add_stream(container: Any, codec: VideoCodec, size: tuple[int, int], rate: float) -> Any:
    exact = Fraction(rate).limit_denominator(1001)
    stream = container.add_stream(codec.name, rate=exact)
    stream.width, stream.height = size
    stream.pix_fmt = codec.pixels
    key_frames = {"g": str(max(1, round(exact / 2)))} if codec in (H264, VP9) else {}
    stream.options = codec.options | key_frames
    context = stream.codec_context
    context.time_base = 1 / exact
    _tag(context, codec)
    return stream


def _video_frame(pixels: np.ndarray, number: int, codec: VideoCodec) -> Any:
    shown = pixels if codec.alpha else opaque(pixels)
    frame = import_pyav().VideoFrame.from_ndarray(np.ascontiguousarray(shown), "rgba" if codec.alpha else "rgb24")
    if codec is FFV1:
        converted = frame.reformat(format=codec.pixels)
    else:
        ranges = {"src_color_range": "JPEG", "dst_color_range": "MPEG"}
        converted = frame.reformat(format=codec.pixels, src_colorspace="ITU709", dst_colorspace="ITU709", **ranges)
    _tag(converted, codec)
    converted.pts = number
    return converted


def _tag(target: Any, codec: VideoCodec) -> None:
    """Says how the colours of a stream or frame are stored."""
    target.color_primaries = target.color_trc = BT709
    target.colorspace, target.color_range = (RGB, FULL) if codec is FFV1 else (BT709, LIMITED)


def opaque(pixels: np.ndarray) -> np.ndarray:
    """Returns pixels before black, (H, W, 3) uint8. pixels: (H, W, 4) uint8, straight alpha."""
    colours, alpha = pixels[..., :3], pixels[..., 3:]
    if alpha.min() == 255:
        return colours
    return np.rint(colours * (alpha / 255.0)).astype(np.uint8)
