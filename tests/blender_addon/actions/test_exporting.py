"""Exports against the recording: values bit for bit, pictures within half a step, safe names, all or nothing."""

import csv
import errno
import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from innerwalk.blender_addon import atomic_folders
from innerwalk.blender_addon.imaging import channel_images, colour_maps, export, filenames, png
from innerwalk.torch_bridge import recording as rec
from innerwalk.torch_bridge.recording import safetensors
from innerwalk.torch_bridge.recording.errors import SceneError, UnknownName

NASTY = [
    "layer1.0.conv1",
    "layer1.0:add@2",
    "layer1.0_add_2",
    "",
    ".",
    "..",
    "a/../../b",
    "con",
    "CON.weight",
    "nul",
    "Aux",
    "com1",
    "lpt9.x",
    "COM10",
    "a.",
    "a ",
    "a...",
    "A",
    "a",
    "a-2",
    "grün",
    "層",
    "x" * 300,
    "x" * 300 + "y",
    "-rf",
    "a\0b",
    "a\\b",
    "a\nb",
    '*?<>|"',
    ".hidden",
    "~",
    "$HOME",
    "%TEMP%",
    "conin$",
]


def test_names_are_taken_by_every_system_and_told_apart():
    names = filenames.file_names(NASTY)
    assert list(names) == NASTY
    for name in names.values():
        assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", name) and not name.endswith(".") and len(name) <= 90
        assert not re.fullmatch(r"(con|prn|aux|nul|com[0-9]|lpt[0-9]|conin\$|conout\$)", name.split(".")[0].lower())
    assert len({name.lower() for name in names.values()}) == len(NASTY)
    assert names["layer1.0.conv1"] == "layer1.0.conv1" and names["COM10"] == "COM10"


def test_examples_of_names():
    import doctest

    assert doctest.testmod(filenames).failed == 0


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(5, 7), (1, 1), (4, 3, 3)])
def test_a_png_is_what_pillow_reads(dtype, shape, tmp_path):
    pixels = np.random.default_rng(1).integers(0, np.iinfo(dtype).max + 1, shape).astype(dtype)
    bands = (pixels[row : row + 2] for row in range(0, shape[0], 2))
    path = tmp_path / "a.png"
    path.write_bytes(b"".join(png.encode(shape[1], shape[0], bands)))
    seen = pixels_of(path)
    if shape[2:] and dtype == np.uint16:  # Pillow has no colours of 16 bits: it reads the upper byte
        assert np.array_equal(seen, pixels >> 8)
    else:
        assert np.array_equal(seen, pixels)


def test_grey_is_right_to_half_a_step():
    values = np.random.default_rng(1).normal(size=(40, 50)).astype(np.float32)
    low, high = float(values.min()), float(values.max())
    seen = channel_images.to_grey16(values, low, high)
    assert (seen.min(), seen.max()) == (0, 65535)
    assert np.abs(low + seen / 65535 * (high - low) - values).max() <= (high - low) / 65535 / 2 * (1 + 1e-9)
    odd = np.array([-3e38, 3e38, np.nan, np.inf, -np.inf], np.float32)
    assert channel_images.to_grey16(odd, odd[0], odd[1]).tolist() == [0, 65535, 0, 0, 0]
    assert (
        not channel_images.to_grey16(values, 2.0, 2.0).any()
        and not channel_images.to_grey16(values, np.nan, np.nan).any()
    )


def pixels_of(path: Path) -> np.ndarray:
    """As Pillow reads them."""
    Image = pytest.importorskip("PIL.Image", reason="needs Pillow")
    with Image.open(path) as image:
        return np.asarray(image)


def content(data: np.ndarray, name="a", **more) -> export.ExportLayer:
    data = np.asarray(data, np.float32)
    maps = rec.Maps(name, "activations", rec.pack(data), len(data), **more)
    return export.ExportLayer(rec.Layer(name, "Conv2d", "panel", data.shape, data.shape), maps, maps.peak, name)


LOOK = channel_images.Colouring("dark", "signed", 1.5)


def test_a_sheet_has_each_channel_in_the_halls_colours(tmp_path):
    data = np.random.default_rng(1).normal(size=(5, 6, 4))
    data[3, 2, 1] = np.nan
    layer = content(data)
    path = tmp_path / "sheet.png"
    path.write_bytes(b"".join(channel_images.encode_sheet(layer.maps, layer.scales, LOOK)))
    seen = pixels_of(path)
    across, down = 4 * channel_images.MOST + channel_images.GAP, 6 * channel_images.MOST + channel_images.GAP
    assert seen.shape == (2 * down + channel_images.GAP, 3 * across + channel_images.GAP, 3)
    for channel in range(5):
        top, left = channel // 3 * down + channel_images.GAP, channel % 3 * across + channel_images.GAP
        tile = seen[
            top : top + 6 * channel_images.MOST : channel_images.MOST,
            left : left + 4 * channel_images.MOST : channel_images.MOST,
        ]
        wanted = colour_maps.colour_values(layer.maps.data[channel], layer.scales[channel], "signed", 1.5) * 255
        assert np.abs(tile - wanted).max() <= 0.5 + 1e-6
    assert np.abs(seen[0, 0] - colour_maps.srgb(colour_maps.THEMES["dark"]["frame"]) * 255).max() <= 0.5


