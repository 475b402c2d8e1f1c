"""Figures: rendered pixels, framing, provenance, the same bytes for the same input, and every way to fail."""

import errno
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from innerwalk.blender_addon.output import output_files, png_text
from innerwalk.torch_bridge import recording as rec
from innerwalk.torch_bridge.recording.errors import RecordingError, SceneError, UnknownName

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from innerwalk.blender_addon import layout  # noqa: E402
from innerwalk.blender_addon.imaging import colour_maps  # noqa: E402
from innerwalk.blender_addon.layout import camera_presets  # noqa: E402
from innerwalk.blender_addon.layout.camera_presets import PRESETS  # noqa: E402
from innerwalk.blender_addon.output.figure import render_figure  # noqa: E402
from innerwalk.blender_addon.output.figure_options import FigureOptions  # noqa: E402
from innerwalk.blender_addon.output.preset_scene import AFTER_POST, BEFORE_PANEL, walk_position  # noqa: E402
from innerwalk.blender_addon.scene import engine  # noqa: E402
from innerwalk.blender_addon.scene.hall import store  # noqa: E402
from innerwalk.blender_addon.scene.hall.build import create_hall  # noqa: E402
from innerwalk.blender_addon.scene.materials.images import pack_images  # noqa: E402
from innerwalk.tests.support.graphs import graph  # noqa: E402
from innerwalk.tests.support.pictures import read_picture  # noqa: E402

SMALL = (320, 180)


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_makes_a_picture_with_something_in_it(empty_scene, recorded, tmp_path, preset):
    out = render_figure(recorded, tmp_path / "a.png", FigureOptions(preset=preset, size=SMALL, samples=1))
    picture = read_picture(out)
    assert picture.shape == (180, 320, 3) and picture.std() > 5
    assert not bpy.data.objects and not bpy.data.meshes and len(bpy.data.scenes) == 1


def test_nothing_of_an_overview_is_cut(empty_scene, recorded, tmp_path):
    for theme in ("dark", "paper"):
        order = FigureOptions(size=(640, 360), samples=4, theme=theme)
        picture = read_picture(render_figure(recorded, tmp_path / f"{theme}.png", order)).astype(int)
        ground = np.rint(colour_maps.srgb(colour_maps.THEMES[theme]["floor"]) * 255)
        rim = np.concatenate([picture[:4].reshape(-1, 3), picture[-4:].reshape(-1, 3), picture[:, :4].reshape(-1, 3)])
        assert np.abs(rim - ground).max() <= 1
        title = picture[20:60, 20:260]
        assert (np.abs(title - ground).max(2) > 50).mean() > 0.02


def test_legend_of_a_figure_has_the_colours_of_the_map(empty_scene, recorded, tmp_path):
    order = FigureOptions(size=(960, 540), samples=2)
    picture = read_picture(render_figure(recorded, tmp_path / "a.png", order)).astype(int)
    layers, links = rec.load(recorded).network.folded()
    view = camera_presets.overview(layout.lay_out_figure(layers, links, 960, 540), 960, 540)
    corner, row = (
        camera_presets.free_corners(view)[1],
        540 - int((camera_presets.free_corners(view)[1].bottom + 146) / 2),
    )
    for share in (0.02, 0.25, 0.75, 0.98):
        found = picture[row, int((corner.left + share * corner.width) / 2)]
        assert np.abs(found - 255 * colour_maps.COLOUR_MAPS["signed"].colours(np.array(share))).max() < 8


def test_no_air_lies_before_the_layer_that_is_looked_at(empty_scene, recorded, tmp_path):
    """The white end of the card's legend is white: what is looked at keeps its colours, to its farthest corner."""
    for layer in ("a", "b", "fc"):
        order = FigureOptions(preset="layer", layer=layer, size=(640, 360), samples=4)
        picture = read_picture(render_figure(recorded, tmp_path / "a.png", order))
        assert picture.reshape(-1, 3).min(1).max() >= 254, layer


def test_the_same_input_gives_the_same_bytes(empty_scene, recorded, tmp_path):
    order = FigureOptions(size=SMALL, samples=9, preset="walk")
    first = render_figure(recorded, tmp_path / "a.png", order).read_bytes()
    assert render_figure(rec.load(recorded), tmp_path / "b.png", order).read_bytes() == first


