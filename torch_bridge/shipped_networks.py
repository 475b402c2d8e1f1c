"""The networks that come with Innerwalk: how each is built, its default picture, and the pictures it was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from . import concepts, generator, toybox

TOYBOX = "toybox"
SHIPPED = (*concepts.TASKS, TOYBOX, *generator.PARTS)
"""Names of the networks."""


def network_fields(name: str) -> dict[str, Any]:
    """Returns the fields of a RecordSpec for a network by its name in SHIPPED, and its input if it is a code."""
    if name in generator.PARTS:
        return {
            "model": f"{generator.__name__}:network",
            "arguments": {"part": name},
            "weights": str(generator.weights_path(name)),
            "name": f"concepts {name}",
            **({"inputs": (f"noise:{generator.DEFAULT_SEED}",)} if name == "generator" else {}),
        }
    if name == TOYBOX:
        return {
            "model": f"{toybox.__name__}:network",
            "arguments": {},
            "weights": str(toybox.WEIGHTS),
            "name": "Toybox",
        }
    return {
        "model": f"{concepts.__name__}:network",
        "arguments": {"task": name},
        "weights": str(concepts.weights_path(name)),
        "name": f"concepts {name}",
    }


def default_picture(name: str) -> tuple[str, np.ndarray]:
    """Returns the file name and the pixels, (H, W, 3) uint8 sRGB, of the picture that a network is shown with."""
    if name in generator.PARTS:
        index = generator.DEFAULT_INDEX
        picture = generator.paint_code(generator.draw_code(0, concepts.SPLITS["validation"], index))
        return f"{name} {index}.png", picture.image
    if name == TOYBOX:
        return f"{name} {toybox.DEFAULT_INDEX}.png", toybox.picture()
    return f"{name} {concepts.DEFAULT_INDEX}.png", concepts.picture(task=name)


def own_data(name: str) -> str:
    """Returns what `open_data` takes for the pictures of the kind that a network was trained on; "" for none."""
    if name in generator.PARTS:
        return ""
    return TOYBOX if name == TOYBOX else f"concepts:{name}"


def shipped_name(model: str, arguments: Mapping[str, Any]) -> str:
    """Returns the name of the network that a RecordSpec's model and arguments build; "" for one that isn't shipped."""
    built = {"model": model, "arguments": dict(arguments)}
    return next((name for name in SHIPPED if built.items() <= network_fields(name).items()), "")
