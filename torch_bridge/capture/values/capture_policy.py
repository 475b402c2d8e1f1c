"""What a recording keeps of a run: which layers' values are copied, and when."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any

import torch

from ...recording import ACTIVATIONS, Layer, Maps, Network
from ...recording.errors import UnknownName
from ..fold import NORMED, is_panel
from ..trace.mutation import changed_tensors, read_versions
from ..trace.provenance import TraceStep
from ..trace.run import BatchSample
from .arena import Arena
from .attention import attention_maps
from .map_layout import extract_maps, to_texels

Progress = Callable[[str, float], None]
"""Called with what is being done and how much of the whole is done, 0..1."""
PANELS = "panels"


class CapturePolicy:
    """Copies the values of chosen layers into texels, each at the moment its layer has finished.

    `layers` is a glob or globs over layer ids; "panels" stands for what the fold shows. Then a convolution's values
    wait until something reads them: a batch norm makes the copy needless, anything else makes it happen first.
    """

    def __init__(
        self, layers: str | Sequence[str], sample: BatchSample, token: int | None, progress: Progress | None, modules: int,
        copied: Callable[[Maps], None] | None = None,
    ) -> None:  # fmt: skip
        chosen = [layers] if isinstance(layers, str) else list(layers)
        self.globs = [glob for glob in chosen if glob != PANELS]
        self.plain = frozenset(self.globs)
        self.patterns = [glob for glob in self.globs if any(sign in glob for sign in "*?[")]
        self.panels = PANELS in chosen
        self.sample, self.token, self.progress, self.modules = sample, token, progress, modules
        self.copied = copied or (lambda maps: None)
        self.maps: dict[tuple[str, str], Maps] = {}
        self.shelf = Arena()
        self.seen = 0

    def named(self, id: str) -> bool:
        """Whether a glob asks for this layer."""
        return id in self.plain or any(fnmatchcase(id, glob) for glob in self.patterns)

    def finished(self, step: TraceStep, value: torch.Tensor) -> bool:
        """Copy now, or answer True: wait for the first reader."""
        self.seen += 1
        if self.progress is not None:
            self.progress(step.id, min(self.seen / max(self.modules, 1), 1.0))
        if self.named(step.id):
            self._copy(step, value)
        elif self.panels and step.family in NORMED:
            step.versions = read_versions([value])
            return True
        elif self.panels and (is_panel(step.unit()) or (step.family == "norm" and _normed(step))):
            self._copy(step, value)
        return False

    def touched(self, step: TraceStep, value: torch.Tensor) -> None:
        """The first reader comes: copy, unless hidden code has been faster."""
        if changed_tensors([value], step.versions, in_place=False):
            step.notes["changed before it could be read"] = None
        else:
            self._copy(step, value)

    def attended(self, step: TraceStep, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Compute the attention maps of one query token, where the layer is asked for."""
        if self.panels or self.named(step.id):
            made = attention_maps(step, args, kwargs, self.sample, self.token)
            if made is not None:
                self._keep(made)

    def _copy(self, step: TraceStep, value: torch.Tensor) -> None:
        made = step.spread
        if made is None or made.empty:
            return
        texels = to_texels(extract_maps(value.detach(), made), self.shelf)
        self._keep(Maps(step.id, ACTIVATIONS, texels, made.map_shape[0], labels=made.labels))

    def _keep(self, maps: Maps) -> None:
        self.maps[maps.layer, maps.method] = maps
        self.copied(maps)

    def chosen(self, network: Network) -> Iterator[Maps]:
        """The maps that were asked for, once the fold is known. Raises UnknownName for a glob that fits no layer."""
        for glob in self.globs:
            if glob not in network.by_id and not any(fnmatchcase(layer.id, glob) for layer in network.layers):
                raise UnknownName("layer", glob, network.by_id)
        wanted = {id for layer in network.layers for id in self._wanted(layer)}
        return (maps for maps in self.maps.values() if maps.layer in wanted or maps.method != ACTIVATIONS)

    def chooses(self, layer: Layer) -> bool:
        """Whether a layer was asked for, by name or as a panel."""
        return self.named(layer.id) or (self.panels and layer.role == "panel")

    def _wanted(self, layer: Layer) -> list[str]:
        """Ids of the layers whose maps are kept because of this one."""
        own = [layer.id] if self.named(layer.id) else []
        return [*own, layer.shows] if self.panels and layer.shows else own


def _normed(step: TraceStep) -> bool:
    """Whether a batch norm may be folded into what it reads."""
    return any(source.family in NORMED for source in step.sources)
