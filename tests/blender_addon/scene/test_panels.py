"""Panels in Blender: evaluated geometry against the layout's grid, rendered pixels against numpy."""

import math
from dataclasses import replace

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from mathutils import Vector  # noqa: E402

from innerwalk.blender_addon.imaging import colour_maps, tile_grids  # noqa: E402
from innerwalk.blender_addon.properties import LARGEST_PEAK, PANEL_LAYER_ID, RAW_MAPS_IMAGE, VERSION_STAMP  # noqa: E402
from innerwalk.blender_addon.scene import panels  # noqa: E402
from innerwalk.blender_addon.scene.engine import eevee_works, hall_engine_works  # noqa: E402
from innerwalk.blender_addon.scene.hall import store  # noqa: E402
from innerwalk.blender_addon.scene.materials import colour_settings, images, panel_material  # noqa: E402
from innerwalk.blender_addon.scene.materials.compat import EEVEE_USES_HALF_FLOATS  # noqa: E402
from innerwalk.blender_addon.scene.panels import panel_metadata  # noqa: E402
from innerwalk.blender_addon.scene.panels import values as reading  # noqa: E402
from innerwalk.blender_addon.scene.view.render import set_engine, set_render_settings  # noqa: E402
from innerwalk.torch_bridge.recording import Maps, pack  # noqa: E402
from innerwalk.torch_bridge.recording.errors import SceneError, UnknownName  # noqa: E402

ENGINE_WORKS = {"innerwalk": hall_engine_works, "cycles": lambda: True, "eevee": eevee_works}
FINEST = 5
"""Pixels for each texel in test pictures."""


@pytest.fixture(params=("innerwalk", "cycles"))
def rendered(rendered, request):
    """The fixture of the same name, by one engine after the other."""
    if not ENGINE_WORKS[request.param]():
        pytest.skip(f"needs OpenGL for {request.param}")

    def render(scene, width: int, height: int) -> np.ndarray:
        set_engine(scene, request.param)
        return rendered(scene, width, height)

    return render


def maps_of(data: np.ndarray, layer="conv1", **extras) -> Maps:
    return Maps(layer, "activations", pack(data.astype(np.float32)), len(data), extras=extras)


def random_maps(shape, seed=0, layer="conv1") -> Maps:
    """Channels with values of very different size; those of the first are 0."""
    random = np.random.default_rng(seed)
    sizes = random.gamma(2, 1, (shape[0], 1, 1)) * (np.arange(shape[0])[:, None, None] > 0)
    return maps_of(random.normal(size=shape) * sizes, layer)


def grid_for(channels: int, shape: tuple[int, int]) -> panels.GridSpec:
    columns = math.ceil(math.sqrt(channels))
    return columns, math.ceil(channels / columns), (0.1 * shape[1], 0.1 * shape[0])


def fill(panel, maps):
    """Shows other maps and updates the network's peak."""
    panels.show_maps(panel, maps)
    panels.update_network_peak(panel.users_scene[0])


def stand(scene, maps: Maps):
    """Adds a panel and prepares its scene for rendering."""
    set_render_settings(scene, 1, 1, samples=1)
    scene.render.use_persistent_data = True
    colour_settings.set_scene_colours(scene)
    panel = panels.add_panel(scene.collection, maps.layer, maps.layer, maps, grid_for(maps.channels, maps.shape[1:]))
    panels.update_network_peak(scene)
    return panel


def face_on(scene, panel, width=0.0, height=0.0) -> tuple[int, int]:
    """Points the camera at the panel's grid, or an area; returns the size of a picture with FINEST pixels a texel."""
    grid = panels.grid_of(panel)
    width, height = width or grid.columns * grid.cell[0], height or grid.rows * grid.cell[1]
    if scene.camera is None:
        scene.camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
        scene.collection.objects.link(scene.camera)
    scene.camera.data.type, scene.camera.data.ortho_scale = "ORTHO", max(width, height)
    scene.camera.location = (width / 2, height / 2, 1)
    density = math.ceil(FINEST / 0.1 / tile_grids.FILL)
    return round(width * density), round(height * density)


