"""A pass over a data set that keeps the best pictures of each channel; used by top images and evidence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from torch import Tensor

from ..data import random_indices
from ..probing.crops import CropFrame, OutsideStyle
from ..probing.receptive_field import coordinate_planes, fields_from_traces, trace_plane
from ..recording import Maps
from .data_set_pass import DataSetBatch, DataSetPass
from .method import Step, parameter
from .picture_maps import MAX_PIXELS
from .top_images_collector import RankedBy, TopImagesCollector

PARTIAL_RESULTS_EVERY = 256
"""Pictures between two partial results."""


@dataclass(frozen=True)
class TopImagesParameters:
    """Which pictures are looked at, and what is shown of the best ones."""

    count: int = parameter(1000, "Pictures of the data set to look at", 1, 10_000_000)
    best: int = parameter(9, "Pictures to keep for each channel", 1, 64)
    score: RankedBy = parameter("max", "What pictures are ranked by: the channel's maximum or its mean")
    shown: Literal["field", "picture"] = parameter(
        "field", "What is shown: the receptive field of the strongest position, or the whole picture"
    )
    outside: OutsideStyle = parameter("dark", "How positions below the threshold are drawn")
    threshold: float = parameter(
        0.95, "Quantile of the channel's values over the data; positions below it are drawn as outside", 0.0, 1.0
    )
    seed: int = parameter(0, "Seed that chooses the pictures", 0, 2**31 - 1)


class TopImagesPass:
    """A pass over a data set, with the best pictures of the selected channels so far."""

    def __init__(self, data_set_pass: DataSetPass, parameters: TopImagesParameters, pixels: int = MAX_PIXELS) -> None:
        """pixels: see BestImages. Raises InputError for channels that don't exist."""
        self.data_set_pass, self.parameters = data_set_pass, parameters
        context, data = data_set_pass.context, data_set_pass.data
        self.indices = random_indices(data, min(parameters.count, len(data)), parameters.seed)
        self.collectors = {
            id: TopImagesCollector(
                id,
                context.selected_channels(id),
                context.network.layer(id).map_shape[0],
                parameters.best,
                parameters.score,
                pixels,
            )
            for id in context.layers
        }
        """By layer."""
        self.done = 0
        self.frames: dict[tuple[int, ...], dict[str, CropFrame]] = {}
        """By size of the pictures, and by layer."""

    def run(self, method: str, until: float = 1.0) -> Iterator[Step]:
        """Looks at all pictures. Steps end at the share `until`; partial results are maps of `method`."""
        shown = 0
        for batch in self.data_set_pass.batches(self.indices):
            size = tuple(batch.inputs.shape[-2:])
            if size not in self.frames:
                yield from self._find_fields(batch, size)
            for id, collector in self.collectors.items():
                collector.add(batch, self.frames[size][id])
            self.done = batch.done
            share = until * self.done / len(self.indices)
            yield Step(share, self.message())
            if self.done - shown >= PARTIAL_RESULTS_EVERY and self.done < len(self.indices):
                shown = self.done
                yield from (Step(share, self.message(), (maps,)) for maps in self.layer_maps(method))

    def _find_fields(self, batch: DataSetBatch, size: tuple[int, ...]) -> Iterator[Step]:
        """Finds the receptive field of each position of each layer, for pictures of this size."""
        traces: list[dict[str, Tensor]] = []
        for plane in coordinate_planes(batch.inputs) if batch.inputs.dim() == 4 else ():
            traces.append(trace_plane(self.data_set_pass.forward, self.data_set_pass.arguments, plane))
            yield Step(self.done / len(self.indices), "finding receptive fields")
        by_layer = {id: [trace[id] for trace in traces if id in trace] for id in self.collectors}
        pictures = batch.pictures[0].shape[:2]
        whole = self.parameters.shown == "picture"
        self.frames[size] = {
            id: CropFrame(fields_from_traces(by_layer[id], batch.maps[id].shape[1:], pictures), whole)
            for id in self.collectors
        }

    def layer_maps(self, method: str) -> Iterator[Maps]:
        """Yields the mosaics so far, layer by layer."""
        threshold, outside = self.parameters.threshold, self.parameters.outside
        for collector in self.collectors.values():
            maps = collector.to_maps(method, threshold, outside, self.data_set_pass.data)
            yield replace(maps, **self.data_set_pass.forward.layouts[collector.layer].place())

    def message(self) -> str:
        """Returns the progress as a status message."""
        unreadable = f"; {self.data_set_pass.unreadable} can't be read" if self.data_set_pass.unreadable else ""
        return f"{self.done} of {len(self.indices)} pictures of {self.data_set_pass.data.name}{unreadable}"
