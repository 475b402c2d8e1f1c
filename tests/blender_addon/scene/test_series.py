"""A series in a hall: at each frame panels, boards and pixels are those of the entry that is keyed there."""

import gc
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from innerwalk.torch_bridge import recording as rec
from innerwalk.torch_bridge.recording.errors import InputError, RecordingError, SceneError

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from innerwalk.blender_addon import actions  # noqa: E402
from innerwalk.blender_addon.live.session import current  # noqa: E402
from innerwalk.blender_addon.output.hall_files import append_hall  # noqa: E402
from innerwalk.blender_addon.properties import SERIES_FOLDER, SERIES_POSITION, VIDEO_SOURCE  # noqa: E402
from innerwalk.blender_addon.scene.hall import series as shown  # noqa: E402
from innerwalk.blender_addon.scene.hall import store  # noqa: E402
from innerwalk.blender_addon.scene.hall.build import create_hall  # noqa: E402
from innerwalk.blender_addon.scene.panels import panel_of, panels  # noqa: E402
from innerwalk.blender_addon.scene.panels.values import peaks_of, scales_of  # noqa: E402
from innerwalk.blender_addon.scene.state.keyframes import find_curve  # noqa: E402
from innerwalk.tests.support import live_halls as live  # noqa: E402

COUNT = 4


def entry(recorded, k: int) -> rec.Recording:
    """The recording number k: other maps, picture, name and answer than those of every other number; equal peaks."""
    base, rng = rec.load(recorded), np.random.default_rng(k)
    answer = rec.Prediction("classes", ((2, "owl", 0.9 - k / 10), (1, "cat", 0.05 + k / 10), (0, "dog", 0.05)))
    picture = rng.integers(0, 255, base.picture.shape).astype(np.uint8)
    made = replace(base, input_name=f"input {k}", picture=picture, prediction=answer, all_maps={})
    made.add(
        rec.Maps(maps.layer, maps.method, rec.pack(shuffled(maps.shape, rng)), maps.channels)
        for maps in base.all_maps.values()
    )
    return made


def shuffled(shape: tuple[int, int, int], rng: np.random.Generator) -> np.ndarray:
    """The same values (C, H, W) for each generator, in another order and with other signs."""
    values = np.random.default_rng(99).normal(size=(shape[0], shape[1] * shape[2]))
    return (rng.permuted(values, axis=1) * rng.choice([-1, 1], values.shape)).reshape(shape)


@pytest.fixture
def entries(recorded) -> list[rec.Recording]:
    return [entry(recorded, k) for k in range(COUNT)]


@pytest.fixture
def folder(entries, tmp_path) -> Path:
    with rec.SeriesWriter(tmp_path / "home" / "clip", "frame", 12.0) as writer:
        for k, recording in enumerate(entries):
            writer.add(f"frame {k}", recording)
    return tmp_path / "home" / "clip"


@pytest.fixture
def hall(empty_scene, recorded):
    current().forget()
    scene = create_hall(rec.load(recorded))
    bpy.context.window.scene = scene
    yield scene
    current().take_error()


@pytest.fixture
def keyed(hall, folder):
    shown.open_series(hall, folder)
    shown.key_series(hall)
    return hall


def test_a_series_shows_each_entry_whole(hall, folder, entries):
    series = shown.open_series(hall, folder)
    assert len(series) == COUNT and series.axis == "frame"
    live.assert_shows(hall, entries[0])
    for position in (2, 1, 3, 0, 3):
        shown.show_position(hall, position)
        live.assert_shows(hall, entries[position])
        assert hall[SERIES_POSITION] == position
    for position in (-1, COUNT):
        with pytest.raises(RecordingError, match=f"no position {position}; they are 0 to 3"):
            shown.show_position(hall, position)
    live.assert_shows(hall, entries[3])


def test_colours_are_those_of_one_scale_over_the_whole_series(empty_scene, recorded, tmp_path):
    """An entry of half the values is half as bright, whatever the colours are normalised by."""
    base = entry(recorded, 0)
    dim = replace(base, input_name="dim", all_maps={})
    dim.add(replace(maps, texels=maps.texels / 2, extras={}) for maps in base.all_maps.values())
    with rec.SeriesWriter(tmp_path / "s", "noise") as writer:
        for recording in (dim, base):
            writer.add(recording.input_name, recording)
    scene = shown.create_folder_hall(tmp_path / "s")
    for normalisation in ("channel", "layer", "network"):
        actions.show_look(scene, normalisation=normalisation)
        found = []
        for position in (0, 1):
            shown.show_position(scene, position)
            found.append([scales_of(scene, panel) for panel in panels(scene).values()])
        assert all(np.array_equal(*pair) for pair in zip(*found, strict=True)), normalisation
    maps = next(iter(base.all_maps.values()))
    panel = panel_of(scene, maps.layer)
    assert np.allclose(peaks_of(panel), np.maximum(maps.peak, 1e-12))


