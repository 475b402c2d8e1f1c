"""The recorded graph while it grows: steps, and the marks on tensors that say which steps made them.

Tensors may have any shape and dtype.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import nn

from ...recording import Edge, Layer, Role
from ..fold import Family, LayerFacts
from ..layer_paths import own_tensors
from ..values.map_layout import Axes, MapLayout
from .mutation import read_versions
from .op_types import class_family, family_of_operations

MARK = "_innerwalk_mark"
"""Attribute of a tensor that holds its TensorMark."""
UNKNOWN = "unknown origin"
NORMALISED_AXES = (None, 1)
"""Axes that may hold the channels of what a batch norm reads, if it scales each channel: it scales along axis 1."""


class AttentionCall(NamedTuple):
    """A call of attention."""

    function: str
    """Canonical name of the operation, or MultiheadAttention; the module is then the first argument."""
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]


@dataclass(eq=False, slots=True)
class TraceStep:
    """A future layer of the recorded network: a call of a module, or an operation between modules."""

    id: str
    kind: str
    """Class of the module, or name of the operation."""
    module: nn.Module | None = None
    family: Family = "other"
    sources: dict[TraceStep, None] = field(default_factory=dict)
    """Steps that it reads, in order."""
    varying_reads: int = 0
    """Number of values it has read that depend on the network's input."""
    varies: bool = True
    """Whether it depends on the network's input, or may do so."""
    operations: list[str] = field(default_factory=list)
    """Canonical names of the operations in it that computed new values."""
    parameters: int = 0
    """Number of parameters."""
    layout: MapLayout | None = None
    """How its output becomes maps; None if it can't be drawn."""
    notes: dict[str, None] = field(default_factory=dict)
    waiting: torch.Tensor | None = None
    """Its output (any shape), kept alive while it is not known whether it will be copied."""
    versions: list[int] | None = None
    """Version counters of the waiting tensor, from `mutation.read_versions`."""
    grid: tuple[int, int] | None = None
    """Rows and columns of its tokens, as in Axes."""
    channel_axis: int | None = None
    """Axis of its output that holds the channels; None if that is unknown."""
    attention: AttentionCall | None = None
    """The attention in it, while it runs."""

    def finalise(self) -> None:
        """Determines family, parameters and dependence on the input, once everything inside the step has run."""
        self.varies = self.family == "input" or UNKNOWN in self.notes or any(source.varies for source in self.sources)
        if self.module is not None:
            module = self.module
            own = module.parameters() if len(module._modules) else filter(torch.is_tensor, module._parameters.values())
            self.parameters = sum(parameter.numel() for parameter in own)
            if self.family != "opaque":
                family = class_family(type(module))  # type: ignore[arg-type]
                self.family = family or family_of_operations(self.operations, self.parameters > 0)

    def facts(self) -> LayerFacts:
        """Returns what the fold depends on."""
        layout, sources = self.layout, tuple(source.id for source in self.sources)
        drawable = layout is not None and not layout.is_empty
        has_maps = layout is not None and (layout.complete or len(layout.shape) > 2)
        normal = self.family != "norm" or self.channel_axis in NORMALISED_AXES
        return LayerFacts(
            self.id, self.family, sources, self.varying_reads, self.parameters, drawable, self.varies, has_maps, normal
        )

    def layer(self, role: Role, shows: str) -> Layer:
        """Returns the recorded layer, with the role that the fold gave it."""
        shape, map_shape = (self.layout.shape, self.layout.map_shape) if self.layout else ((), (0, 0, 0))
        return Layer(self.id, self.kind, role, shape, map_shape, shows, self.parameters, ", ".join(self.notes))

    def edges(self) -> list[Edge]:
        """Returns the edges that end at this step."""
        return [Edge(source.id, self.id) for source in self.sources]


@dataclass(eq=False, slots=True)
class TensorMark:
    """The provenance of one tensor in one run."""

    run: object
    """Identity of the run."""
    origins: tuple[TraceStep, ...]
    """Steps whose values the tensor holds; none for constants."""
    axes: Axes
    versions: list[int] | None
    """Version counter of the tensor when it was marked."""
    pending: TraceStep | None = None
    """Step whose output (this tensor) may still have to be copied."""
    rewritten: tuple[list[int], tuple[TraceStep, ...]] | None = None
    """Version and origins when all its values were last changed in place; older views of it hold these values too."""


