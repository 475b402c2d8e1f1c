"""Failures of a network as ModelErrors of one line that name the layer; failures of our own code stay as they are."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from torch import nn

from ..recording.errors import InnerwalkError, ModelError, as_line, message_of

MAX_LENGTH = 500
"""Characters of an exception's class and message that are kept."""
OUR_CODE = __name__.removesuffix("capture.failures")
"""What the names of our own modules begin with."""
LIMITS = (RecursionError, MemoryError, torch.OutOfMemoryError)
"""Failures for which the network is too deep or too large, wherever they are noticed."""
Result = TypeVar("Result")


def call_network(function: Callable[..., Result], *args: Any, **kwargs: Any) -> Result:
    """Calls the network, or something on its behalf; whatever fails inside is the network's failure."""
    return function(*args, **kwargs)


@contextmanager
def model_errors(
    paths: Mapping[nn.Module, str], what: str = "the network failed", omitted: Sequence[str] = ()
) -> Iterator[None]:
    """Turns failures of the network into ModelErrors of one line that name the layer; our own failures pass unchanged.

    paths: the dotted path of every module. what: the beginning of the line. omitted: optional arguments of `forward`
    that were not given; if the network raises ValueError with words that name some, the line says that it needs them.
    """
    try:
        yield
    except InnerwalkError:
        raise
    except (Exception, SystemExit) as error:
        if _is_ours(error, paths):
            raise
        needed = _needed(error, omitted)
        raise ModelError(f"{what}{_failing_layer(error, paths)}: {needed}{one_line(error)}") from error


def _needed(error: BaseException, omitted: Sequence[str]) -> str:
    """Says which omitted arguments the words of an error ask for, as the beginning of a line; "" if none."""
    words = set(re.findall(r"\w+", message_of(error))) if isinstance(error, ValueError) else set()
    named = [name for name in omitted if name in words]
    return f"forward also needs {' or '.join(named)}; " if named else ""


def one_line(error: BaseException) -> str:
    """Returns an exception's class and message on one printable line."""
    reason = " ".join(message_of(error).split()) or "no reason given"
    return as_line(f"{type(error).__name__}: {reason}", MAX_LENGTH)


def _is_ours(error: BaseException, paths: Mapping[nn.Module, str]) -> bool:
    """Whether code of ours has failed: no call of the network is further inside than it, and no limit is reached."""
    if isinstance(error, LIMITS):
        return False
    own = [
        frame
        for frame, _ in traceback.walk_tb(error.__traceback__)
        if str(frame.f_globals.get("__name__")).startswith(OUR_CODE)
    ]
    return bool(own) and own[-1].f_code is not call_network.__code__ and _module(own[-1], paths) is None


def _failing_layer(error: BaseException, paths: Mapping[nn.Module, str]) -> str:
    """Names the innermost module of the network that was running, as the end of a sentence; "" if none was."""
    running = [_module(frame, paths) for frame, _ in traceback.walk_tb(error.__traceback__)]
    inside = [module for module in running if module is not None]
    if not inside:
        return ""
    path, kind = paths[inside[-1]], type(inside[-1]).__name__
    return f" in layer {path!r} ({kind})" if path else f" in its own forward ({kind})"


def _module(frame: Any, paths: Mapping[nn.Module, str]) -> nn.Module | None:
    """The module of the network whose method runs in a frame."""
    module = frame.f_locals.get("self")
    return module if isinstance(module, nn.Module) and module in paths else None
