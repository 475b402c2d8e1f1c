"""Evidence: what the data says a channel answers to, and beside it what another method makes up for it.

On the left the pictures of the data set that make the channel fire most, as Top images shows them; on the right the
picture that was made for it. Of both there is what the strongest place sees. Where the made one makes it fire far more
than any picture of the data, the channel is flagged: what it shows then may be nothing that is ever seen.
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
from ..method_support.best_images import BestImages
from ..method_support.dataset_pass import DatasetPass
from ..method_support.input_gradients import full_precision
from ..method_support.method import Method, MethodContext, Step, parameter, parameter_form, parse_parameters
from ..method_support.picture_maps import MAX_PIXELS, picture_maps
from ..probing.crops import crop_picture
from ..recording import FLAGS, Maps
from ..recording.errors import UnknownName
from . import top_images
from .top_images import TopImagesRun

LOOKING = 0.3
"""Share of the work that is done when the data has been seen."""
THRESHOLD = 0.95
GAP, SIDE = 6, 192
"""Pixels between the two, and of a side of what is cut out of a made picture."""
AT_ONCE = 4
"""Made pictures that are measured in one step."""
BEYOND = 1 << FLAGS.index("beyond data")


@dataclass(frozen=True)
class Parameters:
    """Which pictures, and how the others are made."""

    count: int = parameter(500, "Pictures of the data set that are looked at", 1, 10_000_000)
    best: int = parameter(9, "Pictures that are kept for each channel", 1, 64)
    maker: Literal["maximisation", "dgn_am"] = parameter("maximisation", "The method that makes pictures")
    objective: Literal["neuron", "channel"] = parameter(
        "neuron", "What maximisation makes large: a channel's place in the middle, or the mean of its map"
    )
    steps: int = parameter(0, "Steps for each made picture; 0: as many as that method takes by itself", 0, 100_000)
    beyond: float = parameter(2.0, "Times the best picture's value from which a made one is beyond data", 1.0, 1e6)
    seed: int = parameter(0, "Which pictures of the data set, and of everything random", 0, 2**31 - 1)


def evidence(work: MethodContext, parameters: Parameters) -> Iterator[Step]:
    """Look, then make and measure. Raises InputError without a data set, and whatever the maker raises."""
    maker, how = _maker(parameters)
    yield Step(0.0, "reaching the layers")
    asked = top_images.Parameters(count=parameters.count, best=parameters.best, seed=parameters.seed)
    seen = TopImagesRun(DatasetPass(work, work.layers, EVIDENCE.name), asked, MAX_PIXELS // 2)
    yield from seen.looking(LOOKING, EVIDENCE.name)
    pairs = {id: EvidencePairs(gallery, seen, parameters.beyond) for id, gallery in seen.galleries.items()}
    yield from (Step(LOOKING, seen.told(), (one.maps(),)) for one in pairs.values())
    for step in maker.run(work, how):
        share = LOOKING + (1 - LOOKING) * step.share
        yield Step(share, step.told)
        for one in (pairs[maps.layer].take(maps) for maps in step.maps):
            for _ in one.measure():
                yield Step(share, step.told)
            yield Step(share, step.told, (one.maps(),))


def _maker(parameters: Parameters) -> tuple[Method, Any]:
    """The method that makes pictures, and what it is told."""
    from . import METHODS  # they are listed when all of them are there

    if parameters.maker not in METHODS:
        raise UnknownName("method that makes pictures", parameters.maker, METHODS)
    maker = METHODS[parameters.maker]
    known = {field["name"] for field in parameter_form(maker)}
    told: dict[str, Any] = {"seed": parameters.seed, "objective": parameters.objective}
    told |= {"steps": parameters.steps} if parameters.steps else {}
    return maker, parse_parameters(maker, {name: value for name, value in told.items() if name in known})


class EvidencePairs:
    """Of a layer, by channel: the mosaic of the data, and the picture that was made."""

    def __init__(self, gallery: BestImages, seen: TopImagesRun, beyond: float) -> None:
        self.gallery, self.viewing, self.beyond = gallery, seen.viewing, beyond
        self.frame = next(iter(seen.frames.values()))[gallery.layer]
        self.mosaics = gallery.mosaics(THRESHOLD, "dark")
        self.made: dict[int, np.ndarray] = {}
        """By channel (H, W, 3) uint8 sRGB."""
        self.reached: dict[int, tuple[float, int, int]] = {}
        """By channel: the largest value, and its row and column."""

    def take(self, maps: Maps) -> EvidencePairs:
        """Made pictures so far: colour maps, 0 in alpha where there is none yet."""
        for channel in np.flatnonzero(maps.texels[..., 3].any((1, 2))).tolist():
            picture = (np.clip(maps.texels[channel, ..., :3], 0, 1) * 255 + 0.5).astype(np.uint8)
            if channel in self.mosaics and not (channel in self.made and np.array_equal(picture, self.made[channel])):
                self.made[channel] = picture
                self.reached.pop(channel, None)
        return self

    def measure(self) -> Iterator[None]:
        """Find what the made pictures reach, by the same measure as the data's, a few at a time."""
        channels = [channel for channel in self.made if channel not in self.reached]
        for start in range(0, len(channels), AT_ONCE):
            some = channels[start : start + AT_ONCE]
            for channel, maps in zip(some, self._maps_of(some), strict=True):
                place = int(maps.argmax())
                self.reached[channel] = float(maps.max()), *divmod(place, maps.shape[1])
            yield

    def _maps_of(self, channels: Sequence[int]) -> list[torch.Tensor]:
        """(h, w) of each channel the map for its own picture; one at a time where the network takes no more."""
        values = [torch.from_numpy(self._values(self.made[channel])) for channel in channels]
        given = torch.stack(values).to(self.viewing.picture)
        with torch.no_grad(), full_precision(self.viewing.work.device):
            found = [
                self.viewing.reach(self.viewing.arguments(part)).maps[self.gallery.layer]
                for part in given.split(min(len(given), self.viewing.most))
            ]
        return [maps[channel].float() for maps, channel in zip(torch.cat(found), channels, strict=True)]

    def _values(self, made: np.ndarray) -> np.ndarray:
        """(C, H, W) what the network gets of a made picture, which may have been shrunk to be shown."""
        how, size = self.viewing.work.how, self.viewing.picture.shape[-2:]
        plain = Preprocessing((size[0], size[1]), None, 1.0, True, how.channels, how.mean, how.std)
        return preprocess_picture(Image.fromarray(made), plain)[0]

    def _shown(self, channel: int) -> np.ndarray | None:
        """(H, W, 3) uint8 what the strongest place sees of a made picture, if there is one."""
        made = self.made.get(channel)
        if made is None or channel not in self.reached:
            return made
        part = self.frame.parts(np.array([channel]), np.array([self.reached[channel][1:]]))[0]
        scale = np.array(made.shape[:2]) / self.frame.fields.picture
        return crop_picture(Image.fromarray(made), (part * np.tile(scale, 2)).tolist(), (SIDE, SIDE))

    def maps(self) -> Maps:
        """What there is, side by side. values: of the best picture of the data; reached: of the made one, else NaN."""
        gallery, reached = self.gallery, np.full(self.gallery.among, np.nan, np.float32)
        reached[list(self.reached)] = [value for value, *_ in self.reached.values()]
        best = gallery.values
        beyond = reached > self.beyond * np.maximum(best, 0)
        flags = np.where(beyond, BEYOND, 0).astype(np.int32)
        labels = [
            f"{label}; {value:.3g} in data, {made:.3g} made" if np.isfinite(made) else label
            for label, value, made in zip(gallery.labels(self.viewing.data), best, reached, strict=True)
        ]
        extras: Mapping[str, np.ndarray] = {"values": best, "reached": reached, "flags": flags}
        pictures = {channel: pair_side_by_side(one, self._shown(channel)) for channel, one in self.mosaics.items()}
        made = picture_maps(gallery.layer, EVIDENCE.name, pictures, gallery.among, labels, extras)
        return replace(made, frame="layer")


def pair_side_by_side(left: np.ndarray, right: np.ndarray | None) -> np.ndarray:
    """(H, W, 3) sRGB 0..1 and (h, w, 3) uint8 -> one picture, the right one as a square as high as the left one."""
    height, width = left.shape[:2]
    whole = np.zeros((height, width + GAP + height, 3), np.float32)
    whole[:, :width] = left
    if right is not None:
        picture = Image.fromarray(right).resize((height, height), Image.Resampling.BICUBIC)
        whole[:, width + GAP :] = np.asarray(picture, np.float32) / 255
    return whole


EVIDENCE = Method(
    "evidence", "Evidence", "The pictures of the data that each channel answers most to, beside one made for it.",
    evidence, Parameters, needs="data",
)  # fmt: skip
