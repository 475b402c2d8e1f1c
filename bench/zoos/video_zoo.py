"""Networks of torchvision and transformers for videos, and own ones that fold frames or slices into the batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from torch import nn

from ...torch_bridge.models.torchvision_import import import_torchvision
from .candidate import Built, Candidate
from .packages import import_zoo_packages

SIDE, FRAMES = 64, 8
SIZES = {"mvit_v1_b": (16, 224), "mvit_v2_s": (16, 224), "s3d": (14, 224)}
"""Frames and side of videos for networks of torchvision that take no smaller ones."""
SMALL: dict[str, Any] = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48, "image_size": SIDE,
    "patch_size": 8, "num_frames": FRAMES,
}  # fmt: skip
CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "timesformer": SMALL, "videomae": SMALL, "vivit": {**SMALL, "tubelet_size": [2, 8, 8]},
    "vjepa2": {**SMALL, "crop_size": SIDE, "frames_per_clip": FRAMES, "pred_hidden_size": 32,
               "pred_num_attention_heads": 4, "pred_num_hidden_layers": 2},
}  # fmt: skip
"""Arguments of the configuration, by the name that transformers gives to a kind of network."""


class PerFrame(nn.Module):
    """Sees each frame alone, then runs over the steps or averages them."""

    def __init__(self, recurrent: bool, frame_axis: int) -> None:
        super().__init__()
        self.frame_axis = frame_axis
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 8, 3, 2, 1))
        self.cells = nn.GRU(8, 8, batch_first=True) if recurrent else None
        self.head = nn.Linear(8, 4)

    def forward(self, video: torch.Tensor) -> torch.Tensor:
        """Returns scores (N, 4) of videos (N, T, C, H, W), or (N, C, T, H, W) if the frames are axis 2."""
        frames = video.movedim(self.frame_axis, 1)
        features = self.stem(frames.flatten(0, 1)).mean((2, 3)).unflatten(0, frames.shape[:2])
        mixed = self.cells(features)[0] if self.cells is not None else features
        scores: torch.Tensor = self.head(mixed.mean(1))
        return scores


class FrameShift(nn.Module):
    """Shifts a part of the channels to the next frame (Lin et al., TSM: Temporal Shift Module, ICCV 2019)."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.head = nn.Conv2d(3, 8, 3, 2, 1), nn.Conv2d(8, 8, 3, 2, 1), nn.Linear(8, 4)

    def forward(self, video: torch.Tensor) -> torch.Tensor:
        """Returns scores (N, 4) of videos (N, T, C, H, W)."""
        count = video.shape[1]
        features = self.first(video.flatten(0, 1)).unflatten(0, (-1, count))
        shifted = torch.cat([features[:, :, :2].roll(1, 1), features[:, :, 2:]], 2)
        scores: torch.Tensor = self.head(self.second(shifted.flatten(0, 1)).mean((2, 3)).view(-1, count, 8).mean(1))
        return scores


OWN: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "frames and GRU": (lambda: PerFrame(True, 1), (2, 5, 3, 24, 24)),
    "frames after channels, mean": (lambda: PerFrame(False, 2), (2, 3, 5, 24, 24)),
    "temporal shift": (FrameShift, (2, 5, 3, 24, 24)),
    "slices of a volume": (lambda: PerFrame(False, 2), (2, 3, 9, 16, 16)),
}
"""Network, and shape of its inputs."""


def video_networks() -> Iterator[Candidate]:
    """Lists the networks. Raises ImportError."""
    import_torchvision()
    from torchvision import models

    for name in models.list_models(models.video):
        yield Candidate("video", f"torchvision {name}", partial(_of_torchvision, name))
    for name, (build, shape) in OWN.items():
        yield Candidate("video", name, partial(_own, build, shape))
    import_zoo_packages()
    for name, arguments in CONFIGURATIONS.items():
        yield Candidate("video", f"transformers {name}", partial(_of_transformers, name, arguments))


def _noise(*shape: int) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0))


def _own(build: Callable[[], nn.Module], shape: tuple[int, ...]) -> Built:
    return Built.from_batch(build(), _noise(*shape))


def _of_torchvision(name: str) -> Built:
    from torchvision.models import get_model

    frames, side = SIZES.get(name, (FRAMES, SIDE))
    return Built.from_batch(get_model(name, weights=None), _noise(2, 3, frames, side, side))


def _of_transformers(name: str, arguments: dict[str, Any]) -> Built:
    import transformers

    model = transformers.AutoModel.from_config(transformers.AutoConfig.for_model(name, **arguments))
    video = "pixel_values_videos" if name == "vjepa2" else "pixel_values"
    return Built.from_batch(model, {video: _noise(2, FRAMES, 3, SIDE, SIDE)})
