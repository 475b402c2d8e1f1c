"""Gradient ascent on a generator's code z, to make channels fire: argmax_z score(G(z)).

Nguyen et al. 2016, "Synthesizing the Preferred Inputs for Neurons in Neural Networks via Deep Generator Networks".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from ..probing.backward import gradients
from ..recording.errors import ModelError
from .generators import PictureGenerator
from .memory_chunks import Chunks

LAST_STEP = 1e-10
MAX_ATTEMPTS = 4
"""Attempts, each with a quarter of the step size, before values that become NaN or infinite are an error."""


class CodeAscent:
    """Optimises a code for each of N channels, independently.

    Each step is z <- origin + decay (clip(z + step * range * (1 - k / n) * g / mean |g|) - origin).
    """

    def __init__(
        self,
        generator: PictureGenerator,
        score: Callable[[Tensor, list[int]], Tensor],
        channels: list[int],
        start: Tensor,
        step_count: int,
        step: float,
    ) -> None:
        """start: (N, *code) float32 codes. step: size of the first step, as a share of the code's range.

        score: takes pictures (n, C, H, W) float32 brightness 0..1 and their n channels; returns (n,) float.
        """
        self.generator, self.score, self.channels = generator, score, channels
        self.start, self.codes, self.step_count, self.step = start, start, step_count, step
        self.scores = torch.zeros(len(start))
        """(N,) float: the scores before the last step; when all steps are done, those of the result."""
        self._chunks = Chunks(len(start))

    def steps(self) -> Iterator[int]:
        """Yields the number of steps done, after each. Raises ModelError if values become NaN or infinite."""
        code_range = float((self.generator.high - self.generator.low).mean())
        for attempt in range(MAX_ATTEMPTS):
            self.codes = self.start
            for number in range(self.step_count):
                size = self.step * 0.25**attempt * code_range * (1 - number / self.step_count) + LAST_STEP
                gradient = self._gradient()
                if not gradient.isfinite().all():
                    break
                mean = gradient.abs().flatten(1).mean(1).clamp_min(1e-30)
                moved = self.codes + size * gradient / mean.reshape(-1, *[1] * (gradient.dim() - 1))
                clipped = moved.clamp(self.generator.low, self.generator.high)
                self.codes = torch.lerp(self.generator.origin, clipped, self.generator.decay)
                yield number + 1
            else:
                with torch.no_grad():
                    scores = self._chunks.run(lambda chunk: self.score(self.pictures(chunk), self.channels[chunk]))
                self.scores = torch.cat(scores)
                return
        raise ModelError("the code became NaN or infinite, even with small steps")

    def pictures(self, rows: slice = slice(None)) -> Tensor:
        """Returns the pictures of the current codes, (N, C, H, W) float32 brightness 0..1."""
        return self.generator.decode(self.codes[rows]).clamp(0, 1)

    def _gradient(self) -> Tensor:
        results = self._chunks.run(self._chunk_gradient)
        self.scores = torch.cat([scores for scores, _ in results])
        return torch.cat([gradient for _, gradient in results])

    def _chunk_gradient(self, chunk: slice) -> tuple[Tensor, Tensor]:
        """Returns the scores (n,) of some codes and the gradients (n, *code) of the codes."""
        with torch.enable_grad():
            codes = self.codes[chunk].detach().requires_grad_()
            scores = self.score(self.generator.decode(codes), self.channels[chunk])
            gradient = None
            if scores.requires_grad:
                (gradient,) = gradients([scores.sum()], [codes], of="the layer through the generator")
        if gradient is None:
            raise ModelError("the layer has no gradient to the picture: the network detaches, rounds or converts it")
        return scores.detach(), gradient
