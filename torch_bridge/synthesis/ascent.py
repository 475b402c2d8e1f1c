"""Gradient ascent on a batch of independent pictures; pauses after each run of the network."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from torch import Tensor

from ..inverters.memory_chunks import is_out_of_memory
from ..probing.backward import gradients
from ..recording.errors import ModelError
from .parametrisations import Parametrisation
from .presets import Preset
from .regularisers import Regulariser, StepState, norms
from .transforms import AFFINE_RANDOM_COUNT, RandomAffine

BETAS, EPSILON = (0.9, 0.999), 1e-8
"""Constants of Adam."""
MAX_ATTEMPTS = 4
"""Attempts with ever smaller steps, for pictures whose objective became NaN or infinite."""
MAX_RESTARTS, RESTART_GAIN = 6, 3.0
"""How often a picture without a gradient restarts from noise, and how much stronger the noise gets each time."""
RANDOM_COUNT = 8
"""Random numbers for one step of one picture."""
MOVES = 8
"""Most random moves over which the objective of a final picture is averaged."""

StartKind = Literal["noise", "zeros", "image"]
ScoreFunction = Callable[[Tensor, list[int]], Tensor]
"""Brightness (n, C, H, W) of the pictures with these indices in the batch -> (n,) their objective, differentiable."""


@dataclass(frozen=True)
class AscentSettings:
    """The objective and how it is maximised."""

    preset: Preset
    image: Parametrisation
    score: ScoreFunction
    steps: int
    before: Regulariser | None = None
    """Applied before each step."""
    after: Regulariser | None = None
    """Applied after each step."""
    sign: float = 1.0
    """-1 minimises."""
    objective: str = "the objective"
    """What is maximised, for errors."""


@dataclass(frozen=True)
class AscentStart:
    """Start values and random numbers of N pictures."""

    values: Tensor
    """(N, *shape) float32 parameters."""
    noise: Tensor
    """(N, *shape) float32, from which a picture without a gradient restarts."""
    random_numbers: Tensor
    """(steps, N, RANDOM_COUNT) float32, uniform in 0..1."""


class Ascent:
    """The ascent of N pictures."""

    def __init__(
        self, settings: AscentSettings, start: AscentStart, pictures_per_run: int, group_size: int = 1
    ) -> None:
        """pictures_per_run: halved when memory runs out. group_size: so many successive pictures stay in one run."""
        self.settings, self.start, self.group_size = settings, start, group_size
        self.pictures_per_run = max(pictures_per_run // group_size, 1) * group_size
        self.values = start.values
        """(N, *shape) float32 parameters."""
        self.scores = torch.full((len(start.values),), torch.nan)
        """(N,) float32: the objective at the last step, of the transformed pictures."""
        self.moved_scores = torch.full_like(self.scores, torch.nan)
        """(N,) float32: the mean objective of the final pictures under random moves, once they are measured."""
        self.curve: list[Tensor] = []
        """The scores of each step."""
        self.without_gradient = torch.zeros(len(start.values), dtype=torch.bool)
        """(N,): whether the gradient of the last step was 0."""

    def steps(self) -> Iterator[int]:
        """Yields the number of steps done, after each run of the network. Raises ModelError if there is no gradient."""
        rates = torch.full((len(self.values),), self.settings.preset.rate)
        for _ in range(MAX_ATTEMPTS):
            failed = yield from self._attempt(rates)
            if not failed.any():
                return
            rates = torch.where(failed, rates / 2, rates)
        raise ModelError(f"the objective became NaN or infinite, even with steps of {2 * float(rates.min()):.2g}")

    def brightness(self) -> Tensor:
        """(N, C, H, W) float32: the brightness of the current pictures, 1 is white."""
        with torch.no_grad():
            return self.settings.image.to_brightness(self.values)

    def measure(self) -> Iterator[None]:
        """Sets `scores` to the objective of the pictures as they are kept, in 256 levels; pauses as `steps` does.

        Sets `moved_scores` to its mean under random moves: those of the preset, or else the usual ones.
        """
        levels = (self.brightness().clamp(0, 1) * 255).round() / 255
        moves = self.settings.preset.transform or RandomAffine()
        scores = yield from self._scores(lambda indices: levels[indices])
        moved = []
        for random_numbers in self.start.random_numbers[:MOVES, :, :AFFINE_RANDOM_COUNT]:
            moved.append((yield from self._scores(partial(_move, moves, levels, random_numbers))))
        self.scores, self.moved_scores = scores, torch.stack(moved).mean(0)

    def _scores(self, pictures: Callable[[list[int]], Tensor]) -> Generator[None, None, Tensor]:
        """Returns the objective (N,) float32 of pictures: brightness (n, C, H, W) of those with these indices."""
        scores = []
        for indices in self._chunks():
            with torch.no_grad():
                scores.append(self.settings.score(pictures(indices), indices).cpu())
            yield None
        return torch.cat(scores).float()

    def _attempt(self, rates: Tensor) -> Generator[int, None, Tensor]:
        """Makes all steps; stops and returns which pictures (N,) bool became NaN or infinite, if any did."""
        settings, self.values, self.curve = self.settings, self.start.values.clone(), []
        self._first, self._second = torch.zeros_like(self.values), torch.zeros_like(self.values)
        restarts = torch.zeros(len(self.values))
        rates = rates.to(self.values.device)
        first_plain = settings.steps - round(settings.preset.plain_share * settings.steps)
        for step in range(settings.steps):
            random_numbers = self.start.random_numbers[step]
            state = StepState(step, random_numbers, None, range(len(self.values)))
            if settings.before is not None and step < first_plain:
                self.values = settings.before(self.values, state)
            gradient = yield from self._gradient(step, random_numbers if step < first_plain else None)
            sizes = norms(gradient).flatten().cpu()
            failed = ~(self.scores.isfinite() & sizes.isfinite())
            if failed.any():
                return failed
            self.curve.append(self.scores)
            self._step(gradient, rates, step)
            if settings.after is not None and (step + 1 < settings.steps or settings.preset.after_last_step):
                self.values = settings.after(self.values, state._replace(gradient=gradient))
            self._restart(sizes == 0, restarts)
            yield step + 1
        return torch.zeros(len(self.values), dtype=torch.bool)

    def _gradient(self, step: int, random_numbers: Tensor | None) -> Generator[int, None, Tensor]:
        """Returns the gradient (N, *shape) and sets `scores`; runs fewer pictures at once if it must."""
        parts: list[tuple[Tensor, Tensor]] = []
        while (done := sum(len(scores) for scores, _ in parts)) < len(self.values):
            if done:
                yield step
            indices = list(range(done, min(done + self.pictures_per_run, len(self.values))))
            try:
                parts.append(self._gradient_of(indices, random_numbers))
            except (RuntimeError, MemoryError, ModelError) as problem:
                if self.pictures_per_run <= self.group_size and is_out_of_memory(problem):
                    raise ModelError("no memory for a single picture; a smaller size needs less") from problem
                if self.pictures_per_run <= self.group_size:
                    raise
                self.pictures_per_run = max(self.pictures_per_run // 2 // self.group_size, 1) * self.group_size
        self.scores = torch.cat([scores for scores, _ in parts]).cpu()
        return parts[0][1] if len(parts) == 1 else torch.cat([gradient for _, gradient in parts])

    def _gradient_of(self, indices: list[int], random_numbers: Tensor | None) -> tuple[Tensor, Tensor]:
        """Returns scores (n,) and gradients (n, *shape) of these pictures; without random numbers, untransformed."""
        settings = self.settings
        with torch.enable_grad():
            values = self.values[indices[0] : indices[-1] + 1].detach().requires_grad_()
            brightness = settings.image.to_brightness(values)
            if random_numbers is not None and settings.preset.transform is not None:
                brightness = settings.preset.transform(brightness, random_numbers[indices, :AFFINE_RANDOM_COUNT])
            scores = settings.score(brightness, indices)
            objective = settings.sign * scores
            if settings.preset.penalty:
                objective = objective - settings.preset.penalty * values.float().square().flatten(1).sum(1)
            (gradient,) = gradients([objective.sum()], [values], of=settings.objective)
        return scores.detach(), torch.zeros_like(values) if gradient is None else gradient

    def _step(self, gradient: Tensor, rates: Tensor, step: int) -> None:
        preset = self.settings.preset
        decay = 1 - (1 - preset.last_rate_share) * step / max(self.settings.steps - 1, 1)
        rates = rates.reshape(-1, *[1] * (gradient.dim() - 1)) * decay
        if preset.optimiser == "adam":
            self._first.lerp_(gradient, 1 - BETAS[0])
            self._second.mul_(BETAS[1]).addcmul_(gradient, gradient, value=1 - BETAS[1])
            root = (self._second / (1 - BETAS[1] ** (step + 1))).sqrt_().add_(EPSILON)
            self.values = self.values.addcdiv(self._first * (rates / (1 - BETAS[0] ** (step + 1))), root)
            return
        size = 1.0 if preset.rate_is_norm else gradient[0].numel() ** 0.5
        self.values = self.values + gradient * (rates * size / (norms(gradient) + 1e-6))

    def _restart(self, without_gradient: Tensor, restarts: Tensor) -> None:
        """Restarts pictures without a gradient from stronger noise. restarts: (N,) counts, updated in place."""
        self.without_gradient = without_gradient
        for row in (without_gradient & (restarts < MAX_RESTARTS)).nonzero().flatten().tolist():
            self.values[row] = self.start.noise[row] * RESTART_GAIN ** float(restarts[row])
            restarts[row] += 1

    def _chunks(self) -> list[list[int]]:
        indices = list(range(len(self.values)))
        return [indices[k : k + self.pictures_per_run] for k in range(0, len(indices), self.pictures_per_run)]


def make_start(settings: AscentSettings, seeds: Sequence[str], kind: StartKind, picture: Tensor) -> AscentStart:
    """Draws start values and random numbers for each picture from its own seed.

    If the preset shares random numbers, they depend only on the part of the seed before the first "/".
    picture: brightness (1, C, H, W), for the kind "image".
    """
    noises, random_numbers = [], []
    for seed in seeds:
        own = seeded_generator(seed)
        noises.append(torch.randn(settings.image.shape, generator=own) * settings.preset.noise)
        shared = seeded_generator(seed.partition("/")[0]) if settings.preset.shared_random else own
        random_numbers.append(torch.rand(settings.steps, RANDOM_COUNT, generator=shared))
    noise = torch.stack(noises).to(picture.device)
    values = torch.zeros_like(noise) if kind == "zeros" else noise
    if kind == "image":
        values = settings.image.to_parameters(picture).expand_as(noise)
    return AscentStart(values, noise, torch.stack(random_numbers, 1).to(picture.device))


def _move(moves: RandomAffine, levels: Tensor, random_numbers: Tensor, indices: list[int]) -> Tensor:
    return moves(levels[indices], random_numbers[indices])


def seeded_generator(seed: str) -> torch.Generator:
    """Returns a random generator that depends on this text only."""
    digest = hashlib.blake2b(seed.encode(), digest_size=7).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest, "little"))
