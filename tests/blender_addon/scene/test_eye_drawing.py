"""A hall as the eyes of a headset see it: colours of tiles, smooth edges, and what is drawn behind and in front."""

import numpy as np
import pytest

from innerwalk.torch_bridge import recording as rec

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

import gpu  # noqa: E402
from gpu_extras.batch import batch_for_shader  # noqa: E402
from mathutils import Matrix  # noqa: E402

from innerwalk.blender_addon.imaging import colour_maps  # noqa: E402
from innerwalk.blender_addon.scene import panels  # noqa: E402
from innerwalk.blender_addon.scene.engine import hall_engine_works  # noqa: E402
from innerwalk.blender_addon.scene.engine.eye_drawing import EyeDrawing, eye_camera  # noqa: E402
from innerwalk.blender_addon.scene.engine.graphics_data import read_pixels  # noqa: E402
from innerwalk.blender_addon.scene.engine.passes import Sky  # noqa: E402
from innerwalk.blender_addon.scene.hall import store  # noqa: E402
from innerwalk.blender_addon.scene.hall.build import create_hall  # noqa: E402
from innerwalk.tests.support.graphics import with_graphics  # noqa: E402

pytestmark = pytest.mark.skipif(not hall_engine_works(), reason="needs OpenGL (EGL)")
SIZE = 240
"""Side of the picture in pixels."""
RED = Sky(np.array([1.0, 0.0, 0.0]), np.array([1.0, 0.0, 0.0]), 1.0)


def seen(scene, to_world: Matrix, span: float, draw_more=lambda: None, shown: bool = True) -> np.ndarray:
    """What an eye sees that looks along -z with parallel rays, a square of so many metres; (SIZE, SIZE, 3) 0..255 sRGB,
    first row at the bottom. shown: whether there is a hall; before the sky else.
    """
    depsgraph = bpy.context.evaluated_depsgraph_get()
    projection = Matrix(((2 / span, 0, 0, 0), (0, 2 / span, 0, 0), (0, 0, -0.4, -1), (0, 0, 0, 1)))  # five metres deep

    def draw() -> np.ndarray:
        eyes, target = EyeDrawing(), gpu.types.GPUOffScreen(SIZE, SIZE, format="RGBA32F")
        if shown:
            eyes.update(depsgraph)
        with target.bind(), gpu.matrix.push_pop(), gpu.matrix.push_pop_projection():
            gpu.matrix.load_matrix(to_world.inverted())
            gpu.matrix.load_projection_matrix(projection)
            eyes.draw(RED, eye_camera(), draw_more)
        return read_pixels(target)[..., :3]

    return 255 * colour_maps.to_srgb(with_graphics(scene, draw))


@pytest.fixture
def hall(empty_scene, recorded):
    scene = create_hall(rec.load(recorded))
    bpy.context.window.scene = scene
    return scene


def before(panel, distance: float = 0.3) -> Matrix:
    """The pose of an eye before the middle of a panel."""
    width, height = panels.size_of(panel)
    return panels.world_matrix(panel) @ Matrix.Translation((width / 2, height / 2, distance))


def pixel(panel, point, span: float) -> tuple[int, int]:
    """Row and column of the pixel that shows a point of a panel, (x, y) in its metres, before its middle."""
    offset = np.array(point) - np.array(panels.size_of(panel)) / 2
    column, row = np.floor((offset / span + 0.5) * SIZE).astype(int)
    return row, column


def square(depth: float, colour=(0.0, 1.0, 0.0, 1.0), right: float = 9.0):
    """Returns a function that draws a square around the middle, at a depth below the eye."""

    def draw() -> None:
        shader = gpu.shader.from_builtin("UNIFORM_COLOR")
        corners = [(-9, -9, -depth), (right, -9, -depth), (right, 9, -depth), (-9, 9, -depth)]
        gpu.state.depth_test_set("LESS_EQUAL")
        with gpu.matrix.push_pop():
            gpu.matrix.load_identity()
            shader.bind()
            shader.uniform_float("color", colour)
            batch_for_shader(shader, "TRIS", {"pos": corners}, indices=[(0, 1, 2), (0, 2, 3)]).draw(shader)
        gpu.state.depth_test_set("NONE")

    return draw


def test_tiles_have_the_colours_that_numpy_computes(hall):
    panel = panels.panel_of(hall, "a")
    maps = store.read_maps(panel, "a", "activations")
    wanted = 255 * colour_maps.colour_values(maps.data, np.reshape(maps.peak, (-1, 1, 1)), "signed")
    grid, span = panels.grid_of(panel), 1.2 * max(panels.size_of(panel))
    picture = seen(hall, before(panel), span)
    channels, rows, columns = maps.data.shape
    for channel, place in enumerate(panels.channel_places(panel)):
        for row in range(rows):
            for column in range(columns):
                point = grid.inside(int(place), (column + 0.5) / columns, (row + 0.5) / rows)
                difference = picture[pixel(panel, point, span)] - wanted[channel, row, column]
                assert np.abs(difference).max() <= 2, (channel, row, column)


def test_what_else_is_drawn_is_hidden_behind_a_panel_and_hides_it_in_front(hall):
    panel = panels.panel_of(hall, "a")
    span = 1.2 * max(panels.size_of(panel))
    plain, behind, front = (seen(hall, before(panel), span, *more) for more in ((), (square(1.0),), (square(0.2),)))
    middle = pixel(panel, panels.grid_of(panel).centre(int(panels.channel_places(panel)[0])), span)
    assert np.array_equal(behind[middle], plain[middle])
    assert front[middle] == pytest.approx((0, 255, 0), abs=1)


def test_an_edge_within_a_pixel_has_the_mean_of_the_light(hall):
    """A builtin shader's green is sRGB, the sky's red is linear light; half of each makes half of the light."""
    span = 4.0
    column = 150
    right = ((column + 0.5) / SIZE - 0.5) * span
    row = seen(hall, Matrix(), span, square(1.0, (0.0, 0.5, 0.0, 1.0), right), shown=False)[SIZE // 2]
    assert row[column - 1] == pytest.approx((0, 127.5, 0), abs=1)
    assert row[column + 1] == pytest.approx((255, 0, 0), abs=1)
    half = 255 * colour_maps.to_srgb(np.array([0.5, colour_maps.to_linear(0.5) / 2, 0.0]))
    assert row[column] == pytest.approx(half, abs=1.5)


def test_tiles_far_away_have_the_mean_of_their_colours(hall):
    """A tile that a pixel or two show isn't a random texel of it."""
    panel = panels.panel_of(hall, "a")
    maps = store.read_maps(panel, "a", "activations")
    light = colour_maps.to_linear(colour_maps.colour_values(maps.data, np.reshape(maps.peak, (-1, 1, 1)), "signed"))
    grid = panels.grid_of(panel)
    span = SIZE * max(grid.cell) / 2.5
    picture = seen(hall, before(panel), span)
    errors = []
    for channel, place in enumerate(panels.channel_places(panel)):
        found = colour_maps.to_linear(picture[pixel(panel, grid.centre(int(place)), span)] / 255)
        errors.append(np.abs(found - light[channel].mean((0, 1))).max())
    single = np.abs(light - light.mean((1, 2), keepdims=True)).max(-1).mean()
    assert np.mean(errors) < 0.5 * single, "a single texel would be as far off as texels are"
