"""What a request names as an input, as something that a network can be given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..data import DataSet
from ..inputs.sources import NamedContent, Source, to_image
from ..recording import Maps, channel_picture
from ..recording.errors import InputError, UnknownName
from ..video import Video

Arrays = Mapping[str, np.ndarray]
MOST_PIXELS = 100_000_000


class RequestInputs:
    """Reads inputs of requests. `maps_of(layer, method)` finds maps that were made, for a channel's own picture."""

    def __init__(
        self, data: Mapping[str, DataSet], films: Mapping[str, Video], maps_of: Callable[[str, str], Maps]
    ) -> None:
        self.data, self.videos, self.maps_of = data, films, maps_of
        self._kinds = {
            "upload": self._upload, "pixels": self._pixels, "data": self._item, "noise": self._noise,
            "channel": self._channel, "film": self._film,
        }  # fmt: skip

    def source(self, asked: Mapping[str, Any], arrays: Arrays) -> Source:
        """One input: {"kind": …}. Raises InputError or UnknownName.

        upload: `name`, `array` (n,) uint8, a file's bytes · pixels: `name`, `array` (H, W[, 1|3|4]) uint8 sRGB ·
        data: `set`, `index` · noise: `seed` · channel: `layer`, `method`, `channel` · film: `film`, and `at` seconds,
        `step` frames on, or `frame` number.
        """
        kind = str(asked.get("kind"))
        if kind not in self._kinds:
            raise UnknownName("kind of input", kind, self._kinds)
        return self._kinds[kind](asked, arrays)

    def _upload(self, asked: Mapping[str, Any], arrays: Arrays) -> Source:
        found = _array(asked, arrays)
        if found.ndim != 1 or found.dtype != np.uint8:
            raise InputError(f"upload {_name(asked)!r}: the bytes of a file, (n,) uint8, are needed")
        return NamedContent(_name(asked), found.tobytes())

    def _pixels(self, asked: Mapping[str, Any], arrays: Arrays) -> Source:
        found = _array(asked, arrays)
        planes = found.ndim == 2 or (found.ndim == 3 and found.shape[2] in (1, 3, 4))
        if found.dtype != np.uint8 or not planes or not 0 < found.size <= 4 * MOST_PIXELS:
            raise InputError(f"pixels {_name(asked)!r}: (H, W), (H, W, 3) or (H, W, 4) uint8 is needed")
        return NamedContent(_name(asked), to_image(found))

    def _item(self, asked: Mapping[str, Any], arrays: Arrays) -> Source:
        data = self.data_set(str(asked.get("set")))
        index = whole(asked, "index", 0, len(data) - 1)
        return NamedContent(data.title(index), data.picture(index))

    def _noise(self, asked: Mapping[str, Any], arrays: Arrays) -> Source:
        return f"noise:{whole(asked, 'seed', 0, 2**31 - 1)}"

    def _channel(self, asked: Mapping[str, Any], arrays: Arrays) -> Source:
        """A colour map as it is; a scalar map in grey, its own least and most black and white."""
        maps = self.maps_of(str(asked.get("layer")), str(asked.get("method")))
        channel = whole(asked, "channel", 0, maps.channels - 1)
        return NamedContent(f"{maps.layer}, channel {channel}, {maps.method}", to_image(channel_picture(maps, channel)))

    def _film(self, asked: Mapping[str, Any], arrays: Arrays) -> Source:
        name = str(asked.get("film"))
        if (film := self.videos.get(name)) is None:  # once: another thread may close it
            raise UnknownName("film", name, list(self.videos))
        if "frame" in asked:
            frame = film.seek(whole(asked, "frame", 0, 1 << 40))
        else:
            frame = film.step(whole(asked, "step", 1, 10_000)) if "step" in asked else film.frame_at(number(asked, "at"))
        return NamedContent(f"{name}, frame {frame.number}", to_image(frame.picture))

    def data_set(self, name: str) -> DataSet:
        """A data set by its name. Raises UnknownName."""
        if name not in self.data:
            raise UnknownName("data set", name, self.data)
        return self.data[name]


def whole(asked: Mapping[str, Any], name: str, least: int, most: int) -> int:
    """A whole number of a request, within bounds. Raises InputError."""
    value = asked.get(name)
    if type(value) is not int or not least <= value <= most:
        raise InputError(f"{name} is {value!r}; a whole number from {least} to {most} is needed")
    return value


def number(asked: Mapping[str, Any], name: str, most: float = 1e9) -> float:
    """A number of a request, not below 0. Raises InputError."""
    value = asked.get(name)
    if type(value) not in (int, float) or not 0 <= value <= most:  # type: ignore[operator]
        raise InputError(f"{name} is {value!r}; a number from 0 to {most:g} is needed")
    return float(value)  # type: ignore[arg-type]


def _name(asked: Mapping[str, Any]) -> str:
    """What an upload is called: the last part of whatever path it came from. No file is made of it."""
    name = str(asked.get("name") or "").replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(sign for sign in name if sign.isprintable()).strip(" .")[:200] or "picture"


def _array(asked: Mapping[str, Any], arrays: Arrays) -> np.ndarray:
    name = str(asked.get("array"))
    if name not in arrays:
        raise InputError(f"input {_name(asked)!r}: no array {name!r} came with the request")
    return arrays[name]
