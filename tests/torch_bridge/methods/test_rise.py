"""RISE against loops in numpy and the closed form of a linear network; Layer-CAM by hand."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch")
torch.set_num_threads(1)

from unittest import mock  # noqa: E402

from torch import nn  # noqa: E402

from innerwalk.tests.support import method_runs  # noqa: E402
from innerwalk.torch_bridge import concepts  # noqa: E402
from innerwalk.torch_bridge.attribution.explained_values import explained_class  # noqa: E402
from innerwalk.torch_bridge.attribution.random_masks import RandomMasks  # noqa: E402
from innerwalk.torch_bridge.method_support import run_limits  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InputError  # noqa: E402


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.fc = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 5, 3, 2), nn.Linear(5, 3)

    def forward(self, x):
        return self.fc(self.b(self.a(x).relu()).relu().mean((2, 3)))


def small():
    torch.manual_seed(1)
    return Small().eval()


def picture(seed=0):
    return torch.randn(1, 3, 10, 14, generator=torch.Generator().manual_seed(seed))


def run(model, layer, channels=(), **parameters):
    context = method_runs.make_context(model, picture(), [layer], channels)
    return method_runs.run_method(context, "rise", **parameters)[layer]


def mask_by_hand(grid, cell, shift, size):
    """Enlarges a grid by `cell`, linearly between the centres of cells, and cuts out `size` at `shift`."""
    result = np.zeros(size)
    for y in range(size[0]):
        for x in range(size[1]):
            total = 0.0
            places = []
            for position, length, count in ((y + shift[0], cell[0], 0), (x + shift[1], cell[1], 1)):
                scale = grid.shape[count] / ((grid.shape[count] + 1) * length)
                source = min(max((position + 0.5) * scale - 0.5, 0), grid.shape[count] - 1)
                low = int(source)
                places.append([(low, 1 - source + low), (min(low + 1, grid.shape[count] - 1), source - low)])
            for row, first in places[0]:
                for column, second in places[1]:
                    total += grid[row, column] * first * second
            result[y, x] = total
    return result


def masks_by_hand(count, cells, kept, seed, size=(10, 14)):
    cell = [-(-length // cells) for length in size]
    for number in range(count):
        random = np.random.default_rng((seed, number))
        grid = (random.random((1, 1, cells, cells)) < kept)[0, 0].astype(float)
        yield mask_by_hand(grid, cell, [int(random.integers(side)) for side in cell], size)


@pytest.mark.parametrize("centred", [False, True])
def test_a_class_by_loops(centred):
    model, x, total, values = small(), picture(), np.zeros((10, 14)), []
    masks = list(masks_by_hand(25, 4, 0.3, 6))
    for mask in masks:
        with torch.no_grad():
            probabilities = model(x * torch.from_numpy(mask.astype(np.float32))).softmax(1)
        values.append(float(probabilities[0, 2]))
    for value, mask in zip(values, masks, strict=True):
        total += (value - centred * np.mean(values)) * mask
    maps = run(model, "fc", of_class=2, count=25, cells=4, kept=0.3, seed=6, centred=centred)
    assert np.allclose(maps.data[0], total / (25 * 0.3), atol=1e-6)
    assert np.ptp(maps.data) > 1e-4 and maps.channel_numbers == (2,) and maps.frame == "input"


def test_channels_by_loops():
    model, x, masks = small(), picture(), list(masks_by_hand(10, 3, 0.5, 0))
    with torch.no_grad():
        found = torch.cat([model.a(x * torch.from_numpy(mask.astype(np.float32))).amax((2, 3)) for mask in masks])
    wanted = np.einsum("nk,nhw->khw", found.numpy(), np.stack(masks)) / 5
    maps = run(model, "a", of="maximum", count=10, cells=3, centred=False)
    assert np.allclose(maps.data, wanted, atol=1e-5)
    some = run(model, "a", [2], of="maximum", count=10, cells=3, centred=False)
    assert some.channel_numbers == (2,) and np.allclose(some.data[0], wanted[2], atol=1e-5)


def test_many_masks_find_the_only_pixels_that_count():
    class Corner(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Conv2d(3, 1, 1)

        def forward(self, x):
            return self.a(x)[..., :3, :3].sum((2, 3), keepdim=True)

    torch.manual_seed(0)
    model = Corner()
    maps = run(model, ":sum", of="mean", count=3000, cells=5)
    heat = maps.data[0] * np.sign(model(picture()).item() - model(torch.zeros(1, 3, 10, 14)).item())
    row, column = np.unravel_index(heat.argmax(), heat.shape)
    assert row < 4 and column < 4 and np.abs(heat[6:, 8:]).max() < 0.15 * heat.max()


def test_masks_are_seeded_and_keep_the_wanted_share():
    masks = RandomMasks((32, 48), 7, 0.3, 4)
    stack = torch.cat([masks.mask(number) for number in range(400)])
    assert stack.shape == (400, 1, 32, 48) and 0 <= stack.min() and stack.max() <= 1
    assert float(stack.mean()) == pytest.approx(0.3, abs=0.01)
    assert torch.equal(RandomMasks((32, 48), 7, 0.3, 4).mask(17), stack[17:18])
    assert not torch.equal(RandomMasks((32, 48), 7, 0.3, 5).mask(17), stack[17:18])


def test_the_same_seed_gives_the_same_bits_and_partial_results():
    first, again, other = (run(small(), "fc", count=60, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.texels, again.texels) and not np.allclose(first.data, other.data)
    with mock.patch.dict(run_limits.MAX_COPIES, cpu=4):
        steps = method_runs.method_steps(method_runs.make_context(small(), picture(), ["fc"]), "rise", count=60, seed=1)
    shown = [step.maps[0].data for step in steps if step.maps]
    assert steps[3].message == "fc: mask 12 of 60" and len(shown) == 12
    assert np.allclose(shown[-1], first.data, atol=1e-6)


def test_no_gradient_is_needed_and_no_influence_is_noted():
    class Rounded(nn.Module):
        def __init__(self, factor):
            super().__init__()
            self.a, self.factor = nn.Conv2d(3, 2, 3), factor

        def forward(self, x):
            return torch.from_numpy(self.a(x.round() * self.factor).detach().numpy().copy())

    assert run(Rounded(1), "a", of="mean", count=20).data.any()
    constant = run(Rounded(0), "a", of="mean", count=20)
    assert not constant.data.any() and constant.note == "zero everywhere: no mask changes what is explained"
    model = small()
    with torch.no_grad():
        list(model.children())[-1].weight.zero_()  # the probability of the biases, up to rounding
    assert run(model, "fc", count=100, cells=2).note == constant.note
    with pytest.raises(InputError, match="is drawn on the layer of the classes, fc; ask for that"):
        run(small(), "a")


def test_a_shipped_networks_evidence_lies_in_the_object():
    model, names = concepts.load("object")
    hits = 0
    for index in range(6):
        sample = concepts.sample(0, 1, index, task="object")
        x = torch.from_numpy(sample.image).permute(2, 0, 1)[None].float() / 127.5 - 1
        context = method_runs.make_context(model, x, ["fc"], class_names=names)
        values = method_runs.run_method(context, "rise", of_class=sample.label, count=300)["fc"].data[0]
        row, column = np.unravel_index(values.argmax(), values.shape)
        box = sample.boxes[0]
        hits += box.x0 <= column < box.x1 and box.y0 <= row < box.y1
    assert hits >= 5


def test_a_sigmoid_gives_a_class_a_probability_of_its_own():
    model, plain = nn.Sequential(small(), nn.Sigmoid()), small()
    context = method_runs.make_context(model, picture(), ["0.fc"])
    explained = explained_class(context, 1)
    assert torch.allclose(explained.measure(picture()), plain(picture())[:, [1]].sigmoid(), atol=1e-6)
    assert explained.target.probability == pytest.approx(plain(picture())[0, 1].sigmoid().item(), abs=1e-6)
