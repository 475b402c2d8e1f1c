"""The form of the Method panel: it keeps the bridge's whole description of a parameter, and clamps numbers."""

import json
from types import SimpleNamespace

import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender")

from innerwalk.blender_addon import ui  # noqa: E402
from innerwalk.blender_addon.properties import NETWORK_NAME, SELECTED_CHANNEL, SELECTED_LAYER  # noqa: E402
from innerwalk.blender_addon.ui.bridge import method_panel  # noqa: E402

SIZE = {
    "name": "patch_size",
    "kind": "int",
    "default": 8,
    "text": "Side of the patch",
    "choices": [],
    "least": 1,
    "most": 4096,
    "unit": "px",
}
SHARE = {
    "name": "share",
    "kind": "float",
    "default": 0.5,
    "text": "Share of the places",
    "choices": [],
    "least": 0.01,
    "most": 0.7,
    "unit": "",
}
SEED = SIZE | {"name": "seed", "text": "Another seed draws others", "least": 0, "most": 2**31 - 1, "unit": ""}
FREE = {
    "name": "fill",
    "kind": "choice",
    "default": "grey",
    "text": "What the patch shows",
    "choices": ["grey", "noise"],
    "least": None,
    "most": None,
    "unit": "",
}


@pytest.fixture
def fill():
    """Fills a form with one parameter."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    ui.register()

    def filled(description):
        parameter = bpy.context.scene.innerwalk.parameters.add()
        parameter.fill(description)
        return parameter

    yield filled
    ui.unregister()


class Layout:
    """Collects labels and buttons instead of drawing them."""

    def __init__(self):
        self.labels, self.buttons = [], []

    def row(self, align=False):
        return self

    def prop(self, parameter, name, text, **_):
        self.labels.append((name, text))

    def operator(self, name, **_):
        self.buttons.append((name, button := SimpleNamespace()))
        return button


@pytest.mark.parametrize(("value", "kept"), [(0, 1), (1, 1), (77, 77), (4096, 4096), (2**31 - 1, 4096), (-5, 1)])
def test_a_whole_number_stays_in_its_bounds(fill, value, kept):
    parameter = fill(SIZE)
    assert parameter.value == parameter.int_value == 8
    parameter.int_value = value
    assert parameter.value == parameter.int_value == kept


@pytest.mark.parametrize(("value", "sent"), [(-1.0, 0.01), (0.01, 0.01), (0.25, 0.25), (0.7, 0.7), (5.0, 0.7)])
def test_a_number_stays_in_its_bounds_and_is_sent_within_them(fill, value, sent):
    """Blender stores float32, which rounds 0.7 and 0.01 to just below: the bridge would refuse that 0.01."""
    parameter = fill(SHARE)
    parameter.float_value = value
    assert parameter.float_value == pytest.approx(sent, rel=1e-6)
    assert 0.01 <= json.loads(json.dumps(parameter.value)) <= 0.7 and parameter.value == pytest.approx(sent, rel=1e-6)


def test_the_largest_seed_is_kept_exactly(fill):
    parameter = fill(SEED)
    parameter.int_value = 2**31 - 1
    assert parameter.value == 2**31 - 1


def test_values_without_bounds_are_left_alone(fill):
    parameter = fill(FREE)
    assert (parameter.value, parameter.label, parameter.tooltip) == ("grey", "Fill", "What the patch shows")
    parameter.choice_value = "noise"
    assert parameter.value == "noise"
    parameter = fill(SIZE | {"least": None, "unit": ""})
    parameter.int_value = -9
    assert parameter.value == -9 and parameter.tooltip.endswith("Range: up to 4,096")
    parameter = fill(SHARE | {"most": None})
    parameter.float_value = 8.0
    assert parameter.value == 8.0 and parameter.tooltip.endswith("Range: from 0.01")


def test_unit_and_text_are_drawn(fill):
    layout = Layout()
    method_panel.draw_parameter(layout, fill(SIZE), bpy.context.scene)
    assert layout.labels == [("int_value", "Patch size (px)")]
    [(name, button)] = layout.buttons
    assert name == method_panel.INNERWALK_OT_parameter_help.bl_idname
    tooltip = method_panel.INNERWALK_OT_parameter_help.description(bpy.context, button)
    assert tooltip == "Side of the patch\nRange: 1 to 4,096 px"
    assert bpy.ops.innerwalk.parameter_help(text=tooltip) == {"FINISHED"}


def test_a_field_that_a_parameter_does_not_use_may_be_set(fill):
    parameter = fill(FREE)
    parameter.int_value = 3
    assert parameter.value == "grey"


CLASS = SIZE | {"name": "of_class", "default": -1, "least": -1, "text": "Class that is explained"}
ABOUT_CLASS = {"name": "grad_cam", "title": "Grad-CAM", "parameters": [CLASS, SEED]}
PER_CHANNEL = {"name": "saliency", "title": "Saliency", "parameters": [FREE | {"name": "of"}, CLASS]}


def test_the_selection_is_what_a_method_runs_on_first(fill):
    scene = bpy.context.scene
    assert method_panel.first_target(scene, PER_CHANNEL) == "panels"
    scene[SELECTED_LAYER], scene[SELECTED_CHANNEL] = "a", -1
    assert method_panel.first_target(scene, PER_CHANNEL) == "layer"
    scene[SELECTED_CHANNEL] = 4
    assert method_panel.first_target(scene, PER_CHANNEL) == "channel"
    assert method_panel.first_target(scene, ABOUT_CLASS) == "layer", "a class is about a whole layer"


def test_a_class_is_chosen_by_its_name(fill, monkeypatch):
    names = {"networks": [{"name": "net", "names": ["cat", "dog"]}], "methods": []}
    bridge = SimpleNamespace(link=SimpleNamespace(description=names), state="ready")
    monkeypatch.setattr(method_panel, "session", lambda: bridge)
    scene, parameter = bpy.context.scene, fill(CLASS)
    assert method_panel.class_names(scene) == []
    scene[NETWORK_NAME] = "net"
    assert method_panel.class_names(scene) == ["cat", "dog"]
    assert method_panel.class_items(None, bpy.context)[1:] == [("0", "cat", ""), ("1", "dog", "")]
    assert [method_panel.class_name(scene, number) for number in (-1, 1, 9)] == [
        method_panel.PREDICTED,
        "dog",
        "class 9",
    ]
    method_panel.INNERWALK_OT_choose_class.execute(SimpleNamespace(found="1"), bpy.context)
    assert parameter.value == 1
