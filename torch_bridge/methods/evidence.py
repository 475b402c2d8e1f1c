"""Evidence: the pictures of a data set that activate a channel most, beside a picture that another method makes for it.

Left: the best pictures of the data, as in top images (Zhou et al. 2015). Right: a synthesised picture (activation
maximisation or DGN-AM). Both are cropped to the receptive field of the strongest position. A channel is flagged "beyond
data" if v_made > beyond * max(v_data, 0), its activations by the synthesised and by the best real picture: such a
picture may show nothing that occurs in the data. (Ours; no paper.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from PIL import Image

from ..inputs.preprocess import Preprocessing
from ..inputs.sources import preprocess_picture
from ..method_support.data_set_pass import DataSetPass
from ..method_support.method import Method, MethodContext, Step, parameter, parameter_form, parse_parameters
from ..method_support.picture_maps import MAX_PIXELS, picture_maps
from ..method_support.run_limits import full_precision
from ..method_support.top_images_collector import TopImagesCollector
from ..method_support.top_images_pass import TopImagesParameters, TopImagesPass
from ..probing.crops import crop_picture
from ..recording import FLAGS, Maps
from ..recording.errors import UnknownName
from .dgn_am import DGN_AM
from .maximisation import MAXIMISATION

MAKERS = {method.name: method for method in (MAXIMISATION, DGN_AM)}
"""Methods that synthesise pictures, by name."""
DATA_SHARE = 0.3
"""Share of the work that is done after the pass over the data."""
THRESHOLD = 0.95
"""Quantile of a channel's values below which positions are darkened."""
GAP, CROP_SIDE = 6, 192
"""Pixels between the two pictures, and of the side of a synthesised picture's crop."""
MEASURED_PER_STEP = 4
"""Synthesised pictures that are measured in one step."""
BEYOND_DATA = 1 << FLAGS.index("beyond data")


@dataclass(frozen=True)
class Parameters:
    """Which pictures of the data are looked at, and how the others are made."""

    count: int = parameter(500, "Pictures of the data set to look at", 1, 10_000_000)
    best: int = parameter(9, "Pictures to keep for each channel", 1, 64)
    maker: Literal["maximisation", "dgn_am"] = parameter("maximisation", "The method that synthesises pictures")
    objective: Literal["neuron", "channel"] = parameter(
        "neuron", "What maximisation maximises: the channel's central position, or the mean of its map"
    )
    steps: int = parameter(0, "Steps for each synthesised picture; 0: that method's own number", 0, 100_000)
    beyond: float = parameter(
        2.0,
        "A channel is flagged if the synthesised picture reaches more than this many times the best picture's value",
        1.0,
        1e6,
    )
    seed: int = parameter(0, "Random seed; also selects the pictures", 0, 2**31 - 1)


