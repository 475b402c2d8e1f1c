"""Traces every module call of a run: which layer runs, and what comes out of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn.modules.module import (
    _global_forward_hooks_with_kwargs,
    register_module_forward_hook,
    register_module_forward_pre_hook,
)

from ..layer_paths import owners_of_unregistered, unused_path
from ..values.map_layout import Axes
from .axes import infer_module_axes
from .mutation import Tensors, changed_tensors, new_tensors, read_versions
from .op_types import class_family, class_name, is_layer, shape_of, tensors_in
from .provenance import AttentionCall, TraceStep
from .run import Run

ATOMIC_MODULES = "torch.nn.modules."
"""Package of the modules that are traced as a whole: their output depends on their inputs alone, so the operations
inside them aren't traced. This halves the cost of tracing and leaves torch its fast paths, so that values are bit for
bit those of an untraced run."""


@dataclass(eq=False, slots=True)
class ModuleCall:
    """One module call on the stack."""

    module: nn.Module
    path: str
    id: str
    """Layer id of this call."""
    step: TraceStep | None = None
    """The layer that the call is; None for containers and for modules that run inside a layer."""
    guard: Any = None
    """Context that keeps operations from being traced while an atomic call runs."""
    inputs: Tensors | None = None
    """Positional input tensors of an atomic call; None for other calls."""
    versions: list[int] | None = None
    """Version counters of `inputs` before the call."""


class ModuleTracer:
    """Hooks on all modules of the process, in this thread; hooks on single modules would fail for scripted ones."""

    def __init__(self, run: Run, paths: dict[nn.Module, str]) -> None:
        self.run, self.marks, self.paths = run, run.marks, dict(paths)
        self.taken = set(paths.values())
        self.owners = owners_of_unregistered(paths)
        self.stack: list[ModuleCall] = []
        self.thread = threading.get_ident()

    @contextmanager
    def hooks(self) -> Iterator[None]:
        """Installs the hooks, and removes them afterwards whatever happens."""
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
                _global_forward_hooks_with_kwargs.pop(handle.id, None)  # torch forgets this entry

    def _enter(self, module: nn.Module, args: tuple[Any, ...]) -> None:
        if threading.get_ident() != self.thread:
            return
        path = self._path(module)
        id = self.run.next_id(path) if path else self.run.next_own_id(type(module).__name__)
        call = ModuleCall(module, path, id)
        self.stack.append(call)
        self.run.path = path
        if self.run.current is None and is_layer(module, module in self.owners):
            call.step = self.run.current = TraceStep(call.id, "", module, class_family(type(module)) or "other")  # type: ignore[arg-type]
            if isinstance(module, torch.jit.ScriptModule) or _is_atomic(module, args):
                self._enter_atomic(call, args)

    def _path(self, module: nn.Module) -> str:
        """Returns a module's path; one that was made while the network runs has a question mark in it."""
        if module not in self.paths:
            path = f"{self.run.path}.?{type(module).__name__}".lstrip(".")
            self.paths[module] = unused_path(path, self.taken)
            self.taken.add(self.paths[module])
        return self.paths[module]

    def _enter_atomic(self, call: ModuleCall, args: tuple[Any, ...]) -> None:
        call.guard = torch._C.DisableTorchFunction()
        call.guard.__enter__()
        call.inputs = list(tensors_in(args))
        self.run.before_read(call.inputs, norm=call.step is not None and call.step.family == "norm")
        call.versions = read_versions(call.inputs)

    def _leave(self, module: nn.Module, args: Any, kwargs: dict[str, Any] | None, output: Any = None) -> None:
        """Runs after a call. torch passes no `kwargs` after a call that has raised."""
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
            if call.inputs is not None:
                step = self._atomic_step(call, kwargs, outputs)
            else:
                step = self._traced_step(call, args, kwargs, outputs)
            if step is not None and outputs:
                step.kind = class_name(call.module)
                if isinstance(call.module, nn.MultiheadAttention):
                    step.attention = AttentionCall("MultiheadAttention", (call.module, *args), kwargs)
                self.run.finish_step(step, outputs)

    def _pop(self) -> None:
        call = self.stack.pop()
        self.run.path = self.stack[-1].path if self.stack else ""
        if call.step is not None:
            self.run.current = None
        if call.guard is not None:
            call.guard.__exit__(None, None, None)

    def _atomic_step(self, call: ModuleCall, kwargs: dict[str, Any], outputs: Tensors) -> TraceStep | None:
        """Returns the layer of an atomic call; None if it made and changed nothing (Identity, Dropout that is off)."""
        assert call.inputs is not None and call.step is not None
        named = list(tensors_in(kwargs))
        inputs = [*call.inputs, *named]
        written = changed_tensors(call.inputs, call.versions, getattr(call.module, "inplace", False))
        results = [tensor for tensor in (*new_tensors(outputs, inputs), *written) if not self.marks.is_constant(tensor)]
        if not results:
            return None
        self.run.before_read(named)
        self._mark(call.step, call.module, inputs, results)
        for tensor in written:
            self.marks.mark_written(tensor, (call.step,))
        if isinstance(call.module, torch.jit.ScriptModule):
            call.step.family = "opaque"
        return call.step

    def _traced_step(self, call: ModuleCall, args: Any, kwargs: Any, outputs: Tensors) -> TraceStep | None:
        """Returns the layer of a call whose operations were traced; None if it ran no operation.

        Outputs that no traced operation has made (numpy, C++) are attributed to the module's inputs.
        """
        step = call.step
        untraced = [
            tensor for tensor in outputs if self.marks.get(tensor) is None and not self.marks.is_constant(tensor)
        ]
        if untraced:
            step = self.run.current or TraceStep(call.id, "", call.module)
            if not step.operations:
                step.family = "opaque"
            inputs = list(tensors_in((args, kwargs)))
            self.run.before_read(inputs)
            self._mark(step, None, inputs, untraced)
            return step if call.step is step or self.run.current is None else None
        return step if self.run.steps and self.run.steps[-1] is step else None

    def _mark(self, step: TraceStep, module: nn.Module | None, inputs: Tensors, results: Tensors) -> None:
        """Notes the inputs and the results of a layer."""
        lead = self.marks.leading_tensor(inputs)
        axes, before = (self.marks.axes(lead), shape_of(lead)) if lead is not None else (Axes(), ())
        self.run.start_step(step)
        self.marks.add_sources(step, inputs)
        step.grid = axes.grid
        for k, tensor in enumerate(results):
            self.marks.set(tensor, (step,), infer_module_axes(module, axes, before, shape_of(tensor), state=k > 0))


def _is_atomic(module: nn.Module, args: tuple[Any, ...]) -> bool:
    """Whether a module is traced as a whole. Without positional arguments its inputs aren't known before it runs.

    If another TorchFunctionMode is active, such as a ReLU rule, it must see all operations: then no module is atomic.
    """
    unmodified = type(module).__module__.startswith(ATOMIC_MODULES) and "forward" not in module.__dict__
    return bool(args) and unmodified and torch._C._len_torch_function_stack() < 2
