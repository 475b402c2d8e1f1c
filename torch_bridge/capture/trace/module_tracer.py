"""Watch every module call of a run: which layer runs, and what comes out of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook

from ..values.map_layout import Axes
from .axes import infer_module_axes
from .mutation import Tensors, changed_tensors, new_tensors, read_versions
from .op_types import class_family, class_name, is_layer, tensors_in
from .provenance import TraceStep
from .run import Run

SEALED = "torch.nn.modules."
"""Layers from here make their output from their inputs and nothing else: nobody needs to look inside. It saves half of
the cost, and leaves torch its fast paths, so that values are bit for bit those of an unwatched run."""


@dataclass(eq=False, slots=True)
class ModuleCall:
    """One module call on the stack."""

    module: nn.Module
    path: str
    id: str
    step: TraceStep | None = None
    """Its layer; None for containers and for what runs inside a layer."""
    seal: Any = None
    """What keeps operations from being watched while it runs."""
    inputs: Tensors | None = None
    read_versions: list[int] | None = None


class ModuleTracer:
    """Hooks on every module of the process, in this thread: those of single modules raise on scripted ones."""

    def __init__(self, run: Run, paths: dict[nn.Module, str]) -> None:
        self.run, self.marks, self.paths = run, run.marks, dict(paths)
        self.stack: list[ModuleCall] = []
        self.thread = threading.get_ident()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Hooks inside; removed whatever happens."""
        handles = []
        try:
            handles.append(register_module_forward_pre_hook(self._enter))
            handles.append(register_module_forward_hook(self._leave, with_kwargs=True, always_call=True))
            yield
        finally:
            while self.stack:
                self._pop()
            for handle in handles:
                handle.remove()

    def _enter(self, module: nn.Module, args: tuple[Any, ...]) -> None:
        if threading.get_ident() != self.thread:
            return
        path = self.paths.get(module)
        if path is None:  # made while running
            path = self.paths[module] = f"{self.run.path}.?{type(module).__name__}".lstrip(".")
        call = ModuleCall(module, path, self.run.number(path or type(module).__name__))
        self.stack.append(call)
        self.run.path = path
        if self.run.current is None and is_layer(module):
            call.step = self.run.current = TraceStep(call.id, "", module, class_family(type(module)) or "other")  # type: ignore[arg-type]
            if isinstance(module, torch.jit.ScriptModule) or _closed(module, args):
                self._seal(call, args)

    def _seal(self, call: ModuleCall, args: tuple[Any, ...]) -> None:
        call.seal = torch._C.DisableTorchFunction()
        call.seal.__enter__()
        call.inputs = list(tensors_in(args))
        self.run.touch(call.inputs, norm=call.step is not None and call.step.family == "norm")
        call.versions = read_versions(call.inputs)

    def _leave(self, module: nn.Module, args: Any, kwargs: dict[str, Any] | None, output: Any = None) -> None:
        """After a call; after one that raised torch gives no `kwargs`, which is how it is known here."""
        if threading.get_ident() != self.thread or all(call.module is not module for call in reversed(self.stack)):
            return
        while self.stack[-1].module is not module:  # left by an exception that the network has caught
            self._pop()
        call = self.stack[-1]
        if kwargs is not None:
            self._finish(call, args, kwargs, output)
        self._pop()

    def _finish(self, call: ModuleCall, args: Any, kwargs: dict[str, Any], output: Any) -> None:
        with torch._C.DisableTorchFunction():
            outputs = [output] if isinstance(output, torch.Tensor) else list(tensors_in(output))
            sealed = call.inputs is not None
            step = self._sealed(call, kwargs, outputs) if sealed else self._open(call, args, kwargs, outputs)
            if step is not None and outputs:
                step.kind = class_name(call.module)
                self.run.finish(step, outputs)
                if step.family == "attention":
                    self.run.keeper.attended(step, args, kwargs)

    def _pop(self) -> None:
        call = self.stack.pop()
        self.run.path = self.stack[-1].path if self.stack else ""
        if call.step is not None:
            self.run.current = None
        if call.seal is not None:
            call.seal.__exit__(None, None, None)

    def _sealed(self, call: ModuleCall, kwargs: dict[str, Any], outputs: Tensors) -> TraceStep | None:
        """The layer of a sealed call that has made or changed something: not an Identity, not a Dropout that is off."""
        assert call.inputs is not None and call.step is not None
        named = list(tensors_in(kwargs))
        inputs = [*call.inputs, *named]
        written = changed_tensors(call.inputs, call.versions, getattr(call.module, "inplace", False))
        made = [tensor for tensor in (*new_tensors(outputs, inputs), *written) if not self.marks.constant(tensor)]
        if not made:
            return None
        self.run.touch(named)
        self._mark(call.step, call.module, inputs, made)
        for tensor in written:
            self.marks.changed_through(tensor, (call.step,))
        if isinstance(call.module, torch.jit.ScriptModule):
            call.step.family = "opaque"
        return call.step

    def _open(self, call: ModuleCall, args: Any, kwargs: Any, outputs: Tensors) -> TraceStep | None:
        """The layer of a watched call, if it ran anything; outputs that no operation made (numpy, C++) come from its
        inputs, somehow."""
        step = call.step
        lost = [tensor for tensor in outputs if self.marks.get(tensor) is None and not self.marks.constant(tensor)]
        if lost:
            step = self.run.current or TraceStep(call.id, "", call.module)
            if not step.operations:
                step.family = "opaque"
            inputs = list(tensors_in((args, kwargs)))
            self.run.touch(inputs)
            self._mark(step, None, inputs, lost)
            return step if call.step is step or self.run.current is None else None
        return step if self.run.steps and self.run.steps[-1] is step else None

    def _mark(self, step: TraceStep, module: nn.Module | None, inputs: Tensors, made: Tensors) -> None:
        """What a layer has read and made."""
        lead = self.marks.lead(inputs)
        axes, before = (self.marks.axes(lead), tuple(lead.shape)) if lead is not None else (Axes(), ())
        self.run.begin(step)
        self.marks.read(step, inputs)
        for tensor in made:
            self.marks.set(tensor, (step,), infer_module_axes(module, axes, before, tuple(tensor.shape)))


def _closed(module: nn.Module, args: tuple[Any, ...]) -> bool:
    """Whether a module may be sealed. Without positional arguments its inputs aren't known before it runs.

    Where operations are watched by more than this recording, as when rules replace ReLUs, they must be seen everywhere.
    """
    usual = type(module).__module__.startswith(SEALED) and "forward" not in module.__dict__
    return bool(args) and usual and torch._C._len_torch_function_stack() < 2
