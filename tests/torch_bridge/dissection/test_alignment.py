"""Maps laid over pictures by receptive fields: a planted network whose strides and padding shift its positions."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs torch")

import torch
from PIL import Image
from torch import nn

from innerwalk.torch_bridge.data import open_data
from innerwalk.torch_bridge.dissection.run import Dissection, DissectionSettings
from innerwalk.torch_bridge.dissection.tally import cell_axis
from innerwalk.torch_bridge.models.build import BuiltModel
from innerwalk.torch_bridge.recording import ignore_progress
from innerwalk.torch_bridge.server.loaded_model import LoadedModel
from innerwalk.torch_bridge.server.priority_lock import PriorityLock
from innerwalk.torch_bridge.subject import RecordSpec, prepare

SIDE, STRIDE, WIDE = 32, 4, 11
"""Of pictures; from one position to the next; of squares: an unaligned mask is off by 1.5 pixels."""


class Planted(nn.Module):
    """Layers that see red at every fourth pixel: from the first on, from two outside on, and averaged over all."""

    def __init__(self):
        super().__init__()
        self.corner, self.padded = nn.Conv2d(3, 1, 1, STRIDE, bias=False), nn.Conv2d(3, 1, 1, STRIDE, 2, bias=False)
        for layer in (self.corner, self.padded):
            layer.weight.data = torch.tensor([1.0, -1, -1]).reshape(1, 3, 1, 1)
        self.attention = nn.Softmax(2)

    def forward(self, picture):
        red = self.corner(picture)
        mixed = self.attention(8 * red.flatten(2)).reshape(red.shape) + 0
        return red.mean() + self.padded(picture).mean() + mixed.mean()


@pytest.fixture(params=[0, 2])
def data_folder(tmp_path, request):
    """A red square a picture, three positions wide, and a dim red one of one position, which sets the threshold."""
    for name in ("images", "masks/shape"):
        (tmp_path / "data" / name).mkdir(parents=True)
    (tmp_path / "data" / "concepts.csv").write_text("number,name,category\n1,square,shape\n")
    for k in range(6):
        picture, mask = np.zeros((SIDE, SIDE, 3), np.uint8), np.zeros((SIDE, SIDE), np.uint8)
        y, x = (STRIDE * place - request.param for place in (3 + k % 2, 4 - k % 2))
        square = np.s_[y - 1 : y - 1 + WIDE, x - 1 : x - 1 + WIDE]
        picture[square], mask[square] = (255, 0, 0), 1
        picture[4 - request.param, 4 - request.param] = 133, 0, 0
        Image.fromarray(picture).save(tmp_path / "data" / "images" / f"{k}.png")
        Image.fromarray(mask).save(tmp_path / "data" / "masks" / "shape" / f"{k}.png")
    return tmp_path / "data", {0: "corner", 2: "padded"}[request.param]


def overlap(folder, layer, out, alignment, change=lambda planted: planted) -> float:
    """The IoU of the layer's unit and the squares."""
    spec = RecordSpec(model="", size=(SIDE, SIDE), mean=(0.0,), std=(1.0,), inputs=(f"noise:0:3x{SIDE}x{SIDE}",))
    subject = prepare(spec, built=BuiltModel(change(Planted()).eval(), "planted"))
    live = LoadedModel("planted", spec, torch.device("cpu"), PriorityLock(), subject)
    positions = 9**2 if layer == "padded" else 8**2
    settings = DissectionSettings((layer,), quantile=9.5 / positions, alignment=alignment)
    dissection = Dissection(live, open_data(str(folder)), settings, out / alignment)
    assert dissection.run(ignore_progress) == ""
    return dissection.results()[0].findings[0].best.iou


def test_aligned_masks_lie_where_the_network_looks(data_folder, tmp_path):
    folder, layer = data_folder
    assert overlap(folder, layer, tmp_path, "receptive-field") > 0.98
    assert overlap(folder, layer, tmp_path, "even") < 0.7


def test_fields_larger_than_the_picture_are_found_in_a_larger_one(data_folder, tmp_path):
    """Kernels of 33 that see their middle pixel only: no position has a whole field in a picture of 32."""
    folder, layer = data_folder

    def large(planted):
        for convolution, padding in ((planted.corner, 16), (planted.padded, 18)):
            kernel = torch.zeros(1, 3, 33, 33)
            kernel[..., 16:17, 16:17] = convolution.weight.data
            convolution.weight.data, convolution.padding = kernel, (padding, padding)
        return planted

    assert overlap(folder, layer, tmp_path, "receptive-field", large) > 0.98


def test_layers_that_see_the_whole_picture_stay_even(data_folder, tmp_path):
    found = {how: overlap(data_folder[0], ":add", tmp_path, how) for how in ("even", "receptive-field")}
    assert found["even"] == found["receptive-field"] > 0


@pytest.mark.parametrize(("positions", "size"), [(7, 112), (5, 83)])
def test_even_axes_are_those_of_half_pixel_centres(positions, size):
    step = size / positions
    for own, even in zip(cell_axis(positions, size, step / 2 - 0.5, step), cell_axis(positions, size), strict=True):
        assert torch.allclose(own.double(), even.double(), atol=1e-4, equal_nan=True)


def test_pixels_far_outside_the_positions_take_the_value_at_the_edge():
    pixels, shares = cell_axis(2, 12, 5.0, 2.0)
    assert [[k for k in row if k >= 0] for row in pixels.tolist()] == [[0, 1, 2, 3, 4], [5, 6], [7, 8, 9, 10, 11]]
    assert shares[1, :2].tolist() == [0.0, 0.5]