def sample(picture: np.ndarray, panel, channels, u: np.ndarray, v: np.ndarray, width=0.0, height=0.0) -> np.ndarray:
    """The picture at positions u (right) and v (down), 0..1, of the channels' tiles: (channels, v, u, 3)."""
    grid, place = panels.grid_of(panel), panels.channel_places(panel)[channels][:, None, None]
    x, y = np.moveaxis(grid.inside(place, u[None, None, :], v[None, :, None]), -1, 0)
    px = (x / (width or grid.columns * grid.cell[0]) * picture.shape[1]).astype(int)
    py = ((1 - y / (height or grid.rows * grid.cell[1])) * picture.shape[0]).astype(int)
    return picture[py, px]


def texels_of(picture: np.ndarray, panel, channels, height: int, width: int, *area: float) -> np.ndarray:
    """The picture, of the grid or an area in metres, at the centre of every texel: (channels, height, width, 3)."""
    u, v = (np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height
    return sample(picture, panel, channels, u, v, *area)


def largest_error(scene, rendered, panel, wanted: np.ndarray) -> float:
    """Largest difference from `wanted`, (C, H, W, 3) sRGB 0..1, in steps of 255."""
    channels, height, width, _ = wanted.shape
    picture = rendered(scene, *face_on(scene, panel))
    return np.abs(texels_of(picture, panel, np.arange(channels), height, width) - wanted * 255).max()


def tinted(maps: Maps, normalisation="channel", network=None, **settings) -> np.ndarray:
    peak = {"channel": maps.peak[:, None, None], "layer": maps.peak.max(), "network": network}[normalisation]
    return colour_maps.colour_values(maps.data, peak, **settings)


@pytest.mark.parametrize("colour_map", colour_maps.COLOUR_MAPS)
@pytest.mark.parametrize("normalisation", colour_settings.NORMALISATIONS)
def test_pixels_equal_those_computed_by_numpy(empty_scene, rendered, colour_map, normalisation):
    maps, other = random_maps((6, 5, 4)), random_maps((2, 2, 2), 1, "conv2")
    panel = stand(empty_scene, maps)
    stand(empty_scene, other).location.y = 50
    network = max(maps.peak.max(), other.peak.max())
    for gain in (1.0, 2.5):
        colour_settings.set_scene_colours(empty_scene, colour_map=colour_map, normalisation=normalisation, gain=gain)
        wanted = tinted(maps, normalisation, network, colour_map=colour_map, gain=gain)
        assert largest_error(empty_scene, rendered, panel, wanted) < 2


@pytest.mark.parametrize("persistent", [True, False])
def test_new_values_reach_the_next_render(empty_scene, rendered, persistent):
    first, second = random_maps((7, 6, 6)), random_maps((7, 6, 6), 5)
    panel = stand(empty_scene, first)
    empty_scene.render.use_persistent_data = persistent
    for maps in (first, second, first):
        fill(panel, maps)
        assert largest_error(empty_scene, rendered, panel, tinted(maps)) < 2
        assert empty_scene.render.use_persistent_data == persistent


def test_many_panels_share_the_networks_peak(empty_scene, rendered):
    first = stand(empty_scene, random_maps((5, 4, 4)))
    second = stand(empty_scene, random_maps((3, 4, 4), 1, "conv2"))
    second.location.y = 50
    new = [random_maps((5, 4, 4), 7), random_maps((3, 4, 4), 8, "conv2")]
    fill(first, new[0])
    fill(second, new[1])
    colour_settings.set_scene_colours(empty_scene, normalisation="network")
    network = max(maps.peak.max() for maps in new)
    assert largest_error(empty_scene, rendered, first, tinted(new[0], "network", network)) < 2


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 11])
def test_any_number_of_channels(empty_scene, rendered, channels):
    maps = random_maps((channels, 3, 7))
    assert largest_error(empty_scene, rendered, stand(empty_scene, maps), tinted(maps)) < 2


