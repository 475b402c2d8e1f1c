"""What the interface remembers: how a bridge is started, in the preferences, and forms to fill in, in scenes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Any

import bpy

from ...extension import EXTENSION_ID
from ...properties import (BRIDGE_SETTINGS, SETTINGS_FORM)

SHIPPED = ("object", "pair")
"""Networks that come with Innerwalk, with pictures of their own."""
MODELS = (*SHIPPED, "resnet18", "resnet50", "vgg16", "alexnet", "mobilenet_v2", "efficientnet_b0", "vit_b_16")
"""What is offered where a model is asked for; any other can be typed."""


def _models(network: bpy.types.PropertyGroup, context: bpy.types.Context, text: str) -> list[str]:
    return [one for one in MODELS if text.lower() in one]


class INNERWALK_PG_network(bpy.types.PropertyGroup):
    """One network of the bridge"""

    name: bpy.props.StringProperty(name="Name", description="What the network is called in Blender")
    model: bpy.props.StringProperty(
        name="Model", description="object and pair are shipped; else torchvision's name, package.module:function, .pt2",
        default="object", search=_models, search_options={"SUGGESTION"},
    )  # fmt: skip
    weights: bpy.props.StringProperty(
        name="Weights", description="A .safetensors file, a checkpoint, or DEFAULT to download; else random",
        subtype="FILE_PATH",
    )  # fmt: skip
    classes: bpy.props.StringProperty(
        name="Classes", description="JSON: a list of class names, or index to name", subtype="FILE_PATH"
    )
    picture: bpy.props.StringProperty(
        name="First Input", description="The picture that it looks at first; else noise", subtype="FILE_PATH"
    )

    def hint(self, field: str) -> str:
        """What holds where a field is empty."""
        own = self.model in SHIPPED
        return {
            "name": self.model, "model": "resnet50", "weights": "its own" if own else "random",
            "classes": "its own" if own else "none", "picture": "its own" if own else "noise",
        }[field]  # fmt: skip


class INNERWALK_PG_data(bpy.types.PropertyGroup):
    """One data set of the bridge"""

    name: bpy.props.StringProperty(name="Name", description="What the data set is called in Blender")
    where: bpy.props.StringProperty(
        name="Where", description="A folder of pictures, a .zip of them, MNIST files, or concepts:object",
        subtype="FILE_PATH",
    )  # fmt: skip

    def hint(self, field: str) -> str:
        """What holds where a field is empty."""
        return Path(self.where).stem if field == "name" else "a folder or .zip"


class INNERWALK_PG_bridge(bpy.types.PropertyGroup):
    """How the bridge is started or joined"""

    python: bpy.props.StringProperty(
        name="Python", description="The Python that has torch and your model", subtype="FILE_PATH"
    )
    folder: bpy.props.StringProperty(
        name="Folder", description="Where the modules of your own models are", subtype="DIR_PATH"
    )
    device: bpy.props.StringProperty(name="Device", description="cuda, mps, cpu …; empty for the best there is")
    networks: bpy.props.CollectionProperty(type=INNERWALK_PG_network)
    network: bpy.props.IntProperty()
    data: bpy.props.CollectionProperty(type=INNERWALK_PG_data)
    data_set: bpy.props.IntProperty()
    connection: bpy.props.StringProperty(
        name="Connection File", description="Of a bridge that runs already: what `innerwalk serve` wrote",
        subtype="FILE_PATH",
    )  # fmt: skip
    address: bpy.props.StringProperty(name="Address", description="host:port of the bridge, instead of a file")


class INNERWALK_preferences(bpy.types.AddonPreferences):
    """Kept by Blender with its other preferences"""

    bl_idname = EXTENSION_ID

    bridge: bpy.props.PointerProperty(type=INNERWALK_PG_bridge)
    textures: bpy.props.IntProperty(
        name="Textures in a Headset", description="MiB that the textures of a hall may take while it is walked in",
        default=256, min=16, soft_max=4096,
    )  # fmt: skip

    def draw(self, context: bpy.types.Context) -> None:
        """The same as in the sidebar, and what a headset can bear."""
        from .bridge_form import draw_start

        draw_start(self.layout, self.bridge)
        self.layout.prop(self, "textures")


@lru_cache(maxsize=256)
def _items(choices: str) -> list[tuple[str, str, str]]:
    """Blender keeps no reference to the texts of a list that is made as it is drawn: they are kept here."""
    return [(name, name.replace("_", " ").capitalize(), "") for name in choices.split("\n")]


def _choices(parameter: bpy.types.PropertyGroup, context: bpy.types.Context) -> list[tuple[str, str, str]]:
    return _items(parameter.choices)


class INNERWALK_PG_parameter(bpy.types.PropertyGroup):
    """One parameter of a method, as its form tells"""

    name: bpy.props.StringProperty()
    kind: bpy.props.StringProperty()
    text: bpy.props.StringProperty()
    choices: bpy.props.StringProperty()
    int_value: bpy.props.IntProperty(name="Value")
    float_value: bpy.props.FloatProperty(name="Value")
    bool_value: bpy.props.BoolProperty(name="Value")
    str_value: bpy.props.StringProperty(name="Value")
    choice_value: bpy.props.EnumProperty(name="Value", items=_choices)

    @property
    def field(self) -> str:
        """The property that holds the value."""
        return f"{self.kind}_value"

    def fill(self, told: dict[str, Any]) -> None:
        """From one entry of `methods.form`."""
        self.name, self.kind, self.text = told["name"], told["kind"], told["text"]
        self.choices = "\n".join(told["choices"])
        setattr(self, self.field, told["default"])


ABOUT = (
    ("panels", "All Panels", "Every panel of the hall"),
    ("layer", "Selected Layer", "The layer that is looked at; the other panels are empty meanwhile"),
    ("channel", "Selected Channel", "The channel that is looked at, and no other, so it is there soonest"),
)


SHADINGS = (
    ("auto", "By the Budget", "Material Preview where the hall's textures fit the budget of the preferences"),
    ("preview", "Material Preview", "The shader of the panels: every colour as in pictures"),
    ("baked", "Baked", "Colours in byte textures: the least that a headset can be asked for"),
)


class INNERWALK_PG_scene(bpy.types.PropertyGroup):
    """Forms of the sidebar that belong to a hall"""

    method: bpy.props.StringProperty(name="Method", description="What to ask about the layers")
    parameters: bpy.props.CollectionProperty(type=INNERWALK_PG_parameter)
    about: bpy.props.EnumProperty(name="About", description="What the method is asked about", items=ABOUT)
    data: bpy.props.StringProperty(
        name="Data Set", description="Of the bridge: for the shelf, and for methods about data"
    )
    of_class: bpy.props.StringProperty(name="Class", description="Only pictures of this class on the shelf")
    seed: bpy.props.IntProperty(name="Seed", description="Another seed draws other pictures and other noise", min=0)
    other: bpy.props.StringProperty(name="Other Hall", description="The hall that stands beside this one")
    share: bpy.props.BoolProperty(
        name="Share Inputs", description="What is placed here is placed there too", default=True
    )
    shading: bpy.props.EnumProperty(name="Shading", description="What a headset shows", items=SHADINGS)
    film: bpy.props.StringProperty(
        name="Film", description="A video file of the bridge's machine, or camera:0", subtype="FILE_PATH"
    )


def bridge_settings(context: bpy.types.Context) -> INNERWALK_PG_bridge:
    """How a bridge is started: the preferences', or this session's where Innerwalk is no extension."""
    entry: Any = context.preferences.addons.get(EXTENSION_ID)
    return entry.preferences.bridge if entry and entry.preferences else context.window_manager.innerwalk_bridge


def texture_budget(context: bpy.types.Context) -> int:
    """MiB of textures that a headset can bear, by the preferences."""
    entry: Any = context.preferences.addons.get(EXTENSION_ID)
    return entry.preferences.textures if entry and entry.preferences else 256


def order_of(settings: INNERWALK_PG_bridge) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """(networks, data sets) as `actions.start_bridge` takes them; without a network, the one that is shipped.

    A shipped network brings the pictures that it was trained on.
    """
    networks = _named((one.name or one.model, _spec(one)) for one in settings.networks if one.model)
    networks = networks or {SHIPPED[0]: {"model": SHIPPED[0]}}
    listed = [(one.name or one.hint("name"), bpy.path.abspath(one.where)) for one in settings.data if one.where]
    models, there = {one["model"] for one in networks.values()}, {where for _, where in listed}
    own = [(model, f"concepts:{model}") for model in SHIPPED if model in models]
    return networks, _named([*listed, *((name, where) for name, where in own if where not in there)])


def _named(entries: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """By name; the second of a name gets a 2."""
    found: dict[str, Any] = {}
    for name, value in entries:
        free = (f"{name} {number}" for number in count(2))
        found[name if name not in found else next(one for one in free if one not in found)] = value
    return found


def _spec(one: INNERWALK_PG_network) -> dict[str, Any]:
    files = {"weights": one.weights, "classes": one.classes}
    named = {key: bpy.path.abspath(value) for key, value in files.items() if value}
    pictures: Sequence[str] = [bpy.path.abspath(one.picture)] if one.picture else ()
    return {"model": one.model, **named, **({"inputs": pictures} if pictures else {})}


CLASSES = (
    INNERWALK_PG_network, INNERWALK_PG_data, INNERWALK_PG_bridge, INNERWALK_preferences, INNERWALK_PG_parameter,
    INNERWALK_PG_scene,
)  # fmt: skip
PROPERTIES = (
    (bpy.types.WindowManager, BRIDGE_SETTINGS, bpy.props.PointerProperty(type=INNERWALK_PG_bridge)),
    (bpy.types.Scene, SETTINGS_FORM, bpy.props.PointerProperty(type=INNERWALK_PG_scene)),
)
