"""The recorded graph while it grows: steps, and the marks that tensors carry to say which steps made them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import torch
from torch import nn

from ...recording import Edge, Layer, Role
from ..fold import Family, LayerFacts
from ..values.map_layout import Axes, MapLayout
from .mutation import read_versions
from .op_types import class_family, family_of_operations

MARK = "_innerwalk_mark"
UNKNOWN = "unknown origin"


@dataclass(eq=False, slots=True)
class TraceStep:
    """One layer to be: a call of a module, or an operation between modules."""

    id: str
    kind: str
    module: nn.Module | None = None
    family: Family = "other"
    sources: dict[TraceStep, None] = field(default_factory=dict)
    values: int = 0
    """How many values that depend on the input it has read."""
    live: bool = True
    """Whether it depends on the input, or may do so."""
    operations: list[str] = field(default_factory=list)
    """Plain names of what ran in it and made new values."""
    parameters: int = 0
    spread: MapLayout | None = None
    notes: dict[str, None] = field(default_factory=dict)
    waiting: torch.Tensor | None = None
    """Its output, kept alive while it is not known whether it will be copied."""
    read_versions: list[int] | None = None
    """Of the waiting tensor, as `run.versions` gives them."""
    grid: tuple[int, int] | None = None
    """Of its tokens, see Axes."""

    def settle(self) -> None:
        """Family, parameters and dependence on the input, once everything in it has run."""
        self.live = self.family == "input" or UNKNOWN in self.notes or any(source.live for source in self.sources)
        if self.module is not None:
            module = self.module
            own = module.parameters() if len(module._modules) else filter(torch.is_tensor, module._parameters.values())
            self.parameters = sum(parameter.numel() for parameter in own)
            if self.family != "opaque":
                self.family = class_family(type(module)) or family_of_operations(self.operations, self.parameters > 0)  # type: ignore[arg-type]

    def unit(self) -> LayerFacts:
        """What the fold needs to know of it."""
        made, sources = self.spread, tuple(source.id for source in self.sources)
        drawable = made is not None and not made.empty
        maps = made is not None and (made.whole or len(made.shape) > 2)
        return LayerFacts(self.id, self.family, sources, self.values, self.parameters, drawable, self.live, maps)

    def layer(self, role: Role, shows: str) -> Layer:
        shape, map_shape = (self.spread.shape, self.spread.map_shape) if self.spread else ((), (0, 0, 0))
        return Layer(self.id, self.kind, role, shape, map_shape, shows, self.parameters, ", ".join(self.notes))

    def edges(self) -> list[Edge]:
        return [Edge(source.id, self.id) for source in self.sources]


@dataclass(eq=False, slots=True)
class TensorMark:
    """What is known of one tensor in one run."""

    run: object
    origins: tuple[TraceStep, ...]
    """The steps whose values it holds; none for constants."""
    axes: Axes
    read_versions: list[int] | None
    """Of the tensor when it was marked."""
    lazy: TraceStep | None = None
    """The step that waits to learn whether this tensor, its output, must be copied."""
    rewritten: tuple[list[int], tuple[TraceStep, ...]] | None = None
    """Its versions and origins when all its values were last changed in place: older views of it hold these too."""


class TensorMarks:
    """Reads and writes the marks of one run.

    A mark is an attribute of the tensor itself: unlike a key made of its address it can't outlive the tensor, and it
    costs a twentieth of a weak dictionary. The network's parameters and buffers are never marked: they are constants.
    """

    def __init__(self, modules: Iterable[nn.Module]) -> None:
        self.run = object()
        owned = (own for module in modules for own in (module._parameters.values(), module._buffers.values()))
        self._constants = [tensor for own in owned for tensor in own]  # kept, so that no id is given twice
        self._ids = {id(tensor) for tensor in self._constants}

    def constant(self, tensor: torch.Tensor) -> bool:
        """Whether it is a parameter or buffer of the network."""
        return id(tensor) in self._ids

    def get(self, tensor: torch.Tensor) -> TensorMark | None:
        """Its mark in this run, or None: a parameter, something made outside torch, or left from an earlier run."""
        mark: TensorMark | None = getattr(tensor, MARK, None)
        if mark is None:
            return None
        if mark.run is not self.run:
            return None if mark.origins else TensorMark(self.run, (), mark.axes, mark.versions)
        behind: TensorMark | None = getattr(tensor._base, MARK, None)
        if behind is not None and behind.run is self.run and behind.rewritten and mark.versions:
            versions, origins = behind.rewritten
            if versions > mark.versions:
                return TensorMark(self.run, origins, mark.axes, versions)
        return mark

    def set(self, tensor: torch.Tensor, origins: tuple[TraceStep, ...], axes: Axes) -> None:
        if id(tensor) not in self._ids:
            setattr(tensor, MARK, TensorMark(self.run, origins, axes, read_versions([tensor])))

    def axes(self, tensor: torch.Tensor) -> Axes:
        mark = self.get(tensor)
        return Axes() if mark is None else mark.axes

    def unknown(self, tensor: torch.Tensor) -> bool:
        """Whether nobody knows where its values come from."""
        return id(tensor) not in self._ids and self.get(tensor) is None and tensor.numel() > 1

    def origins(self, tensors: Iterable[torch.Tensor]) -> tuple[TraceStep, ...]:
        """The steps whose values these tensors hold, each once."""
        marks = [mark for tensor in tensors if (mark := self.get(tensor)) is not None and mark.origins]
        if len(marks) == 1:
            return marks[0].origins
        return tuple(dict.fromkeys(step for mark in marks for step in mark.origins))

    def lead(self, tensors: Iterable[torch.Tensor]) -> torch.Tensor | None:
        """The tensor whose axes the others follow: recorded before constant, more axes before fewer, then the first."""
        best, best_rank = None, (-1, -1)
        for tensor in tensors:
            mark = self.get(tensor)
            rank = (-1, -1) if mark is None else (int(bool(mark.origins)), tensor.dim())
            if rank > best_rank:
                best, best_rank = tensor, rank
        return best

    def read(self, step: TraceStep, tensors: Iterable[torch.Tensor]) -> None:
        """Note that a step reads these tensors."""
        for tensor in tensors:
            mark = self.get(tensor)
            if mark is None:
                if self.unknown(tensor):
                    step.notes[UNKNOWN] = None
                continue
            others = [origin for origin in mark.origins if origin is not step]
            step.sources.update(dict.fromkeys(others))
            step.values += any(origin.live for origin in others)

    def changed_through(self, tensor: torch.Tensor, origins: tuple[TraceStep, ...]) -> None:
        """A tensor was written to, so the tensor behind it, if it is a view, and its own views hold new values too."""
        base = tensor if tensor._base is None else tensor._base
        old, part = self.get(base), base.numel() > tensor.numel()
        if base is not tensor:
            kept = old.origins if old is not None and part else ()
            self.set(base, tuple(dict.fromkeys((*kept, *origins))), self.axes(base))
        mark: TensorMark | None = getattr(base, MARK, None)
        if mark is not None:
            whole = (mark.versions, mark.origins) if mark.versions else None
            mark.rewritten = whole if not part else old.rewritten if old is not None else None


def remove_marks(tensors: Iterable[torch.Tensor]) -> None:
    """Leave the tensors as they were given."""
    for tensor in tensors:
        if getattr(tensor, MARK, None) is not None:
            delattr(tensor, MARK)