@pytest.mark.parametrize("normalisation", colour_settings.NORMALISATIONS)
def test_a_new_input_is_normalised_again_without_rebuilding_tiles(empty_scene, rendered, normalisation):
    first, second = random_maps((11, 4, 4)), random_maps((11, 4, 4), 5)
    panel = stand(empty_scene, first)
    colour_settings.set_scene_colours(empty_scene, normalisation=normalisation)
    rebuilt = []

    def heard(scene, graph):
        updates = (update for update in graph.updates if update.is_updated_geometry)
        rebuilt.extend(update.id.name for update in updates if not isinstance(update.id, bpy.types.Scene))

    assert largest_error(empty_scene, rendered, panel, tinted(first, normalisation, first.peak.max())) < 2
    mesh = evaluated(panel).as_pointer()
    bpy.app.handlers.depsgraph_update_post.append(heard)
    fill(panel, second)
    empty_scene.view_layers[0].update()
    bpy.app.handlers.depsgraph_update_post.remove(heard)
    assert not rebuilt and evaluated(panel).as_pointer() == mesh
    shown = panel.evaluated_get(empty_scene.view_layers[0].depsgraph)
    assert shown[LARGEST_PEAK] == pytest.approx(second.peak.max()), "a view that stands has the new peak too"
    assert np.array_equal(reading.peaks_of(panel), np.maximum(second.peak, np.float32(colour_maps.MIN_PEAK)))
    assert largest_error(empty_scene, rendered, panel, tinted(second, normalisation, second.peak.max())) < 2


def test_a_panel_without_its_peaks_gets_them_with_the_next_input(empty_scene, rendered):
    first, second = random_maps((6, 4, 4)), random_maps((6, 4, 4), 5)
    panel = stand(empty_scene, first)
    bpy.data.images.remove(panels.image_of(panel, "Peaks"))
    assert reading.peaks_of(panel).tolist() == [first.peak.max()] * 6
    fill(panel, second)
    assert largest_error(empty_scene, rendered, panel, tinted(second)) < 2


def test_a_material_of_an_earlier_version_is_rebuilt_with_the_next_input(empty_scene, rendered):
    first, second = random_maps((6, 4, 4)), random_maps((6, 4, 4), 5)
    panel = stand(empty_scene, first)
    material, image = panel.data.materials[0], panels.image_of(panel)
    bpy.data.images.remove(panels.image_of(panel, "Peaks"))
    material.node_tree.nodes.remove(material.node_tree.nodes["Peaks"])
    material[VERSION_STAMP] = 1
    assert reading.peaks_of(panel).tolist() == [first.peak.max()] * 6
    fill(panel, second)
    assert panel.data.materials[0] == material and panels.image_of(panel) == image
    assert largest_error(empty_scene, rendered, panel, tinted(second)) < 2


@pytest.mark.parametrize("kind", ["scalar", "bars", "colour"])
def test_peaks_are_read_back_whatever_the_maps(empty_scene, kind):
    values = np.random.default_rng(0).normal(size=(7, 3, 2, 4)).astype(np.float32)
    every = {
        "scalar": maps_of(values[..., 0]),
        "bars": maps_of(values[:, :1, :1, 0]),
        "colour": Maps("conv1", "deconvnet", values, 7, colour=True, extras={"peak": np.arange(1, 8, dtype="f4")}),
    }
    panel = stand(empty_scene, every[kind])
    assert np.array_equal(reading.peaks_of(panel), every[kind].peak)


def test_a_sheet_of_several_columns(empty_scene, rendered, monkeypatch):
    monkeypatch.setattr(tile_grids.sheet_layout, "__defaults__", (12,))
    maps = random_maps((23, 4, 3))
    panel = stand(empty_scene, maps)
    assert tuple(panel_material.material_image(panel.data.materials[0]).size) == (6, 12)
    assert tuple(panels.image_of(panel, "Peaks").size) == (2, 3)
    assert np.array_equal(reading.peaks_of(panel), np.maximum(maps.peak, np.float32(colour_maps.MIN_PEAK)))
    assert largest_error(empty_scene, rendered, panel, tinted(maps)) < 2


