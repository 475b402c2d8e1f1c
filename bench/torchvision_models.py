"""Every classification, segmentation and detection model of torchvision: checks recorded values and edges.

    python -m innerwalk.bench.torchvision_models [name glob] [size]

Values are compared bit for bit with clones taken by plain forward hooks, edges with torch.fx where it can trace.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import torch
from torch import nn

from ..torch_bridge import Recording, record
from ..torch_bridge.models.torchvision_import import import_torchvision
from .oracle import Oracle, cloned_outputs, same_values

LARGER = {"inception_v3": 75, "alexnet": 64, "maxvit_t": 224, **dict.fromkeys(("vit_h_14",), 224)}
FAMILIES = ("classification", "segmentation", "detection")


@dataclass
class Row:
    """Result for one model."""

    name: str
    layers: int
    panels: int
    edges: int
    equal: int
    """Layers whose values equal the hooks'."""
    compared: int
    fx: str
    """"equal", how many edges are missing and surplus, or why fx can't trace the model."""

    @property
    def is_right(self) -> bool:
        """Whether no difference was found."""
        return self.equal == self.compared and (self.fx == "equal" or self.fx.startswith("fx"))


def measure() -> dict[str, Any]:
    """Returns how many models are right, and the differences of the others."""
    rows = main()
    wrong = {row.name: f"{row.equal}/{row.compared} values, edges {row.fx}" for row in rows if not row.is_right}
    return {
        "models": len(rows),
        "all values equal": sum(row.equal == row.compared for row in rows),
        "edges equal to fx": sum(row.fx == "equal" for row in rows),
        "fx can't trace": sum(row.fx.startswith("fx") for row in rows),
        **wrong,
    }


def main(glob: str = "*", size: str = "64") -> list[Row]:
    """Prints and returns a table of all models whose name matches the glob."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    print(f"{'model':36s} {'layers':>6s} {'panels':>6s} {'edges':>6s} {'values equal':>14s}  edges against fx")
    rows = []
    for name, family in _names(glob):
        row = check(name, family, int(size))
        rows.append(row)
        values = f"{row.equal}/{row.compared}"
        print(f"{row.name:36s} {row.layers:6d} {row.panels:6d} {row.edges:6d} {values:>14s}  {row.fx}", flush=True)
        gc.collect()
    right = sum(row.equal == row.compared for row in rows)
    print(f"{len(rows)} models; all values equal in {right}; edges equal in {sum(row.fx == 'equal' for row in rows)}")
    return rows


def _names(glob: str) -> Iterator[tuple[str, str]]:
    import_torchvision()
    from torchvision import models

    modules = (models, models.segmentation, models.detection)
    for family, module in zip(FAMILIES, modules, strict=True):
        yield from ((name, family) for name in models.list_models(module) if fnmatchcase(name, glob))


def check(name: str, family: str, size: int) -> Row:
    """Records a model with random weights at `size` pixels and compares it with hooks and fx."""
    model = _build(name, family)
    sides = getattr(model, "image_size", LARGER.get(name, size))
    picture = torch.rand(3, sides, sides, generator=torch.Generator().manual_seed(0))
    inputs: Any = [picture] if family == "detection" else picture[None]
    truth = cloned_outputs(model, inputs)
    recording = record(model, inputs)
    compared = [layer for layer in recording.network.layers if layer.id in truth and 0 not in layer.map_shape]
    equal = [layer for layer in compared if same_values(truth[layer.id], recording.maps(layer.id).data, layer.shape)]
    panels = sum(layer.role == "panel" for layer in recording.network.layers)
    network = recording.network
    fx = _against_fx(model, inputs, recording) if family != "detection" else "fx can't trace detection models"
    return Row(name, len(network.layers), panels, len(network.edges), len(equal), len(compared), fx)


def _build(name: str, family: str) -> nn.Module:
    from torchvision.models import get_model

    torch.manual_seed(0)
    options: dict[str, Any] = {"weights_backbone": None} if family != "classification" else {}
    if name in ("inception_v3", "googlenet"):
        options["init_weights"] = False
    return get_model(name, weights=None, **options).eval()


def _against_fx(model: nn.Module, inputs: Any, recording: Recording) -> str:
    try:
        oracle = Oracle(model)
    except Exception as error:  # noqa: BLE001  any error of fx is shown in the table
        return f"fx: {type(error).__name__}"
    with torch.no_grad():
        oracle.run(inputs)
    found = oracle.contracted((edge.source, edge.target) for edge in recording.network.edges)
    missing, surplus = len(oracle.edges() - found), len(found - oracle.edges())
    return "equal" if not missing + surplus else f"{missing} missing, {surplus} surplus"


if __name__ == "__main__":
    main(*sys.argv[1:])