class TensorMarks:
    """Reads and writes the marks of one run.

    A mark is an attribute of the tensor itself: unlike an entry keyed by its address it can't outlive the tensor, and
    it costs a twentieth of a weak dictionary. The network's parameters are constants and never marked. Its buffers, and
    tensors that it has kept from before the run, are constants until the network writes to them.
    """

    def __init__(self, modules: Iterable[nn.Module]) -> None:
        self.run = object()
        modules = list(modules)
        # kept alive, so that no id is reused
        self._constants = [tensor for module in modules for tensor in module._parameters.values()]
        self._ids = {id(tensor) for tensor in self._constants}
        for tensor in own_tensors(modules):
            self.set(tensor, (), Axes())

    def is_constant(self, tensor: torch.Tensor) -> bool:
        """Whether a tensor of any shape is a parameter of the network."""
        return id(tensor) in self._ids

    def get(self, tensor: torch.Tensor) -> TensorMark | None:
        """Returns the mark of a tensor of any shape in this run.

        None for parameters, for tensors made outside torch, and for tensors left over from an earlier run.
        """
        mark: TensorMark | None = getattr(tensor, MARK, None)
        if mark is None:
            return None
        if mark.run is not self.run:
            return None if mark.origins else TensorMark(self.run, (), mark.axes, mark.versions)
        base_mark: TensorMark | None = getattr(tensor._base, MARK, None)
        if base_mark is not None and base_mark.run is self.run and base_mark.rewritten and mark.versions:
            versions, origins = base_mark.rewritten
            if versions > mark.versions:
                return TensorMark(self.run, origins, mark.axes, versions)
        return mark

    def set(self, tensor: torch.Tensor, origins: tuple[TraceStep, ...], axes: Axes) -> None:
        """Marks a tensor of any shape, unless it is a constant."""
        if id(tensor) not in self._ids:
            axes = Axes() if tensor.is_nested else axes  # its parts differ in shape
            setattr(tensor, MARK, TensorMark(self.run, origins, axes, read_versions([tensor])))

    def axes(self, tensor: torch.Tensor) -> Axes:
        """Returns what the axes of a tensor of any shape mean."""
        mark = self.get(tensor)
        return Axes() if mark is None else mark.axes

    def is_unknown(self, tensor: torch.Tensor) -> bool:
        """Whether the origin of the values of a tensor of any shape is unknown."""
        return id(tensor) not in self._ids and self.get(tensor) is None and tensor.numel() > 1

    def origins(self, tensors: Iterable[torch.Tensor]) -> tuple[TraceStep, ...]:
        """Returns the steps whose values these tensors of any shape hold, each once."""
        marks = [mark for tensor in tensors if (mark := self.get(tensor)) is not None and mark.origins]
        if len(marks) == 1:
            return marks[0].origins
        return tuple(dict.fromkeys(step for mark in marks for step in mark.origins))

    def leading_tensor(self, tensors: Iterable[torch.Tensor]) -> torch.Tensor | None:
        """Returns the tensor (any shape) that an operation's result takes its axes from, or None.

        A tensor with origins goes before a constant, then the one with most axes, then the first.
        """
        best, best_rank = None, (-1, -1)
        for tensor in tensors:
            mark = self.get(tensor)
            rank = (-1, -1) if mark is None else (int(bool(mark.origins)), tensor.dim())
            if rank > best_rank:
                best, best_rank = tensor, rank
        return best

    def add_sources(self, step: TraceStep, tensors: Iterable[torch.Tensor]) -> None:
        """Notes that a step reads these tensors of any shape."""
        for tensor in tensors:
            mark = self.get(tensor)
            if mark is None:
                if self.is_unknown(tensor):
                    step.notes[UNKNOWN] = None
                continue
            others = [origin for origin in mark.origins if origin is not step]
            step.sources.update(dict.fromkeys(others))
            step.varying_reads += any(origin.varies for origin in others)

    def mark_written(self, tensor: torch.Tensor, origins: tuple[TraceStep, ...]) -> None:
        """Notes an in-place change of a tensor of any shape; the base of a view and its other views change too."""
        base = tensor if tensor._base is None else tensor._base
        before, partial = self.get(base), base.numel() > tensor.numel()
        if base is not tensor:
            kept = before.origins if before is not None and partial else ()
            self.set(base, tuple(dict.fromkeys((*kept, *origins))), self.axes(base))
        mark: TensorMark | None = getattr(base, MARK, None)
        if mark is not None:
            rewritten = (mark.versions, mark.origins) if mark.versions else None
            mark.rewritten = rewritten if not partial else before.rewritten if before is not None else None


def remove_marks(tensors: Iterable[torch.Tensor]) -> None:
    """Removes the marks from tensors of any shape that belong to the caller."""
    for tensor in tensors:
        if getattr(tensor, MARK, None) is not None:
            delattr(tensor, MARK)
