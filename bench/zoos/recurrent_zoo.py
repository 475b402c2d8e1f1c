"""Recurrent networks with the batch in either axis, and without one."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import torch
from torch import nn

from .candidate import INDEX, Built, Candidate

KINDS: dict[str, type[nn.RNNBase]] = {"RNN": nn.RNN, "GRU": nn.GRU, "LSTM": nn.LSTM}
LENGTH, FEATURES, HIDDEN = 7, 5, 4
LAYOUTS = {"unbatched": 0, "of 1": 1, "of 3": 3}
"""Number of inputs that the first recording has, by name; 0 for a sequence without a batch axis."""


class Recurrent(nn.Module):
    """A recurrent layer between linear layers; it returns all steps, or the classes of the last state."""

    def __init__(self, kind: type[nn.RNNBase], batch_first: bool, last: bool, bidirectional: bool) -> None:
        super().__init__()
        self.embed, self.last = nn.Linear(FEATURES, 6), last
        self.cells = kind(6, HIDDEN, 2, batch_first=batch_first, bidirectional=bidirectional)
        self.head = nn.Linear(HIDDEN if last or not bidirectional else 2 * HIDDEN, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Returns (N, L, 3) or (L, N, 3) float32, or (N, 3) of the last state."""
        output, state = self.cells(self.embed(x))
        hidden = state[0] if isinstance(state, tuple) else state
        result: torch.Tensor = self.head(hidden[-1] if self.last else output)
        return result


def recurrent_networks() -> Iterator[Candidate]:
    """Lists every kind in its six layouts, with outputs or last state, in one direction and in two."""
    for kind in KINDS:
        for batch_first in (True, False):
            for layout in LAYOUTS:
                for last, both in ((False, False), (True, False), (False, True)):
                    order = "batch first" if batch_first else "batch second"
                    ways = ("last state" if last else "outputs") + (", both directions" if both else "")
                    build = partial(_build, KINDS[kind], batch_first, LAYOUTS[layout], last, both)
                    yield Candidate("recurrent", f"{kind} {order}, {layout}, {ways}", build)


def _build(kind: type[nn.RNNBase], batch_first: bool, count: int, last: bool, both: bool) -> Built:
    """The one input comes without a batch axis or as a batch of one or, to compare batches, first among three."""
    model, axis = Recurrent(kind, batch_first, last, both).eval(), 0 if batch_first else 1
    sequences = torch.randn(4, LENGTH, FEATURES, generator=torch.Generator().manual_seed(0)).movedim(0, axis)
    first: Any = sequences.narrow(axis, INDEX, max(count, 1))
    return Built(model, first if count else first.squeeze(axis), sequences)