def test_a_figure_says_where_it_comes_from(empty_scene, recorded, tmp_path):
    out = render_figure(recorded, tmp_path / "a.png", FigureOptions(size=SMALL, samples=1, title="Mine", gain=2.0))
    told = png_text.read_texts(out.read_bytes())
    assert (told["Title"], told["Software"].split()[0]) == ("Mine", "innerwalk")
    details = json.loads(told["innerwalk"])
    assert (details["network"], details["input"], details["weights"]) == ("tiny", "noise", "by hand")
    assert (details["preset"], details["gain"], details["recording"]) == ("overview", 2.0, {"seed": 7})
    assert details["blender"] == bpy.app.version_string
    assert {kind for kind, _ in png_text.chunks(out.read_bytes())} <= png_text.KEPT | {b"iTXt"}


def test_a_transparent_figure_has_no_ground(empty_scene, recorded, tmp_path):
    order = FigureOptions(size=SMALL, samples=2, transparent=True)
    picture = read_picture(render_figure(recorded, tmp_path / "a.png", order))
    assert picture.shape[2] == 4 and picture[2, -2, 3] == 0 and picture[..., 3].max() == 255


def test_progress_ends_with_the_last_sample(empty_scene, recorded, tmp_path):
    heard = []
    order = FigureOptions(size=SMALL, samples=4)
    render_figure(recorded, tmp_path / "a.png", order, progress=lambda doing, share: heard.append((doing, share)))
    assert heard[-1][1] == 1.0 and any(doing.startswith("render") for doing, _ in heard)
    assert all(0 <= share <= 1 for _, share in heard)


def test_a_walker_stands_between_posts():
    plan = layout.lay_out(*graph("resnet50"))
    y = walk_position(plan)
    assert min(y - slot.y for slot in plan.panels if slot.y < y) == pytest.approx(AFTER_POST)


def test_a_walker_in_a_short_hall_has_its_panels_ahead():
    plan = layout.lay_out(*graph("one panel"))
    assert walk_position(plan) == pytest.approx(plan.panels[0].y - BEFORE_PANEL)


@pytest.mark.parametrize("preset", ["layer", "tile"])
def test_a_layer_that_was_recorded_is_shown_first(empty_scene, recorded, tmp_path, preset):
    whole = rec.load(recorded)
    part = replace(whole, all_maps={("fc", rec.ACTIVATIONS): whole.maps("fc")})
    first, second = (
        read_picture(
            render_figure(part, tmp_path / "a.png", FigureOptions(preset=preset, layer=layer, size=SMALL, samples=1))
        )
        for layer in (None, "fc")
    )
    assert np.array_equal(first, second)


@pytest.mark.parametrize(
    ("order", "error", "says"),
    [
        (FigureOptions(preset="wlak"), UnknownName, "no preset 'wlak'; did you mean walk"),
        (FigureOptions(theme="drak", size=SMALL), UnknownName, "did you mean dark"),
        (FigureOptions(colour_map="sined", size=SMALL), UnknownName, "did you mean signed"),
        (FigureOptions(layer="fd", preset="layer", size=SMALL), UnknownName, "did you mean fc"),
        (FigureOptions(size=(0, 5)), SceneError, "can't be made"),
        (FigureOptions(samples=1 << 40), SceneError, "can't be made"),
        (FigureOptions(gain=float("nan"), size=SMALL), SceneError, "gain nan: a number above 0"),
        (FigureOptions(gain=0.0, size=SMALL), SceneError, "a number above 0"),
        (FigureOptions(engine="cyclse"), UnknownName, "did you mean cycles"),
    ],
)
def test_what_cannot_be_ordered(empty_scene, recorded, tmp_path, order, error, says):
    with pytest.raises(error, match=says) as caught:
        render_figure(recorded, tmp_path / "a.png", order)
    assert "\n" not in str(caught.value) and not list(tmp_path.glob("*.png")) and not list(tmp_path.glob(".part-*"))
    assert not bpy.data.objects and len(bpy.data.scenes) == 1


def test_sources_that_are_none(empty_scene, tmp_path, recorded):
    (tmp_path / "bad.blend").write_bytes(b"not a file of Blender")
    bpy.data.libraries.write(str(tmp_path / "other.blend"), {bpy.context.scene})
    for name, error, says in (
        ("missing.blend", SceneError, "no such file"),
        ("bad.blend", SceneError, "not a Blender file"),
        ("other.blend", SceneError, "this file holds no hall"),
        ("missing", RecordingError, "no recording here"),
    ):
        with pytest.raises(error, match=says):
            render_figure(tmp_path / name, tmp_path / "a.png", FigureOptions(size=SMALL))
    with pytest.raises(SceneError, match="no such folder"):
        render_figure(recorded, tmp_path / "nowhere" / "a.png", FigureOptions(size=SMALL))


