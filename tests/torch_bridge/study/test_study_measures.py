"""Shares of high frequencies and sensitivity where both are known."""

import io
import math

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch", reason="networks are measured with torch")

import torch

from innerwalk.torch_bridge.data import open_data
from innerwalk.torch_bridge.study import study_networks
from innerwalk.torch_bridge.study.findings import similarities, spread
from innerwalk.torch_bridge.study.high_frequencies import kernel_share, picture_share
from innerwalk.torch_bridge.study.sensitivity import occlusion_sensitivity, shift_sensitivity, shifted
from innerwalk.torch_bridge.study.study_pictures import read_pictures
from innerwalk.torch_bridge.study.study_sheet import draw_sheet

NOISE = 1 - math.pi / 16
"""Share of white noise: all frequencies but the circle of half the highest one."""


def stripes(period: int) -> torch.Tensor:
    """(1, 3, 64, 64): a wave with this period in pixels."""
    wave = torch.sin(torch.arange(64) * 2 * math.pi / period)
    return wave.expand(1, 3, 64, 64).contiguous()


def test_shares_of_waves_and_noise():
    assert picture_share(stripes(16)) < 0.01 and picture_share(stripes(3)) > 0.99
    noise = torch.randn(4, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    assert picture_share(noise) == pytest.approx(NOISE, abs=0.02)
    assert picture_share(torch.full((1, 3, 16, 16), 0.4)) < 1e-3
    assert kernel_share(torch.ones(2, 3, 7, 7)) < 0.1
    assert kernel_share(torch.randn(64, 3, 7, 7, generator=torch.Generator().manual_seed(0))) == pytest.approx(
        NOISE, abs=0.02
    )


class Pixel(torch.nn.Module):
    """Two classes, by one pixel: the worst case of dependence on where pixels are."""

    def forward(self, x):
        score = 20 * x[:, 0, 8, 8]
        return torch.stack([score, -score], 1)


class Mean(torch.nn.Module):
    """Two classes, by the mean, which hardly changes."""

    def forward(self, x):
        score = 20 * x.mean((1, 2, 3))
        return torch.stack([score, -score], 1)


def test_moved_pictures_repeat_their_edge():
    picture = torch.arange(16.0).reshape(1, 1, 4, 4)
    assert shifted(picture, 1, 0)[0, 0, :2].tolist() == [[0, 1, 2, 3], [0, 1, 2, 3]]
    assert shifted(picture, 0, -2)[0, 0, 0].tolist() == [2, 3, 3, 3]


def test_one_pixel_matters_to_a_network_that_looks_at_it_alone():
    """In a checkerboard each neighbour has the other sign: one step changes all answers, two steps none."""
    sign = 1 - 2 * ((torch.arange(16)[:, None] + torch.arange(16)) % 2).float()
    inputs = torch.stack([sign, -sign])[:, None].repeat(1, 3, 1, 1)
    moved = shift_sensitivity(Pixel(), inputs)
    assert moved[1].changed == 1 and moved[1].drop == pytest.approx(1) and moved[2].changed == 0
    flat = torch.tensor([1.0, -1.0]).reshape(2, 1, 1, 1).expand(2, 3, 16, 16)
    assert all(
        answers.changed == 0 and abs(answers.drop) < 1e-6 for answers in shift_sensitivity(Mean(), flat).values()
    )


def test_a_patch_over_the_pixel_takes_the_answer():
    """Covered by the mean, the pixel says nothing: half of the probability goes, at the places that cover it."""
    flat = torch.ones(3, 3, 16, 16)
    answers = occlusion_sensitivity(Pixel(), flat)
    assert answers.largest == pytest.approx(0.5) and 0 < answers.drop < 0.2
    assert occlusion_sensitivity(Mean(), flat).largest < 1e-6


def test_networks_are_alike_to_themselves_alone():
    pictures = read_pictures(open_data("concepts:object:train"), (32, 32), ("circle", "star"), 40, lambda *_: None)
    network = study_networks.NETWORKS["covid_resnet"]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        first, second = network.build(2), network.build(2)
    rows = similarities(network, {"a": first, "same": first, "b": second}, pictures)
    assert len(rows) == 3 * len(network.stages)
    assert all((row["cka"] == 1) == (row["other"] == "same") for row in rows)


def test_a_sheet_shows_its_tiles(tmp_path):
    red, small = np.zeros((2, 30, 40, 3), np.float32), np.full((2, 7, 7, 3), 0.5, np.float32)
    red[..., 0] = 1
    sheet = Image.open(io.BytesIO(draw_sheet([("red", red), ("grey", small)]))).convert("RGB")
    assert abs(np.array(sheet.getpixel((240, 50))) - [255, 0, 0]).max() < 6
    assert abs(np.array(sheet.getpixel((240, 160))) - 128).max() < 6
    assert spread(512, 4) == [0, 128, 256, 384] and spread(3, 8) == [0, 1, 2]
