"""Guards around a run: one run at a time, modules and buffers restored afterwards, failures reported by layer."""

from __future__ import annotations

import sys
import threading
import traceback
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from ..recording.errors import InnerwalkError, ModelError
from .trace.mutation import changed_tensors, read_versions

MAX_REASON_LENGTH = 400
"""Characters of an exception's message that are kept."""
RUN_LOCK = threading.RLock()
"""Held by every run: mode, hooks and the marks on inputs are shared by all threads of the process."""


def check_module(model: Any) -> None:
    """Raises ModelError for anything that is no network."""
    if not isinstance(model, nn.Module):
        raise ModelError(f"{type(model).__name__} is not a torch.nn.Module; pass the network itself")


@contextmanager
def evaluation_mode(model: nn.Module, modules: Iterable[nn.Module]) -> Iterator[None]:
    """Puts the network in evaluation mode; afterwards restores every module's mode and every buffer's values."""
    modes = [(module, module.training) for module in modules]
    buffers = [(module, dict(module._buffers)) for module in modules if len(module._buffers)]
    tensors = [buffer for _, own in buffers for buffer in own.values() if buffer is not None]
    if any(mode for _, mode in modes):
        model.eval()
    try:
        with _restored_values(tensors):
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
def _restored_values(tensors: list[torch.Tensor]) -> Iterator[None]:
    """Gives tensors that have changed inside the values that they had before."""
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
    """Runs compiled parts of a network uncompiled, so that their layers can be traced.

    torch's compiler is loaded only if the network has compiled parts.
    """
    if not any(type(module).__name__ == "OptimizedModule" for module in modules) and "torch._dynamo" not in sys.modules:
        yield
        return
    with torch.compiler.set_stance("force_eager"), warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*when there are global hooks on modules", UserWarning)
        yield


@contextmanager
def model_errors(paths: Mapping[nn.Module, str]) -> Iterator[None]:
    """Turns any failure of the network into a ModelError of one line that names the layer."""
    try:
        yield
    except InnerwalkError:
        raise
    except (Exception, SystemExit) as error:
        raise ModelError(f"the network failed{_failing_layer(error, paths)}: {one_line(error)}") from error


def one_line(error: BaseException) -> str:
    """Returns an exception's class and message on one line."""
    reason = " ".join(str(error).split())[:MAX_REASON_LENGTH] or "no reason given"
    return f"{type(error).__name__}: {reason}"


def _failing_layer(error: BaseException, paths: Mapping[nn.Module, str]) -> str:
    """Names the innermost module of the network that was running, as the end of a sentence; "" if none was."""
    running = [frame.f_locals.get("self") for frame, _ in traceback.walk_tb(error.__traceback__)]
    inside = [module for module in running if isinstance(module, nn.Module) and module in paths]
    if not inside:
        return ""
    path, kind = paths[inside[-1]], type(inside[-1]).__name__
    return f" in layer {path!r} ({kind})" if path else f" in its own forward ({kind})"
