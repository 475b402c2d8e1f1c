"""CAM: where in the picture the evidence for each class lies, exactly: the mean of a map is the class's score.

Zhou et al. 2016, "Learning Deep Features for Discriminative Localization".
"""

from __future__ import annotations

from collections.abc import Iterator

import torch

from ..method_support.cam_head import find_head
from ..method_support.input_gradients import full_precision
from ..method_support.method import Method, MethodContext, Step
from ..method_support.picture_maps import scalar_maps
from ..predictions.classes import class_layer, class_scores
from ..probing.partial_forward import PartialForward
from ..recording.errors import InputError


def cam(work: MethodContext, parameters: None) -> Iterator[Step]:
    """A map a class on the layer of the classes, in the resolution of the last maps. The bias is not in it.

    Raises InputError where the network doesn't end with means and one linear layer, or the layer isn't asked for.
    """
    yield Step(0.0, "looking for the maps that are averaged")
    head = find_head(work)
    yield Step(0.5, f"the means of {head.layer} give the scores")
    with torch.no_grad(), full_precision(work.device):
        reached = PartialForward(work.model, [head.layer], work.arguments)(work.arguments, whole=True)
        maps, scores = head.maps(reached.maps[head.layer][:1])[0], class_scores(reached.output)[:1]
    planes, labels = maps.float().cpu().numpy(), work.names.of(len(maps))
    home = class_map_layer(work, len(maps))
    extras = {"values": scores[0].float().cpu().numpy()}
    made = scalar_maps(home, CAM.name, {k: planes[k] for k in work.chosen(home)}, len(maps), labels, extras)
    yield Step(1.0, f"maps of {len(work.chosen(home))} classes, from {head.layer}", (made,))


def class_map_layer(work: MethodContext, classes: int) -> str:
    """The layer of the classes, which is among those that are asked about. Raises InputError where it isn't."""
    home = class_layer(work.network, classes)
    if home not in work.layers:
        raise InputError(f"class activation maps are drawn on the layer of the classes, {home}; ask for that one")
    return home


CAM = Method("cam", "CAM", "Where in the picture the evidence for each class lies.", cam)