def test_odd_maps_make_a_sheet_too(tmp_path):
    colours = rec.Maps("a", "x", np.random.default_rng(1).random((3, 4, 4, 4)).astype(np.float32), 3, colour=True)
    seen = {}
    for name, maps in (
        ("colour", colours),
        ("vector", content(np.arange(10.0).reshape(10, 1, 1)).maps),
        ("long", content(np.zeros((2, 1, 3000))).maps),
        ("tall", content(np.zeros((3, 900, 1))).maps),
    ):
        (tmp_path / name).write_bytes(b"".join(channel_images.encode_sheet(maps, maps.peak, LOOK)))
        seen[name] = pixels_of(tmp_path / name)
    first, empty = (
        seen["colour"][channel_images.GAP, channel_images.GAP] / 255,
        colour_maps.srgb(colour_maps.THEMES["dark"]["track"]),
    )
    share = colours.texels[0, 0, 0, 3]
    mixed = colour_maps.to_linear(colours.data[0, 0, 0]) * share + colour_maps.to_linear(empty) * (1 - share)
    assert np.abs(first - colour_maps.to_srgb(mixed)).max() <= 0.5 / 255 + 1e-6
    assert seen["vector"].shape[1] > 2 * channel_images.BAR and seen["long"].shape[1] == 3000 + 2 * channel_images.GAP
    assert len(seen["tall"]) >= 900


def written(folder: Path, contents: list[export.ExportLayer]) -> list[tuple[str, float]]:
    folder.mkdir(exist_ok=True)
    return list(export.write_export(folder, contents, LOOK, {"network": "tiny"}))


def test_what_is_written_is_what_was_recorded(tmp_path):
    rng = np.random.default_rng(5)
    first, second = rng.normal(size=(5, 6, 4)) * 1e-3, rng.normal(size=(3, 1, 1)) + 1e5
    first[1, 2, 2], first[2] = np.nan, -7.5
    contents = [content(first, labels=tuple("vwxyz")), content(second, "b.c", note="zero everywhere")]
    progress = written(tmp_path / "out", contents)
    shares = [share for _, share in progress]
    assert shares == sorted(shares) and 0 <= shares[0] and shares[-1] <= 1
    arrays, metadata = safetensors.open_arrays(tmp_path / "out" / "values.safetensors")
    assert metadata["method"] == "activations" and set(arrays) == {"a", "b.c"}
    rows = list(csv.DictReader((tmp_path / "out" / "channels.csv").read_text(encoding="utf-8").splitlines()))
    assert list(rows[0]) == list(export.COLUMNS) and len(rows) == 8
    for layer in contents:
        assert np.array_equal(arrays[layer.layer.id], layer.maps.data, equal_nan=True)
    for row in rows:
        values = arrays[row["layer"]][int(row["channel"])]
        low, high = float(row["least"]), float(row["most"])
        known = np.isfinite(values)
        assert (low, high) == (values[known].min(), values[known].max()), "exact, so that the range is never lost"
        pixels = pixels_of(tmp_path / "out" / row["file"])
        assert pixels.shape == values.shape == (int(row["height"]), int(row["width"]))
        error = np.abs(low + pixels / 65535 * (high - low) - values)[known]
        assert error.max() <= (high - low) / 65535 / 2 * (1 + 1e-6) + 1e-12
        assert float(row["mean"]) == pytest.approx(values[known].mean(dtype=np.float64))
        assert int(row["nan"]) == (~known).sum()
    assert [row["label"] for row in rows] == [*"vwxyz", "", "", ""]
    assert rows[2]["dead"] == "1" and rows[2]["sparsity"] == "1.0" and rows[2]["deviation"] == "0.0"
    about = json.loads((tmp_path / "out" / "export.json").read_text(encoding="utf-8"))
    assert about["network"] == "tiny" and about["columns"] == export.COLUMNS
    assert [(layer["layer"], layer["name"], layer["shape"]) for layer in about["layers"]] == [
        ("a", "a", [5, 6, 4]),
        ("b.c", "b.c", [3, 1, 1]),
    ]
    assert [layer["maps_note"] for layer in about["layers"]] == ["", "zero everywhere"]