def evidence(context: MethodContext, parameters: Parameters) -> Iterator[Step]:
    """Looks at the data, then synthesises and measures. Maps: (C, H, W, 3) sRGB 0..1, two pictures side by side.

    Extras: "values" (C,) float32, the best picture's activation; "reached" (C,) float32, that of the synthesised one,
    NaN without; "flags" (C,) int32. Raises InputError without a data set, and what the maker raises.
    """
    maker, maker_parameters = _maker(parameters)
    yield Step(0.0, "reaching the layers")
    best = TopImagesParameters(count=parameters.count, best=parameters.best, seed=parameters.seed)
    images_pass = TopImagesPass(DataSetPass(context, context.layers, EVIDENCE.name), best, MAX_PIXELS // 2)
    yield from images_pass.run(EVIDENCE.name, DATA_SHARE)
    pairs = {
        id: EvidencePairs(collector, images_pass, parameters.beyond) for id, collector in images_pass.collectors.items()
    }
    yield from (Step(DATA_SHARE, images_pass.message(), (pair.maps(),)) for pair in pairs.values())
    for step in maker.run(context, maker_parameters):
        share = DATA_SHARE + (1 - DATA_SHARE) * step.share
        yield Step(share, step.message)
        for maps in step.maps:
            pair = pairs[maps.layer]
            pair.update(maps)
            for _ in pair.measure():
                yield Step(share, step.message)
            yield Step(share, step.message, (pair.maps(),))


def _maker(parameters: Parameters) -> tuple[Method, Any]:
    """Returns the method that synthesises pictures, and those of our parameters that it has."""
    if parameters.maker not in MAKERS:
        raise UnknownName("method that makes pictures", parameters.maker, MAKERS)
    maker = MAKERS[parameters.maker]
    names = {entry["name"] for entry in parameter_form(maker)}
    values: dict[str, Any] = {"seed": parameters.seed, "objective": parameters.objective}
    values |= {"steps": parameters.steps} if parameters.steps else {}
    return maker, parse_parameters(maker, {name: value for name, value in values.items() if name in names})


class EvidencePairs:
    """The mosaics and the synthesised pictures of a layer, by channel."""

    def __init__(self, collector: TopImagesCollector, images_pass: TopImagesPass, beyond: float) -> None:
        self.collector, self.data_set_pass, self.beyond = collector, images_pass.data_set_pass, beyond
        self.frame = next(iter(images_pass.frames.values()))[collector.layer]
        self.mosaics = collector.mosaics(THRESHOLD, "dark")
        self.synthesised: dict[int, np.ndarray] = {}
        """By channel (H, W, 3) sRGB uint8."""
        self.reached: dict[int, tuple[float, int, int]] = {}
        """By channel: the maximum that its picture reaches, and the row and column of it."""

    def update(self, maps: Maps) -> None:
        """Takes the synthesised pictures so far: colour maps, whose alpha is 0 where there is none yet."""
        for place in np.flatnonzero(maps.texels[..., 3].any((1, 2))).tolist():
            channel = maps.numbers[place]
            picture = (np.clip(maps.texels[place, ..., :3], 0, 1) * 255 + 0.5).astype(np.uint8)
            last = self.synthesised.get(channel)
            if channel in self.mosaics and (last is None or not np.array_equal(picture, last)):
                self.synthesised[channel] = picture
                self.reached.pop(channel, None)

    def measure(self) -> Iterator[None]:
        """Computes the maxima of new synthesised pictures, as for the data; pauses after every few."""
        channels = [channel for channel in self.synthesised if channel not in self.reached]
        for start in range(0, len(channels), MEASURED_PER_STEP):
            part = channels[start : start + MEASURED_PER_STEP]
            for channel, maps in zip(part, self._own_maps(part), strict=True):
                position = int(maps.argmax())
                self.reached[channel] = float(maps.max()), *divmod(position, maps.shape[1])
            yield

    def _own_maps(self, channels: Sequence[int]) -> list[torch.Tensor]:
        """(h, w) float32 for each channel: its map for its own picture."""
        values = [torch.from_numpy(self._normalised(self.synthesised[channel])) for channel in channels]
        inputs = torch.stack(values).to(self.data_set_pass.picture)
        with torch.no_grad(), full_precision(self.data_set_pass.context.device):
            parts = [
                self.data_set_pass.forward(self.data_set_pass.arguments(part)).maps[self.collector.layer]
                for part in inputs.split(min(len(inputs), self.data_set_pass.batch_size))
            ]
        return [maps[channel].float() for maps, channel in zip(torch.cat(parts), channels, strict=True)]

    def _normalised(self, picture: np.ndarray) -> np.ndarray:
        """(H, W, 3) sRGB uint8, perhaps shrunk for display -> (C, H, W) float32, the network's input."""
        preprocessing, size = self.data_set_pass.context.preprocessing, self.data_set_pass.picture.shape[-2:]
        plain = Preprocessing(
            (size[0], size[1]), None, 1.0, True, preprocessing.channels, preprocessing.mean, preprocessing.std
        )
        return preprocess_picture(Image.fromarray(picture), plain)[0]

    def _cropped(self, channel: int) -> np.ndarray | None:
        """(H, W, 3) sRGB uint8: what the strongest position sees of a synthesised picture, once it is measured."""
        picture = self.synthesised.get(channel)
        if picture is None or channel not in self.reached:
            return picture
        part = self.frame.parts(np.array([channel]), np.array([self.reached[channel][1:]]))[0]
        scale = np.array(picture.shape[:2]) / self.frame.fields.picture_size
        return crop_picture(Image.fromarray(picture), (part * np.tile(scale, 2)).tolist(), (CROP_SIDE, CROP_SIDE))

    def maps(self) -> Maps:
        """Returns the pairs so far; see `evidence` for the extras."""
        collector, missing = self.collector, (np.nan, 0, 0)
        channels = collector.channels.tolist()
        reached = np.array([self.reached.get(channel, missing)[0] for channel in channels], np.float32)
        best = collector.values
        is_beyond = reached > self.beyond * np.maximum(best, 0)
        flags = np.where(is_beyond, BEYOND_DATA, 0).astype(np.int32)
        labels = [
            f"{label}; {in_data:.3g} in data, {value:.3g} made" if np.isfinite(value) else label
            for label, in_data, value in zip(collector.labels(self.data_set_pass.data), best, reached, strict=True)
        ]
        extras: Mapping[str, np.ndarray] = {"values": best, "reached": reached, "flags": flags}
        pictures = {
            channel: pair_side_by_side(mosaic, self._cropped(channel)) for channel, mosaic in self.mosaics.items()
        }
        of = collector.layer_channels, collector.channel_numbers
        maps = picture_maps(collector.layer, EVIDENCE.name, pictures, *of, labels, extras)
        return replace(maps, frame="layer", **self.data_set_pass.forward.layouts[collector.layer].place())


def pair_side_by_side(left: np.ndarray, right: np.ndarray | None) -> np.ndarray:
    """(H, W, 3) sRGB 0..1 and (h, w, 3) sRGB uint8 -> (H, W + GAP + H, 3) float32: the right one as a square."""
    height, width = left.shape[:2]
    whole = np.zeros((height, width + GAP + height, 3), np.float32)
    whole[:, :width] = left
    if right is not None:
        picture = Image.fromarray(right).resize((height, height), Image.Resampling.BICUBIC)
        whole[:, width + GAP :] = np.asarray(picture, np.float32) / 255
    return whole


EVIDENCE = Method(
    "evidence",
    "Evidence",
    "The pictures of the data that activate each channel most, beside one synthesised for it.",
    evidence,
    Parameters,
    needs="data",
)
