"""Health: channels with planted faults, healthy ones beside them, and the shipped networks."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch")
torch.set_num_threads(1)

from torch import nn  # noqa: E402

from innerwalk.tests.support import method_runs  # noqa: E402
from innerwalk.torch_bridge import concepts, data, record  # noqa: E402
from innerwalk.torch_bridge.inputs.preprocess import Preprocessing  # noqa: E402
from innerwalk.torch_bridge.method_support.channel_health import activation_limits  # noqa: E402
from innerwalk.torch_bridge.probing.aliasing import (  # noqa: E402
    aliased_energy,
    aliased_kernel_share,
    checkerboard_energy,
    find_strided_conv,
)
from innerwalk.torch_bridge.recording import FLAGS, Maps  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InputError  # noqa: E402

PLAIN = Preprocessing(size=(16, 16), mean=(0.5,), std=(0.5,))
DEAD, DUPLICATE, SATURATED, ALIASED = (1 << FLAGS.index(word) for word in FLAGS[:4])


def noise(count: int = 40, grain: int = 1) -> method_runs.Pictures:
    """Pictures of noise, fine or coarse."""
    drawn = np.random.default_rng(1).integers(0, 256, (count, 16 // grain, 16 // grain, 3), np.uint8)
    return method_runs.Pictures([np.kron(picture, np.ones((grain, grain, 1), np.uint8)) for picture in drawn])


def health(model: nn.Module, layer: str, pictures: data.DataSet | None = None, **parameters) -> Maps:
    inputs = torch.zeros(1, 3, 16, 16)
    context = method_runs.make_context(model.eval(), inputs, [layer], preprocessing=PLAIN, data=pictures or noise())
    return method_runs.run_method(context, "health", **parameters)[layer]


def convolution(outputs=8, **more) -> nn.Conv2d:
    torch.manual_seed(3)
    return nn.Conv2d(3, outputs, 3, **more)


def flagged(maps: Maps, flag: int) -> list[int]:
    return np.flatnonzero(maps.extras["flags"] & flag).tolist()


@pytest.mark.parametrize("rectified", [True, False])
def test_three_zero_filters_are_three_dead_channels(rectified):
    conv = convolution(bias=False)
    with torch.no_grad():
        conv.weight[[1, 4, 6]] = 0
    maps = health(nn.Sequential(conv, nn.ReLU() if rectified else nn.Tanh()), "0")
    assert flagged(maps, DEAD) == [1, 4, 6] and flagged(maps, DUPLICATE) == []
    assert maps.labels[4] == "dead on all 40 pictures" and maps.labels[0] == ""
    assert not maps.data[[1, 4, 6]].any() and maps.extras["values"][0] == pytest.approx(maps.data[0].mean())


def test_constant_channels_are_dead():
    conv = convolution()
    with torch.no_grad():
        conv.weight[2], conv.bias[2] = 0, 0.7
    maps = health(nn.Sequential(conv, nn.ReLU()), "0")
    assert flagged(maps, DEAD) == [2] and maps.labels[2] == "dead, the same on all 40 pictures"
    assert (maps.data[2] == 1).all()


def test_never_positive_is_dead_only_before_a_relu():
    conv = convolution()
    with torch.no_grad():
        conv.bias[2], conv.bias[5] = -50.0, -0.6
    assert flagged(health(nn.Sequential(conv, nn.ReLU()), "0"), DEAD) == [2]
    assert flagged(health(nn.Sequential(conv, nn.GELU()), "0"), DEAD) == []
    assert flagged(health(nn.Sequential(conv, nn.ReLU()), "1"), DEAD) == [2]


def test_one_picture_is_enough_to_be_alive():
    pictures = noise(grain=16)
    conv = convolution(2)
    with torch.no_grad():
        conv.weight[:] = torch.tensor([1.0, -1.0])[:, None, None, None]
        answers = [
            float(conv(torch.from_numpy(picture[:3, :3].copy()).permute(2, 0, 1) / 127.5 - 1)[0, 0, 0])
            for picture in pictures.pictures
        ]
        bound = np.sort(answers)[-2]
        conv.bias[:] = torch.tensor([-float(bound), 100.0])
    maps = health(nn.Sequential(conv, nn.ReLU()), "0", pictures)
    assert flagged(maps, DEAD) == [] and np.allclose(maps.data[0], 1 / 40) and np.allclose(maps.data[1], 1)
    bound = np.sort(answers)[-1] + 1e-3
    with torch.no_grad():
        conv.bias[0] = -float(bound)
    assert flagged(health(nn.Sequential(conv, nn.ReLU()), "0", pictures), DEAD) == [0]


def test_a_planted_duplicate_is_named():
    conv = convolution()
    with torch.no_grad():
        conv.weight[6], conv.bias[6] = 2.5 * conv.weight[1], 0.3
        conv.weight[3], conv.bias[3] = -conv.weight[0], -conv.bias[0]
    maps = health(nn.Sequential(conv), "0")
    assert flagged(maps, DUPLICATE) == [1, 6]
    assert maps.labels[1] == "like channel 6, correlation 1.000" and maps.labels[6].startswith("like channel 1,")


def test_channels_that_fired_at_the_same_few_pictures_are_no_duplicates():

    class Rare(nn.Module):
        def forward(self, x):
            fires = (x[:, :1].mean((2, 3), keepdim=True) > self.bound).float()
            return torch.cat([fires, fires * 2, x[:, :1, :1, :1].abs() + 1], 1)

    pictures, model = noise(), nn.Sequential(Rare())
    means = np.sort([picture[..., 0].mean() / 127.5 - 1 for picture in pictures.pictures])
    for fired, wanted in ((7, []), (8, [0, 1])):
        model[0].bound = float(means[-fired - 1] + means[-fired]) / 2
        maps = health(model, "0", pictures)
        assert flagged(maps, DUPLICATE) == wanted and maps.data[0] == pytest.approx(fired / 40)


@pytest.mark.parametrize(
    ("make", "gains", "wanted"),
    [
        (nn.Sigmoid, [0.1, 1, 200, 3000], [2, 3]),
        (nn.Tanh, [0.1, 1, 200, 3000], [2, 3]),
        (nn.ReLU6, [0.1, 1, 10, 3000], [3]),
        (nn.Hardsigmoid, [0.1, 1, 200, 3000], [2, 3]),
        (nn.ReLU, [0.1, 1, 10, 3000], []),
    ],
)
def test_saturated_channels_are_flagged_before_and_behind_their_activation(make, gains, wanted):
    conv = convolution(4, bias=False)
    with torch.no_grad():
        conv.weight /= conv.weight.flatten(1).std(1)[:, None, None, None]
        conv.weight *= torch.tensor(gains)[:, None, None, None]
    model = nn.Sequential(conv, make())
    for layer in ("0", "1"):
        maps = health(model, layer)
        assert flagged(maps, SATURATED) == wanted, layer
    assert not wanted or maps.labels[3].startswith("saturated in 9") or maps.labels[3].startswith("saturated in 100")


def checker(side: int) -> torch.Tensor:
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    return 1.0 - 2.0 * ((y + x) % 2)


def gauss(side: int, sigma: float) -> torch.Tensor:
    line = torch.exp(-((torch.arange(side) - side // 2) ** 2) / (2 * sigma**2))
    return torch.outer(line, line) / line.sum() ** 2


def test_energy_above_the_strides_nyquist_frequency():
    kernels = torch.stack([checker(8), gauss(8, 2.0), gauss(8, 2.0) * checker(8)])[:, None]
    share = aliased_kernel_share(kernels, (2, 2))
    assert share[0] > 0.95 and share[1] < 0.01 and share[2] > 0.99
    assert aliased_kernel_share(torch.ones(1, 1, 1, 1), (2, 2))[0] == pytest.approx(1 - np.pi / 16, abs=0.01)
    assert aliased_kernel_share(kernels, (1, 1))[1] < 1e-4


def strided_filters() -> nn.Conv2d:
    """Keeps a one-pixel checkerboard, or blurs it away."""
    conv = nn.Conv2d(3, 3, 7, 2, padding=3, bias=False)
    with torch.no_grad():
        conv.weight[:] = torch.stack([checker(7) / 49, gauss(7, 1.5), gauss(7, 1.0)])[:, None]
    return conv


def test_sampling_a_checkerboard_is_aliased_and_of_a_blur_is_not():
    fine = torch.rand(2, 3, 48, 48, generator=torch.Generator().manual_seed(0))
    part, total = aliased_energy(strided_filters(), fine)
    share = part / total
    assert share[0] > 0.9 and share[1] < 0.03
    assert aliased_energy(strided_filters(), checker(48).expand(1, 3, 48, 48))[0][0] > 0.9 * total[0] / 40
    smooth = nn.functional.interpolate(torch.rand(2, 3, 4, 4), size=48, mode="bicubic")
    part, total = aliased_energy(strided_filters(), smooth)
    assert (part / total)[1:].max() < 0.01


def test_aliased_channels_are_flagged_in_first_and_in_later_layers():
    first = nn.Sequential(strided_filters())
    maps = health(first, "0")
    assert flagged(maps, ALIASED) == [0] and "of its energy is too fine for its stride" in maps.labels[0]
    later = nn.Sequential(nn.Conv2d(3, 3, 1), strided_filters(), nn.BatchNorm2d(3))
    assert flagged(health(later, "2"), ALIASED) == [0]
    assert flagged(health(later, "0"), ALIASED) == []


def test_which_convolutions_count_as_strided():
    model = nn.Sequential(nn.Conv2d(3, 4, 3, 2), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 1, (1, 2))).eval()
    network = record(model, (torch.rand(1, 3, 9, 9),), layers=()).network
    assert (
        find_strided_conv(model, network, "1").source == ""
        and find_strided_conv(model, network, "1").module is model[0]
    )
    assert find_strided_conv(model, network, "3").source == "2" and find_strided_conv(model, network, "2") is None


def test_checkerboards_of_transposed_convolutions_are_flagged():
    y = torch.rand(3, 2, 20, 21, generator=torch.Generator().manual_seed(0))
    part, total = checkerboard_energy(torch.stack([y[:, 0], y[:, 0] * 0 + checker(21)[:20]], 1))
    assert (part / total)[0] < 0.05 and (part / total)[1] == pytest.approx(1)
    up, even = nn.ConvTranspose2d(3, 2, 3, 2, bias=False), nn.ConvTranspose2d(3, 2, 4, 2, 1, bias=False)
    for layer in (up, even):
        nn.init.constant_(layer.weight, 0.3)
    blur = nn.Conv2d(3, 3, 1)
    for layer, wanted in ((up, [0, 1]), (even, [])):
        maps = health(nn.Sequential(blur, nn.Sigmoid(), layer), "2")
        assert flagged(maps, ALIASED) == wanted
        assert bool(wanted) == maps.labels[0].startswith("like channel 1, correlation 1.000; a checkerboard: ")


def test_activation_limits():

    class Both(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.c, self.pool, self.relu = (
                *(nn.Conv2d(3, 3, 1) for _ in "abc"),
                nn.MaxPool2d(2),
                nn.ReLU(),
            )

        def forward(self, x):
            a = self.a(x)
            x = torch.relu(a) + a
            b = self.relu(self.pool(self.b(x)))
            return torch.sigmoid(self.c(b))

    network = record(Both().eval(), (torch.rand(1, 3, 8, 8),), layers=()).network
    assert activation_limits(network, "a") == (None, None)  # its negative values go on beside the ReLU
    assert activation_limits(network, "b").silent_below == 0.0 and activation_limits(network, "b").ends is None
    assert activation_limits(network, "c") == (None, (-6.0, 6.0))


def test_the_shipped_network_is_healthy():
    model, _ = concepts.load("object")
    layers = ["stem.norm", "stage1.1:add", "stage2.1.norm1", "stage3.1:add", "fc"]
    context = method_runs.make_context(model, torch.zeros(1, 3, 64, 64), layers, data=data.open_data("concepts:object"))
    found = method_runs.run_method(context, "health", count=60)
    assert {id: int(maps.extras["flags"].any()) for id, maps in found.items()} == dict.fromkeys(layers, 0)
    assert all(0 <= maps.data.min() and maps.data.max() <= 1 and (maps.peak == 1).all() for maps in found.values())
    assert 0.05 < found["stage3.1:add"].extras["values"].mean() < 0.95


def test_steps_report_progress():
    context = method_runs.make_context(
        nn.Sequential(convolution()).eval(), torch.zeros(1, 3, 16, 16), ["0"], preprocessing=PLAIN, data=noise(300)
    )
    found = method_runs.method_steps(context, "health", count=300)
    partial = [step for step in found if step.maps]
    assert len(partial) == 2 and found[-1].message == "300 of 300 pictures of made"
    assert [step.share for step in found] == sorted(step.share for step in found)


def test_without_data_it_says_what_is_missing():
    context = method_runs.make_context(
        nn.Sequential(convolution()), torch.zeros(1, 3, 16, 16), ["0"], preprocessing=PLAIN
    )
    with pytest.raises(InputError, match="health needs a data set; choose one"):
        method_runs.method_steps(context, "health")


def test_maps_of_changing_sizes_are_refused():
    sizes = method_runs.Pictures([np.zeros((16 + k, 16, 3), np.uint8) for k in range(4)])
    how = Preprocessing(mean=(0.5,), std=(0.5,))
    context = method_runs.make_context(
        nn.Sequential(convolution()).eval(), torch.zeros(1, 3, 16, 16), ["0"], preprocessing=how, data=sizes
    )
    with pytest.raises(
        InputError, match="layer 0 has maps of different sizes for different pictures; use pictures of one size"
    ):
        method_runs.method_steps(context, "health")
