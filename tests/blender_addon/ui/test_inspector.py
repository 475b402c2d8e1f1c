"""The inspector: its facts and pictures against the recording, when it computes them, and that nothing is left."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from innerwalk.blender_addon import actions, ui  # noqa: E402
from innerwalk.blender_addon.actions import inspecting  # noqa: E402
from innerwalk.blender_addon.imaging import colour_maps, plots, statistics  # noqa: E402
from innerwalk.blender_addon.plans.number_text import format_number  # noqa: E402
from innerwalk.blender_addon.properties import LOGARITHMIC_HISTOGRAMS, SELECTED_CHANNEL  # noqa: E402
from innerwalk.blender_addon.scene.hall import store  # noqa: E402
from innerwalk.blender_addon.scene.hall.build import create_hall  # noqa: E402
from innerwalk.blender_addon.scene.materials import colour_settings, images, panel_material  # noqa: E402
from innerwalk.blender_addon.scene.materials.compat import set_modifier_inputs  # noqa: E402
from innerwalk.blender_addon.scene.panels import image_of, panels, show_maps, shows_channels, tiles_modifier  # noqa: E402
from innerwalk.blender_addon.scene.panels import values as reading  # noqa: E402
from innerwalk.blender_addon.ui.common import previews  # noqa: E402
from innerwalk.blender_addon.ui.inspect import inspector_state, probe_operator  # noqa: E402
from innerwalk.torch_bridge import recording as rec  # noqa: E402
from innerwalk.torch_bridge.recording.errors import SceneError, UnknownName  # noqa: E402


@pytest.fixture
def tiny(recorded) -> rec.Recording:
    """A recording with a NaN and an infinite value in channel 2 of layer a."""
    recording = rec.load(recorded)
    texels = recording.maps("a").texels.copy()
    texels[0, 1, 3, 2], texels[0, 5, 0, 2] = np.nan, np.inf
    recording.add([replace(recording.maps("a"), texels=texels, extras={})])
    return recording


@pytest.fixture
def hall(empty_scene, tiny):
    return create_hall(tiny)


@pytest.fixture
def interface(hall):
    ui.register()
    yield hall
    ui.unregister()


def test_single_values_and_maps_are_those_of_the_recording(hall, tiny):
    for id in ("a", "b", ":add", "fc"):
        data, panel = tiny.maps(id).data, panels(hall)[id]
        wanted = np.where(np.isfinite(data), data, np.nan)
        for channel, values in enumerate(wanted):
            assert np.array_equal(reading.map_of(panel, channel), values, equal_nan=True)
            seen = [
                [reading.value_at(panel, channel, y, x) for x in range(data.shape[2])] for y in range(data.shape[1])
            ]
            assert np.array_equal(seen, values, equal_nan=True)


def test_colour_maps_and_stacks_of_several_columns_are_read_too(hall):
    rng = np.random.default_rng(4)
    panel = panels(hall)["a"]
    show_maps(panel, rec.Maps("a", "x", rng.random((5, 3, 2, 4)).astype(np.float32), 5, colour=True))
    whole = store.read_maps(panel, "a", "x").data
    assert np.array_equal(reading.map_of(panel, 4), whole[4]) and reading.map_of(panel, 4).shape == (3, 2, 3)
    assert np.array_equal(reading.value_at(panel, 3, 2, 1), whole[3, 2, 1])
    texels = rng.random((2, 3, 2, 4)).astype(np.float32)
    show_maps(panel, rec.Maps("a", "x", texels, 5))
    image = images.fit_image(image_of(panel), "two columns", images.tile_grids.Sheet(2, 1, 4, 3))
    panel_material.set_material_images(panel.data.materials[0], {"Texels": image}, (2, 1))
    set_modifier_inputs(tiles_modifier(panel), {"Sheet Columns": 2, "Sheet Rows": 1})
    images.write_image(image, np.concatenate([texels[0], texels[1]], 1).ravel())
    assert np.array_equal(reading.map_of(panel, 4), texels[1, :, :, 0])
    assert reading.value_at(panel, 4, 2, 1) == texels[1, 2, 1, 0]


def test_values_stay_when_another_panel_is_read(hall, tiny):
    """All images are read into the same buffer."""
    there = panels(hall)
    first = reading.map_of(there["a"], 1)
    before = first.copy()
    reading.map_of(there["b"], 4), reading.value_at(there["b"], 0, 0, 0)
    assert np.array_equal(first, before, equal_nan=True)


def test_missing_channels_layers_and_images_are_errors_of_one_line(hall):
    panel = panels(hall)["a"]
    with pytest.raises(UnknownName, match="no channel of a '5'; there are 0 to 4"):
        reading.map_of(panel, 5)
    with pytest.raises(UnknownName, match=r"no pixel of a '\(0, 6\)'; .*\(3, 5\)"):
        reading.value_at(panel, 0, 6, 0)
    with pytest.raises(UnknownName, match="no layer 'c'"):
        actions.inspect_layer(hall, "c")
    with pytest.raises(UnknownName, match="no panel of layer ''"):
        actions.step_channel(hall)
    bpy.data.images.remove(image_of(panel))
    for attempt in (
        lambda: actions.inspect_layer(hall, "a"),
        lambda: actions.inspect_channel(hall, "a", 0),
        lambda: actions.probe(hall, "a", 0, 0, 0),
    ):
        with pytest.raises(SceneError, match="'a' has lost its image"):
            attempt()


def test_a_layer_has_facts_and_a_histogram(hall, tiny):
    found = actions.inspect_layer(hall, "a")
    data = tiny.maps("a").data
    known = data[np.isfinite(data)]
    facts = dict(found.facts)
    assert (facts["Operation"], facts["Shape"]) == ("Conv2d", "5 channels of 6 × 4")
    assert facts["Range"] == f"{format_number(known.min())} to {format_number(known.max())}"
    assert (facts["Mean"], facts["Deviation"]) == (format_number(known.mean()), format_number(known.std()))
    assert facts["Below zero"] == facts["Sparsity"] == f"{(known < 0).mean():.1%}"
    assert (facts["Dead channels"], facts["Not finite"]) == ("0 of 5", "2")
    wanted = plots.draw_histogram(statistics.compute_histogram(data), "dark", "signed")
    assert np.array_equal(found.pictures["activations"], wanted) and list(found.pictures) == ["activations"]
    assert found.ends["activations"] == (format_number(known.min()), format_number(known.max()))
    logarithmic = actions.inspect_layer(hall, "a", logarithmic=True).pictures["activations"]
    assert not np.array_equal(logarithmic, wanted)


def test_weights_have_a_histogram_if_the_bridge_sends_them(hall):
    """They are requested once; a property of the hall shows that they have arrived, so that the inspector updates."""
    questions = []
    weights = {"a": ({"count": 11, "least": -1.0, "most": 3.0}, np.array([4, 0, 6]))}
    session = SimpleNamespace(
        weight_histograms={}, state="ready", ask=lambda question, then: questions.append((question, then))
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inspecting, "current", lambda: session)
        assert inspecting.weight_histogram(hall, "a") is None and not questions  # it follows no network
        hall["innerwalk_network"] = "tiny"
        assert (
            inspecting.weight_histogram(hall, "a") is inspecting.weight_histogram(hall, "a") is None
            and len(questions) == 1
        )
        question, then = questions[0]
        then(question(SimpleNamespace(statistics=lambda network, layers: {layer: weights[layer] for layer in layers})))
        found = inspecting.inspect_layer(hall, "a")
    assert list(found.pictures) == ["activations", "weights"] and found.ends["weights"] == ("−1", "3")
    assert session.weight_histograms["tiny", "a"].nonfinite == 1 and hall["innerwalk_weighed"] == "a"


@pytest.mark.parametrize("normalisation", colour_settings.NORMALISATIONS)
def test_a_channel_has_the_colours_of_the_hall(hall, tiny, normalisation):
    colour_settings.set_scene_colours(hall, normalisation=normalisation, gain=2.0, colour_map="paper")
    maps = tiny.maps("a")
    network = max(float(layer_maps.peak.max()) for layer_maps in tiny.all_maps.values())
    peak = {"channel": maps.peak[2], "layer": maps.peak.max(), "network": network}[normalisation]
    found = actions.inspect_channel(hall, "a", 2)
    size = plots.EDGE // 6
    seen = found.pictures["map"][: 6 * size : size, size // 2 :: size, :3][:, :4]
    assert np.allclose(seen, colour_maps.colour_values(maps.data[2], peak, "paper", 2.0), atol=1e-5)
    assert np.allclose(seen[1, 3], colour_maps.srgb(colour_maps.MARKER), atol=1e-6)
    assert found.ends["map"] == (f"−{format_number(peak / 2)}", format_number(peak / 2))
    assert dict(found.facts)["Peak"] == format_number(maps.peak[2])


def test_a_channel_of_zeros_peaks_at_zero(hall, tiny):
    texels = tiny.maps("a").texels.copy()
    texels[0, ..., 1] = 0.0
    show_maps(panels(hall)["a"], replace(tiny.maps("a"), texels=texels, extras={}))
    found = actions.inspect_channel(hall, "a", 1)
    assert dict(found.facts)["Peak"] == "0" and found.ends["map"] == ("0", "0")


def test_where_a_method_gives_one_map_it_is_stepped_to_and_is_no_channel(interface, tiny):
    hall, panel = interface, panels(interface)["a"]
    assert shows_channels(panel)
    show_maps(panel, rec.Maps("a", "grad_cam", rec.pack(np.ones((1, 3, 3), np.float32)), 1))
    assert not shows_channels(panel)
    actions.select(hall, "a", 2)
    assert actions.step_channel(hall, 1) == actions.step_channel(hall, 1) == "a, channel 0"
    hall.innerwalk_channel_number = 2
    assert hall[SELECTED_CHANNEL] == 0
    with pytest.raises(SceneError, match="the maps of a are no channels"):
        actions.ablate_selected(hall)
    chosen = rec.Maps("a", "saliency", rec.pack(np.ones((2, 3, 3), np.float32)), 2, channel_numbers=(1, 3))
    show_maps(panel, chosen)
    assert shows_channels(panel)
    hall.innerwalk_channel_number = 2
    assert hall[SELECTED_CHANNEL] in (1, 3)


def test_a_channel_of_the_class_layer_has_the_name_of_its_class(hall, tiny):
    values = tiny.maps("fc").data[:, 0, 0]
    facts = dict(actions.inspect_channel(hall, "fc", 1).facts)
    assert facts["Stands for"] == "cat, 75.0%" and facts["Value"] == format_number(float(values[1]))
    assert "Stands for" not in dict(actions.inspect_channel(hall, "a", 1).facts)
    scale = float(np.abs(values).max())
    wanted = plots.draw_bar(float(values[1]), scale, "signed", 1.0, "dark")
    assert np.array_equal(actions.inspect_channel(hall, "fc", 1).pictures["bar"], wanted)


def test_further_numbers_of_the_method_are_facts(hall, tiny):
    maps = replace(tiny.maps("b"), extras={"iou": np.linspace(0, 0.4, 5).astype(np.float32)})
    show_maps(panels(hall)["b"], maps)
    assert dict(actions.inspect_channel(hall, "b", 3).facts)["Iou"] == "0.3"


def test_a_value_in_words(hall, tiny):
    value = float(tiny.maps("b").data[4, 5, 1])
    assert actions.probe(hall, "b", 4, 5, 1) == f"b · channel 4 · (1, 5) = {format_number(value)}"
    assert actions.probe(hall, "a", 2, 1, 3).endswith("(3, 1) = NaN")


def test_channels_go_round(hall):
    actions.select(hall, "a")
    assert [actions.step_channel(hall) for _ in range(2)] == ["a, channel 0", "a, channel 1"]
    assert actions.step_channel(hall, -3) == "a, channel 3"
    actions.select(hall, "a")
    assert actions.step_channel(hall, -1) == "a, channel 4"


def draw_inspector(scene):
    """Draws, and draws again after the timer has run if drawing started it."""
    inspector_state.inspected_state(scene)
    updated = bpy.app.timers.is_registered(inspector_state.update)
    if updated:
        bpy.app.timers.unregister(inspector_state.update)
        inspector_state.update()
    return updated, inspector_state.inspected_state(scene)


def test_results_are_computed_only_after_changes(interface, tiny):
    actions.select(interface, "a", 1)
    updated, shown = draw_inspector(interface)
    assert updated and shown.layer and dict(shown.channel.facts)["Peak"] == format_number(tiny.maps("a").peak[1])
    assert draw_inspector(interface) == (False, shown), "nothing has changed"
    changes = (
        lambda: actions.select(interface, "b", 2),
        lambda: colour_settings.set_scene_colours(interface, gain=3.0),
        lambda: colour_settings.set_scene_colours(interface, theme="paper"),
        lambda: colour_settings.set_scene_colours(interface, normalisation="layer"),
        lambda: setattr(bpy.context.window_manager, LOGARITHMIC_HISTOGRAMS, True),
        lambda: inspector_state.invalidate(),
    )
    for change in changes:
        change()
        assert draw_inspector(interface)[0]
        assert not draw_inspector(interface)[0]


def test_new_values_are_inspected_before_they_are_drawn_and_moved_panels_are_not(interface, tiny):
    actions.select(interface, "b", 0)
    view_layer, panel = interface.view_layers[0], panels(interface)["b"]
    view_layer.update()
    before = draw_inspector(interface)[1]
    panel.location.x += 1
    view_layer.update()
    assert draw_inspector(interface) == (False, before)
    show_maps(panel, replace(tiny.maps("b"), texels=tiny.maps("b").texels + 50, extras={}))
    view_layer.update()
    updated, shown = draw_inspector(interface)
    known = tiny.maps("b").data[0] + 50
    assert (
        not updated
        and dict(shown.channel.facts)["Range"] == f"{format_number(known.min())} to {format_number(known.max())}"
    )


def test_during_a_walk_nothing_is_computed(interface, monkeypatch):
    from innerwalk.blender_addon.vr import walk

    actions.select(interface, "a", 1)
    draw_inspector(interface)
    monkeypatch.setattr(walk, "_walk", object())
    actions.select(interface, "b", 2)
    inspector_state.on_depsgraph_update(interface, None)
    assert inspector_state.update() == inspector_state.WALK_PAUSE_SECONDS and not inspector_state.state.running
    monkeypatch.setattr(walk, "_walk", None)
    updated, shown = draw_inspector(interface)
    assert updated and shown.key[:2] == ("b", 2) and shown.channel is not None


def test_nothing_is_computed_for_a_closed_sidebar(interface, tiny):
    actions.select(interface, "b", 0)
    draw_inspector(interface)
    looked = inspector_state.state.results[interface.session_uid]
    inspector_state.state.drawn.clear()  # the sidebar is closed
    for layer in ("a", "b", "a"):
        actions.select(interface, layer, 1)
        interface.view_layers[0].update()
    assert inspector_state.state.results[interface.session_uid] is looked
    inspector_state.inspected_state(interface)  # and opened
    assert bpy.app.timers.is_registered(inspector_state.update)


def test_results_of_another_layer_are_not_shown(interface):
    actions.select(interface, "a", 1)
    known = draw_inspector(interface)[1]
    interface["innerwalk_channel"] = 2
    assert (
        inspector_state.inspected_state(interface).channel is None
        and inspector_state.inspected_state(interface).layer is known.layer
    )
    interface["innerwalk_layer"] = "b"
    assert inspector_state.inspected_state(interface).layer is None


def test_a_removed_panel_is_an_error_of_one_line(interface):
    actions.select(interface, "a", 1)
    bpy.data.objects.remove(panels(interface)["a"])
    shown = draw_inspector(interface)[1]
    assert "no panel of layer 'a'" in shown.error and shown.layer is None


def test_pictures_reach_blender_bottom_row_first(interface):
    actions.select(interface, "a", 1)
    draw_inspector(interface)
    kept = previews._collections[0][inspector_state.preview_name(interface.session_uid, "channel map")]
    wanted = actions.inspect_channel(interface, "a", 1).pictures["map"]
    seen = np.zeros(wanted.size, np.float32)
    kept.image_pixels_float.foreach_get(seen)
    assert tuple(kept.image_size) == (wanted.shape[1], wanted.shape[0])
    assert np.abs(seen.reshape(wanted.shape)[::-1] - wanted).max() < 1 / 250


def test_the_number_field_selects_an_existing_channel(interface):
    interface.innerwalk_channel_number = 3
    assert actions.selected(interface).layer == ""
    actions.select(interface, "a")
    assert interface.innerwalk_channel_number == 0
    interface.innerwalk_channel_number = 99
    assert actions.selected(interface) == ("a", 4) and interface.innerwalk_channel_number == 4


def test_operators_do_what_the_functions_do(interface):
    with bpy.context.temp_override(scene=interface):
        assert not bpy.ops.innerwalk.step_channel.poll()
        actions.select(interface, "a", 4)
        assert bpy.ops.innerwalk.step_channel(by=2) == {"FINISHED"}
        assert actions.selected(interface) == ("a", 1)
        assert not bpy.ops.innerwalk.probe.poll(), "there is no cursor in the background"


def test_nothing_is_left_behind(hall):
    ui.register()
    actions.select(hall, "a", 1)
    draw_inspector(hall)
    inspector_state.invalidate()
    inspector_state.inspected_state(hall)
    ui.unregister()
    assert (
        not previews._collections
        and not inspector_state.state.results
        and not bpy.app.timers.is_registered(inspector_state.update)
    )
    assert not any(handler in held for held, handler in inspector_state.HANDLERS)
    assert previews.icon_id("anything") == 0 and not hasattr(bpy.types.Scene, "innerwalk_channel_number")


def test_a_new_file_forgets_the_old_ones_pictures(interface, recorded):
    actions.select(interface, "a", 1)
    draw_inspector(interface)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    again = create_hall(rec.load(recorded))
    actions.select(again, "b", 1)
    draw_inspector(again)
    assert list(inspector_state.state.results) == [again.session_uid]
    assert all(name.startswith(f"{again.session_uid} ") for name in previews._collections[0])


def test_the_cursor_shows_a_value_only_over_a_tile(monkeypatch):
    """The window with one 3D view is a stand-in: there is none in the background."""
    from types import SimpleNamespace

    from innerwalk.blender_addon.scene.hall import ray_hits

    region = SimpleNamespace(type="WINDOW", x=100, y=50, width=200, height=100)
    area = SimpleNamespace(type="VIEW_3D", regions=[region])
    context = SimpleNamespace(window=SimpleNamespace(screen=SimpleNamespace(areas=[area])), scene="the hall")
    context.temp_override = lambda **_: __import__("contextlib").nullcontext()
    hits = {(10, 20): ray_hits.Hit("panel", "a", 3, (0.6, 0.3)), (30, 20): ray_hits.Hit("panel", "a"), (50, 20): None}
    monkeypatch.setattr(ray_hits, "pick_at", lambda context, x, y: hits[x, y])
    monkeypatch.setattr(ray_hits, "pixel_of", lambda hit: (1, 2) if hit.channel >= 0 else None)
    monkeypatch.setattr(actions, "probe", lambda scene, *where: f"{scene}: {where}")
    assert probe_operator.value_under_cursor(context, 110, 70) == "the hall: ('a', 3, 1, 2)"
    assert (
        probe_operator.value_under_cursor(context, 130, 70)
        == probe_operator.value_under_cursor(context, 150, 70)
        == probe_operator.value_under_cursor(context, 99, 70)
        == ""
    )
