"""The form of the Bridge panel: the networks and data sets that it starts."""

import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender")

from innerwalk.blender_addon import ui  # noqa: E402
from innerwalk.blender_addon.ui.bridge import settings  # noqa: E402


@pytest.fixture
def form():
    bpy.ops.wm.read_factory_settings(use_empty=True)
    ui.register()
    yield settings.bridge_settings(bpy.context)
    ui.unregister()


def add(form, which: str, **fields: str):
    entry = getattr(form, which).add()
    for name, value in fields.items():
        setattr(entry, name, value)
    return entry


def test_an_empty_form_starts_the_shipped_network(form):
    assert settings.bridge_arguments(form) == ({"toybox": {"model": "toybox"}}, {"toybox": "toybox"})


def test_networks_and_data_sets_by_name(form):
    add(form, "networks", name="mine", model="my.nets:build", weights="mine.pt", classes="names.json", picture="a.png")
    add(form, "networks", model="resnet50")
    add(form, "data", where="pictures/birds")
    add(form, "data", name="more", where="more.zip")
    networks, data = settings.bridge_arguments(form)
    assert networks == {
        "mine": {"model": "my.nets:build", "weights": "mine.pt", "classes": "names.json", "inputs": ["a.png"]},
        "resnet50": {"model": "resnet50"},
    }
    assert data == {"birds": "pictures/birds", "more": "more.zip"}


def test_entries_without_a_model_or_place_are_left_out(form):
    add(form, "networks", model="")
    add(form, "data", name="nowhere")
    assert settings.bridge_arguments(form) == ({"toybox": {"model": "toybox"}}, {"toybox": "toybox"})


def test_equal_names_are_told_apart(form):
    for _ in range(3):
        add(form, "networks", model="pair")
    assert list(settings.bridge_arguments(form)[0]) == ["pair", "pair 2", "pair 3"]


def test_a_shipped_networks_pictures_come_once(form):
    add(form, "networks", name="a", model="pair")
    add(form, "data", name="shapes", where="concepts:pair")
    assert settings.bridge_arguments(form)[1] == {"shapes": "concepts:pair"}


def test_entries_are_added_and_taken_away(form):
    for add_one in (True, True, False):
        bpy.ops.innerwalk.edit_list(which="networks", add=add_one)
    assert [network.model for network in form.networks] == ["object"] and form.network == 0
    bpy.ops.innerwalk.edit_list(which="data", add=False)
    assert len(form.data) == 0


def test_empty_fields_hint_at_their_default(form):
    own, other = add(form, "networks", model="object"), add(form, "networks", model="resnet50")
    assert (own.hint("name"), own.hint("weights"), own.hint("picture")) == ("object", "its own", "its own")
    assert (other.hint("weights"), other.hint("classes"), other.hint("picture")) == ("random", "none", "noise")
