"""CAM: class activation maps M_c = sum_k w_kc A_k, whose mean is the score of class c without its bias.

Zhou et al. 2016, "Learning Deep Features for Discriminative Localization". For networks that end with the means of maps
A_k and one linear layer with weights w.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch

from ..method_support.cam_head import class_map_layer, find_head
from ..method_support.method import Method, MethodContext, Step
from ..method_support.picture_maps import scalar_maps
from ..method_support.run_limits import full_precision
from ..predictions.classes import class_scores
from ..probing.partial_forward import PartialForward


def cam(context: MethodContext, parameters: None) -> Iterator[Step]:
    """Computes the maps of all classes in one run, drawn on the layer of the classes.

    Maps: (classes, h, w) in units of the score, as large as the A_k. Extra "values": (classes,) float32 scores. Raises
    InputError if the network doesn't end with means and one linear layer, or the layer is not requested.
    """
    yield Step(0.0, "looking for the maps that are averaged")
    head = find_head(context)
    yield Step(0.5, f"the means of {head.layer} give the scores")
    with torch.no_grad(), full_precision(context.device):
        forward = PartialForward(context.model, [head.layer], context.arguments)
        result = forward(context.arguments, to_output=True)
        class_maps, scores = head.maps(result.maps[head.layer][:1])[0], class_scores(result.output)[:1]
    planes, labels = class_maps.float().cpu().numpy(), context.class_names.of(len(class_maps))
    layer = class_map_layer(context, len(class_maps))
    selected = context.selected_channels(layer)
    extras = {"values": scores[0, list(selected)].float().cpu().numpy()}
    names = [labels[k] for k in selected] if labels else ()
    maps = scalar_maps(
        layer, CAM.name, {k: planes[k] for k in selected}, len(class_maps), context.channels, names, extras
    )
    yield Step(1.0, f"maps of {len(selected)} classes, from {head.layer}", (maps,))


CAM = Method("cam", "CAM", "Where in the picture the evidence for each class lies.", cam)
