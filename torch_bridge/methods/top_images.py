"""Top images: the pictures of a data set that each channel answers most to, cut to what its strongest place sees.

Zhou et al. 2015, "Object Detectors Emerge in Deep Scene CNNs". One pass over the data: pictures are cut when they come,
and only the best are kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from ..data import random_indices
from ..method_support.best_images import BestImages, RankedBy
from ..method_support.dataset_pass import DatasetBatch, DatasetPass
from ..method_support.method import Method, MethodContext, Step, parameter
from ..method_support.picture_maps import MAX_PIXELS
from ..probing.crops import CropFrame, OutsideStyle
from ..probing.receptive_field import coordinate_planes, fields_from_traces, trace_plane
from ..recording import Maps

SHOWN = 256
"""Pictures between two partial results."""


@dataclass(frozen=True)
class Parameters:
    """Which pictures, and what is shown of them."""

    count: int = parameter(1000, "Pictures of the data set that are looked at", 1, 10_000_000)
    best: int = parameter(9, "Pictures that are kept for each channel", 1, 64)
    score: RankedBy = parameter("max", "What a picture is ranked by: its strongest place, or the mean of all places")
    shown: Literal["field", "picture"] = parameter("field", "What the strongest place sees, or the whole picture")
    outside: OutsideStyle = parameter("dark", "How it looks where the channel's own map is below the threshold")
    threshold: float = parameter(0.95, "Share of all places of all pictures that are below it", 0.0, 1.0)
    seed: int = parameter(0, "Which pictures: another seed draws others", 0, 2**31 - 1)


def top_images(work: MethodContext, parameters: Parameters) -> Iterator[Step]:
    """One pass. Raises InputError without a data set, for channels that aren't there, and ModelError."""
    yield Step(0.0, "reaching the layers")
    seen = TopImagesRun(DatasetPass(work, work.layers, TOP_IMAGES.name), parameters)
    yield from seen.looking()
    for maps in seen.each(TOP_IMAGES.name):
        yield Step(1.0, seen.told(), (maps,))


class TopImagesRun:
    """A pass over a data set."""

    def __init__(self, viewing: DatasetPass, parameters: Parameters, pixels: int = MAX_PIXELS) -> None:
        """pixels: see Gallery."""
        self.viewing, self.parameters = viewing, parameters
        work = viewing.work
        count = min(parameters.count, len(viewing.data))
        self.indices = random_indices(viewing.data, count, parameters.seed)
        self.galleries = {
            id: BestImages(
                id, work.chosen(id), work.network.layer(id).map_shape[0], parameters.best, parameters.score, pixels
            )
            for id in work.layers
        }
        self.done = 0
        self.frames: dict[tuple[int, ...], dict[str, CropFrame]] = {}
        """By the pictures' size, and by layer."""

    def looking(self, until: float = 1.0, name: str = "top_images") -> Iterator[Step]:
        """Steps that end at the share `until`, with partial results."""
        shown = 0
        for view in self.viewing.views(self.indices):
            size = tuple(view.given.shape[-2:])
            if size not in self.frames:
                yield from self._find(view, size)
            for id, gallery in self.galleries.items():
                gallery.add(view, self.frames[size][id])
            self.done = view.done
            yield Step(until * self.done / len(self.indices), self.told())
            if self.done - shown >= SHOWN and self.done < len(self.indices):
                shown, share = self.done, until * self.done / len(self.indices)
                yield from (Step(share, self.told(), (maps,)) for maps in self.each(name))

    def _find(self, view: DatasetBatch, size: tuple[int, ...]) -> Iterator[Step]:
        """What the places of each layer see of pictures of this size."""
        traces: list[dict[str, Tensor]] = []
        for plane in coordinate_planes(view.given) if view.given.dim() == 4 else ():
            traces.append(trace_plane(self.viewing.reach, self.viewing.arguments, plane))
            yield Step(self.done / len(self.indices), "finding what each place sees")
        found = {id: [one[id] for one in traces if id in one] for id in self.galleries}
        pictures = view.pictures[0].shape[:2]
        self.frames[size] = {
            id: CropFrame(fields_from_traces(found[id], view.maps[id].shape[1:], pictures), self.parameters.shown == "picture")
            for id in self.galleries
        }

    def each(self, name: str) -> Iterator[Maps]:
        """The mosaics there are, layer by layer."""
        asked = self.parameters
        for gallery in self.galleries.values():
            yield gallery.shown(name, asked.threshold, asked.outside, self.viewing.data)

    def told(self) -> str:
        """How far it is, for a person."""
        unread = f"; {self.viewing.unread} can't be read" if self.viewing.unread else ""
        return f"{self.done} of {len(self.indices)} pictures of {self.viewing.data.name}{unread}"


TOP_IMAGES = Method(
    "top_images", "Top images", "The pictures of a data set that each channel answers most to.", top_images,
    Parameters, needs="data",
)  # fmt: skip
