"""Settings that the interface stores: how to start a bridge, and the forms of the sidebar, in scenes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from itertools import count, islice
from pathlib import Path
from typing import Any

import bpy

from ...extension import EXTENSION_ID
from ...model_names import listed_models, search_models
from ...properties import BRIDGE_SETTINGS, SETTINGS_FORM
from ...python_finder import find_python, has_torch, program_in
from ..common.paths import CLASSES as CLASS_FILES
from ..common.paths import WEIGHTS, entered_file, entered_folder, entered_path

SHIPPED_MODELS = {
    "toybox": "toybox",
    "object": "concepts:object",
    "pair": "concepts:pair",
    "generator": "",
    "segmenter": "",
}
"""Models that come with Innerwalk, each with a data set of its own; the first is the demo's."""
TORCHVISION_MODELS = (
    "resnet18",
    "resnet50",
    "vgg16",
    "alexnet",
    "squeezenet1_0",
    "mobilenet_v2",
    "efficientnet_b0",
    "vit_b_16",
)
"""Models that the Model field suggests where no Python with torchvision is known; any other can be typed."""
METHOD_TARGETS = (
    ("panels", "All Panels", "Every panel of the hall"),
    ("layer", "Selected Layer", "The selected layer; the other panels are empty meanwhile"),
    ("channel", "Selected Channel", "The selected channel and no other, which is fastest"),
)


def _suggest_models(network: bpy.types.PropertyGroup, context: bpy.types.Context, text: str) -> list[str]:
    """Returns the models that the chosen Python and folder have, and that match what is typed so far."""
    settings = bridge_settings(context)
    python, folder = entered_path(settings.python) or default_python(), entered_folder(settings.folder)
    if Path(python).is_dir():
        python = program_in(Path(python))
    shipped = [model for model in SHIPPED_MODELS if text.lower().strip() in model]
    found = search_models(text, python, folder)
    if not listed_models(python):
        found += [model for model in TORCHVISION_MODELS if text.lower().strip() in model]
    return [*shipped, *found]


def _forget_error(settings: bpy.types.PropertyGroup, context: bpy.types.Context) -> None:
    """Forgets the last error once what may have caused it is changed."""
    from ...live.session import current

    current().dismiss_error()


@cache
def default_python() -> str:
    """Returns the Python with PyTorch that is started if none is set, "" for none; searched once.

    That of the environment which Innerwalk has made comes first.
    """
    try:
        own = program_in(Path(bpy.utils.extension_path_user(EXTENSION_ID, path="python")))
    except ValueError:  # Innerwalk is no extension here
        own = ""
    return own if own and has_torch(Path(own)) else find_python()


class INNERWALK_PG_network(bpy.types.PropertyGroup):
    """One network of the bridge"""

    name: bpy.props.StringProperty(name="Name", description="Name of the network in Blender")
    model: bpy.props.StringProperty(
        name="Model",
        description="A shipped one (toybox, object, pair), a torchvision name, package.module:function, or a .pt2 file",
        default="object",
        search=_suggest_models,
        search_options={"SUGGESTION"},
        update=_forget_error,
    )
    weights: bpy.props.StringProperty(
        name="Weights",
        description="A .safetensors file, a checkpoint, or DEFAULT to download them; empty for random weights",
        subtype="FILE_PATH",
        update=_forget_error,
    )
    classes: bpy.props.StringProperty(
        name="Classes",
        description="JSON file with a list of class names, or an object of index to name",
        subtype="FILE_PATH",
        update=_forget_error,
    )
    picture: bpy.props.StringProperty(
        name="First Input",
        description="The picture that is run first; empty for noise",
        subtype="FILE_PATH",
        update=_forget_error,
    )

    def hint(self, field: str) -> str:
        """Returns what an empty field stands for."""
        shipped = self.model in SHIPPED_MODELS
        return {
            "name": self.model,
            "model": "resnet50",
            "weights": "its own" if shipped else "random",
            "classes": "its own" if shipped else "none",
            "picture": "its own" if shipped else "noise",
        }[field]


class INNERWALK_PG_data(bpy.types.PropertyGroup):
    """One data set of the bridge"""

    name: bpy.props.StringProperty(name="Name", description="Name of the data set in Blender")
    where: bpy.props.StringProperty(
        name="Where",
        description="A folder of pictures, a .zip of them, MNIST files, or concepts:object",
        subtype="FILE_PATH",
        update=_forget_error,
    )

    def hint(self, field: str) -> str:
        """Returns what an empty field stands for."""
        return Path(self.where).stem if field == "name" else "a folder or .zip"