def test_only_nan_and_infinity_have_the_marker_colour(empty_scene, rendered):
    data = np.random.default_rng(0).normal(size=(5, 4, 4))
    data[0, 1, 2], data[1, 0, 0], data[4, 3, 3] = np.nan, np.inf, -np.inf
    data[2, 0, 0], data[2, 1, 1] = 1e30, 3e-30
    maps = maps_of(data)
    wanted = tinted(maps)
    assert (np.abs(wanted - colour_maps.srgb(colour_maps.MARKER)).max(-1) < 1e-6).sum() == 3
    assert largest_error(empty_scene, rendered, stand(empty_scene, maps), wanted) < 2


@pytest.mark.parametrize("rendered", ["eevee"], indirect=True)
def test_eevee_shows_the_same(empty_scene, rendered):
    data = np.random.default_rng(0).normal(size=(6, 4, 4))
    data[0] = 0
    if not EEVEE_USES_HALF_FLOATS:
        data[1, 1, 2], data[4, 0, 0] = np.nan, np.inf
    maps = maps_of(data)
    panel = stand(empty_scene, maps)
    colour_settings.set_scene_colours(empty_scene, colour_map="paper", gain=1.5)
    assert largest_error(empty_scene, rendered, panel, tinted(maps, colour_map="paper", gain=1.5)) < 2


def test_colour_maps_pass_through(empty_scene, rendered):
    texels = np.random.default_rng(0).uniform(size=(5, 3, 4, 4)).astype(np.float32)
    texels[..., 3] = np.arange(4) % 2  # transparent and opaque columns
    texels[0, 0, :, :3] = np.array([0, 0.02, 0.5, 1])[:, None]
    texels[1, 0, 1, 0] = np.nan
    maps = Maps("conv1", "deconvnet", texels, 5, colour=True)
    panel = stand(empty_scene, maps)
    colour_settings.set_scene_colours(empty_scene, colour_map="ember", normalisation="layer", gain=3.0)
    empty = colour_maps.srgb(colour_maps.THEMES["dark"]["track"])  # neither the board's colour nor black
    wanted = np.where(texels[..., 3:] == 1, texels[..., :3], empty)
    wanted[1, 0, 1] = colour_maps.srgb(colour_maps.MARKER)
    assert largest_error(empty_scene, rendered, panel, wanted) < 2


@pytest.mark.parametrize("colour_map, theme", [("signed", "dark"), ("paper", "paper"), ("ember", "dark")])
def test_vectors_are_bars_from_zero(empty_scene, rendered, colour_map, theme):
    values = np.array([4.0, -4.0, 1.0, -2.0, 0.0, 0.4, np.nan])
    panel = stand(empty_scene, maps_of(values[:, None, None]))
    panels.show_channels(panel, np.arange(7), 2, 4, (4.0, 1.0))
    colour_settings.set_scene_colours(empty_scene, colour_map=colour_map, theme=theme)
    u, v = (np.arange(40) + 0.5) / 40, np.array([0.05, 0.5, 0.95])
    picture = rendered(empty_scene, *face_on(empty_scene, panel))
    seen = sample(picture, panel, np.arange(7), u, v)
    assert (
        np.abs(seen - bars(values, u, v, colour_maps.COLOUR_MAPS[colour_map], colour_maps.THEMES[theme]) * 255).max()
        < 2
    )


def bars(values, u, v, colour_map, theme) -> np.ndarray:
    """The bars computed in numpy, (channels, v, u, 3) sRGB: track, zero line, and the bar above both."""
    track, line, marker = (
        colour_maps.srgb(theme["track"]),
        colour_maps.srgb(theme["frame"]),
        colour_maps.srgb(colour_maps.MARKER),
    )
    wanted = np.zeros((len(values), len(v), len(u), 3)) + track
    wanted[:, :, np.abs(u - colour_map.offset) <= 0.012] = line
    for channel, value in enumerate(values / np.nanmax(np.abs(values))):
        end = np.clip(value * colour_map.scale + colour_map.offset, 0, 1)
        inside = (u > min(end, colour_map.offset)) & (u < max(end, colour_map.offset))
        wanted[channel, 1:2, inside] = colour_maps.srgb(colour_map.stops[-1 if value > 0 else 0])
    wanted[np.isnan(values)] = marker
    return wanted


