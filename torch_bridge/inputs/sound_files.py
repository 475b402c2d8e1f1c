"""Reads sounds: `.wav` files of PCM, others by PyAV; and lays them out as a network takes them."""

from __future__ import annotations

import io
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ..recording.errors import InputError
from ..recording.files import failure_text, open_file
from .decoded_sounds import FORMATS, decode_sound
from .image_files import short_reason

MAX_BYTES = 1 << 29
MAX_SAMPLES = 1 << 27
"""Samples of all channels together: 46 minutes at 48,000 Hz, half a gigabyte of float32."""
MAX_CHUNKS = 1000
"""Parts of a file before its samples; each takes some time to pass."""


@dataclass(frozen=True)
class Sound:
    """A sound, and how its file holds it."""

    values: np.ndarray
    """(channels, samples) float32, -1..1."""
    rate: int
    """Samples a second."""
    coding: str
    """How the file holds the samples, such as "16-bit" or "mp3"."""

    def describe(self) -> str:
        """Returns one line for people."""
        channels, samples = self.values.shape
        kind = {1: "mono", 2: "stereo"}.get(channels, f"{channels} channels")
        return f"{self.coding} {kind} sound scaled to -1..1, {samples:,} samples at {self.rate:,} Hz"


def read_sound(path: Path, content: bytes | None = None) -> Sound:
    """Reads a sound file, or its `content`: `.wav` of PCM of 8, 16, 24 or 32 bits, or what PyAV decodes.

    Raises InputError.
    """
    try:
        with open_file(path, MAX_BYTES) if content is None else io.BytesIO(content) as file:
            if path.suffix.lower() in FORMATS:
                return Sound(*decode_sound(path, file, MAX_SAMPLES))
            _check_chunks(file)
            with wave.open(file) as sound:
                header = sound.getparams()
                if header.nframes * header.nchannels > MAX_SAMPLES:
                    raise InputError(f"sound {path}: more than {MAX_SAMPLES:,} samples; cut it first")
                packed = sound.readframes(header.nframes)
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"sound {path}: {failure_text(error)}") from None
    except Exception as error:  # a damaged header may raise anything
        raise InputError(f"sound {path}: not a .wav file of PCM, or cut off ({short_reason(error)})") from error
    if not header.nframes or not header.nchannels:
        raise InputError(f"sound {path}: it has no samples; record some")
    if header.sampwidth not in (1, 2, 3, 4):
        raise InputError(f"sound {path}: {8 * header.sampwidth} bits a sample; 8, 16, 24 or 32 are needed")
    if len(packed) != header.nframes * header.nchannels * header.sampwidth:
        raise InputError(f"sound {path}: cut off, {len(packed):,} bytes of {header.nframes:,} samples")
    values = _unpack(packed, header.sampwidth).reshape(-1, header.nchannels).T
    return Sound(np.ascontiguousarray(values), header.framerate, f"{8 * header.sampwidth}-bit")


def _check_chunks(file: BinaryIO) -> None:
    """Raises ValueError for a file with more than MAX_CHUNKS before its samples."""
    file.seek(12)
    for _ in range(MAX_CHUNKS):
        kind, size = file.read(4), int.from_bytes(file.read(4), "little")
        if kind in (b"data", b""):
            file.seek(0)
            return
        file.seek(size + size % 2, io.SEEK_CUR)
    raise ValueError(f"more than {MAX_CHUNKS:,} parts before its samples")


def _unpack(packed: bytes, width: int) -> np.ndarray:
    """Samples of `width` bytes, little-endian, as (n,) float32: those of 1 byte have no sign, others have."""
    if width == 1:
        return (np.frombuffer(packed, np.uint8).astype(np.float32) - 128) / 128
    if width == 3:  # as the upper bytes of 4
        padded = np.zeros((len(packed) // 3, 4), np.uint8)
        padded[:, 1:] = np.frombuffer(packed, np.uint8).reshape(-1, 3)
        numbers, width = padded.reshape(-1).view("<i4"), 4
    else:
        numbers = np.frombuffer(packed, f"<i{width}")
    return (numbers / 2 ** (8 * width - 1)).astype(np.float32)


def arrange_sound(sound: Sound, shape: Sequence[int]) -> tuple[np.ndarray, str]:
    """Returns a sound's values in the rank that a network takes, without the batch, and a line on what was done.

    shape: of one sample of the network, () if it isn't known: (n,) and () get the mean of the channels, (samples,);
    (C, L) with as many channels gets (C, samples), with C = 1 the mean (1, samples); (L, 1) gets (samples, 1).
    Raises InputError for other shapes.
    """
    mono, channels = sound.values.mean(0, dtype=np.float32), len(sound.values)
    mixed = "" if channels == 1 else ", mean of the channels"
    if len(shape) < 2:
        return mono, mixed
    if len(shape) == 2 and shape[0] == channels:
        return sound.values, ""
    if len(shape) == 2 and shape[0] == 1:
        return mono[None], mixed
    if len(shape) == 2 and shape[1] == 1:
        return mono[:, None], mixed
    wanted = "×".join(map(str, shape))
    raise InputError(f"a sound of {channels} channels doesn't fit inputs such as {wanted}; give an array as .npy")
