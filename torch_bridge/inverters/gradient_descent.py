"""The picture that has wanted maps at a layer, by gradients from noise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from ..inputs.pixels import Pixels
from ..probing.partial_forward import PartialForward
from ..recording.errors import ModelError
from .distances import feature_error
from .image_priors import ALPHA_WEIGHT, TV_WEIGHT, alpha_norm, total_variation
from .memory_chunks import Pieces

Way = Literal["adam", "authors"]

GREY, LEVELS = 0.5, 255
BETA = 2.0
"""Of the total variation."""
CONTRAST = 0.25
"""Usual deviation of a picture's pixels from mid-grey, as a share: what the energy is measured by, for any picture."""
ADAM_STEPS, ADAM_RATE = 400, 0.05
AUTHORS_RATES = ((800, 1e-3), (500, 1e-4), (500, 1e-5), (200, 1e-6), (100, 1e-7))
"""(steps, rate), 2,100 in all; the momentum starts anew with each."""
MOMENTUM = 0.9
TRIES = 4
"""Of ever smaller steps, where numbers grow beyond all bounds."""


@dataclass(frozen=True)
class Goal:
    """Which maps are wanted, and how."""

    reach: PartialForward
    given: Callable[[Tensor], tuple[Any, ...]]
    """Pictures -> arguments of the network."""
    layer: str
    maps: Tensor
    """(1, C, H, W), 0 in channels that don't count."""
    channels: tuple[int, ...]
    pixels: Pixels
    smoothness: float = 1.0
    way: Way = "adam"

    def errors(self, shares: Tensor) -> Tensor:
        """(N,): the feature error of pictures (N, C, H, W), shares."""
        maps = self.reach(self.given(self.pixels.to_network(shares))).maps[self.layer].float()
        chosen = list(self.channels)
        return feature_error(maps[:, chosen], self.maps[:, chosen])

    def energy(self, shares: Tensor) -> Tensor:
        """(N,): how unlike a natural picture, as a share of a usual picture's squared norm.

        Adam's pictures stay within what pixels can be; the authors' norm is there to keep them near it.
        """
        about = (shares - GREY) * LEVELS
        energy = self.smoothness * TV_WEIGHT / 2 * total_variation(about, BETA)
        if self.way == "authors":
            energy = energy + ALPHA_WEIGHT / 2 * alpha_norm(about)
        return energy / self.norm

    @property
    def norm(self) -> float:
        """Squared norm of a usual picture about mid-grey, in steps of 1/255."""
        return (CONTRAST * LEVELS) ** 2 * float(torch.Size(self.pixels.shape).numel())


class Rate(NamedTuple):
    """One step's size, and whether a new phase begins with it."""

    size: float
    fresh: bool


class Descent:
    """Pictures on their way: (N, C, H, W) shares, each by itself."""

    def __init__(self, goal: Goal, start: Tensor, count: int = 0) -> None:
        """count: of steps, 0 for as many as the goal's way has."""
        self.goal = goal
        self.count = count or (ADAM_STEPS if goal.way == "adam" else sum(steps for steps, _ in AUTHORS_RATES))
        self.start, self.shares = start, start.clone()
        self.errors = torch.full((len(start),), float("nan"))
        """(N,): feature errors of the last step, before it."""
        self._pieces = Pieces(len(start))

    def steps(self) -> Iterator[int]:
        """After each step how many are done. Raises ModelError where numbers grow beyond all bounds."""
        for attempt in range(TRIES):
            self.shares = self.start.clone()
            move = (self._adam if self.goal.way == "adam" else self._momentum)(0.25**attempt)
            for number in range(self.count):
                gradient = self._gradient()
                if not gradient.isfinite().all():
                    break
                move(number, gradient)
                yield number + 1
            else:
                with torch.no_grad():
                    found = self._pieces.run(lambda piece: self.goal.errors(self.shares[piece]))
                self.errors = torch.cat(found)
                return
        raise ModelError(f"layer {self.goal.layer}: inversion came to values that are no numbers, with any step")

    def _gradient(self) -> Tensor:
        found = self._pieces.run(lambda piece: self._of(self.shares[piece]))
        self.errors = torch.cat([errors for errors, _ in found])
        return torch.cat([gradient for _, gradient in found])

    def _of(self, shares: Tensor) -> tuple[Tensor, Tensor]:
        with torch.enable_grad():
            shares = shares.detach().requires_grad_()
            errors = self.goal.errors(shares)
            gradient = gradient_of(errors, shares, self.goal.layer)
            (rest,) = torch.autograd.grad(self.goal.energy(shares).sum(), shares)
        return errors.detach(), gradient + rest

    def _adam(self, scale: float) -> Callable[[int, Tensor], None]:
        """Kingma and Ba 2015, the step falling to 0; pictures stay within what pictures can be."""
        moving = torch.optim.Adam([self.shares], ADAM_RATE * scale)

        def move(number: int, gradient: Tensor) -> None:
            moving.param_groups[0]["lr"] = ADAM_RATE * scale * (1 - number / self.count)
            self.shares.grad = gradient
            moving.step()
            self.shares.clamp_(*self.goal.pixels.range)

        return move

    def _momentum(self, scale: float) -> Callable[[int, Tensor], None]:
        """The authors': unbounded pixels, rates in phases, the energy times a picture's squared norm."""
        speed = torch.zeros_like(self.shares)
        rates = _phases(self.count)

        def move(number: int, gradient: Tensor) -> None:
            rate = rates[number]
            speed.mul_(0.0 if rate.fresh else MOMENTUM)
            speed.sub_(gradient, alpha=rate.size * scale * self.goal.norm / LEVELS**2)
            self.shares.add_(speed)

        return move


def gradient_of(numbers: Tensor, of: Tensor, layer: str) -> Tensor:
    """Of their sum. Raises ModelError where they don't change with it."""
    found = None
    if numbers.requires_grad:
        (found,) = torch.autograd.grad(numbers.sum(), of, allow_unused=True)
    if found is None:
        raise ModelError(
            f"layer {layer} has no gradient with the picture: its values are detached or rounded on the way; "
            "upconvnet can invert it, once it is trained"
        )
    return found


def _phases(count: int) -> list[Rate]:
    """The authors' rates, stretched over so many steps."""
    whole = sum(steps for steps, _ in AUTHORS_RATES)
    sizes = [size for steps, size in AUTHORS_RATES for _ in range(steps)]
    chosen = [sizes[k * whole // count] for k in range(count)]
    return [Rate(size, k == 0 or size != chosen[k - 1]) for k, size in enumerate(chosen)]


def noise(pixels: Pixels, seed: int, device: torch.device) -> Tensor:
    """(1, C, H, W) shares: normal noise about mid-grey, as strong as a usual picture."""
    drawn = torch.randn((1, *pixels.shape), generator=torch.Generator().manual_seed(seed))
    return (GREY + CONTRAST * drawn).to(device)