def test_shrunk_maps_and_back(empty_scene, rendered):
    maps = random_maps((5, 8, 6))
    small = Maps("conv1", "activations", tile_grids.block_means(maps.texels, 2), 5, extras={"peak": maps.peak})
    panel = stand(empty_scene, small)
    assert largest_error(empty_scene, rendered, panel, tinted(small)) < 2
    fill(panel, maps)
    assert largest_error(empty_scene, rendered, panel, tinted(maps)) < 2
    raw = sorted(image.name for image in bpy.data.images if RAW_MAPS_IMAGE in image)
    assert raw == ["Innerwalk colour maps", "conv1", "conv1 peaks"], "the image of another size is gone"


def test_chosen_channels_on_another_grid(empty_scene, rendered):
    maps = random_maps((11, 4, 4))
    panel = stand(empty_scene, maps)
    chosen = np.array([9, 2, 5])
    panels.show_channels(panel, chosen, 2, 2, (0.6, 0.5))
    picture = rendered(empty_scene, *face_on(empty_scene, panel))
    assert np.abs(texels_of(picture, panel, chosen, 4, 4) - tinted(maps)[chosen] * 255).max() < 2
    assert panels.channel_places(panel)[chosen].tolist() == [0, 1, 2] and (panels.channel_places(panel) >= 0).sum() == 3


def test_maps_of_some_channels_are_shown_large_and_read_back(empty_scene, rendered, tmp_path):
    maps = random_maps((11, 4, 4))
    panel = stand(empty_scene, maps)
    before, numbers = panels.grid_of(panel), (9, 2, 5)
    some = replace(random_maps((3, 8, 8), 5), method="saliency", channel_numbers=numbers)
    fill(panel, some)
    grid, (width, height) = panels.grid_of(panel), panels.size_of(panel)
    assert grid == tile_grids.largest_grid(3, 1.0, width, height) and min(grid.cell) > 1.4 * min(before.cell)
    assert panels.channel_places(panel).tolist() == [-1, -1, 1, -1, -1, 2, -1, -1, -1, 0, -1]
    picture = rendered(empty_scene, *face_on(empty_scene, panel, width, height))
    assert np.abs(texels_of(picture, panel, list(numbers), 8, 8, width, height) - tinted(some) * 255).max() < 2
    for place, channel in enumerate(numbers):
        assert np.array_equal(panels.map_of(panel, channel), some.data[place])
    with pytest.raises(UnknownName, match="no shown channel of conv1 '3'; there are 9, 2, 5"):
        panels.map_of(panel, 3)
    _, panel = save_and_open(tmp_path / "some.blend")
    again = store.read_maps(panel, "conv1", "saliency")
    assert again.channel_numbers == numbers and np.array_equal(again.texels, some.texels)
    fill(panel, maps)
    assert panels.grid_of(panel) == before and panels.channel_places(panel).tolist() == list(range(11))
    assert store.read_maps(panel, "conv1", "activations").channel_numbers == ()
    assert largest_error(bpy.context.scene, rendered, panel, tinted(maps)) < 2


def test_numbers_of_some_channels_lie_on_the_points_of_these(empty_scene):
    panel = stand(empty_scene, random_maps((6, 2, 2)))
    extras = {"values": np.array([3.5, -1.0], np.float32), "flags": np.array([0, 2], np.int32)}
    some = replace(random_maps((2, 2, 2), 1), method="health", extras=extras, channel_numbers=(4, 1))
    fill(panel, some)
    assert panel_metadata.read_flags(panel).tolist() == [0, 2, 0, 0, 0, 0]
    assert reading.channel_numbers(panel, 4) == {"value": 3.5, "flags": 0.0}
    again = store.read_maps(panel, "conv1", "health").extras
    assert again["values"].tolist() == [3.5, -1.0] and again["flags"].tolist() == [0, 2]


