"""Watch one forward pass of a network: which layers ran, what flowed between them, and what their values were.

Global module hooks give the calls (hooks of single modules raise on scripted ones), a TorchFunctionMode gives every
torch operation, and a mark on every tensor says which layers made it. Nothing in the network is changed. A layer's
values are offered to the keeper at the moment it has finished, because `out += identity` or ReLU(inplace=True)
overwrite them later.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol

import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.overrides import TorchFunctionMode

from .axes import follow
from .graph import Marks, Step, unmark
from .kinds import FAMILIES, FOREIGN, PLUMBING, SILENT, class_family, is_layer, plain_name, tensors_in
from .shapes import Axes, spread

Tensors = list[torch.Tensor]
PLAIN = (int, float, list, tuple, torch.Tensor)
"""What `torch.tensor(...)` may be made of to be a constant, not a value from outside."""


class Call(NamedTuple):
    """One module call on the stack."""

    module: nn.Module
    path: str
    id: str
    step: Step | None
    """Its layer; None for containers and for what runs inside a layer."""


class Keeper(Protocol):
    """Who decides what is copied, and copies it."""

    def finished(self, step: Step, value: torch.Tensor) -> bool:
        """A layer has its output. True: call `touched` before anything but a batch norm uses it."""

    def touched(self, step: Step, value: torch.Tensor) -> None:
        """Something is about to use, perhaps to change, the output that `finished` asked to wait for."""

    def attended(self, step: Step, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """An attention layer, module or function, has finished with these arguments."""


class Sample(NamedTuple):
    """What of a run is looked at."""

    batch: int = 1
    """How many inputs the network is given at once."""
    index: int = 0
    """Which of them is recorded."""
    grid: tuple[int, int] | None = None
    """Rows and columns of tokens, where a person says them."""


class Capture(TorchFunctionMode):
    """One run. Afterwards `steps` holds the graph in order of execution."""

    def __init__(self, model: nn.Module, keeper: Keeper, sample: Sample) -> None:
        super().__init__()
        self.model, self.keeper, self.sample = model, keeper, sample
        self.paths = {module: path for path, module in reversed(list(model.named_modules()))}
        self.names = {path or type(module).__name__ for module, path in self.paths.items()}
        self.marks = Marks(model)
        self.steps: list[Step] = []
        self.counts: dict[str, int] = {}
        self.stack: list[Call] = []
        self.current: Step | None = None
        """The layer that is running; what runs inside it belongs to it."""
        self.thread = threading.get_ident()

    def watch(self, args: tuple[Any, ...], kwargs: dict[str, Any], axes: Callable[[torch.Tensor], Axes]) -> Any:
        """Run the network and return its output. `axes` says what the axes of an input tensor are taken for."""
        given = list(tensors_in((args, kwargs)))
        output = None
        try:
            for tensor in dict.fromkeys(given):
                step = Step(self._number("input"), "input", family="input")
                self._made(step, [tensor], axes(tensor))
            with _hooks(self._enter, self._leave), self, torch.no_grad():
                output = self.model(*args, **kwargs)
            self._output(list(tensors_in(output)))
        finally:
            unmark([*given, *tensors_in(output)])
        return output

    def _output(self, tensors: Tensors) -> None:
        for step in self.steps:
            if step.waiting is not None:
                self._settle(step.waiting)
        step = Step(self._number("output"), "output", family="output")
        self.marks.read(step, tensors)
        if tensors:
            self._measure(step, tensors)
        self.steps.append(step)

    def _number(self, path: str) -> str:
        """The id of the next call of a path; a module's own path goes to the module."""
        if path in ("input", "output") and path in self.names:
            path = f":{path}"
        count = self.counts[path] = self.counts.get(path, 0) + 1
        return path if count == 1 else f"{path}@{count}"

    # --- operations -----------------------------------------------------------------------------------------------

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if name in SILENT:
            return func(*args, **kwargs)
        if name == "__get__":
            return self._read_attribute(func, args)
        if name == "__set__":
            return self._write_attribute(func, args)
        inputs = list(tensors_in((args, kwargs) if kwargs else args))
        self._touch(inputs, name)
        versions = _versions(inputs)
        output = func(*args, **kwargs)
        changed = _changed(inputs, versions, name, kwargs)
        self._after(plain_name(name), args, kwargs, inputs, _fresh(output, inputs), changed)
        return output

    def _read_attribute(self, func: Any, args: Any) -> Any:
        """x.shape, but also x.T and x.data, which are views."""
        name, output = func.__self__.__name__, func(*args)
        if isinstance(output, torch.Tensor) and name in PLUMBING:
            self._touch([args[0]], name)
            self._after(name, args, {}, [args[0]], _fresh(output, [args[0]]), [])
        return output

    def _write_attribute(self, func: Any, args: Any) -> Any:
        """x.data = y."""
        data = func.__self__.__name__ == "data"
        if data:
            self._touch(args, "__set__")
        output = func(*args)
        if data:
            self.marks.set(args[0], self.marks.origins([args[1]]), self.marks.axes(args[1]))
        return output

    def _touch(self, inputs: Tensors, name: str) -> None:
        """Before an operation: the outputs that waited for their reader have one now."""
        for tensor in inputs:
            mark = self.marks.get(tensor)
            if mark is None or mark.lazy is None:
                continue
            if name == "batch_norm" or (self.current is not None and self.current.family == "norm"):
                mark.lazy.waiting = None  # if it lives on, somebody else may still read it: the mark stays lazy
            else:
                self._settle(tensor)

    def _settle(self, tensor: torch.Tensor) -> None:
        mark = self.marks.get(tensor)
        if mark is not None and mark.lazy is not None:
            step, mark.lazy = mark.lazy, None
            step.waiting = None
            self.keeper.touched(step, tensor)

    def _after(self, name: str, args: Any, kwargs: Any, inputs: Tensors, fresh: Tensors, changed: Tensors) -> None:
        """After an operation: whatever it made or changed gets a mark."""
        made = [tensor for tensor in (*fresh, *changed) if not self.marks.constant(tensor)]
        if not made or (name in FOREIGN and not (args and isinstance(args[0], PLAIN))):
            return
        lead = self.marks.lead(inputs)
        axes, before = (self.marks.axes(lead), tuple(lead.shape)) if lead is not None else (Axes(), ())
        after = axes if made[0] is lead else follow(name, args, kwargs, axes, before, tuple(made[0].shape))
        origins = self._origins(name, inputs)
        if self.current is None and origins and name not in PLUMBING and made[0].is_floating_point():
            path = self.stack[-1].path if self.stack else ""
            step = Step(self._number(f"{path}:{name}"), name, family=FAMILIES.get(name, "other"))
            self.marks.read(step, inputs)
            step.parameters = sum(t.numel() for t in inputs if isinstance(t, nn.Parameter))
            self._made(step, made, after)
            if step.family == "attention":
                self.keeper.attended(step, args, kwargs)
            origins = (step,)
        elif origins or not any(map(self.marks.unknown, inputs)):
            for tensor in made:
                same = tensor.shape == made[0].shape
                one = after if same else follow(name, args, kwargs, axes, before, tuple(tensor.shape))
                self.marks.set(tensor, origins, one)
        for tensor in changed:
            self.marks.changed_through(tensor, origins)

    def _origins(self, name: str, inputs: Tensors) -> tuple[Step, ...]:
        """Who stands for the values that an operation makes: the running layer, or the layers it reads."""
        if self.current is None:
            return self.marks.origins(inputs)
        if not self.steps or self.steps[-1] is not self.current:
            self.steps.append(self.current)
        if name not in PLUMBING:
            self.current.operations.append(name)
        self.marks.read(self.current, inputs)
        return (self.current,)

    def _made(self, step: Step, made: Tensors, axes: Axes) -> None:
        """A layer that is no module has its values."""
        for tensor in made:
            self.marks.set(tensor, (step,), axes)
        self.steps.append(step)
        self._finish(step, made)

    # --- modules --------------------------------------------------------------------------------------------------

    def _enter(self, module: nn.Module, args: Any) -> None:
        if threading.get_ident() != self.thread:
            return
        path = self.paths.get(module)
        if path is None:  # made while running
            path = self.paths[module] = f"{self.stack[-1].path}.?{type(module).__name__}".lstrip(".")
        number = self._number(path or type(module).__name__)
        step = None
        if self.current is None and is_layer(module):
            step = self.current = Step(number, _kind(module), module, class_family(module) or "other")
        self.stack.append(Call(module, path, number, step))
        if isinstance(module, torch.jit.ScriptModule):  # it may change its inputs where nobody sees it
            with torch._C.DisableTorchFunction():
                self._touch(list(tensors_in(args)), "")

    def _leave(self, module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        if threading.get_ident() != self.thread or not any(call.module is module for call in self.stack):
            return
        while (call := self.stack.pop()).module is not module:
            self._close(call)  # it was left by an exception that the network caught
        with torch._C.DisableTorchFunction():
            outputs = list(tensors_in(output))
            lost = [t for t in outputs if self.marks.get(t) is None and not self.marks.constant(t)]
            step = self._opaque(call, args, kwargs, lost) if lost else call.step
            self._close(call)
            if step is not None and outputs and self.steps and self.steps[-1] is step:
                self._finish(step, outputs)
                if step.family == "attention":
                    self.keeper.attended(step, args, kwargs)

    def _close(self, call: Call) -> None:
        if call.step is not None:
            self.current = None

    def _opaque(self, call: Call, args: Any, kwargs: Any, lost: Tensors) -> Step | None:
        """Outputs that no operation made: numpy, C++ or scripted code. They come from the module's inputs, somehow."""
        inputs = list(tensors_in((args, kwargs)))
        self._touch(inputs, "")
        step = self.current
        if step is None:
            step = Step(call.id, _kind(call.module), call.module)
        if not step.operations:
            step.family = "opaque"
        if not self.steps or self.steps[-1] is not step:
            self.steps.append(step)
        self.marks.read(step, inputs)
        lead = self.marks.lead(inputs)
        for tensor in lost:
            same = lead is not None and lead.dim() == tensor.dim()
            self.marks.set(tensor, (step,), self.marks.axes(lead) if lead is not None and same else Axes(0))
        return step if call.step is not None or self.current is None else None

    def _finish(self, step: Step, outputs: Tensors) -> None:
        """A layer has its output: measure it and offer it to the keeper."""
        value = self._measure(step, outputs)
        step.settle()
        if step.spread is not None and self.keeper.finished(step, value):
            mark = self.marks.get(value)
            if mark is not None:
                mark.lazy, step.waiting = step, value

    def _measure(self, step: Step, outputs: Tensors) -> torch.Tensor:
        """Choose the output that is shown, and how."""
        drawable = [tensor for tensor in outputs if tensor.layout is torch.strided and not tensor.is_quantized]
        value = next((t for t in drawable if t.is_floating_point()), drawable[0] if drawable else outputs[0])
        if len(outputs) > 1:
            step.notes[f"1 of {len(outputs)} outputs"] = None
        if not drawable:
            step.notes[f"{value.layout} values"] = None
            return value
        axes = self.marks.axes(value)
        step.grid = axes.grid
        step.spread = spread(tuple(value.shape), axes, *self.sample)
        if step.spread.note:
            step.notes[step.spread.note] = None
        return value


def _kind(module: nn.Module) -> str:
    return getattr(module, "original_name", None) or type(module).__name__


@contextmanager
def _hooks(enter: Any, leave: Any) -> Iterator[None]:
    """Hooks on every module of the process; removed whatever happens."""
    handles = []
    try:
        handles.append(register_module_forward_pre_hook(enter))
        handles.append(register_module_forward_hook(leave, with_kwargs=True, always_call=True))
        yield
    finally:
        for handle in handles:
            handle.remove()


def _fresh(output: Any, inputs: Tensors) -> Tensors:
    """The tensors in an operation's output that aren't its inputs themselves."""
    outputs = [output] if isinstance(output, torch.Tensor) else list(tensors_in(output))
    return [tensor for tensor in outputs if not any(tensor is one for one in inputs)]


def _versions(tensors: Tensors) -> list[int] | None:
    """Counters that rise when values change in place; None in inference mode, which has no counters."""
    try:
        return [tensor._version for tensor in tensors]
    except RuntimeError:
        return None


def _changed(inputs: Tensors, versions: list[int] | None, name: str, kwargs: Any) -> Tensors:
    """The inputs that an operation has changed; by its name where there are no counters."""
    if versions is not None:
        return [tensor for tensor, version in zip(inputs, versions, strict=True) if tensor._version != version]
    in_place = "out" in kwargs or name == "__setitem__" or (name.endswith("_") and not name.endswith("__"))
    return inputs[:1] if in_place else []
