"""The networks that come with innerwalk, ready to be recorded offline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..torch_bridge.shipped_networks import default_picture

DEFAULT = "toybox"


def spec_fields(name: str, folder: Path) -> dict[str, Any]:
    """Returns RecordSpec fields for a shipped network and its default picture, which is written into `folder`."""
    from ..torch_bridge.server.config import shipped_network

    fields = shipped_network(name)
    return fields if name == "generator" else fields | {"inputs": [str(write_picture(name, folder))]}


def write_picture(name: str, folder: Path) -> Path:
    """Writes the default input picture of a shipped network as a PNG file and returns its path."""
    from PIL import Image

    title, pixels = default_picture(name)
    Image.fromarray(pixels).save(folder / title)
    return folder / title
