"""Flat figures as files: the pixels of a map, text as text with its font inside, and every way to fail."""

import errno
import itertools
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from innerwalk.blender_addon.imaging.colour_maps import COLOUR_MAPS
from innerwalk.blender_addon.output.page_png import draw_page
from innerwalk.blender_addon.pages.figure import draw_figure
from innerwalk.blender_addon.pages.page import FlatPage, PageBox, PageLine, PagePicture, PageShape, PageText
from innerwalk.blender_addon.pages.page_options import PageOptions
from innerwalk.blender_addon.pages.svg import svg_file
from innerwalk.blender_addon.plans.number_text import format_number
from innerwalk.scenes import cli, render_recipe
from innerwalk.scenes.page_files.page_figure import write_page_figure
from innerwalk.tests.support.endpoint_recordings import ALL
from innerwalk.torch_bridge import recording as rec
from innerwalk.torch_bridge.recording.errors import InnerwalkError

NARROW = PageOptions(width=85.0)


def read_picture(path: Path) -> np.ndarray:
    """(H, W, 3) int of a PNG file."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def write(recorded: Path, out: Path, *options: str) -> int:
    return cli.main(["figure", str(recorded), "-o", str(out), "--preset", "plate", *options])


def test_a_png_has_the_size_and_resolution_that_were_ordered(recorded, tmp_path):
    assert write(recorded, tmp_path / "a.png", "--width", "single", "--dpi", "150") == 0
    with Image.open(tmp_path / "a.png") as image:
        assert image.width == round(85 / 25.4 * 150) and round(image.info["dpi"][0]) == 150
        assert image.info["Title"] == "tiny" and '"dpi": 150' in image.info["innerwalk"]


def test_tiles_of_a_png_have_the_colours_of_the_values(recorded, tmp_path):
    recording, out = rec.load(recorded), tmp_path / "a.png"
    maps = recording.maps("a")
    pixels = read_picture(write_page_figure(recording, out, NARROW))
    page = draw_figure([recording], NARROW)
    pictures = [item for item in page.items if isinstance(item, PagePicture) and len(item.pixels) > 20]
    first = pictures[1]  # behind the input
    left, top = round(first.x / page.pixel), round(first.y / page.pixel)
    height, width, _ = first.pixels.shape
    assert np.array_equal(pixels[top : top + height, left : left + width], first.pixels)
    shown = COLOUR_MAPS["paper"].colours(np.clip(maps.data / maps.peak[:, None, None] / 2 + 0.5, 0, 1)) * 255
    found = first.pixels.reshape(-1, 3).astype(int)
    for value in shown.reshape(-1, 3)[::7]:
        assert np.abs(found - value).max(1).min() <= 1


def test_a_png_page_has_boxes_lines_shapes_and_turned_text_where_they_are():
    page = FlatPage(20.0, 10.0, "paper", 254)  # a pixel is 0.1 mm
    page.items = [
        PageBox(1.0, 1.0, 2.05, 1.0, "#000000"),
        PageLine(((5.0, 3.0), (9.0, 3.0)), 0.2, "#FF0000"),
        PageShape(((10.0, 1.0), (12.0, 1.0), (10.0, 3.0)), "#0000FF"),
        PageText("l", 15.0, 8.0, 12.0, "#000000", turned=True),
    ]
    pixels = draw_page(page).astype(int)
    assert pixels.shape == (100, 200, 3)
    dark = pixels[..., 1] < 255
    assert (pixels[10:20, 10:30] == 0).all() and (pixels[10:20, 30] == 128).all() and not dark[10:20, 31:40].any()
    assert (pixels[29:31, 49:91] == [255, 0, 0]).all() and not dark[31:40, 40:92].any() and not dark[25:29, 40:92].any()
    assert (pixels[12, 101:117] == [0, 0, 255]).all() and dark[10:30, 100:120].sum() == pytest.approx(210, abs=25)
    rows, columns = np.nonzero(dark[:, 130:])
    assert 70 < rows.min() and rows.max() < 80 and 20 - 0.75 * 43 < columns.min() and columns.max() < 21


def test_a_plate_names_its_layers_shapes_classes_and_input(recorded):
    page = draw_figure([rec.load(recorded)], NARROW)
    texts = {item.text for item in page.items if isinstance(item, PageText)}
    assert {"tiny", "a", "b", "add", "fc", "5 × 6 × 4", "3", "cat", "75.0 %", "noise", "data", "skip"} <= texts | {
        "add"
    }
    assert min(item.size for item in page.items if isinstance(item, PageText)) >= 5.0
    for item in page.items:
        if isinstance(item, PageText):
            left, top, right, bottom = item.bounds()
            assert left >= 0 and top >= 0 and right <= page.width and bottom <= page.height


@pytest.mark.parametrize("name", ALL)
def test_each_input_and_output_is_a_board_with_its_own_edges(name):
    recording = ALL[name]()
    page = draw_figure([recording], PageOptions())
    texts = [item for item in page.items if isinstance(item, PageText)]
    several = [own for own in (recording.inputs, recording.outputs) if len(own) > 1]
    for endpoint in itertools.chain(*several):
        assert sum(item.text == endpoint.name for item in texts) == sum(
            endpoint.name == other.name for other in itertools.chain(*several)
        )
    assert_texts_are_apart(page)


def test_boards_show_words_boxes_and_values():
    page = draw_figure([ALL["bert"]()], PageOptions())
    written = " ".join(item.text for item in page.items if isinstance(item, PageText))
    assert "[CLS] a small grey cat" in written
    page = draw_figure([ALL["clip"]()], PageOptions())
    written = {item.text for item in page.items if isinstance(item, PageText)}
    assert {"value 0", "7.5", "−3", "text_embeds", "embedding"} <= written
    page = draw_figure([ALL["detector"]()], PageOptions())
    assert "person 97.0 %" in {item.text for item in page.items if isinstance(item, PageText)}


def test_the_narrowest_column_has_the_whole_legend_and_shapes_without_the_batch(recorded):
    recording = rec.load(recorded)
    answer = rec.Endpoint("output", "logits", "embedding", (1, 3), "float32", values=np.ones((1, 3), np.float32))
    recording.outputs = (answer,)
    ends = rec.Layer("output", "output", "output", (3,), (3, 1, 1)), rec.Edge("fc", "output")
    network = recording.network
    recording.network = replace(network, layers=(*network.layers, ends[0]), edges=(*network.edges, ends[1]))
    page = draw_figure([recording], NARROW)
    texts = [item for item in page.items if isinstance(item, PageText)]
    written = {item.text for item in texts}
    assert {"− peak", "0", "+ peak", "peak of each channel", "data"} <= written
    (logits,) = [item for item in texts if item.text == "embedding"]
    assert [item.text for item in texts if item.x == logits.x and item.y > logits.y] == ["3"]
    assert_texts_are_apart(page)


def assert_texts_are_apart(page: FlatPage) -> None:
    texts = [item for item in page.items if isinstance(item, PageText)]
    pictures = [(p.x, p.y, p.x + p.width, p.y + p.height) for p in page.items if isinstance(p, PagePicture)]
    for number, one in enumerate(texts):
        assert one.size >= 5.0
        for other in (*(text.bounds() for text in texts[:number]), *pictures):
            low, high = np.maximum(one.bounds()[:2], other[:2]), np.minimum(one.bounds()[2:], other[2:])
            assert (high - low).min() <= 0.01, (one, other)


def test_no_two_texts_overlap_and_none_lies_on_a_picture(recorded):
    assert_texts_are_apart(draw_figure([rec.load(recorded)], NARROW))


def test_an_svg_has_text_as_text_and_each_picture_once(recorded, tmp_path):
    assert write(recorded, tmp_path / "a.svg", "--width", "85mm", "--theme", "dark") == 0
    content = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert 'width="85mm"' in content and ">cat</text>" in content and ">5 × 6 × 4</text>" in content
    assert content.count("<image") == 6 and "#0D1218" in content


def test_a_pdf_has_its_font_inside_and_text_as_text(recorded, tmp_path):
    pytest.importorskip("reportlab", reason="needs reportlab")
    assert write(recorded, tmp_path / "a.pdf", "--width", "85mm") == 0
    content = (tmp_path / "a.pdf").read_bytes()
    assert b"/FontFile2" in content and b"LiberationSans" in content
    box = re.search(rb"/MediaBox \[ 0 0 ([0-9.]+) ([0-9.]+) \]", content)
    assert float(box[1]) == pytest.approx(85 / 25.4 * 72, abs=0.01)
    assert content.count(b"/Subtype /Image") == 6
    write(recorded, tmp_path / "b.pdf", "--width", "85mm")
    assert (tmp_path / "b.pdf").read_bytes() == content


def test_the_page_of_a_theme_has_its_ground(recorded, tmp_path):
    for theme, ground in (("dark", (13, 18, 24)), ("paper", (255, 255, 255))):
        out = write_page_figure(recorded, tmp_path / f"{theme}.png", PageOptions(width=60.0, dpi=100, theme=theme))
        assert tuple(read_picture(out)[0, 0]) == ground


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--method", "activation"), "did you mean activations?"),
        (("--width", "5mm"), "50 to 1200 mm can"),
        (("--dpi", "5"), "72 to 1200 dpi can"),
        (("--size", "10x10"), "has no size"),
        (("--collapse", "nothing*"), "no block"),
    ],
)
def test_wrong_options_are_one_line_and_leave_nothing(recorded, tmp_path, capsys, options, line):
    assert write(recorded, tmp_path / "a.png", *options) == 2
    error = capsys.readouterr().err
    assert line in error and error.count("\n") == 1 and not list(tmp_path.glob("*.png"))


def test_wrong_files_are_one_line_and_leave_nothing(recorded, tmp_path, capsys, monkeypatch):
    for source, out in ((tmp_path / "none", tmp_path / "a.png"), (recorded, tmp_path / "a.txt"),
                        (recorded, tmp_path / "none" / "a.svg"), (recorded, tmp_path)):  # fmt: skip
        assert write(source, out) == 2
        assert capsys.readouterr().err.count("\n") == 1
    before = sorted(tmp_path.iterdir())
    full = OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr(Path, "write_bytes", lambda *_: (_ for _ in ()).throw(full))
    assert write(recorded, tmp_path / "a.svg") == 2
    assert "the disk is full" in capsys.readouterr().err and sorted(tmp_path.iterdir()) == before


def test_a_width_that_is_none_is_refused_by_the_parser(recorded, tmp_path, capsys):
    with pytest.raises(SystemExit):
        write(recorded, tmp_path / "a.png", "--width", "85 apples")
    assert "write 85mm" in capsys.readouterr().err


def explained(recorded: Path, tmp_path: Path) -> Path:
    """The recording with a map over the input that is 1 in its right half, for class "cat", with a box around it."""
    recording = rec.load(recorded)
    heat = np.zeros((1, 12, 8), np.float32)
    heat[:, :, 4:] = 1.0
    boxes = np.array([[0, 0.5, 0.0, 1.0, 1.0, 0.9]], np.float32)
    recording.add(
        [rec.Maps("b", "grad_cam", rec.pack(heat), 1, frame="input", labels=("cat",), extras={"boxes": boxes})]
    )
    return recording.save(tmp_path / "explained")


def test_an_overlay_is_warm_where_the_map_is_and_names_method_class_and_score(recorded, tmp_path):
    source = explained(recorded, tmp_path)
    out = write_page_figure(source, tmp_path / "a.png", PageOptions("overlay", 60.0, 200))
    page = draw_figure([rec.load(source)], PageOptions("overlay", 60.0, 200))
    texts = {item.text for item in page.items if isinstance(item, PageText)}
    assert {"noise", "cat 75.0 %", "grad_cam, b"} <= texts
    heat = [item for item in page.items if isinstance(item, PagePicture)][-1]
    left, top = round(heat.x / page.pixel), round(heat.y / page.pixel)
    height, width, _ = heat.pixels.shape
    found = read_picture(out)[top : top + height, left : left + width]
    warm = found[..., 0] - found[..., 2]
    assert warm[10:-10, -width // 3 : -10].mean() > 60 > 20 > abs(warm[10:-10, 10 : width // 3].mean())
    orange = np.abs(found - [0xB2, 0x53, 0x00]).max(2) < 3
    assert orange[:, width // 2 :].sum() > height and not orange[:, : width // 2 - 2].any(), "the box is drawn"


def test_a_grid_shows_the_channels_that_were_asked_for_with_their_numbers(recorded):
    page = draw_figure([rec.load(recorded)], PageOptions("grid", 85.0, layer="b", channels=(1, 3)))
    maps = rec.load(recorded).maps("b")
    tiles = [item for item in page.items if isinstance(item, PagePicture)][:2]
    texts = [item for item in page.items if isinstance(item, PageText)]
    for tile, channel in zip(tiles, (1, 3), strict=True):
        (number,) = [text for text in texts if text.text == str(channel)]
        assert tile.x == pytest.approx(number.x) and 0 < number.y - tile.y - tile.height < 3
        value = maps.data[channel, 0, 0] / maps.peak[channel] / 2 + 0.5
        corner = COLOUR_MAPS["paper"].colours(np.clip(value, 0, 1)) * 255
        assert np.abs(tile.pixels[2, 2] - corner).max() <= 1


def test_a_grid_of_several_recordings_has_a_row_for_each(recorded, tmp_path):
    other = rec.load(recorded)
    other.input_name = "other"
    other.save(tmp_path / "other")
    assert cli.main(["figure", str(recorded), "--beside", str(tmp_path / "other"), "--preset", "grid", "--layer", "a",
                     "-o", str(tmp_path / "a.svg")]) == 0  # fmt: skip
    page = draw_figure([rec.load(recorded), other], PageOptions("grid", layer="a"))
    texts = {item.text: item for item in page.items if isinstance(item, PageText)}
    assert texts["noise"].x == texts["other"].x and texts["noise"].y < texts["other"].y
    assert sum(isinstance(item, PagePicture) for item in page.items) == 2 * (5 + 1) + 1


def test_a_grid_of_several_networks_names_all_of_them(recorded):
    recording, other = rec.load(recorded), rec.load(recorded)
    other.network = replace(other.network, name="large")
    page = draw_figure([recording, other], PageOptions("grid", layer="a"))
    assert "tiny, large" in {item.text for item in page.items if isinstance(item, PageText)}


def test_an_overlay_says_the_score_of_a_class_before_what_the_method_adds(recorded):
    extras = {"values": np.array([0.75], np.float32)}
    recording = with_method(recorded, (1, 12, 8), frame="input", labels=("cat, 98% of 14",), extras=extras)
    page = draw_figure([recording], PageOptions("overlay"))
    assert "cat 75.0 %, 98% of 14" in {item.text for item in page.items if isinstance(item, PageText)}


def with_method(recorded: Path, shape: tuple[int, int, int], **values) -> rec.Recording:
    recording = rec.load(recorded)
    maps = np.ones(shape, np.float32)
    recording.add([rec.Maps("b", "grad_cam", rec.pack(maps), len(maps), **values)])
    return recording


def test_a_plate_of_a_method_has_the_layers_and_channels_that_it_has_and_says_of_which_class(recorded):
    recording = with_method(recorded, (1, 12, 8), labels=("cat",), channel_numbers=(1,))
    page = draw_figure([recording], PageOptions(method="grad_cam"))
    texts = {item.text for item in page.items if isinstance(item, PageText)}
    assert {"tiny: grad_cam of cat", "b", "1 × 12 × 8", "4 layers, 1 shown, 18 channels"} <= texts
    assert not {"a", "fc"} & texts
    (tile,) = [item.pixels for item in page.items if isinstance(item, PagePicture)][1:-1]
    assert len(np.unique(tile.reshape(-1, 3), axis=0)) == 1, "the panel is full"
    some = draw_figure([with_method(recorded, (2, 6, 4), channel_numbers=(0, 3))], PageOptions(method="grad_cam"))
    assert "2 of 5 × 6 × 4" in {item.text for item in some.items if isinstance(item, PageText)}


def assert_leaders_start_at_tiles(page: FlatPage, rims: list[list[PageBox]]) -> None:
    """From each framed tile a line leads to the right end of the panel, and from there another one goes on."""
    lines = [item for item in page.items if isinstance(item, PageLine) and item.colour == page.colour("text")]
    for above, below, left, right in rims:
        heights = above.y + above.height, below.y + 1e-6
        starts = [line.points for line in lines if line.points[0][0] == pytest.approx(right.x)]
        inner = [points for points in starts if heights[0] < points[0][1] <= heights[1]]
        assert len(inner) == 1 and inner[0][0][1] == inner[0][1][1] and inner[0][1][0] > right.x
        assert any(inner[0][1] in line.points for line in lines if line.points != inner[0]), left


def test_a_plate_calls_out_channels_with_their_values_and_an_edge_from_their_panel(recorded):
    recording, options = rec.load(recorded), PageOptions(layer="b", channels=(4, 1))
    maps, page = recording.maps("b"), draw_figure([recording], options)
    texts = {item.text: item for item in page.items if isinstance(item, PageText)}
    pictures = [item for item in page.items if isinstance(item, PagePicture)]
    heads = [item.points[0] for item in page.items if isinstance(item, PageShape)]
    for channel in (4, 1):
        name = texts[f"channel {channel}"]
        assert f"peak {format_number(maps.peak[channel])}" in texts
        (enlarged,) = [p for p in pictures if p.x < name.x < p.x + p.width and 0 < name.y - p.y - p.height < 3]
        value = maps.data[channel, 0, 0] / maps.peak[channel] / 2 + 0.5
        corner = COLOUR_MAPS["paper"].colours(np.clip(value, 0, 1)) * 255
        assert np.abs(enlarged.pixels[3, 3] - corner).max() <= 1
        assert any(abs(x + 0.12 - enlarged.x) < 0.1 and 0 < y - enlarged.y < enlarged.height for x, y in heads)
    rims = [item for item in page.items if isinstance(item, PageBox) and item.colour == page.colour("text")]
    assert len(rims) == 4 * 2
    assert_leaders_start_at_tiles(page, [rims[:4], rims[4:]])
    for wrong, line in ((PageOptions(channels=(1,)), "name it with --layer"), (PageOptions(layer="bb"), "mean b?"),
                        (PageOptions(layer="b", channels=(9,)), "0 to 4")):  # fmt: skip
        with pytest.raises(InnerwalkError, match=re.escape(line)):
            draw_figure([recording], wrong)


def test_a_grid_leaves_out_pictures_that_were_not_made_and_counts_what_it_shows(recorded):
    recording = rec.load(recorded)
    texels = np.zeros((5, 6, 4, 4), np.float32)
    texels[[1, 4]] = 1.0
    recording.add([rec.Maps("b", "maximisation", texels, 5, colour=True)])
    page = draw_figure([recording], PageOptions("grid", method="maximisation", layer="b"))
    texts = {item.text for item in page.items if isinstance(item, PageText)}
    assert {"1", "4", "b: 5 × 6 × 4, 2 shown", "tiny: maximisation"} <= texts and not {"0", "2", "3"} & (texts - {"0"})


def test_strangers_recordings_are_drawn_in_bounded_time(tmp_path):
    """10,000 layers, long names, maps of NaN, boxes outside of the picture."""
    count, name = 10_000, "a." * 2000
    layers = [rec.Layer("input", "input", "input", (3, 8, 8), (3, 8, 8))]
    layers += [rec.Layer(f"{name}{k}", "Conv2d", "panel", (4, 2, 2), (4, 2, 2), f"{name}{k}") for k in range(count)]
    edges = tuple(rec.Edge(layers[max(0, k - step)].id, layers[k].id) for k in range(1, count + 1) for step in (1, 7))
    network = rec.Network("n" * 4000, tuple(layers), tuple(dict.fromkeys(edges)), True)
    boxes = tuple(("x" * 4000, 0.5, -9.0, np.nan, 9.0, 9.0) for _ in range(200))
    answer = rec.Prediction("boxes", boxes=boxes)
    recording = rec.Recording(network, "\n" * 4000, np.zeros((8, 8, 3), np.uint8), answer)
    nan = np.full((1, 2, 2, 4), np.nan, np.float32)
    recording.add(rec.Maps(layer.id, rec.ACTIVATIONS, nan, 4) for layer in layers[1:])
    page = draw_figure([recording], NARROW)
    assert all(0 <= item.bounds()[0] and item.bounds()[2] <= 85.01 for item in page.items if isinstance(item, PageText))
    assert len(svg_file(page)) < 1 << 24


def test_an_unknown_layer_or_channel_is_one_line_with_near_ones(recorded, tmp_path, capsys):
    for options, line in ((("--layer", "fd"), "did you mean fc?"), (("--layer", "a", "--channels", "9"), "0 to 4")):
        assert cli.main(["figure", str(recorded), "--preset", "grid", "-o", str(tmp_path / "a.png"), *options]) == 2
        assert line in capsys.readouterr().err
    assert write(recorded, tmp_path / "a.png", "--beside", str(recorded)) == 2
    assert "shows one recording" in capsys.readouterr().err
    assert cli.main(["figure", str(recorded), "--preset", "overlay", "-o", str(tmp_path / "a.png")]) == 2
    assert "innerwalk ask makes them" in capsys.readouterr().err


def test_characters_that_xml_forbids_are_replaced(recorded, tmp_path):
    recording = rec.load(recorded)
    strange = replace(recording, network=replace(recording.network, name="N\ufffe\uffff\x01<&"))
    write_page_figure(strange, tmp_path / "a.svg", NARROW)
    root = ElementTree.parse(tmp_path / "a.svg").getroot()
    assert root[0].text.startswith("N\ufffd\ufffd")


def test_a_figure_is_a_recipe_of_one_figure_and_needs_no_blender(recorded, tmp_path, monkeypatch):
    monkeypatch.setattr(render_recipe, "start_blender", lambda: pytest.fail("Blender is loaded"))
    assert (
        write(recorded, tmp_path / "a.svg", "--width", "85mm", "--title", "Mine", "--layer", "b", "--channels", "1")
        == 0
    )
    path = tmp_path / "r.toml"
    path.write_text(
        f'schema = 1\nrecording = "{recorded.name}"\n[look]\ntitle = "Mine"\n[[figures]]\noutput = "a.svg"\n'
        'preset = "plate"\nwidth = 85\nlayer = "b"\nchannels = [1]\n'
    )
    assert cli.main(["render", str(path), "-o", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "a.svg").read_bytes() == (tmp_path / "a.svg").read_bytes()
    path.write_text(path.read_text().replace('"plate"', '"layer"').replace("a.svg", "a.png"))
    assert cli.main(["render", str(path), "-o", str(tmp_path / "out")]) == 2