def test_a_large_map_is_written_in_many_steps(tmp_path):
    progress = written(tmp_path / "out", [content(np.zeros((1, 600, 600)))])
    assert len([what for what, _ in progress if what == "a"]) >= 6


def test_a_folder_is_whole_or_not_there(tmp_path):
    with atomic_folders.new_folder(tmp_path / "out") as part:
        (part / "a").write_text("x")
        assert part.parent == tmp_path and not (tmp_path / "out").exists()
    assert (tmp_path / "out" / "a").read_text() == "x" and os.listdir(tmp_path) == ["out"]
    with pytest.raises(KeyboardInterrupt), atomic_folders.new_folder(tmp_path / "other") as part:
        (part / "a").write_text("x")
        raise KeyboardInterrupt
    with pytest.raises(SceneError, match="out: can't be written"), atomic_folders.new_folder(tmp_path / "out"):
        pass
    with (
        pytest.raises(SceneError, match="nowhere: no such folder"),
        atomic_folders.new_folder(tmp_path / "nowhere" / "x"),
    ):
        pass
    assert os.listdir(tmp_path) == ["out"]
    assert (
        atomic_folders.free_path(tmp_path, "out").name == "out-2"
        and atomic_folders.free_path(tmp_path, "new").name == "new"
    )


# In Blender


@pytest.fixture
def place(tmp_path) -> Path:
    """An empty folder."""
    (tmp_path / "place").mkdir()
    return tmp_path / "place"


@pytest.fixture
def hall(empty_scene, recorded):
    from innerwalk.blender_addon.scene.hall.build import create_hall

    return create_hall(rec.load(recorded))


def test_a_hall_is_exported_as_it_was_recorded(hall, recorded, place):
    from innerwalk.blender_addon import actions

    progress: list[tuple[str, float]] = []
    line = actions.export_hall(hall, place, lambda what, share: progress.append((what, share)))
    assert line == f"exported 4 layers of tiny to {place / 'tiny'}"
    shares = [share for _, share in progress]
    assert shares == sorted(shares) and shares[-1] <= 1 and {"a", "values"} <= {what for what, _ in progress}
    arrays, _ = safetensors.open_arrays(place / "tiny" / "values.safetensors")
    recording = rec.load(recorded)
    assert set(arrays) == {"a", "b", ":add", "fc"}
    for id, array in arrays.items():
        assert np.array_equal(array, recording.maps(id).data)
    about = json.loads((place / "tiny" / "export.json").read_text())
    assert (about["input"], about["weights"], about["recording"]) == ("noise", "by hand", {"seed": 7})
    assert {layer["layer"]: layer["name"] for layer in about["layers"]}[":add"] == "_add"
    rows = list(csv.DictReader((place / "tiny" / "channels.csv").read_text().splitlines()))
    assert [float(row["peak"]) for row in rows[:5]] == pytest.approx(recording.maps("a").peak.tolist())
    assert "tiny-2" in actions.export_hall(hall, place), "nothing is ever replaced"


def test_a_layer_keeps_the_name_of_its_files(hall, place):
    from innerwalk.blender_addon import actions

    assert actions.export_layer(hall, ":add", str(place)) == f"exported 1 layer of tiny to {place / '_add'}"
    assert sorted(os.listdir(place / "_add")) == [
        "channels",
        "channels.csv",
        "export.json",
        "sheets",
        "values.safetensors",
    ]
    assert sorted(os.listdir(place / "_add" / "channels" / "_add")) == [f"{k:04d}.png" for k in range(5)]


