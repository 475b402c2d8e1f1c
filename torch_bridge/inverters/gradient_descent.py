"""Inversion by gradient descent from noise: argmin_x |A(x) - A0|^2 / |A0|^2 + R(x), R a natural image prior.

Mahendran and Vedaldi 2015, "Understanding Deep Image Representations by Inverting Them". Pictures are (N, C, H, W)
float32 brightness, where 0 is black and 1 is white.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from ..inputs.pixels import Pixels
from ..probing.backward import gradients
from ..probing.partial_forward import PartialForward
from ..recording.errors import ModelError
from .distances import feature_error
from .image_priors import ALPHA_WEIGHT, TV_WEIGHT, alpha_norm, total_variation
from .memory_chunks import Chunks

Optimiser = Literal["adam", "authors"]
"""Adam within valid pixels, or the authors' gradient descent with momentum."""

GREY, LEVELS = 0.5, 255
BETA = 2.0
"""Exponent of the total variation."""
CONTRAST = 0.25
"""Standard deviation of a typical picture's brightness about mid-grey; it sets the scale of the regulariser."""
ADAM_STEPS, ADAM_RATE = 400, 0.05
AUTHORS_RATES = ((800, 1e-3), (500, 1e-4), (500, 1e-5), (200, 1e-6), (100, 1e-7))
"""Phases of the authors' schedule as (steps, rate), 2,100 steps in all; the momentum restarts with each."""
MOMENTUM = 0.9
MAX_ATTEMPTS = 4
"""Attempts, each with a quarter of the rate, before values that become NaN or infinite are an error."""


@dataclass(frozen=True)
class InversionObjective:
    """The maps to reproduce, and the weight of the regulariser."""

    forward: PartialForward
    arguments_with: Callable[[Tensor], tuple[Any, ...]]
    """Turns pictures (N, C, H, W), normalised, into the network's arguments."""
    layer: str
    target: Tensor
    """(1, C, H, W) float32 maps, 0 in channels that are not selected."""
    channels: tuple[int, ...]
    """The selected channels, which alone count."""
    pixels: Pixels
    smoothness: float = 1.0
    """Weight of the total variation, as a multiple of the authors' smallest."""
    optimiser: Optimiser = "adam"

    def errors(self, brightness: Tensor) -> Tensor:
        """Returns the feature errors (N,) float of pictures (N, C, H, W)."""
        maps = self.forward(self.arguments_with(self.pixels.to_network(brightness))).maps[self.layer].float()
        selected = list(self.channels)
        return feature_error(maps[:, selected], self.target[:, selected])

    def regularisation(self, brightness: Tensor) -> Tensor:
        """Returns R of each picture, (N,) float, relative to the squared norm of a typical picture.

        The alpha norm, which keeps pixels in range, is left out for Adam, whose pixels are clipped.
        """
        levels = (brightness - GREY) * LEVELS
        energy = self.smoothness * TV_WEIGHT / 2 * total_variation(levels, BETA)
        if self.optimiser == "authors":
            energy = energy + ALPHA_WEIGHT / 2 * alpha_norm(levels)
        return energy / self.typical_norm

    @property
    def typical_norm(self) -> float:
        """Squared norm of a typical picture about mid-grey, in steps of 1/255."""
        return (CONTRAST * LEVELS) ** 2 * float(torch.Size(self.pixels.shape).numel())


class StepRate(NamedTuple):
    """Learning rate of one step."""

    rate: float
    starts_phase: bool
    """Whether the step is the first of a phase."""


