"""Whether the pictures of `dgn_am` and `upconvnet` show what they should: named by a judge, compared by features.

The judge is a network of another architecture that is trained here. As a check of the judge itself, it also names real
pictures, and pictures of pure grain that the shipped network is sure of: ascent over pixels without any prior.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..torch_bridge import concepts
from ..torch_bridge.data import open_data
from ..torch_bridge.inverters import train
from ..torch_bridge.inverters.distances import feature_error, load_picture
from ..torch_bridge.inverters.inverter_files import WEIGHTS_FOLDER, read_inverter
from ..torch_bridge.inverters.inverter_training import InvertedLayer
from ..torch_bridge.methods import METHODS, MethodContext, parse_parameters
from ..torch_bridge.server.config import serve_config
from .shape_judge import ShapeJudge, draw_pictures, train_judge

BUDGET = "at least 5 of 6 made pictures named right with p > .9, no grain; features better than the mean picture's"
SURE = 0.9
REAL, COMPARED = 1000, 200
"""Real pictures that the judge names; those whose features are compared."""
GRAIN_STEPS, GRAIN_RATE = 60, 0.05


def measure() -> dict[str, Any]:
    """Returns a row for the judge, each class and each inverter."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    context, judge = make_context(), train_judge()
    rows: dict[str, Any] = {"budget": BUDGET, "judge, real pictures": _judge_accuracy(judge)}
    rows |= table("grain", judge, grain(context.model))
    rows |= table("dgn_am", judge, made_pictures(context))
    return rows | {f"upconvnet, {layer}": _feature_row(context, layer) for layer in train.SHIPPED_LAYERS}


def make_context() -> MethodContext:
    """Returns the context of a method on the classes of the shipped network."""
    [spec] = serve_config(["object"]).networks.values()
    return train.make_training_context(spec, "fc", open_data("concepts:object:test"), torch.device("cpu"))


def made_pictures(context: MethodContext) -> Tensor:
    """Returns the pictures of `dgn_am` for the six classes, (6, 3, H, W) float32 -1..1."""
    method = METHODS["dgn_am"]
    *_, last = method.run(context, parse_parameters(method, {"compared": 0}))
    return torch.from_numpy(last.maps[0].data).permute(0, 3, 1, 2) * 2 - 1


def grain(model: torch.nn.Module) -> Tensor:
    """Returns six pictures (6, 3, H, W) float32 -1..1, of which the network is sure, by ascent from noise."""
    count = len(concepts.class_names("object"))
    random = torch.Generator().manual_seed(0)
    pictures = (0.3 * torch.randn((count, 3, concepts.SIZE, concepts.SIZE), generator=random)).requires_grad_()
    optimiser = torch.optim.Adam([pictures], GRAIN_RATE)
    for _ in range(GRAIN_STEPS):
        loss = torch.nn.functional.cross_entropy(model(pictures.clamp(-1, 1)), torch.arange(count))
        (pictures.grad,) = torch.autograd.grad(loss, [pictures])
        optimiser.step()
    return pictures.detach().clamp(-1, 1)


def table(kind: str, judge: ShapeJudge, pictures: Tensor) -> dict[str, Any]:
    """Returns a row for each picture of (6, 3, H, W) float32 -1..1, which should show the classes in order."""
    names = concepts.class_names("object")
    with torch.no_grad():
        chances = judge(pictures).softmax(1)
    named = [(*names, "none")[index] for index in chances.argmax(1).tolist()]
    right = [share for share in chances.diagonal().tolist() if share > SURE]
    rows = {
        f"{kind}, {name}": {"named": answer, "p": share}
        for name, answer, share in zip(names, named, chances.max(1).values.tolist(), strict=True)
    }
    return rows | {f"{kind}, named right with p > {SURE}": len(right)}


def _judge_accuracy(judge: ShapeJudge) -> dict[str, float]:
    pictures, labels = draw_pictures("test", REAL)
    with torch.no_grad():
        chances = torch.cat([judge(batch) for batch in pictures.split(100)]).softmax(1)
    right = chances.argmax(1) == labels
    return {"accuracy": float(right.float().mean()), "p > .9": float((chances.max(1).values > SURE).float().mean())}


def _feature_row(context: MethodContext, layer: str) -> dict[str, float]:
    """Returns the mean feature errors of an inverter's pictures and of the mean picture, and their quotient."""
    inverter = read_inverter(WEIGHTS_FOLDER / f"object-{layer.replace(':', '-')}.safetensors")
    assert context.data is not None
    pictures = torch.stack([load_picture(context, index) for index in range(COMPARED)])
    compute_maps = InvertedLayer(context.model, context.arguments_with, layer).maps_function(pictures[:1], layer)

    def error(predictions: Tensor, maps: Tensor) -> float:
        pairs = zip(compute_maps(predictions).split(1), maps.split(1), strict=True)
        return float(torch.cat([feature_error(found, target) for found, target in pairs]).mean())

    with torch.no_grad():
        maps = compute_maps(pictures)
        own = error(inverter.net(maps), maps)
        mean = error(pictures.mean(0, keepdim=True).expand_as(pictures), maps)
    return {"features": own, "mean picture": mean, "share": own / mean}
