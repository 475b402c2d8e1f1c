"""Activations of the last convolution for a picture of each class, and recipes of figures of them.

They are figures 7 to 9 of Linse et al. 2022, one for each way of training.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np

from ..concepts.weight_files import half_precision_state, write_weights
from ..dissection.parts import write_whole
from ..inputs.sources import NamedContent
from ..subject import RecordSpec, record_from
from .findings import CHANNELS, spread
from .strategies import StrategyName
from .study_run import Study
from .study_training import StudyTraining

WEIGHTS, ACTIVATIONS = "model.safetensors", "activations"
MOST = 9
"""Classes in a figure, as in the paper."""
RECIPE = """\
# What the last convolution gives for a picture of each class, after {epochs} epochs: a row a class.
# `innerwalk render {name} -o figures` draws it.
schema = 1
recording = {first}

[[figures]]
output = {output}
preset = "grid"
layer = {layer}
channels = {channels}
beside = {beside}
width = 170
dpi = 150
"""


def write_model(study: Study, training: StudyTraining, numbers: dict[str, float]) -> Path:
    """Writes a trained network for `innerwalk record`, float16; numbers are its accuracies. Raises OSError."""
    path = study.folder / training.settings.strategy / WEIGHTS
    values = {
        "arguments": {"classes": len(study.pictures.classes)},
        **{name: study.about[name] for name in ("classes", "size", "mean", "std")},
        "crop": 1.0,
        "stretch": True,
        "epoch": len(training.epochs),
        **{name: round(value, 4) for name, value in numbers.items()},
    }
    metadata = {"arch": study.network.factory, "strategy": training.settings.strategy}
    metadata |= {name: json.dumps(value) for name, value in values.items()}
    state = {name: tensor.contiguous() for name, tensor in half_precision_state(training.model).items()}
    write_weights(path, state, metadata)
    return path


def write_figure(study: Study, training: StudyTraining, weights: Path) -> str:
    """Records a test picture of each class and writes the recipe of their figure; returns the recipe's name.

    Raises OSError, InputError or RecordingError.
    """
    strategy: StrategyName = training.settings.strategy
    folder, labels, names = study.folder / strategy / ACTIVATIONS, study.pictures.test.labels.numpy(), []
    shutil.rmtree(folder, ignore_errors=True)  # of an earlier epoch
    for label, name in list(enumerate(study.pictures.classes))[:MOST]:
        index = study.pictures.places[int(np.flatnonzero(labels == label)[0])]
        spec = RecordSpec(
            study.network.factory,
            {"classes": len(study.pictures.classes)},
            weights=str(weights),
            inputs=(NamedContent(name, study.data.picture(index)),),
            layers=(study.network.last,),
            name=f"{study.about['network']}, {strategy}",
        )
        names.append(f"{strategy}/{ACTIVATIONS}/{label:02d}")
        folder.mkdir(exist_ok=True)
        record_from(spec).save(study.folder / names[-1], half=True)
    target = f"figure_{strategy}.toml"
    values = {
        "first": names[0],
        "output": f"activations_{strategy}.png",
        "layer": study.network.last,
        "channels": list(spread(study.network.channels, CHANNELS)),
        "beside": names[1:],
    }
    text = RECIPE.format(name=target, epochs=len(training.epochs), **{k: json.dumps(v) for k, v in values.items()})
    write_whole(study.folder / target, [text.encode()])
    return target