class InversionDescent:
    """Minimises the objective for N pictures, independently."""

    def __init__(self, objective: InversionObjective, start: Tensor, step_count: int = 0) -> None:
        """start: (N, C, H, W) float32 brightness. step_count: 0 for the optimiser's default."""
        self.objective = objective
        default = ADAM_STEPS if objective.optimiser == "adam" else sum(steps for steps, _ in AUTHORS_RATES)
        self.step_count = step_count or default
        self.start, self.brightness = start, start.clone()
        self.errors = torch.full((len(start),), float("nan"))
        """(N,) float: the feature errors before the last step; when all steps are done, those of the result."""
        self._chunks = Chunks(len(start))

    def steps(self) -> Iterator[int]:
        """Yields the number of steps done, after each. Raises ModelError if values become NaN or infinite."""
        for attempt in range(MAX_ATTEMPTS):
            self.brightness = self.start.clone()
            update = (self._adam if self.objective.optimiser == "adam" else self._momentum)(0.25**attempt)
            for number in range(self.step_count):
                gradient = self._gradient()
                if not gradient.isfinite().all():
                    break
                update(number, gradient)
                yield number + 1
            else:
                with torch.no_grad():
                    errors = self._chunks.run(lambda chunk: self.objective.errors(self.brightness[chunk]))
                self.errors = torch.cat(errors)
                return
        raise ModelError(f"layer {self.objective.layer}: the inversion became NaN or infinite, even with small steps")

    def _gradient(self) -> Tensor:
        results = self._chunks.run(lambda chunk: self._chunk_gradient(self.brightness[chunk]))
        self.errors = torch.cat([errors for errors, _ in results])
        return torch.cat([gradient for _, gradient in results])

    def _chunk_gradient(self, brightness: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the feature errors (n,) of some pictures and the gradients (n, C, H, W) of their objective."""
        with torch.enable_grad():
            brightness = brightness.detach().requires_grad_()
            errors = self.objective.errors(brightness)
            gradient = _error_gradient(errors, brightness, self.objective.layer)
            (prior_gradient,) = torch.autograd.grad(self.objective.regularisation(brightness).sum(), brightness)
        return errors.detach(), gradient + prior_gradient

    def _adam(self, scale: float) -> Callable[[int, Tensor], None]:
        """Returns the update of Adam (Kingma and Ba 2015), whose rate falls to 0; pixels are clipped to their range."""
        optimiser = torch.optim.Adam([self.brightness], ADAM_RATE * scale)

        def update(number: int, gradient: Tensor) -> None:
            optimiser.param_groups[0]["lr"] = ADAM_RATE * scale * (1 - number / self.step_count)
            self.brightness.grad = gradient
            optimiser.step()
            self.brightness.clamp_(*self.objective.pixels.range)

        return update

    def _momentum(self, scale: float) -> Callable[[int, Tensor], None]:
        """Returns the authors' update: momentum, unbounded pixels, rates in phases.

        They multiply the objective by the picture's squared norm in steps of 1/255.
        """
        velocity = torch.zeros_like(self.brightness)
        rates = _phase_rates(self.step_count)

        def update(number: int, gradient: Tensor) -> None:
            step = rates[number]
            velocity.mul_(0.0 if step.starts_phase else MOMENTUM)
            velocity.sub_(gradient, alpha=step.rate * scale * self.objective.typical_norm / LEVELS**2)
            self.brightness.add_(velocity)

        return update


def _error_gradient(errors: Tensor, brightness: Tensor, layer: str) -> Tensor:
    """Returns d(sum of errors) / d(brightness). Raises ModelError if the errors don't depend on the pictures."""
    gradient = None
    if errors.requires_grad:
        (gradient,) = gradients([errors.sum()], [brightness], of=f"layer {layer}")
    if gradient is None:
        raise ModelError(
            f"layer {layer} has no gradient to the picture: the network detaches, rounds or converts it; "
            "upconvnet needs none, but a trained inverter"
        )
    return gradient


def _phase_rates(count: int) -> list[StepRate]:
    """Returns the authors' rates, stretched or shrunk to `count` steps."""
    schedule = [rate for steps, rate in AUTHORS_RATES for _ in range(steps)]
    rates = [schedule[k * len(schedule) // count] for k in range(count)]
    return [StepRate(rate, k == 0 or rate != rates[k - 1]) for k, rate in enumerate(rates)]


def start_noise(pixels: Pixels, seed: int, device: torch.device) -> Tensor:
    """Returns (1, C, H, W) float32 brightness: normal noise about mid-grey with the contrast of a typical picture."""
    noise = torch.randn((1, *pixels.shape), generator=torch.Generator().manual_seed(seed))
    return (GREY + CONTRAST * noise).to(device)
