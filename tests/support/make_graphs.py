"""Writes tests/support/graphs.json.gz: the folded graphs of torchvision's models and of a few networks of our own.

    python -m innerwalk.tests.support.make_graphs        # about three minutes, 3 GiB

The laws of the layout are tested on these graphs without torch, in seconds. Classification and segmentation models are
built and run on torch's meta device, so that no arithmetic is done; detection models, which decide by values, run
with random weights on a small picture. The file: {name: {"layers": [[id, kind, role, C, H, W], ...], "links": [[s, t],
...]}}.
"""

import gzip
import json
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import nn

from innerwalk.torch_bridge.capture import RecordingInfo, record
from innerwalk.torch_bridge.models.torchvision_import import import_torchvision

FILE = Path(__file__).parent / "graphs.json.gz"
SIDES = {"inception_v3": 299}
OPTIONS = {"googlenet": {"init_weights": False}, "inception_v3": {"init_weights": False}}


def conv(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU())


class UNet(nn.Module):
    """Down and up again, with a concatenation at each level."""

    def __init__(self, widths: tuple[int, ...] = (32, 64, 128, 256)):
        super().__init__()
        self.down = nn.ModuleList(
            nn.Sequential(conv(a, b), conv(b, b)) for a, b in zip((3, *widths), widths, strict=False)
        )
        self.up = nn.ModuleList(nn.ConvTranspose2d(b, a, 2, 2) for a, b in zip(widths, widths[1:], strict=False))
        self.merge = nn.ModuleList(nn.Sequential(conv(2 * a, a), conv(a, a)) for a in widths[:-1])
        self.head = nn.Conv2d(widths[0], 2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        kept = []
        for k, down in enumerate(self.down):
            x = down(x if k == 0 else nn.functional.max_pool2d(x, 2))
            kept.append(x)
        for up, merge, skip in zip(reversed(self.up), reversed(self.merge), reversed(kept[:-1]), strict=True):
            x = merge(torch.cat([skip, up(x)], 1))
        return self.head(x)


class TwoStreams(nn.Module):
    """Two inputs of different shapes, parallel branches that exchange sums, and a vector in between."""

    def __init__(self) -> None:
        super().__init__()
        self.left = nn.ModuleList(conv(3 if k == 0 else 16, 16) for k in range(6))
        self.right = nn.ModuleList(conv(1 if k == 0 else 16, 16) for k in range(6))
        self.gate = nn.Linear(16, 16)
        self.head = nn.Linear(32, 4)

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        for left, right in zip(self.left, self.right, strict=True):
            x, y = left(x), right(y)
            x = x + y
        x = x * torch.sigmoid(self.gate(x.mean((2, 3))))[:, :, None, None]
        return self.head(torch.cat([x.mean((2, 3)), y.mean((2, 3))], 1))


def own() -> Iterator[tuple[str, nn.Module, tuple[torch.Tensor, ...]]]:
    """Networks of our own, with shapes that torchvision's models don't have."""
    widths = (64, 512, 512, 64, 10)
    layers = [part for a, b in zip(widths, widths[1:], strict=False) for part in (nn.Linear(a, b), nn.ReLU())]
    yield "u_net", UNet(), (torch.zeros(1, 3, 96, 96),)
    yield "two_streams", TwoStreams(), (torch.zeros(1, 3, 32, 32), torch.zeros(1, 1, 32, 32))
    yield "perceptron", nn.Sequential(*layers), (torch.zeros(1, 64),)
    sound = [nn.Conv1d(1 if k == 0 else 32, 32, 9, padding=4, stride=2) for k in range(5)]
    yield "sound", nn.Sequential(*sound), (torch.zeros(1, 1, 4000),)


def on_meta(name: str) -> tuple[nn.Module, tuple[torch.Tensor, ...]]:
    """A torchvision model on the meta device, and an input for it. RegNets need numbers while they are built."""
    from torchvision.models import get_model

    with torch.device("cpu" if name.startswith("regnet") else "meta"):
        options = OPTIONS.get(name, {"weights_backbone": None} if segments(name) else {})
        model = get_model(name, weights=None, **options).eval().to("meta")
    side = SIDES.get(name, 224)
    return model, (torch.empty(1, 3, side, side, device="meta"),)


def segments(name: str) -> bool:
    return name.startswith(("deeplab", "fcn", "lraspp"))


def detecting(name: str) -> tuple[nn.Module, tuple[list[torch.Tensor], ...]]:
    """A detection model with random weights, and a small picture."""
    from torchvision.models import get_model

    torch.manual_seed(0)
    model = get_model(name, weights=None, weights_backbone=None).eval()
    model.transform.min_size, model.transform.max_size = (160,), 224
    return model, ([torch.rand(3, 160, 160)],)


def folded(name: str, model: nn.Module, inputs: tuple) -> dict[str, list]:
    recording = record(model, inputs, layers=(), info=RecordingInfo(name), picture=np.zeros((8, 8, 3), np.uint8))
    layers, links = recording.network.folded()
    rows = [[layer.id, layer.kind, layer.role, *layer.map_shape] for layer in layers]
    return {"layers": rows, "links": [list(link) for link in links]}


def main() -> None:
    warnings.simplefilter("ignore")
    import_torchvision()
    from torchvision import models

    graphs = {name: folded(name, model.eval(), inputs) for name, model, inputs in own()}
    for name in (*models.list_models(models), *models.list_models(models.segmentation)):
        graphs[name] = folded(name, *on_meta(name))
    for name in models.list_models(models.detection):
        graphs[name] = folded(name, *detecting(name))
    FILE.write_bytes(gzip.compress(json.dumps(graphs, separators=(",", ":")).encode(), 9, mtime=0))


if __name__ == "__main__":
    main()