class INNERWALK_PG_bridge(bpy.types.PropertyGroup):
    """How to start or join a bridge"""

    python: bpy.props.StringProperty(
        name="Python",
        description="The Python that has PyTorch and your model",
        subtype="FILE_PATH",
        update=_forget_error,
    )
    folder: bpy.props.StringProperty(
        name="Folder",
        description="Folder of the modules with your own models",
        subtype="DIR_PATH",
        update=_forget_error,
    )
    device: bpy.props.StringProperty(
        name="Device", description="Such as cuda, mps or cpu; empty for the best available", update=_forget_error
    )
    rater: bpy.props.StringProperty(
        name="Your Name", description="Stands beside the names that you give to units; empty for your user name"
    )
    networks: bpy.props.CollectionProperty(type=INNERWALK_PG_network)
    network: bpy.props.IntProperty()
    data: bpy.props.CollectionProperty(type=INNERWALK_PG_data)
    data_set: bpy.props.IntProperty()
    connection: bpy.props.StringProperty(
        name="Connection File",
        description="The file that `innerwalk serve` wrote for the bridge that is running",
        subtype="FILE_PATH",
        update=_forget_error,
    )
    address: bpy.props.StringProperty(
        name="Address", description="Of the bridge, as host:port, instead of a file", update=_forget_error
    )


@lru_cache(maxsize=256)
def _choice_items(choices: str) -> list[tuple[str, str, str]]:
    """Returns the items of a list; cached, because Blender keeps no reference to the texts of dynamic lists."""
    return [(name, name.replace("_", " ").capitalize(), "") for name in choices.split("\n")]


def _get_choices(parameter: INNERWALK_PG_parameter, context: bpy.types.Context) -> list[tuple[str, str, str]]:
    return _choice_items(parameter.choices)


def _keep_in_bounds(parameter: INNERWALK_PG_parameter, context: bpy.types.Context) -> None:
    """Clamps a number that was just set. Blender stores float32: a bound that it rounds is left alone."""
    if parameter.kind not in ("int", "float"):  # a script may set a field that the parameter doesn't use
        return
    value = getattr(parameter, parameter.field)
    clamped = parameter.clamp(value)
    if not math.isclose(value, clamped, rel_tol=1e-6):
        setattr(parameter, parameter.field, clamped)


class INNERWALK_PG_parameter(bpy.types.PropertyGroup):
    """One parameter of a method, as the bridge describes it"""

    name: bpy.props.StringProperty()
    kind: bpy.props.StringProperty()
    text: bpy.props.StringProperty()
    choices: bpy.props.StringProperty()
    least: bpy.props.StringProperty()
    most: bpy.props.StringProperty()
    unit: bpy.props.StringProperty()
    int_value: bpy.props.IntProperty(name="Value", update=_keep_in_bounds)
    float_value: bpy.props.FloatProperty(name="Value", update=_keep_in_bounds)
    bool_value: bpy.props.BoolProperty(name="Value")
    str_value: bpy.props.StringProperty(name="Value")
    choice_value: bpy.props.EnumProperty(name="Value", items=_get_choices)

    @property
    def field(self) -> str:
        """Name of the property that holds the value."""
        return f"{self.kind}_value"

    @property
    def value(self) -> Any:
        """The value to send to the bridge; a number within the bounds."""
        value = getattr(self, self.field)
        return self.clamp(value) if self.kind in ("int", "float") else value

    @property
    def label(self) -> str:
        """The name in words, with the unit."""
        words = self.name.replace("_", " ").capitalize()
        return f"{words} ({self.unit})" if self.unit else words

    @property
    def tooltip(self) -> str:
        """What the parameter does, and its range."""
        bounds = [bound for bound, text in zip(self._bounds(), (self.least, self.most), strict=True) if text]
        if not bounds:
            return self.text
        words = " to ".join(f"{bound:,}" for bound in bounds) if len(bounds) > 1 else self._one_bound(bounds[0])
        return f"{self.text}\nRange: {words}{f' {self.unit}' if self.unit else ''}"

    def clamp(self, value: float) -> float:
        """Returns the nearest number within the bounds, which are included."""
        least, most = self._bounds()
        return min(max(value, least), most)

    def fill(self, description: dict[str, Any]) -> None:
        """Takes over one parameter of a method as the bridge describes it."""
        self.name, self.kind, self.text = description["name"], description["kind"], description["text"]
        self.choices, self.unit = "\n".join(description["choices"]), description["unit"]
        self.least, self.most = ("" if description[key] is None else str(description[key]) for key in ("least", "most"))
        setattr(self, self.field, description["default"])

    def _bounds(self) -> tuple[float, float]:
        """Reads the bounds, which are stored as text because Blender's own numbers would round them."""
        number = int if self.kind == "int" else float
        return number(self.least) if self.least else -math.inf, number(self.most) if self.most else math.inf

    def _one_bound(self, bound: float) -> str:
        return f"from {bound:,}" if self.least else f"up to {bound:,}"


