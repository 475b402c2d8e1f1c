"""The capture policy: which layers' values a recording copies, and when.

The values of a layer are a tensor of any shape and dtype, turned into maps by its layout.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase

import torch

from ...recording import ACTIVATIONS, Layer, Maps, Network, Progress
from ...recording.arguments import name_list
from ...recording.errors import ModelError, UnknownName
from ..fold import NORM_FOLDING_FAMILIES, is_panel
from ..trace.mutation import changed_tensors, read_versions
from ..trace.provenance import TraceStep
from ..trace.run import BatchSample
from .arena import Arena
from .attention import attention_maps
from .map_layout import extract_maps, to_texels

PANELS = "panels"
"""Stands for all layers whose maps a panel shows."""


class CapturePolicy:
    """Observes a run and copies the values of chosen layers into texels, each when its layer has finished.

    layers: a glob or globs over layer ids; "panels" stands for the layers that the fold shows. With "panels" a
    convolution's values wait until something reads them: if it is a batch norm, no copy is needed; otherwise the copy
    is made first. token: query token of attention maps. modules: number of the network's modules, for `progress`.
    on_maps: called with all maps as soon as they are copied.
    """

    def __init__(
        self,
        layers: str | Sequence[str],
        sample: BatchSample,
        token: int | None,
        progress: Progress | None,
        modules: int,
        on_maps: Callable[[Maps], None] | None = None,
    ) -> None:
        requested = name_list(layers)
        self.globs = [glob for glob in requested if glob != PANELS]
        self.ids = frozenset(self.globs)
        self.patterns = [glob for glob in self.globs if any(sign in glob for sign in "*?[")]
        self.panels = PANELS in requested
        self.sample, self.token, self.progress, self.modules = sample, token, progress, modules
        self.on_maps = on_maps or (lambda maps: None)
        self.maps: dict[tuple[str, str], Maps] = {}
        """Copied maps by layer and method."""
        self.arena = Arena()
        self.finished_layers = 0

    def matches(self, id: str) -> bool:
        """Whether a glob matches this layer id."""
        return id in self.ids or any(fnmatchcase(id, glob) for glob in self.patterns)

    def layer_finished(self, step: TraceStep, value: torch.Tensor) -> bool:
        """Copies a layer's output of any shape, or returns True if the copy shall wait for the first reader."""
        self.finished_layers += 1
        if self.progress is not None:
            self.progress(step.id, min(self.finished_layers / max(self.modules, 1), 1.0))
        if self.matches(step.id):
            self._copy(step, value)
        elif self.panels and step.family in NORM_FOLDING_FAMILIES:
            step.versions = read_versions([value])
            return True
        elif self.panels and (is_panel(step.facts()) or (step.family == "norm" and _may_be_folded(step))):
            self._copy(step, value)
        return False

    def before_first_read(self, step: TraceStep, value: torch.Tensor) -> None:
        """Copies an output of any shape that has waited, unless untraced code has changed it already."""
        if changed_tensors([value], step.versions, in_place=False):
            step.notes["changed in place before it was copied"] = None
        else:
            self._copy(step, value)

    def attention_finished(self, step: TraceStep) -> None:
        """Computes the attention maps of one query token, if a glob matches the layer, or panels are recorded."""
        if self.panels or self.matches(step.id):
            maps = attention_maps(step, self.sample, self.token)
            if maps is not None:
                self._add(maps)

    def _copy(self, step: TraceStep, value: torch.Tensor) -> None:
        layout = step.layout
        if layout is None or layout.is_empty:
            return
        if value.is_meta:
            raise ModelError(f"{step.id} has no values on the meta device; layers=() records the graph alone")
        texels = to_texels(extract_maps(value.detach(), layout), self.arena)
        self._add(Maps(step.id, ACTIVATIONS, texels, layout.map_shape[0], labels=layout.labels, **layout.place()))

    def _add(self, maps: Maps) -> None:
        self.maps[maps.layer, maps.method] = maps
        self.on_maps(maps)

    def selected_maps(self, network: Network) -> Iterator[Maps]:
        """Returns the requested maps, once the fold is known. Raises UnknownName for a glob that matches no layer."""
        for glob in self.globs:
            if glob not in network.by_id and not any(fnmatchcase(layer.id, glob) for layer in network.layers):
                raise UnknownName("layer", glob, network.by_id)
        wanted = {id for layer in network.layers for id in self._wanted(layer)}
        return (maps for maps in self.maps.values() if maps.layer in wanted or maps.method != ACTIVATIONS)

    def selects(self, layer: Layer) -> bool:
        """Whether a layer is requested, by a glob or as a panel."""
        return self.matches(layer.id) or (self.panels and layer.role == "panel")

    def _wanted(self, layer: Layer) -> list[str]:
        """Returns the ids of the layers whose maps are kept because of this one."""
        own = [layer.id] if self.matches(layer.id) else []
        return [*own, layer.shows] if self.panels and layer.shows else own


def _may_be_folded(norm: TraceStep) -> bool:
    """Whether a batch norm may be folded into the layer that it reads."""
    return any(source.family in NORM_FOLDING_FAMILIES for source in norm.sources)
