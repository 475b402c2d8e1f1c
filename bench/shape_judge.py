"""A judge of made pictures: a plain network, trained apart, that knows the six shapes of `concepts` and "none of them".

It sees pictures averaged to 32 × 32, under noise. Fragments of shapes and textures without a shape teach it "none", so
that what only fires the shipped network doesn't convince it.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..torch_bridge import concepts

SIDE = 32
"""Height and width of the averaged pictures in pixels."""
PICTURES, EPOCHS, BATCH, RATE, SEED = 8000, 9, 64, 5e-3, 0
WIDTHS = (16, 32, 0, 48, 64, 0, 96, 96, 0, 128)
"""Channels of the convolutions; 0 stands for a maximum of 2 × 2."""
NONE_SHARE = 0.1
"""Share of a batch that becomes fragments; as many become textures."""
MOST_NOISE = 0.3
"""Largest standard deviation of the noise, for pictures of -1..1."""
PATCHES = (8, 16)
"""Sides of a fragment's patches in pixels."""


class ShapeJudge(nn.Module):
    """Pictures (N, 3, H, W) float32 -1..1 -> (N, 7) float32 logits: the six shapes, then none of them."""

    def __init__(self) -> None:
        super().__init__()
        layers, channels = list[nn.Module](), 3
        for width in WIDTHS:
            if not width:
                layers.append(nn.MaxPool2d(2))
                continue
            layers += [nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
            channels = width
        classes = len(concepts.class_names("object")) + 1
        self.layers = nn.Sequential(*layers, nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(channels, classes))

    def forward(self, pictures: Tensor) -> Tensor:
        """Returns the logits."""
        return self.layers(F.adaptive_avg_pool2d(pictures, SIDE).contiguous(memory_format=torch.channels_last))


def train_judge() -> ShapeJudge:
    """Trains a judge on pictures of the training split, drawn at its own size; seeded, three CPU minutes."""
    pictures, labels = draw_pictures("train", PICTURES, SIDE)
    random = torch.Generator().manual_seed(SEED)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        judge = ShapeJudge().to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(judge.parameters(), RATE, weight_decay=0.05)
    steps = EPOCHS * (PICTURES // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, steps)
    for _ in range(EPOCHS):
        for indices in torch.randperm(PICTURES, generator=random).split(BATCH)[: PICTURES // BATCH]:
            seen, named = _with_none(pictures[indices], labels[indices], random)
            loss = F.cross_entropy(judge(seen), named)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return judge.eval()


def draw_pictures(split: str, count: int, side: int = concepts.SIZE) -> tuple[Tensor, Tensor]:
    """Returns the first pictures of task "object", (count, 3, side, side) float32 -1..1, and their classes (count,)."""
    samples = [concepts.sample(0, concepts.SPLITS[split], index, side, "object") for index in range(count)]
    images = torch.from_numpy(np.stack([sample.image for sample in samples])).permute(0, 3, 1, 2)
    return images.float() / 127.5 - 1, torch.tensor([sample.label for sample in samples])


def _with_none(pictures: Tensor, labels: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Returns flipped and noisy pictures (N, 3, H, W), the first of which show no shape any more, and their labels."""
    flipped = [axis for axis in (2, 3) if torch.rand((), generator=random) < 0.5]
    pictures, labels, count = pictures.flip(flipped), labels.clone(), round(NONE_SHARE * len(pictures))
    pictures[:count] = fragments(pictures[:count], random)
    pictures[count : 2 * count] = textures(pictures[count : 2 * count], random)
    labels[: 2 * count] = len(concepts.class_names("object"))
    noise = torch.randn(pictures.shape, generator=random)
    return pictures + MOST_NOISE * torch.rand((len(pictures), 1, 1, 1), generator=random) * noise, labels


def fragments(pictures: Tensor, random: torch.Generator) -> Tensor:
    """Cuts pictures (N, 3, H, W) into square patches, and returns them in random order."""
    side = PATCHES[int(torch.randint(len(PATCHES), (), generator=random))]
    patches = F.unfold(pictures, side, stride=side)
    order = torch.rand((len(pictures), 1, patches.shape[2]), generator=random).argsort(2)
    return F.fold(patches.gather(2, order.expand_as(patches)), pictures.shape[2:], side, stride=side)


def textures(pictures: Tensor, random: torch.Generator) -> Tensor:
    """Returns pictures (N, 3, H, W) with the spectra and mean colours of these, but random phases."""
    noise = torch.fft.rfft2(torch.randn((len(pictures), 1, *pictures.shape[2:]), generator=random))
    phases = noise / noise.abs().clamp_min(1e-6)
    textured = torch.fft.irfft2(torch.fft.rfft2(pictures) * phases, s=pictures.shape[2:])
    return textured - textured.mean((2, 3), keepdim=True) + pictures.mean((2, 3), keepdim=True)