def test_a_series_becomes_a_hall(empty_scene, folder, entries):
    scene = shown.create_folder_hall(folder, store.Appearance(title="Clip"))
    live.assert_shows(scene, entries[0])
    assert scene.name == "Clip" and len(shown.series_of(scene)) == COUNT
    shown.show_position(scene, 3)
    live.assert_shows(scene, entries[3])


@pytest.mark.parametrize(("first", "step"), [(1, 1), (5, 3), (0, 2)])
def test_the_timeline_shows_what_is_keyed(hall, folder, entries, first, step):
    shown.open_series(hall, folder)
    assert shown.key_series(hall, first, step) == range(first, first + COUNT * step)
    assert (hall.frame_start, hall.frame_end) == (first, first + COUNT * step - 1)
    curve = find_curve(hall, SERIES_POSITION)
    assert [tuple(point.co) for point in curve.keyframe_points] == [(first + k * step, k) for k in range(COUNT)]
    for frame in (*range(first, first + COUNT * step), first + 1, first + 50):
        hall.frame_set(frame)
        position = min((frame - first) // step, COUNT - 1)
        live.assert_shows(hall, entries[position])
        assert hall[SERIES_POSITION] == position


def test_keys_of_a_person_are_followed_and_kept_within_the_series(hall, folder, entries):
    shown.open_series(hall, folder)
    for frame, position in ((10, 3), (40, 0)):
        hall[SERIES_POSITION] = position
        hall.keyframe_insert(f'["{SERIES_POSITION}"]', frame=frame)
    for point in find_curve(hall, SERIES_POSITION).keyframe_points:
        point.interpolation = "LINEAR"
    for frame, position in ((1, 3), (10, 3), (21, 2), (29, 1), (40, 0), (90, 0)):
        hall.frame_set(frame)
        live.assert_shows(hall, entries[position])
    curve = find_curve(hall, SERIES_POSITION)
    curve.keyframe_points[0].co = (10, 1e30)
    curve.keyframe_points[1].co = (40, -7)
    curve.update()
    hall.frame_set(40)
    live.assert_shows(hall, entries[0])


def test_without_keys_the_property_says_which(hall, folder, entries):
    shown.open_series(hall, folder)
    for position in (2, 1):
        hall[SERIES_POSITION] = position
        hall.frame_set(hall.frame_current + 1)
        live.assert_shows(hall, entries[position])


@pytest.mark.parametrize(("first", "step"), [(-1, 1), (1, 0), (1, -2), (1_048_572, 1), (1, 1 << 40)])
def test_what_cannot_be_keyed_changes_nothing(hall, folder, first, step):
    shown.open_series(hall, folder)
    before = (hall.frame_start, hall.frame_end)
    with pytest.raises(InputError, match="a first frame from 0 on|Blender's last frame"):
        shown.key_series(hall, first, step)
    assert (hall.frame_start, hall.frame_end) == before and find_curve(hall, SERIES_POSITION) is None


def test_a_closed_series_leaves_what_is_shown(keyed, entries):
    keyed.frame_set(3)
    shown.close_series(keyed)
    live.assert_shows(keyed, entries[2])
    keyed.frame_set(1)
    live.assert_shows(keyed, entries[2])
    assert SERIES_FOLDER not in keyed and find_curve(keyed, SERIES_POSITION) is None
    for call in (shown.series_of, shown.close_series, lambda scene: shown.show_position(scene, 0)):
        if call is not shown.close_series:
            with pytest.raises(SceneError, match="has no series; open one"):
                call(keyed)


# Pixels


def render_settings(scene) -> None:
    scene.render.engine, scene.cycles.samples = "CYCLES", 1
    scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = 96, 54, 100


def test_each_picture_of_an_animation_is_that_of_the_entrys_own_hall(keyed, entries, rendered, tmp_path):
    render_settings(keyed)
    keyed.render.filepath = str(tmp_path / "all_")
    bpy.ops.render.render(animation=True, scene=keyed.name)
    films = sorted(tmp_path.glob("all_*"))
    assert len(films) == COUNT
    pictures = []
    for path, own in zip(films, entries, strict=True):
        image = bpy.data.images.load(str(path))
        pixels = np.zeros(96 * 54 * 4, np.float32)
        image.pixels.foreach_get(pixels)
        alone = create_hall(own)
        render_settings(alone)
        pictures.append(pixels.reshape(54, 96, 4)[::-1, :, :3] * 255)
        assert np.abs(pictures[-1] - rendered(alone, 96, 54)).max() < 0.5
    assert all(np.abs(pictures[k] - pictures[k - 1]).max() > 20 for k in range(COUNT))


# Files


def reopened(scene, path: Path):
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.wm.open_mainfile(filepath=str(path))
    (found,) = store.halls()
    return found


def test_a_reopened_file_goes_on_with_its_series(keyed, entries, folder, tmp_path):
    keyed.frame_set(2)
    scene = reopened(keyed, tmp_path / "elsewhere.blend")
    live.assert_shows(scene, entries[1])
    scene.frame_set(4)
    live.assert_shows(scene, entries[3])


def test_a_folder_with_its_series_can_be_moved(keyed, entries, folder, tmp_path):
    keyed.frame_set(2)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "home" / "hall.blend"), copy=True)
    assert keyed[SERIES_FOLDER] == str(folder)
    live.empty_file()
    (tmp_path / "home").rename(tmp_path / "moved")
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "moved" / "hall.blend"))
    (scene,) = store.halls()
    scene.frame_set(3)
    live.assert_shows(scene, entries[2])


