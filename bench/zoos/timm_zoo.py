"""One small network of each family of timm."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from .candidate import Built, Candidate, picture_batch
from .packages import import_zoo_packages

SIZE = 64
INCEPTION_SIZE = 96
"""Inception networks take no smaller pictures."""
SMALL = "test_ atto femto pico nano xtiny tiny xxs xs 5m _t0 _m0 _s0 _b0 mini small _s _xx 050 _18 18 26 224".split()
"""Parts of the names of small networks, the smallest first."""
LARGE = "giant gigantic huge large 384 448 512 1b 3b enormous".split()
MAX_SIDE = 256
"""Pixels; larger pictures cost too much time."""


def timm_networks() -> Iterator[Candidate]:
    """Lists the networks. Raises ImportError."""
    import_zoo_packages()
    import timm

    for family in timm.list_modules():
        names = timm.list_models(module=family)
        if names:
            name = min(names, key=_rank)
            yield Candidate("timm", f"{family}/{name}", partial(_build, name))


def _rank(name: str) -> tuple[bool, int, int]:
    """Returns a key that is lower for smaller networks."""
    place = next((k for k, part in enumerate(SMALL) if part in name), len(SMALL))
    return any(part in name for part in LARGE), place, len(name)


def _build(name: str) -> Built:
    import timm

    model = timm.create_model(name, pretrained=False).eval()
    sizes = model.pretrained_cfg
    channels, height, width = sizes["input_size"]
    if not sizes.get("fixed_input_size"):
        least = INCEPTION_SIZE if name.startswith("inception_") else SIZE
        height = width = max(least, *sizes.get("min_input_size", (0, 0, 0))[1:])
    if height > MAX_SIDE:
        raise ValueError(f"takes pictures of {height} pixels only")
    return Built.from_batch(model, picture_batch(channels, height, width))