def test_a_full_disk_leaves_the_old_file(tmp_path):
    (tmp_path / "a.png").write_bytes(b"old")
    with pytest.raises(SceneError, match="the disk is full"), output_files.replaced(tmp_path / "a.png", ".png"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert (tmp_path / "a.png").read_bytes() == b"old" and len(list(tmp_path.iterdir())) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_picture_that_cannot_be_written_whole_is_not_kept(empty_scene, recorded, tmp_path, monkeypatch):
    def full(part: Path, data: bytes) -> int:
        with open("/dev/full", "wb", buffering=0) as disk:
            return disk.write(data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(SceneError, match="the disk is full"):
        render_figure(recorded, tmp_path / "a.png", FigureOptions(size=SMALL, samples=1))
    assert not list(tmp_path.glob("*.png"))


@pytest.mark.skipif(os.name == "nt", reason="needs limits of processes")
def test_a_disk_that_fills_while_rendering_is_one_line(empty_scene, recorded, tmp_path):
    import resource

    (tmp_path / "a.png").write_bytes(b"old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (600, limits[1]))
    try:
        with pytest.raises(SceneError) as caught:
            render_figure(recorded, tmp_path / "a.png", FigureOptions(size=(200, 200), samples=1))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, previous)
    assert "disk full" in str(caught.value) and "\n" not in str(caught.value)
    assert (tmp_path / "a.png").read_bytes() == b"old" and not list(tmp_path.glob(".part-*"))


def test_a_protected_file_stays(tmp_path):
    (path := tmp_path / "a.png").write_bytes(b"old")
    path.chmod(0o444)
    with pytest.raises(SceneError, match="it is read-only"), output_files.replaced(path, ".png"):
        pass
    assert path.read_bytes() == b"old"


def test_words_in_a_png_are_read_back():
    plain = png_text.SIGNATURE + b"".join(
        png_text.chunk(kind, body)
        for kind, body in ((b"IHDR", b"x"), (b"tIME", b"now"), (b"IDAT", b"y"), (b"IEND", b""))
    )
    told = {"Title": "ä × 日", "innerwalk": "{}"}
    marked = png_text.with_texts(plain, told)
    assert png_text.read_texts(marked) == told and b"tIME" not in marked
    assert png_text.with_texts(marked, told) == marked
    for broken in (b"GIF", marked[:-6]):
        with pytest.raises(ValueError, match="PNG"):
            png_text.read_texts(broken)


def test_the_probe_survives_a_machine_without_egl():
    """Without an EGL vendor EEVEE ends its process: the probe says no, and this process goes on."""
    script = "from innerwalk.blender_addon.scene.engine import eevee_works\nprint('works' if eevee_works() else 'no')"
    bare = os.environ | {"__EGL_VENDOR_LIBRARY_FILENAMES": "/nonexistent"}
    done = subprocess.run([sys.executable, "-c", script], env=bare, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "no" in done.stdout.splitlines()


def test_eevee_shows_what_cycles_shows(empty_scene, recorded, tmp_path):
    if not engine.eevee_works():
        pytest.skip("needs EEVEE (OpenGL through EGL)")
    shown = [
        read_picture(
            render_figure(recorded, tmp_path / f"{engine}.png", FigureOptions(size=SMALL, samples=8, engine=engine))
        )
        for engine in ("cycles", "eevee")
    ]
    assert np.abs(shown[0].astype(int) - shown[1]).mean() < 4


def test_a_hall_is_chosen_by_its_scenes_name(empty_scene, recorded, tmp_path):
    made = rec.load(recorded)
    both = [create_hall(replace(made, network=replace(made.network, name=name))) for name in ("one", "two")]
    path = tmp_path / "both.blend"
    pack_images()
    for scene in both:
        scene.view_layers[0].update()  # Blender 5.2.3 ends on writing one that never was
    bpy.data.libraries.write(str(path), set(both))
    for name in ("two", "one"):
        out = render_figure(path, tmp_path / "a.png", FigureOptions(size=SMALL, samples=1, scene=name))
        assert png_text.read_texts(out.read_bytes())["Title"] == name
    with pytest.raises(UnknownName, match="no hall 'tow'; did you mean two"):
        render_figure(path, tmp_path / "a.png", FigureOptions(scene="tow"))


def test_a_hall_is_kept_out_of_a_figure(empty_scene, recorded, tmp_path):
    assert not store.halls()
    render_figure(recorded, tmp_path / "a.png", FigureOptions(size=SMALL, samples=1))
    assert not store.halls()
