"""Evidence: with a stub that synthesises known pictures, and with the real method."""

from dataclasses import dataclass

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch")
torch.set_num_threads(1)

from PIL import Image  # noqa: E402
from torch import nn  # noqa: E402

from innerwalk.tests.support import method_runs  # noqa: E402
from innerwalk.torch_bridge import concepts, data  # noqa: E402
from innerwalk.torch_bridge.concepts import make_evidence_sheet as sheets  # noqa: E402
from innerwalk.torch_bridge.inputs.preprocess import Preprocessing  # noqa: E402
from innerwalk.torch_bridge.method_support.method import parameter  # noqa: E402
from innerwalk.torch_bridge.method_support.picture_maps import picture_maps  # noqa: E402
from innerwalk.torch_bridge.methods import Method, Step  # noqa: E402
from innerwalk.torch_bridge.methods.evidence import GAP, MAKERS, pair_side_by_side  # noqa: E402
from innerwalk.torch_bridge.recording import FLAGS  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InputError, UnknownName  # noqa: E402

HOW = Preprocessing(size=(12, 12), mean=(0.5,), std=(0.25,))
BEYOND = 1 << FLAGS.index("beyond data")


@dataclass(frozen=True)
class MakerParameters:
    seed: int = parameter(5, "received", 0, 10)
    steps: int = parameter(7, "received", 0, 10)


@pytest.fixture
def maker(monkeypatch):
    """Replaces maximisation by uniform pictures: their brightness 0..1 by channel, and the parameters received."""
    lights, received = {}, []

    def run(context, parameters):
        received.append(parameters)
        for layer in context.layers:
            count = context.network.layer(layer).map_shape[0]
            pictures = {channel: np.full((12, 12, 3), lights[channel]) for channel in context.selected_channels(layer)}
            first = dict(list(pictures.items())[:1])
            yield Step(0.5, "half", (picture_maps(layer, "maximisation", first, count),))
            yield Step(1.0, "made", (picture_maps(layer, "maximisation", pictures, count),))

    monkeypatch.setitem(MAKERS, "maximisation", Method("maximisation", "Made", "Made.", run, MakerParameters))
    return lights, received


def light_meter() -> nn.Module:
    """Channels that answer with the light, a tenth of it more, and minus it."""
    conv = nn.Conv2d(3, 3, 1, bias=False)
    with torch.no_grad():
        conv.weight[:] = torch.tensor([1.0, 1.1, -1.0])[:, None, None, None] / 3
    return nn.Sequential(conv).eval()


def context_with(channels=(), lights=(10, 160, 140, 150), **more):
    greys = [np.full((12, 12, 3), light, np.uint8) for light in lights]
    pictures = method_runs.Pictures(greys, [int(light > 100) for light in lights], ("dim", "bright"))
    return method_runs.make_context(
        light_meter(), torch.zeros(1, 3, 12, 12), ["0"], channels, HOW, data=pictures, **more
    )


def answer(light: float) -> float:
    return (light - 0.5) / 0.25


def test_synthesised_pictures_are_measured_like_the_data(maker):
    lights, received = maker
    lights.update({0: 0.75, 1: 1.0, 2: 0.0})
    found = method_runs.run_method(context_with(), "evidence", best=4, seed=3)["0"]
    best = answer(160 / 255)
    assert np.allclose(found.extras["values"], [best, 1.1 * best, -answer(10 / 255)], atol=1e-5)
    assert np.allclose(found.extras["reached"], [answer(191 / 255), 1.1 * answer(1.0), 2.0], atol=0.02)
    assert found.extras["flags"].tolist() == [0, BEYOND, 0]  # 2 is 3.9 times 0.51; 0.99 isn't twice 0.51
    assert found.labels[0] == "bright, 3 of 4; 0.51 in data, 0.996 made"
    assert received[0] == MakerParameters(seed=3, steps=7)
    method_runs.run_method(context_with(), "evidence", steps=9)
    assert received[1].steps == 9


def test_data_left_and_synthesised_picture_right(maker):
    lights, _ = maker
    lights.update({0: 0.25, 2: 0.75})
    found = method_runs.run_method(context_with(channels=(0, 2)), "evidence", best=1)["0"]
    side = found.shape[1]
    assert found.shape[1:] == (side, 2 * side + GAP) and found.colour and found.frame == "layer"
    assert np.allclose(found.data[0, :, :side], 160 / 255) and np.allclose(
        found.data[0, :, side + GAP :], 0.25, atol=0.01
    )
    assert np.allclose(found.data[1, :, side + GAP :], 0.75, atol=0.01)
    assert found.channel_numbers == (0, 2) and np.allclose(found.extras["reached"], -1, atol=0.01)


