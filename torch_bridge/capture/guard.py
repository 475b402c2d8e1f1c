"""What holds while a network is run for a recording: mode and buffers come back, errors say where they came from."""

from __future__ import annotations

import sys
import threading
import traceback
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import nn

from ..recording.errors import InnerwalkError, ModelError
from .trace.mutation import changed_tensors, read_versions

LONGEST_REASON = 400


RUN_LOCK = threading.RLock()
"""Mode, hooks and the marks on inputs are there once, whichever thread runs the network: runs take turns."""


@contextmanager
def evaluation_mode(model: nn.Module, modules: Iterable[nn.Module]) -> Iterator[None]:
    """Evaluation mode inside; then the mode of every module and the values of every buffer are as before."""
    modes = [(module, module.training) for module in modules]
    buffers = [(module, dict(module._buffers)) for module in modules if len(module._buffers)]
    held = [buffer for _, own in buffers for buffer in own.values() if buffer is not None]
    if any(mode for _, mode in modes):
        model.eval()
    try:
        with _kept(held):
            yield
    finally:
        for module, mode in modes:
            if module.training != mode:
                module.training = mode
        for module, own in buffers:
            for name, buffer in own.items():
                if module._buffers.get(name) is not buffer:
                    module._buffers[name] = buffer


@contextmanager
def _kept(tensors: list[torch.Tensor]) -> Iterator[None]:
    """Tensors hold the same values afterwards."""
    before = [(tensor, read_versions([tensor]), tensor.detach().clone()) for tensor in tensors]
    try:
        yield
    finally:
        with torch.no_grad():
            for tensor, version, copy in before:
                if changed_tensors([tensor], version, in_place=True) and not torch.equal(tensor, copy):
                    with torch.inference_mode(tensor.is_inference()):
                        tensor.copy_(copy)


@contextmanager
def force_eager(modules: Iterable[nn.Module]) -> Iterator[None]:
    """Compiled parts run as written, so that their layers are seen. The compiler is loaded only if there are any."""
    if not any(type(module).__name__ == "OptimizedModule" for module in modules) and "torch._dynamo" not in sys.modules:
        yield
        return
    with torch.compiler.set_stance("force_eager"), warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*when there are global hooks on modules", UserWarning)
        yield


@contextmanager
def model_errors(paths: Mapping[nn.Module, str]) -> Iterator[None]:
    """Any failure of the network becomes a ModelError of one line that names the layer."""
    try:
        yield
    except InnerwalkError:
        raise
    except (Exception, SystemExit) as error:
        raise ModelError(f"the network failed{_place(error, paths)}: {one_line(error)}") from error


def one_line(error: BaseException) -> str:
    """Any exception as its class and what it says, on one line."""
    reason = " ".join(str(error).split())[:LONGEST_REASON] or "no reason given"
    return f"{type(error).__name__}: {reason}"


def _place(error: BaseException, paths: Mapping[nn.Module, str]) -> str:
    """The innermost module of the network that was running."""
    running = [frame.f_locals.get("self") for frame, _ in traceback.walk_tb(error.__traceback__)]
    inside = [one for one in running if isinstance(one, nn.Module) and one in paths]
    if not inside:
        return ""
    path, kind = paths[inside[-1]], type(inside[-1]).__name__
    return f" in layer {path!r} ({kind})" if path else f" in its own forward ({kind})"