class INNERWALK_PG_scene(bpy.types.PropertyGroup):
    """Forms of the sidebar that belong to a hall"""

    method: bpy.props.StringProperty(name="Method", description="Method to run on the layers")
    parameters: bpy.props.CollectionProperty(type=INNERWALK_PG_parameter)
    about: bpy.props.EnumProperty(name="Run On", description="What to run the method on", items=METHOD_TARGETS)
    data: bpy.props.StringProperty(
        name="Data Set", description="The bridge's data set for the shelf and for methods that need data"
    )
    of_class: bpy.props.StringProperty(name="Class", description="Only lay pictures of this class on the shelf")
    seed: bpy.props.IntProperty(name="Seed", description="Another seed draws other pictures and other noise", min=0)
    words: bpy.props.StringProperty(
        name="Words", description="Words for the model's vocabulary, or tokens as ids:101,2054,102"
    )
    other: bpy.props.StringProperty(name="Other Hall", description="The hall to compare with")
    share: bpy.props.BoolProperty(
        name="Share Inputs", description="Run the inputs of this hall in the other one too", default=True
    )
    film: bpy.props.StringProperty(
        name="Video", description="A video file on the bridge's machine, or camera:0", subtype="FILE_PATH"
    )


def bridge_settings(context: bpy.types.Context) -> INNERWALK_PG_bridge:
    """Returns how to start a bridge: from the preferences, or from this session if Innerwalk is no extension."""
    entry: Any = context.preferences.addons.get(EXTENSION_ID)
    if entry and entry.preferences:
        return entry.preferences.bridge
    return getattr(context.window_manager, BRIDGE_SETTINGS)


def bridge_arguments(settings: INNERWALK_PG_bridge) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """Returns (networks, data sets) for `actions.start_bridge`; the first shipped network if none is listed.

    Raises InputError for a folder in place of a file.
    """
    networks = _by_unique_name(
        (entry.name.strip() or entered_path(entry.model), _network(entry))
        for entry in settings.networks
        if entry.model.strip()
    )
    networks = networks or {name: {"model": name} for name in islice(SHIPPED_MODELS, 1)}
    return networks, with_shipped_data(data_sets(settings), networks)


def data_sets(settings: INNERWALK_PG_bridge) -> dict[str, str]:
    """Returns the places of the listed data sets, by name."""
    return _by_unique_name(
        (entry.name or entry.hint("name"), entered_path(entry.where)) for entry in settings.data if entry.where.strip()
    )


def with_shipped_data(data: Mapping[str, str], networks: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Returns the places of data sets by name, with those that the shipped ones of the networks were trained on."""
    models = {network["model"] for network in networks.values()}
    shipped = [(model, place) for model, place in SHIPPED_MODELS.items() if model in models and place]
    return _by_unique_name([*data.items(), *((name, place) for name, place in shipped if place not in data.values())])


def _by_unique_name(entries: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Returns values by name; the second of a name gets a 2."""
    values: dict[str, Any] = {}
    for name, value in entries:
        numbered = (f"{name} {number}" for number in count(2))
        values[name if name not in values else next(free for free in numbered if free not in values)] = value
    return values


def _network(entry: INNERWALK_PG_network) -> dict[str, Any]:
    files = {
        "weights": entered_file("weights", entry.weights, WEIGHTS),
        "classes": entered_file("classes", entry.classes, CLASS_FILES),
    }
    network: dict[str, Any] = {"model": entered_path(entry.model)}
    network |= {key: path for key, path in files.items() if path}
    if picture := entered_path(entry.picture):
        network["inputs"] = [picture]
    return network


CLASSES = (
    INNERWALK_PG_network,
    INNERWALK_PG_data,
    INNERWALK_PG_bridge,
    INNERWALK_PG_parameter,
    INNERWALK_PG_scene,
)
PROPERTIES = (
    (bpy.types.WindowManager, BRIDGE_SETTINGS, bpy.props.PointerProperty(type=INNERWALK_PG_bridge)),
    (bpy.types.Scene, SETTINGS_FORM, bpy.props.PointerProperty(type=INNERWALK_PG_scene)),
)