def test_data_comes_first_then_each_synthesised_picture(maker):
    lights, _ = maker
    lights.update({0: 0.25, 1: 0.5, 2: 0.75})
    found = method_runs.method_steps(context_with(), "evidence", best=1)
    right = [step.maps[0].data[:, 0, -1, 0].round(2).tolist() for step in found if step.maps]
    assert [len({*map(float, tile)} - {0.0}) for tile in right] == [0, 1, 3]
    assert [step.share for step in found] == sorted(step.share for step in found) and found[-1].share == 1.0


def test_a_channel_activated_only_by_its_synthesised_picture_is_beyond_data(maker):
    lights, _ = maker
    lights.update({0: 0.6, 1: 0.4, 2: 0.0})
    found = method_runs.run_method(context_with(lights=(10, 20, 30)), "evidence", best=1)["0"]
    assert found.extras["flags"].tolist() == [BEYOND, 0, 0] and found.extras["values"][0] < 0


def test_missing_data_and_maker_are_errors(maker, monkeypatch):
    context = method_runs.make_context(light_meter(), torch.zeros(1, 3, 12, 12), ["0"], preprocessing=HOW)
    with pytest.raises(InputError, match="evidence needs a data set; choose one"):
        method_runs.method_steps(context, "evidence")
    monkeypatch.delitem(MAKERS, "maximisation")
    with pytest.raises(UnknownName, match="no method that makes pictures 'maximisation'"):
        method_runs.method_steps(context_with(), "evidence")


def test_maximisation_raises_channels_beyond_the_data():
    model, names = concepts.load("object")
    pictures = data.open_data("concepts:object")
    context = method_runs.make_context(
        model, torch.zeros(1, 3, 64, 64), ["fc"], (0, 4), data=pictures, class_names=names
    )
    found = method_runs.run_method(context, "evidence", steps=24, count=60, best=4)["fc"]
    reached, best = found.extras["reached"], found.extras["values"]
    assert (reached > best).all() and found.channel_numbers == (0, 4) and found.labels[1].startswith("ring, 4 of 4; ")


def test_a_picture_beside_a_mosaic_is_as_high():
    left, right = np.full((9, 7, 3), 0.5, np.float32), np.full((4, 4, 3), 255, np.uint8)
    both = pair_side_by_side(left, right)
    assert both.shape == (9, 7 + GAP + 9, 3)
    assert (both[:, :7] == 0.5).all() and (both[:, 7 : 7 + GAP] == 0).all() and (both[:, 7 + GAP :] == 1).all()
    assert (pair_side_by_side(left, None)[:, 7:] == 0).all()


def test_the_sheet_of_the_documentation(monkeypatch, tmp_path):
    seen = []

    def made_of(layer, channels, parameters):
        seen.append((layer, parameters))
        pictures = dict.fromkeys(channels, np.full((20, 46, 3), 0.5))
        values = {
            "values": np.full(72, 2.0),
            "reached": np.full(72, 5.0),
            "flags": np.full(72, 1 << FLAGS.index("beyond data")),
        }
        return picture_maps(layer, "evidence", pictures, 72, extras=values)

    monkeypatch.setattr(sheets, "compute_evidence", made_of)
    sheets.main(tmp_path / "sheet.png", "dgn_am", 30)
    with Image.open(tmp_path / "sheet.png") as sheet:
        pixels = np.asarray(sheet.convert("RGB"))
    height, width, gap, left, foot = sheets.HEIGHT, sheets.WIDTH, sheets.GAP, sheets.MARGIN, sheets.FOOT
    assert pixels.shape == (5 * (height + foot) + 4 * gap, left + 4 * width + 3 * gap, 3)
    assert (pixels[:height, left : left + width] == 128).all()
    assert (pixels[:height, :left] < 120).any(), "the layer is named"
    assert (abs(pixels[height : height + foot].astype(int) - sheets.WARNING).sum(2) < 40).any(), "flags stand out"
    assert (pixels[height + foot : height + foot + gap] == sheets.PAPER).all()
    assert [layer for layer, _ in seen] == list(sheets.ROWS) and seen[0][1] == {"maker": "dgn_am", "count": 30}


def test_evidence_of_the_shipped_network():
    found = sheets.compute_evidence("stem.norm", (3, 7), {"count": 24, "steps": 2})
    assert found.channel_numbers == (3, 7) and found.texels[..., 3].any((1, 2)).all()
    assert np.isfinite(found.extras["reached"]).all()
