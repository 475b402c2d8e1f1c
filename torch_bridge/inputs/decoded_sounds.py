"""Decodes sounds of other files than `.wav` with PyAV, whose FFmpeg reads nothing but the bytes that it is given."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ..recording.errors import InputError
from ..video.frame import error_text, import_pyav

FORMATS = {
    ".mp3": "mp3", ".flac": "flac", ".ogg": "ogg", ".oga": "ogg", ".opus": "ogg", ".m4a": "mov", ".aac": "aac",
    ".aiff": "aiff", ".aif": "aiff", ".au": "au", ".wma": "asf",
}  # fmt: skip
"""FFmpeg's name of a file's format by its ending: one that it guesses may be a playlist, which names other files."""
NO_PROTOCOL = "none"
"""Whitelist with which FFmpeg opens nothing else."""


def decode_sound(path: Path, file: BinaryIO, most: int) -> tuple[np.ndarray, int, str]:
    """Decodes a sound: (channels, samples) float32, as the file has them; samples a second; the name of its codec.

    most: largest number of samples of all channels together. Raises InputError.
    """
    try:
        av = import_pyav()
    except InputError:
        raise InputError(f"sound {path}: PyAV reads such files: pip install av, or save it as .wav") from None
    parts: list[np.ndarray] = []
    try:
        kind, options = FORMATS[path.suffix.lower()], {"protocol_whitelist": NO_PROTOCOL}
        with av.open(file, format=kind, options=options) as container:
            if not container.streams.audio:
                raise InputError(f"sound {path}: it has no sound in it")
            stream, count = container.streams.audio[0], 0
            for part in _planes(av, container.decode(stream)):
                count += part.size
                if count > most:
                    raise InputError(f"sound {path}: more than {most:,} samples; cut it first")
                parts.append(part)
            rate, codec = int(stream.rate or 0), str(stream.codec_context.name)
            stated = round((stream.duration or 0) * (stream.time_base or 0) * rate) if codec.startswith("pcm_") else 0
    except InputError:
        raise
    except Exception as error:  # FFmpeg's many decoders raise anything for a damaged file
        raise InputError(f"sound {path}: not a {path.suffix} file, or damaged ({error_text(error)})") from error
    if not parts or not rate or len({len(part) for part in parts}) != 1:
        raise InputError(f"sound {path}: it has no samples, or its channels change; save it as .wav")
    values = np.concatenate(parts, 1)
    if values.shape[1] < stated:
        raise InputError(f"sound {path}: cut off, {values.shape[1]:,} of {stated:,} samples")
    return values, rate, codec


def _planes(av: Any, frames: Iterator[Any]) -> Iterator[np.ndarray]:
    """The samples of frames as (channels, samples) float32, a channel a row."""
    resampler = av.AudioResampler(format="fltp")  # keeps rate and channels
    for frame in frames:
        yield from (part.to_ndarray() for part in resampler.resample(frame))
    yield from (part.to_ndarray() for part in resampler.resample(None))
