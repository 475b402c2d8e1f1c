"""Finds what goes into the softmax, log-softmax or sigmoid that a network ends with: the scores that methods explain.

A probability hardly changes where the network is sure, and rises when other classes fall; Simonyan et al. 2013 explain
the score before the softmax for that reason.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakIdKeyDictionary

from ..capture.failures import call_network
from ..capture.trace.op_types import canonical_name

SOFTMAXES = frozenset("softmax log_softmax _softmax _log_softmax special_softmax special_log_softmax".split())
SIGMOIDS = frozenset("sigmoid log_sigmoid expit special_expit".split())


class FinalScores(NamedTuple):
    """The scores before the function that ends a network."""

    scores: Tensor
    """Of any shape: that of the network's output; the output itself if the network ends with no such function."""
    independent: bool
    """Whether a sigmoid gives each class a probability of its own."""


class FinalActivationMode(TorchFunctionMode):
    """Remembers what goes into each softmax, log-softmax and sigmoid in this thread, for as long as its result lives.

    Nothing that runs is changed.
    """

    def __init__(self) -> None:
        super().__init__()
        self._inputs: WeakIdKeyDictionary = WeakIdKeyDictionary()  # result -> its FinalScores

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = call_network(func, *args, **(kwargs or {}))
        if isinstance(result, Tensor):
            name = canonical_name(getattr(func, "__name__", ""))
            values = args[0] if args else (kwargs or {}).get("input")
            if values is result:  # in place: what went in is overwritten
                return result
            if name in SOFTMAXES or name in SIGMOIDS:
                self._inputs[result] = FinalScores(values, name in SIGMOIDS)
            elif name == "log" and isinstance(values, Tensor) and values in self._inputs:
                self._inputs[result] = self._inputs[values]
        return result

    def scores_of(self, output: Tensor) -> FinalScores:
        """Returns the scores before the function that made the network's output (any shape), or a view of it."""
        for result, found in self._inputs.items():
            same = result.data_ptr() == output.data_ptr() and result.numel() == output.numel()
            if same and result.is_contiguous() and output.is_contiguous():
                return FinalScores(found.scores.reshape(output.shape), found.independent)
        return FinalScores(output, False)
