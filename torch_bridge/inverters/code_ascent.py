"""Codes whose pictures make channels fire: gradients go through the network and the generator to the code.

Nguyen et al. 2016, "Synthesizing the Preferred Inputs for Neurons in Neural Networks via Deep Generator Networks".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from ..recording.errors import ModelError
from .generators import Generator
from .memory_chunks import Pieces

DECAY = 0.99
LAST_STEP = 1e-10
TRIES = 4
"""Of ever smaller steps, where numbers grow beyond all bounds."""


class Ascent:
    """One code for each of some channels, each by itself."""

    def __init__(
        self, generator: Generator, score: Callable[[Tensor, list[int]], Tensor], channels: list[int], start: Tensor,
        count: int, step: float,
    ) -> None:  # fmt: skip
        """score: pictures (n, C, H, W), shares, and a channel for each -> (n,). step: in ranges of the code."""
        self.generator, self.score, self.channels = generator, score, channels
        self.start, self.codes, self.count, self.step = start, start, count, step
        self.scores = torch.zeros(len(start))
        """(N,): what was reached, before the last step and after all."""
        self._pieces = Pieces(len(start))

    def steps(self) -> Iterator[int]:
        """After each step how many are done. Raises ModelError where numbers grow beyond all bounds."""
        reach = float((self.generator.high - self.generator.low).mean())
        for attempt in range(TRIES):
            self.codes = self.start
            for number in range(self.count):
                size = self.step * 0.25**attempt * reach * (1 - number / self.count) + LAST_STEP
                gradient = self._gradient()
                if not gradient.isfinite().all():
                    break
                mean = gradient.abs().flatten(1).mean(1).clamp_min(1e-30)
                moved = self.codes + size * gradient / mean.reshape(-1, *[1] * (gradient.dim() - 1))
                held = moved.clamp(self.generator.low, self.generator.high)
                self.codes = torch.lerp(self.generator.origin, held, DECAY)
                yield number + 1
            else:
                with torch.no_grad():
                    found = self._pieces.run(lambda piece: self.score(self.pictures(piece), self.channels[piece]))
                self.scores = torch.cat(found)
                return
        raise ModelError("the code came to values that are no numbers, with any step")

    def pictures(self, chosen: slice = slice(None)) -> Tensor:
        """(N, C, H, W) shares 0..1 of the codes there are now."""
        return self.generator.make(self.codes[chosen]).clamp(0, 1)

    def _gradient(self) -> Tensor:
        found = self._pieces.run(self._of)
        self.scores = torch.cat([scores for scores, _ in found])
        return torch.cat([gradient for _, gradient in found])

    def _of(self, piece: slice) -> tuple[Tensor, Tensor]:
        with torch.enable_grad():
            codes = self.codes[piece].detach().requires_grad_()
            scores = self.score(self.generator.make(codes), self.channels[piece])
            gradient = None
            if scores.requires_grad:
                (gradient,) = torch.autograd.grad(scores.sum(), codes, allow_unused=True)
        if gradient is None:
            raise ModelError(
                "the layer has no gradient with the picture: its values are detached or rounded on the way"
            )
        return scores.detach(), gradient
