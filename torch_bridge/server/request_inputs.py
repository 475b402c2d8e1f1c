"""Inputs of requests: reads what a request names as an input, and checks numbers in requests."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..data import DataSet
from ..inputs.image_files import check_size
from ..inputs.sources import Input, KeywordSource, NamedContent, PlainSource, Source, to_image
from ..recording.errors import InputError, UnknownName
from ..recording.schema import MAX_TEXT
from ..video import Video

Values = Mapping[str, Any]
"""The JSON values of a request or of one of its inputs."""
Arrays = Mapping[str, np.ndarray]
"""The arrays of a request by name."""
MAX_HELD = 32
"""Inputs of this process that are kept for requests."""


class RequestInputs:
    """Reads the inputs of requests, some of which refer to data sets and open videos by name."""

    def __init__(self, data: Mapping[str, DataSet], videos: Mapping[str, Video]) -> None:
        self.data, self.videos = data, videos
        self._held: OrderedDict[str, tuple[str, Input]] = OrderedDict()
        """Inputs of this process by id, oldest first, each with the network that it is for."""
        self._readers: dict[str, Callable[[Values, Arrays], PlainSource]] = {
            "upload": self._upload,
            "pixels": self._pixels,
            "data": self._item,
            "noise": self._noise,
            "text": self._text,
            "film": self._video_frame,
            "held": self._held_input,
        }

    def hold(self, input_: Input, network: str) -> str:
        """Keep an input of this process for requests about a network; returns its id. The oldest make room."""
        id = secrets.token_hex(8)  # of no other service either: a hall may have outlived its bridge
        self._held[id] = network, input_
        while len(self._held) > MAX_HELD:
            self._held.popitem(last=False)
        return id

    def forget(self, network: str) -> None:
        """Keep no input of this process for a network any more."""
        for id in [id for id, (owner, _) in self._held.items() if owner == network]:
            del self._held[id]

    def source(self, values: Values, arrays: Arrays) -> Source:
        """Read one input, {"kind": …}, by the name of its `argument` if it has one. Raises InputError or UnknownName.

        upload: `name`, `array` (n,) uint8, the bytes of a file · pixels: `name`, `array` (H, W[, 1|3|4]) uint8 sRGB ·
        data: `set`, `index` · noise: `seed` · text: `text`, ids:1,2,3 or text:words · film: `film`, and `at` seconds,
        `step` frames ahead, or `frame` number · held: `id` of an input that this process keeps.
        """
        kind = text_value(values, "kind")
        if kind not in self._readers:
            raise UnknownName("kind of input", kind, self._readers)
        source = self._readers[kind](values, arrays)
        argument = text_value(values, "argument", "")
        if not argument:
            return source
        return replace(source, keyword=argument) if isinstance(source, Input) else KeywordSource(argument, source)

    def _upload(self, values: Values, arrays: Arrays) -> PlainSource:
        content = _array(values, arrays)
        if content.ndim != 1 or content.dtype != np.uint8:
            raise InputError(f"upload {_name(values)!r}: the bytes of a file, (n,) uint8, are needed")
        return NamedContent(_name(values), content.tobytes())

    def _pixels(self, values: Values, arrays: Arrays) -> PlainSource:
        array = _array(values, arrays)
        is_image = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (1, 3, 4))
        if array.dtype != np.uint8 or not is_image or not array.size:
            raise InputError(f"pixels {_name(values)!r}: (H, W), (H, W, 3) or (H, W, 4) uint8 is needed")
        check_size(_name(values), array.shape[1], array.shape[0])
        return NamedContent(_name(values), to_image(array))

    def _item(self, values: Values, arrays: Arrays) -> PlainSource:
        data = self.data_set(text_value(values, "set"))
        index = integer_value(values, "index", 0, len(data) - 1)
        return NamedContent(data.title(index), data.picture(index))

    def _noise(self, values: Values, arrays: Arrays) -> PlainSource:
        return f"noise:{integer_value(values, 'seed', 0, 2**31 - 1)}"

    def _text(self, values: Values, arrays: Arrays) -> PlainSource:
        text = text_value(values, "text")
        if not text.startswith(("ids:", "text:")):
            raise InputError(f"text {text[:40]!r}: write ids:101,2054,102 or text:some words")
        return text

    def _video_frame(self, values: Values, arrays: Arrays) -> PlainSource:
        name = text_value(values, "film")
        if (video := self.videos.get(name)) is None:  # looked up once: another thread may close it
            raise UnknownName("video", name, list(self.videos))
        if "frame" in values:
            frame = video.seek(integer_value(values, "frame", 0, 1 << 40))
        elif "step" in values:
            frame = video.step(integer_value(values, "step", 1, 10_000))
        else:
            frame = video.frame_at(number_value(values, "at"))
        return NamedContent(f"{name}, frame {frame.number}", to_image(frame.picture))

    def _held_input(self, values: Values, arrays: Arrays) -> PlainSource:
        held = self._held.get(text_value(values, "id"))
        if held is None:
            raise InputError("these tensors are no longer kept; place them again")
        return held[1]

    def data_set(self, name: str) -> DataSet:
        """The data set of this name. Raises UnknownName."""
        if name not in self.data:
            raise UnknownName("data set", name, self.data)
        return self.data[name]


def text_value(values: Values, name: str, default: str | None = None) -> str:
    """A text in a request; `default` where it is missing or null. Raises InputError."""
    value = values.get(name)
    value = default if value is None else value
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise InputError(f"{name} is {str(value)[:60]!r}; a text of at most {MAX_TEXT:,} characters is needed")
    return value


def integer_value(values: Values, name: str, least: int, most: int) -> int:
    """A whole number in a request, between `least` and `most`. Raises InputError."""
    value = values.get(name)
    if type(value) is not int or not least <= value <= most:
        raise InputError(f"{name} is {repr(value)[:60]}; a whole number from {least} to {most} is needed")
    return value


def number_value(values: Values, name: str, most: float = 1e9) -> float:
    """A number in a request, between 0 and `most`. Raises InputError."""
    value = values.get(name)
    if type(value) not in (int, float) or not 0 <= value <= most:  # type: ignore[operator]
        raise InputError(f"{name} is {repr(value)[:60]}; a number from 0 to {most:g} is needed")
    return float(value)  # type: ignore[arg-type]


def _name(values: Values) -> str:
    """The name of an upload: the last part of its path, printable characters only. No file is created with it."""
    name = text_value(values, "name", "").replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(character for character in name if character.isprintable()).strip(" .")[:200] or "picture"


def _array(values: Values, arrays: Arrays) -> np.ndarray:
    name = text_value(values, "array", "")
    if name not in arrays:
        raise InputError(f"input {_name(values)!r}: no array {name!r} came with the request")
    return arrays[name]