def test_a_hall_without_a_series_is_saved_without_one(hall, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    scene = reopened(hall, tmp_path / "hall.blend")
    assert SERIES_FOLDER not in scene and VIDEO_SOURCE not in scene


def test_a_hall_that_is_appended_finds_its_series(keyed, entries, folder, tmp_path):
    keyed.frame_set(2)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "home" / "hall.blend"), copy=True)
    live.empty_file()
    scene = append_hall(tmp_path / "home" / "hall.blend")
    scene.frame_set(4)
    live.assert_shows(scene, entries[3])


def test_a_hall_whose_series_is_gone_stays_as_it_is(keyed, entries, folder, tmp_path):
    keyed.frame_set(2)
    shutil.rmtree(folder)
    scene = reopened(keyed, tmp_path / "hall.blend")
    scene.frame_set(4)
    live.assert_shows(scene, entries[1])
    with pytest.raises(RecordingError, match=r"clip: no series here .series.json is missing.$"):
        actions.wait_for_bridge(scene)


def test_a_series_that_is_written_again_is_read_again(keyed, recorded, folder):
    keyed.frame_set(2)
    own = entry(recorded, 77)
    with rec.SeriesWriter(folder, "frame") as writer:
        writer.add("another", own)
    keyed.frame_set(3)
    live.assert_shows(keyed, own)


# Undo and copies


def test_undo_and_redo_show_what_was_shown(hall, folder, entries, recorded):
    bpy.ops.ed.undo_push(message="before")
    actions.open_series(hall, folder)
    bpy.ops.ed.undo_push(message="opened")
    actions.show_position(hall, 2)
    bpy.ops.ed.undo_push(message="shown")
    (name,) = (scene.name for scene in store.halls())

    def shows(expected) -> None:
        live.settled()
        live.assert_shows(bpy.data.scenes[name], expected)

    bpy.ops.ed.undo()
    shows(entries[0])
    bpy.ops.ed.undo()
    shows(rec.load(recorded))
    assert SERIES_FOLDER not in bpy.data.scenes[name]
    bpy.ops.ed.redo()
    shows(entries[0])
    bpy.ops.ed.redo()
    shows(entries[2])


def test_a_full_copy_of_a_scene_goes_its_own_way(keyed, entries):
    """Blender's full copies share the images of panels."""
    bpy.context.window.scene = keyed
    bpy.ops.scene.new(type="FULL_COPY")
    copy = bpy.context.window.scene
    assert copy != keyed
    for scene, frame in ((keyed, 2), (copy, 4), (keyed, 2), (copy, 2), (copy, 3), (keyed, 3)):
        scene.frame_set(frame)
        live.assert_shows(scene, entries[frame - 1])


def test_scenes_that_share_a_hall_show_it_at_their_own_frame(keyed, entries):
    linked = keyed.copy()
    for scene, frame in ((keyed, 2), (linked, 4), (keyed, 2), (keyed, 3), (linked, 4)):
        scene.frame_set(frame)
        live.assert_shows(scene, entries[frame - 1])


@pytest.mark.parametrize("linked", [True, False])
def test_a_scene_with_a_halls_collection_moves_it_too(keyed, entries, linked):
    film = bpy.data.scenes.new("film")
    collection = keyed.collection.children[0]
    if linked:
        film.collection.children.link(collection)
    else:
        instance = bpy.data.objects.new("instance", None)
        instance.instance_type, instance.instance_collection = "COLLECTION", collection
        film.collection.objects.link(instance)
    for frame in (3, 2, 4):
        film.frame_set(frame)
        live.assert_shows(keyed, entries[frame - 1])
    bpy.data.scenes.new("other").frame_set(1)
    live.assert_shows(keyed, entries[3])