def test_methods_may_change_on_a_panel(empty_scene, rendered):
    maps = random_maps((3, 4, 4))
    panel = stand(empty_scene, maps)
    texels = np.random.default_rng(0).uniform(size=(3, 5, 5, 4)).astype(np.float32)
    texels[..., 3] = 1
    fill(panel, Maps("conv1", "deconvnet", texels, 3, colour=True))
    assert largest_error(empty_scene, rendered, panel, texels[..., :3]) < 2
    fill(panel, maps)
    assert largest_error(empty_scene, rendered, panel, tinted(maps)) < 2


def evaluated(panel):
    return panel.evaluated_get(bpy.context.evaluated_depsgraph_get()).data


def test_tiles_lie_where_the_grid_says(empty_scene):
    panel = stand(empty_scene, random_maps((11, 4, 6)))
    panel.location, panel.rotation_euler = (1, 2, 3), (math.pi / 2, 0, 0.4)
    mesh, grid = evaluated(panel), panels.grid_of(panel)
    assert len(mesh.polygons) == 11
    corners = np.array([[mesh.vertices[k].co[:] for k in face.vertices] for face in mesh.polygons])
    assert np.allclose(corners.mean(1)[:, :2], grid.centre(np.arange(11)), atol=1e-6)
    assert np.allclose(np.ptp(corners, axis=1), [*(tile_grids.FILL * np.array(grid.cell)), 0], atol=1e-6)
    assert corners.min() >= 0 and np.allclose([face.normal[:] for face in mesh.polygons], (0, 0, 1))


def test_a_ray_finds_panel_and_channel(empty_scene):
    panel = stand(empty_scene, random_maps((11, 4, 6)))
    panel.location, panel.rotation_euler = (1, 2, 3), (math.pi / 2, 0, 0.4)
    graph, grid = bpy.context.evaluated_depsgraph_get(), panels.grid_of(panel)
    for channel in range(11):
        place = panel.matrix_world @ Vector((*grid.inside(channel, 0.2, 0.7), 0))
        normal = panel.matrix_world.to_3x3().col[2]
        hit, at, _, face, what, _ = empty_scene.ray_cast(graph, place + normal, -normal)
        assert hit and what[PANEL_LAYER_ID] == "conv1" and face == channel
        assert grid.pick(*(panel.matrix_world.inverted() @ at)[:2]) == channel


def test_points_have_the_methods_numbers(empty_scene):
    scores = np.array([0.5, 0.25, 1.0], np.float32)
    maps = maps_of(np.ones((3, 2, 2)), values=scores, iou=scores / 2, flags=np.array([0, 1, 0]), boxes=np.zeros((3, 4)))
    mesh = evaluated(stand(empty_scene, maps))
    read = {name: [item.value for item in mesh.attributes[name].data][::4]
            for name in ("channel", "place", "value", "iou", "flags")}  # fmt: skip
    assert read == {"channel": [0, 1, 2], "place": [0, 1, 2], "value": [0.5, 0.25, 1.0],
                    "iou": [0.25, 0.125, 0.5], "flags": [0, 1, 0]}  # fmt: skip
    assert "boxes" not in mesh.attributes


def test_fog_covers_distant_panels(empty_scene, rendered):
    data = np.ones((1, 1, 2))
    panel = stand(empty_scene, maps_of(data))
    face_on(empty_scene, panel)
    camera = empty_scene.camera
    camera.data.type, camera.location.z, camera.data.lens = "PERSP", 30.0, 2000
    colour_settings.set_scene_colours(empty_scene, fog=(6.0, 45.0))
    keep = math.exp(-(30 - 6) / 45)
    air = np.array(colour_maps.linear(colour_maps.THEMES["dark"]["air"]))
    wanted = colour_maps.to_srgb(keep + air * (1 - keep)) * 255
    middle = rendered(empty_scene, 20, 20)[10, 10]
    assert np.abs(middle - wanted).max() < 2
    colour_settings.set_scene_colours(empty_scene, fog=())
    assert np.abs(rendered(empty_scene, 20, 20)[10, 10] - 255).max() < 2


