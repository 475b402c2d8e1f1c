"""Every classification, segmentation and detection network of torchvision."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import torch

from ...torch_bridge.models.torchvision_import import import_torchvision
from .candidate import Built, Candidate, picture_batch

SIZE = 64
LARGER = {"inception_v3": 75, "maxvit_t": 224, "vit_h_14": 224}
"""Sides in pixels of pictures for networks that take no smaller ones and have no `image_size`."""


def torchvision_networks() -> Iterator[Candidate]:
    """Lists the networks of torchvision."""
    import_torchvision()
    from torchvision import models

    families = {"classification": models, "segmentation": models.segmentation, "detection": models.detection}
    for family, module in families.items():
        for name in models.list_models(module):
            yield Candidate("torchvision", name, partial(_build, name, family), family != "detection")


def _build(name: str, family: str) -> Built:
    from torchvision.models import get_model

    options: dict[str, Any] = {"weights_backbone": None} if family != "classification" else {}
    if name in ("inception_v3", "googlenet"):
        options["init_weights"] = False
    model = get_model(name, weights=None, **options).eval()
    side = getattr(model, "image_size", LARGER.get(name, SIZE))
    pictures: torch.Tensor | list[torch.Tensor] = picture_batch(3, side, side)
    return Built.from_batch(model, list(pictures) if family == "detection" else pictures)