def test_a_hall_that_was_saved_and_opened_is_exported_alike(hall, place):
    bpy = pytest.importorskip("bpy")
    from innerwalk.blender_addon import actions
    from innerwalk.blender_addon.scene.hall import store
    from innerwalk.blender_addon.scene.materials import images

    actions.export_hall(hall, place)
    images.pack_images()
    bpy.ops.wm.save_as_mainfile(filepath=str(place / "hall.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(place / "hall.blend"))
    actions.export_hall(store.halls()[0], place)
    first, second = place / "tiny", place / "tiny-2"
    files = sorted(str(path.relative_to(first)) for path in first.rglob("*") if path.is_file())
    assert len(files) == 3 + 4 + 18
    assert files == sorted(str(path.relative_to(second)) for path in second.rglob("*") if path.is_file())
    assert all((first / name).read_bytes() == (second / name).read_bytes() for name in files)


def test_what_can_not_be_exported_is_one_line(hall, empty_scene, place):
    bpy = pytest.importorskip("bpy")
    from innerwalk.blender_addon import actions
    from innerwalk.blender_addon.scene.panels import image_of, panels

    with pytest.raises(UnknownName, match="no panel of layer 'c'"):
        actions.export_layer(hall, "c", place)
    with pytest.raises(SceneError, match="is not a hall"):
        actions.export_hall(empty_scene, place)
    with pytest.raises(SceneError, match="no such folder"):
        actions.export_hall(hall, place / "nowhere")
    bpy.data.images.remove(image_of(panels(hall)["a"]))
    with pytest.raises(SceneError, match="no panel shows maps of a"):
        actions.export_layer(hall, "a", place)
    assert actions.export_hall(hall, place).startswith("exported 3 layers")


def test_a_full_disk_leaves_nothing(hall, place, monkeypatch):
    from innerwalk.blender_addon import actions

    def full(path, pieces):
        for number, piece in enumerate(pieces):
            if path.name == "0003.png":
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            path.write_bytes(piece)
            yield number

    monkeypatch.setattr(export, "_write_pieces", full)
    with pytest.raises(SceneError, match="tiny: the disk is full; nothing was left half-written"):
        actions.export_hall(hall, place)
    assert os.listdir(place) == []


def test_stopping_between_two_steps_leaves_nothing(hall, place):
    from innerwalk.blender_addon.actions import exporting

    work = exporting.export_steps(hall, place)
    while next(work)[1] < 0.5:
        pass
    assert [name[:6] for name in os.listdir(place)] == [".part-"]
    work.close()
    assert os.listdir(place) == []


def test_a_hall_that_goes_away_meanwhile_is_told(hall, place):
    bpy = pytest.importorskip("bpy")
    from innerwalk.blender_addon.actions import exporting

    work = exporting.export_steps(hall, place)
    next(work)
    bpy.data.scenes.remove(hall)
    with pytest.raises(SceneError, match="was deleted"):
        list(work)
    assert os.listdir(place) == []


def test_operators_export(hall, place):
    bpy = pytest.importorskip("bpy")
    from innerwalk.blender_addon import actions, ui

    ui.register()
    try:
        with bpy.context.temp_override(scene=hall):
            assert not bpy.ops.innerwalk.export_layer.poll()
            assert bpy.ops.innerwalk.export_hall(directory=str(place)) == {"FINISHED"}
            actions.select(hall, "b")
            assert bpy.ops.innerwalk.export_layer(directory=str(place)) == {"FINISHED"}
            assert bpy.ops.innerwalk.export_layer(directory=str(place), layer="fc") == {"FINISHED"}
            with pytest.raises(RuntimeError, match="no such folder"):
                bpy.ops.innerwalk.export_hall(directory=str(place / "nowhere"))
        assert sorted(os.listdir(place)) == ["b", "fc", "tiny"]
    finally:
        ui.unregister()


def test_the_operator_exports_flat_figures_of_the_recording(hall, recorded, place):
    bpy = pytest.importorskip("bpy")
    from innerwalk.blender_addon import ui
    from innerwalk.blender_addon.output.page_png import draw_page
    from innerwalk.blender_addon.pages.figure import draw_figure
    from innerwalk.blender_addon.pages.page_options import PageOptions
    from innerwalk.blender_addon.pages.svg import svg_file

    ui.register()
    try:
        with bpy.context.temp_override(scene=hall):
            assert bpy.ops.innerwalk.export_figure(filepath=str(place / "plate"), layer="b", width=85.0) == {"FINISHED"}
            assert bpy.ops.innerwalk.export_figure(filepath=str(place / "a.svg"), preset="grid", layer="a") == {
                "FINISHED"
            }
            assert bpy.ops.innerwalk.export_figure(filepath=str(place / "b.PNG"), preset="grid") == {"FINISHED"}
            with pytest.raises(RuntimeError, match="did you mean fc"):
                bpy.ops.innerwalk.export_figure(filepath=str(place / "x.svg"), preset="grid", layer="fd")
    finally:
        ui.unregister()
    assert sorted(os.listdir(place)) == ["a.svg", "b.PNG", "plate.svg"]
    with Image.open(place / "b.PNG") as picture:
        assert np.array_equal(np.asarray(picture), draw_page(draw_figure([rec.load(recorded)], PageOptions("grid"))))
        assert round(picture.info["dpi"][0]) == 300 and picture.info["Title"]
    for name, options in (("plate", PageOptions(width=85.0, layer="b")), ("a", PageOptions("grid", layer="a"))):
        wanted = svg_file(draw_figure([rec.load(recorded)], options)).decode()
        found = (place / f"{name}.svg").read_text("utf-8")
        assert found[found.index("<rect") :] == wanted[wanted.index("<rect") :], name
