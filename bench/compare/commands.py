"""Commands whose results are compared, in groups."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

DATA = Path(os.environ.get("INNERWALK_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data").resolve()
"""The folder of weights and photographs; what needs a missing file is left out."""
PARROT = DATA / "coral_images" / "parrot.jpg"
SQUEEZENET = DATA / "weights" / "squeezenet1_0_imagenet.safetensors"

GROUPS = ("recordings", "figures", "scene", "bridge", "ask")
REQUIREMENTS = {"figures": ("recordings", "scene"), "scene": ("recordings",)}
"""Groups whose results in BEFORE are the inputs of another group in both checkouts."""
INPUTS = "inputs"
"""A link in the folder of each checkout to the results of BEFORE."""

RECORDINGS = {
    "resnet18": "resnet18 --input noise:1 --size 64",
    "mobilenet_v2": "mobilenet_v2 --input noise:1 --size 96",
    "vit_b_16": "vit_b_16 --input noise:1 --layers panels",
    "googlenet": "googlenet --input noise:1 --size 96",
    "densenet121": "densenet121 --input noise:1 --size 64",
    "object": "object",
    "pair": "pair",
    "deeplabv3": "deeplabv3_resnet50 --input noise:1 --size 65",
    "error_model": "resnet19 --input noise:1",
    "squeezenet": f"squeezenet1_0 --weights {SQUEEZENET} --image {PARROT} --classes {DATA}/imagenet_class_names.json",
}
SCENES = {"object": "", "pair": "", "googlenet": "", "resnet18": "--collapse layer3.* --theme paper"}
FIGURES = {
    "collapse": "recordings/resnet18 --collapse layer3.*",
    "transparent": "recordings/pair --gain 2 --transparent",
    "of_hall": "scene/object.blend",
    "error_layer": "recordings/object --preset layer --layer none",
}
PRESETS = ("overview", "walk", "entrance", "layer", "tile")
THEMES = ("dark", "paper")
METHODS = (
    "activations", "weights", "average:8", "occlusion", "saliency", "guided_backprop", "deconvnet", "cam", "grad_cam",
    "contribution", "localisation", "localisation_scores:8", "top_images:32", "health:32", "evidence:16,2",
    "inversion:,3", "upconvnet", "maximisation:,3", "dgn_am:,2", "smooth_grad:4", "gradient_x_input",
    "integrated_gradients:,4", "layer_cam", "rise:16",
)  # fmt: skip
"""Methods as `name:count,steps`; count and steps may be absent."""
OF_CLASSES = (
    "cam", "localisation", "localisation_scores", "smooth_grad", "gradient_x_input", "integrated_gradients", "rise",
)  # fmt: skip
"""Methods that show classes and so need the classifier's layer."""


def list_commands(group: str) -> Iterator[tuple[str, str]]:
    """Yields (name, arguments) of each command of a group.

    A command writes its results to `group/name`. It must end with status 2 if "error" is in its name, else with 0.
    """
    if group == "recordings":
        for name, arguments in RECORDINGS.items():
            if name != "squeezenet" or SQUEEZENET.exists():
                yield name, f"record {arguments} -o recordings/{name}"
    elif group == "figures":
        presets = {
            f"{preset}_{theme}": f"recordings/object --preset {preset} --theme {theme}"
            for preset in PRESETS
            for theme in THEMES
        }
        for name, arguments in (FIGURES | presets).items():
            yield name, f"figure {INPUTS}/{arguments} -o figures/{name}.png --size 384x216 --samples 2"
    elif group == "scene":
        for name, arguments in SCENES.items():
            yield name, f"scene {INPUTS}/recordings/{name} -o scene/{name}.blend {arguments}"
    elif group == "ask":
        yield from ((method.partition(":")[0], ask_command(method)) for method in METHODS)
        yield "error_cam", "ask object cam --layers stage3.1:add"
        yield "methods", "methods"


def ask_command(method: str) -> str:
    """Returns the `ask` command of an entry of METHODS."""
    name, _, numbers = method.partition(":")
    settings = zip(("count", "steps"), numbers.split(","), strict=False)
    parameters = " ".join(f"--set {key}={number}" for key, number in settings if number)
    layer = "fc" if name in OF_CLASSES else "stage3.1:add"
    options = f"--layers {layer} --channels 0-2 --data concepts:object --device cpu {parameters}"
    return f"ask object {name} {options} -o ask/{name}"