def test_each_scene_has_its_own_colours(empty_scene, rendered):
    maps = random_maps((3, 4, 4))
    first = stand(empty_scene, maps)
    second_scene = bpy.data.scenes.new("Other")
    second = stand(second_scene, maps)
    colour_settings.set_scene_colours(second_scene, colour_map="ember")
    assert largest_error(empty_scene, rendered, first, tinted(maps)) < 2
    assert largest_error(second_scene, rendered, second, tinted(maps, colour_map="ember")) < 2


def save_and_open(path) -> tuple:
    images.pack_images()
    images.pack_images()  # a second time must not lose them
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.wm.open_mainfile(filepath=str(path))
    return bpy.context.scene, panels.panel_of(bpy.context.scene, "conv1")


def test_a_saved_file_is_complete_also_after_an_update(empty_scene, rendered, tmp_path):
    first, second = random_maps((5, 4, 4)), random_maps((5, 4, 4), 3)
    stand(empty_scene, first)
    scene, panel = save_and_open(tmp_path / "hall.blend")
    assert largest_error(scene, rendered, panel, tinted(first)) < 2
    fill(panel, second)
    assert largest_error(scene, rendered, panel, tinted(second)) < 2
    scene, panel = save_and_open(tmp_path / "hall.blend")
    assert largest_error(scene, rendered, panel, tinted(second)) < 2


def test_maps_that_cannot_be_shown_raise_an_error(empty_scene):
    panel = stand(empty_scene, random_maps((4, 2, 2)))
    with pytest.raises(SceneError, match="maps of conv1 have 5 channels, its panel conv1 has 4"):
        fill(panel, random_maps((5, 2, 2)))
    with pytest.raises(SceneError, match="4 channels of conv1 don't fit on a grid of 1 × 3"):
        panels.show_channels(panel, np.arange(4), 1, 3, (1.0, 1.0))
    with pytest.raises(UnknownName, match="did you mean conv1"):
        panels.panel_of(empty_scene, "conv2")
    with pytest.raises(UnknownName, match="did you mean ember"):
        colour_settings.set_scene_colours(empty_scene, colour_map="embers")


def test_no_material_is_a_lamp(empty_scene):
    stand(empty_scene, random_maps((4, 2, 2)))
    stand(empty_scene, maps_of(np.ones((4, 1, 1)), "fc"))
    assert {material.cycles.emission_sampling for material in bpy.data.materials} == {"NONE"}


def test_objects_that_a_person_has_renamed_or_deleted(empty_scene):
    panel, bars = stand(empty_scene, random_maps((5, 4, 4))), random_maps((5, 1, 1))
    for block in (panel, panel.modifiers[0], panel.data, panel.data.materials[0], panels.image_of(panel)):
        block.name = "renamed"
    fill(panel, random_maps((5, 6, 6)))
    assert tuple(panels.image_of(panel).size) == (6, 12)
    bpy.data.images.remove(panels.image_of(panel))
    fill(panel, bars)
    assert np.array_equal(store.read_maps(panel, "conv1", "activations").data, bars.data)
    bpy.data.materials.remove(panel.data.materials[0])
    assert store.read_maps(panel, "conv1", "activations") is None
    panel.data.materials[0] = own = bpy.data.materials.new("a person's own")
    assert panels.image_of(panel) is None
    fill(panel, bars)
    assert own in list(bpy.data.materials) and panels.image_of(panel) is not None
    panel.modifiers.clear()
    assert store.read_maps(panel, "conv1", "activations") is None
    with pytest.raises(SceneError, match="has lost the modifier"):
        fill(panel, random_maps((5, 4, 4)))


def test_maps_are_read_back_from_a_sheet_of_two_columns(empty_scene):
    maps = random_maps((2048, 64, 1))
    panel = panels.add_panel(empty_scene.collection, "a", "a", maps, (64, 32, (0.1, 0.1)))
    assert tuple(panels.image_of(panel).size) == (2, 16384)
    assert np.array_equal(store.read_maps(panel, "a", "activations").texels, maps.texels)