# Series that don't fit, or no longer


def written(folder: Path, *recordings: rec.Recording) -> Path:
    with rec.SeriesWriter(folder, "frame") as writer:
        for k, recording in enumerate(recordings):
            writer.add(f"frame {k}", recording)
    return folder


def without(recording: rec.Recording, layer: str) -> rec.Recording:
    kept = {key: maps for key, maps in recording.all_maps.items() if key[0] != layer}
    return replace(recording, all_maps=kept)


def with_channels(recording: rec.Recording, layer: str, channels: int) -> rec.Recording:
    own = recording.maps(layer)
    maps = rec.Maps(layer, own.method, rec.pack(np.ones((channels, *own.shape[1:]))), channels)
    return replace(recording, all_maps=recording.all_maps | {(layer, own.method): maps})


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda own: without(own, "b"), "it has nothing of layer 'b', which hall tiny shows"),
        (lambda own: with_channels(own, "b", 3), "it has 3 channels, not 5, of layer 'b'"),
        (lambda own: with_channels(own, "b", 9), "it has 9 channels, not 5, of layer 'b'"),
        (lambda own: replace(own, all_maps={}), "it has nothing of layer 'a'"),
    ],
)
def test_an_entry_that_does_not_fit_leaves_the_hall(hall, entries, recorded, tmp_path, change, line):
    before = live.texels(hall)
    with pytest.raises(SceneError, match=line):
        shown.open_series(hall, written(tmp_path / "all", change(entries[0])))
    assert live.equal(live.texels(hall), before) and SERIES_FOLDER not in hall
    shown.open_series(hall, written(tmp_path / "second", entries[0], change(entries[1]), entries[2]))
    shown.key_series(hall)
    hall.frame_set(2)
    live.assert_shows(hall, entries[0])
    assert line in str(current().take_error([hall.session_uid]))
    hall.frame_set(3)
    live.assert_shows(hall, entries[2])


def test_what_is_no_series_is_one_line(hall, recorded, tmp_path):
    for path in (tmp_path / "gone", recorded, "", "a\0b", tmp_path / ("x" * 300)):
        with pytest.raises(RecordingError) as error:
            shown.open_series(hall, path)
        assert "\n" not in str(error.value) and SERIES_FOLDER not in hall


@pytest.mark.parametrize("value", [-5, 99, 1 << 30, "x", 2.4, [1, 2]])
def test_a_strangers_position_is_kept_within_the_series(keyed, entries, value):
    shown.remove_keys(keyed, SERIES_POSITION)
    keyed[SERIES_POSITION] = value
    keyed.frame_set(2)
    expected = min(max(round(value), 0), COUNT - 1) if isinstance(value, int | float) else 0
    live.assert_shows(keyed, entries[expected])


# Methods, nodes and memory


def test_the_shown_method_is_followed_where_it_is_recorded(hall, entries, tmp_path):
    both = []
    for own in entries[:2]:
        doubled = [replace(maps, method="doubled", texels=maps.texels * 2) for maps in own.all_maps.values()]
        both.append(replace(own, all_maps=own.all_maps | {(maps.layer, maps.method): maps for maps in doubled}))
    scene = create_hall(both[0], store.Appearance(method="doubled"))
    shown.open_series(scene, written(tmp_path / "both", *both, entries[2]))
    for position, factor, method in ((1, 2, "doubled"), (2, 1, "activations"), (0, 1, "activations")):
        shown.show_position(scene, position)
        expected = {layer: texels * factor for layer, texels in live.maps_of(entries[position]).items()}
        assert live.equal(live.texels(scene), expected)
        assert store.read_appearance(scene).method == method


def test_points_are_written_where_a_person_has_nodes(keyed, entries):
    mesh = panel_of(keyed, "a").data

    def peaks() -> np.ndarray:
        return np.array([item.value for item in mesh.attributes["peak"].data])

    before = peaks()
    keyed.frame_set(2)
    assert np.array_equal(peaks(), before)
    bpy.data.node_groups.new("mine", "GeometryNodeTree")
    keyed.frame_set(3)
    assert np.allclose(peaks(), entries[2].maps("a").peak)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
def test_memory_stays_flat(keyed):
    def resident() -> int:
        gc.collect()
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    counts = []
    for frame in range(160):
        keyed.frame_set(frame % COUNT + 1)
        if frame in (60, 159):
            counts.append((live.counts(), resident()))
    (blocks, start), (end_blocks, end) = counts
    assert end_blocks == blocks and end - start < 8 << 20
