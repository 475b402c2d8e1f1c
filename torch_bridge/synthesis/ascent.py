"""The one loop of gradient ascent: some pictures at a time, each by itself, pausing wherever the network has run."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from ..recording.errors import ModelError
from .parametrisations import Parametrisation
from .presets import Preset
from .regularisers import StepState, Regulariser, norms

BETAS, EPSILON = (0.9, 0.999), 1e-8
TRIES = 4
"""With ever smaller steps, for pictures whose objective became no number."""
KICKS, LOUDER = 6, 3.0
"""How often a picture without a gradient gets noise instead, and how much more of it each time."""
NUMBERS = 8
"""Random numbers for one step of one picture."""

StartKind = Literal["noise", "zeros", "image"]
ScoreFunction = Callable[[Tensor, list[int]], Tensor]
"""Shares (n, C, H, W) of the pictures of these rows -> (n,) their objective, with gradients."""


@dataclass(frozen=True)
class AscentSettings:
    """What is climbed."""

    preset: Preset
    image: Parametrisation
    look: ScoreFunction
    steps: int
    before: Regulariser | None = None
    after: Regulariser | None = None
    sign: float = 1.0
    """-1 makes it as small as it goes."""


@dataclass(frozen=True)
class AscentStart:
    """Where it begins, and what chance does on the way; for each of N pictures of its own."""

    values: Tensor
    """(N, *shape)."""
    noise: Tensor
    """The same shape: what a picture without a gradient gets instead."""
    numbers: Tensor
    """(steps, N, NUMBERS) in 0..1."""


class Ascent:
    """Pictures on their way up."""

    def __init__(self, climb: AscentSettings, start: AscentStart, at_once: int, together: int = 1) -> None:
        """at_once: pictures that the network is given in a run; fewer where memory ends. together: no run divides
        so many that come one after another."""
        self.climb, self.start, self.together = climb, start, together
        self.at_once = max(at_once // together, 1) * together
        self.values = start.values
        self.scores = torch.full((len(start.values),), torch.nan)
        """(N,): the objective at the last step, moved as the picture was then."""
        self.curve: list[Tensor] = []
        """(N,) each step."""
        self.silent = torch.zeros(len(start.values), dtype=torch.bool)
        """(N,): no gradient came at the last step."""

    def steps(self) -> Iterator[int]:
        """How many steps are made, after each run of the network. Raises ModelError where nothing can be climbed."""
        rates = torch.full((len(self.values),), self.climb.preset.rate)
        for _ in range(TRIES):
            wrong = yield from self._attempt(rates)
            if not wrong.any():
                return
            rates = torch.where(wrong, rates / 2, rates)
        raise ModelError(f"the objective became NaN or infinite, with steps of {2 * float(rates.min()):.2g}, too")

    def shares(self) -> Tensor:
        """(N, C, H, W): the pictures as they are."""
        with torch.no_grad():
            return self.climb.image.shares(self.values)

    def plain(self) -> Iterator[None]:
        """Sets `scores` to the objective of the pictures as they are kept, of 256 levels; pauses as `steps` does."""
        levels = (self.shares().clamp(0, 1) * 255).round() / 255
        found = []
        with torch.no_grad():
            for piece in self._pieces():
                found.append(self.climb.look(levels[piece], piece).cpu())
                yield None
        self.scores = torch.cat(found)

    def _attempt(self, rates: Tensor) -> Generator[int, None, Tensor]:
        """All steps; gives back which pictures (N,) came to no number, where any did."""
        climb, self.values, self.curve = self.climb, self.start.values.clone(), []
        self._first, self._second = torch.zeros_like(self.values), torch.zeros_like(self.values)
        kicks = torch.zeros(len(self.values))
        rates = rates.to(self.values.device)
        bare = climb.steps - round(climb.preset.bare * climb.steps)
        for step in range(climb.steps):
            numbers = self.start.numbers[step]
            moment = StepState(step, numbers, None, range(len(self.values)))
            if climb.before is not None and step < bare:
                self.values = climb.before(self.values, moment)
            gradient = yield from self._gradient(step, numbers if step < bare else None)
            sizes = norms(gradient).flatten().cpu()
            wrong = ~(self.scores.isfinite() & sizes.isfinite())
            if wrong.any():
                return wrong
            self.curve.append(self.scores)
            self._move(gradient, rates, step)
            if climb.after is not None and (step + 1 < climb.steps or climb.preset.closing):
                self.values = climb.after(self.values, moment._replace(gradient=gradient))
            self._kick(sizes == 0, kicks)
            yield step + 1
        return torch.zeros(len(self.values), dtype=torch.bool)

    def _gradient(self, step: int, numbers: Tensor | None) -> Generator[int, None, Tensor]:
        """(N, *shape), and sets `scores`; fewer pictures a run where the network, or the memory, can't take so many."""
        parts: list[tuple[Tensor, Tensor]] = []
        while (done := sum(len(scores) for scores, _ in parts)) < len(self.values):
            if done:
                yield step
            piece = list(range(done, min(done + self.at_once, len(self.values))))
            try:
                parts.append(self._of(piece, numbers))
            except (RuntimeError, MemoryError, ModelError) as problem:
                if self.at_once <= self.together:
                    raise _explained(problem) from problem
                self.at_once = max(self.at_once // 2 // self.together, 1) * self.together
        self.scores = torch.cat([scores for scores, _ in parts]).cpu()
        return parts[0][1] if len(parts) == 1 else torch.cat([gradient for _, gradient in parts])

    def _of(self, piece: list[int], numbers: Tensor | None) -> tuple[Tensor, Tensor]:
        climb = self.climb
        with torch.enable_grad():
            values = self.values[piece[0] : piece[-1] + 1].detach().requires_grad_()
            shares = climb.image.shares(values)
            if numbers is not None and climb.preset.moves is not None:
                shares = climb.preset.moves(shares, numbers[piece, :6])
            scores = climb.look(shares, piece)
            goal = climb.sign * scores
            if climb.preset.penalty:
                goal = goal - climb.preset.penalty * values.float().square().flatten(1).sum(1)
            (gradient,) = torch.autograd.grad(goal.sum(), values)
        return scores.detach(), gradient

    def _move(self, gradient: Tensor, rates: Tensor, step: int) -> None:
        preset = self.climb.preset
        fallen = 1 - (1 - preset.last) * step / max(self.climb.steps - 1, 1)
        rates = rates.reshape(-1, *[1] * (gradient.dim() - 1)) * fallen
        if preset.climb == "adam":
            self._first.lerp_(gradient, 1 - BETAS[0])
            self._second.mul_(BETAS[1]).addcmul_(gradient, gradient, value=1 - BETAS[1])
            root = (self._second / (1 - BETAS[1] ** (step + 1))).sqrt_().add_(EPSILON)
            self.values = self.values.addcdiv(self._first * (rates / (1 - BETAS[0] ** (step + 1))), root)
            return
        size = 1.0 if preset.norm else gradient[0].numel() ** 0.5
        self.values = self.values + gradient * (rates * size / (norms(gradient) + 1e-6))

    def _kick(self, silent: Tensor, kicks: Tensor) -> None:
        """Pictures from which nothing reaches the objective begin again, from louder noise."""
        self.silent = silent
        for row in (silent & (kicks < KICKS)).nonzero().flatten().tolist():
            self.values[row] = self.start.noise[row] * LOUDER ** float(kicks[row])
            kicks[row] += 1

    def _pieces(self) -> list[list[int]]:
        every = list(range(len(self.values)))
        return [every[k : k + self.at_once] for k in range(0, len(every), self.at_once)]


def make_start(climb: AscentSettings, seeds: Sequence[str], kind: StartKind, picture: Tensor) -> AscentStart:
    """Each picture by its seed, whichever others there are; what all share by the part before the first "/".

    picture: (1, C, H, W) shares, for the kind "image".
    """
    noises, numbers = [], []
    for seed in seeds:
        own = seeded_generator(seed)
        noises.append(torch.randn(climb.image.shape, generator=own) * climb.preset.noise)
        shared = seeded_generator(seed.partition("/")[0]) if climb.preset.shared else own
        numbers.append(torch.rand(climb.steps, NUMBERS, generator=shared))
    noise = torch.stack(noises).to(picture.device)
    values = torch.zeros_like(noise) if kind == "zeros" else noise
    if kind == "image":
        values = climb.image.values(picture).expand_as(noise)
    return AscentStart(values, noise, torch.stack(numbers, 1).to(picture.device))


def seeded_generator(seed: str) -> torch.Generator:
    """Of these letters."""
    digest = hashlib.blake2b(seed.encode(), digest_size=7).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest, "little"))


def _explained(problem: BaseException) -> BaseException:
    if isinstance(problem, MemoryError | torch.OutOfMemoryError) or "memory" in str(problem).lower():
        return ModelError("no memory for a single picture; a smaller size needs less")
    return problem if isinstance(problem, ModelError) else ModelError(f"the gradient failed: {problem}".splitlines()[0])
