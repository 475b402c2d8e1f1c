"""Guards around a run: one run at a time, in evaluation mode, after which the network and torch are as before."""

from __future__ import annotations

import random
import sys
import threading
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from operator import is_not
from typing import Any

import numpy as np
import torch
from numpy.random import Generator as NumpyGenerator
from torch import nn
from torch.nn.modules.lazy import LazyModuleMixin
from torch.nn.parameter import is_lazy
from torch.nn.utils import parametrize

from ..recording.errors import ModelError

GENERATORS = frozenset((torch.Generator, NumpyGenerator, random.Random))
RUN_LOCK = threading.RLock()
"""Held by every run: mode, hooks and the marks on inputs are shared by all threads of the process."""


def check_module(model: Any) -> None:
    """Raises ModelError for anything that is no network."""
    if not isinstance(model, nn.Module):
        raise ModelError(f"{type(model).__name__} is not a torch.nn.Module; pass the network itself")


@contextmanager
def evaluation_mode(modules: Sequence[nn.Module]) -> Iterator[None]:
    """Puts modules in evaluation mode for a run, after which nothing tells that it took place.

    Restored are every module's mode, attributes and buffers, the random generators, and torch's caches of weights.
    Values that the network changes inside its own lists and objects stay changed, and lazy modules stay initialised.
    """
    modes = [(module, module.training) for module in modules]
    buffers = [buffer for module in modules for buffer in module._buffers.values() if buffer is not None]
    with ExitStack() as stack:
        stack.enter_context(preserved_randomness())
        stack.enter_context(_preserved_generators(modules))
        stack.enter_context(_unused_weight_caches())
        stack.enter_context(_restored_attributes(modules))
        stack.enter_context(_restored_values([buffer for buffer in buffers if _is_plain(buffer)]))
        try:
            for module, mode in modes:
                if mode:  # not by eval(), which networks override: some then merge or exchange weights
                    module.training = False
            yield
        finally:
            for module, mode in modes:
                if module.training != mode:
                    module.training = mode


@contextmanager
def preserved_randomness() -> Iterator[None]:
    """Gives the random generators of torch, numpy and Python the states that they had before."""
    states = torch.get_rng_state(), np.random.get_state(), random.getstate()  # noqa: NPY002 - not ours
    on_cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
    try:
        yield
    finally:
        torch.set_rng_state(states[0])
        np.random.set_state(states[1])  # noqa: NPY002 - not ours
        random.setstate(states[2])
        if on_cuda:
            torch.cuda.set_rng_state_all(on_cuda)


@contextmanager
def _preserved_generators(modules: Iterable[nn.Module]) -> Iterator[None]:
    """Gives the random generators that modules have as attributes the states that they had before."""
    own = [value for module in modules for value in vars(module).values() if type(value) in GENERATORS]
    of_torch = [(value, value.get_state()) for value in own if type(value) is torch.Generator]
    of_numpy = [(value.bit_generator, value.bit_generator.state) for value in own if type(value) is NumpyGenerator]
    of_python = [(value, value.getstate()) for value in own if type(value) is random.Random]
    try:
        yield
    finally:
        for generator, state in of_torch:
            generator.set_state(state)
        for bits, bits_state in of_numpy:
            bits.state = bits_state
        for python, python_state in of_python:
            python.setstate(python_state)


@contextmanager
def _unused_weight_caches() -> Iterator[None]:
    """Keeps a run from reading and filling caches of weights: what it computes has no gradient.

    They are the caches of `parametrize.cached()` and of autocast, if the caller uses these.
    """
    cached, enabled = dict(parametrize._cache), torch.is_autocast_cache_enabled()
    parametrize._cache.clear()
    torch.set_autocast_cache_enabled(False)
    try:
        yield
    finally:
        torch.set_autocast_cache_enabled(enabled)
        parametrize._cache.clear()
        parametrize._cache.update(cached)


@contextmanager
def _restored_attributes(modules: Iterable[nn.Module]) -> Iterator[None]:
    """Gives modules the attributes, parameters, buffers and children that they had before, as the same objects."""
    before = [
        (own, dict(own))
        for module in modules
        if not isinstance(module, LazyModuleMixin)
        for own in (vars(module), module._parameters, module._buffers, module._modules)
        if isinstance(own, dict)  # scripted modules keep theirs elsewhere, and unchanged
    ]
    try:
        yield
    finally:
        for own, values in before:
            if own.keys() != values.keys() or any(map(is_not, own.values(), values.values())):
                own.clear()
                own.update(values)


@contextmanager
def _restored_values(tensors: list[torch.Tensor]) -> Iterator[None]:
    """Gives tensors of any shape that have changed inside the values that they had before."""
    before = [(tensor, tensor.detach().clone()) for tensor in tensors]
    try:
        yield
    finally:
        with torch.no_grad():
            for tensor, copy in before:
                if not _same_values(tensor, copy):
                    with torch.inference_mode(tensor.is_inference()):
                        tensor.resize_(copy.shape).copy_(copy)


def _is_plain(tensor: torch.Tensor) -> bool:
    """Whether values can be compared and copied; sparse buffers and those of lazy modules are left out."""
    return tensor.layout is torch.strided and not (is_lazy(tensor) or tensor.is_nested or tensor.is_meta)


def _same_values(tensor: torch.Tensor, copy: torch.Tensor) -> bool:
    if tensor.shape != copy.shape or torch.equal(tensor, copy):
        return tensor.shape == copy.shape
    return bool(((tensor == copy) | (tensor.isnan() & copy.isnan())).all())


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
